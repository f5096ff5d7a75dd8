package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/jobs"
)

// act is a form, and the operation of the API that it calls.
type act struct {
	path   string // of the console
	method string // of the operation
	to     string // its path
	fields []field
	back   string // the page that follows; a function of the answer if follow is set
	done   string
	follow func(answer map[string]any) string
	show   string // the template of a page that shows the answer in place of a redirect, since it is shown once
}

// field is a field of a form.
type field struct {
	name string
	// kind is text, optional (left out when empty), cleared (null when empty), flag, number, list (left out when nothing
	// is chosen), choices (at least one), words (with commas), time (of a browser, in UTC) or account (an ID or a
	// username; left out when empty).
	kind string
}

func text(names ...string) (all []field) {
	for _, name := range names {
		all = append(all, field{name, "text"})
	}
	return all
}

// acts returns all acts of the console.
func acts() []act {
	return []act{
		{path: "/jobs/{id}/cancel", to: "/admin/jobs/{id}/cancel", back: "/jobs/{id}",
			done: "The job is asked to end."},
		{path: "/jobs/{id}/terminate", to: "/admin/jobs/{id}/terminate", back: "/jobs/{id}",
			done: "The job is terminated."},
		{path: "/jobs/{id}/retry", to: "/admin/jobs/{id}/retry", back: "/jobs/{id}",
			done: "The job is tried again, with all its attempts.", follow: retried},
		{path: "/jobs/batch", to: "/admin/job-batches", back: "/jobs", follow: batched, fields: []field{
			{"action", "text"}, {"kind", "optional"}, {"state", "optional"}, {"queue", "optional"},
			{"user_id", "account"}, {"room_id", "optional"}, {"from", "time"}, {"to", "time"},
			{"dry_run", "flag"}, {"expected", "number"},
		}},
		{path: "/queues/{queue}/pause", to: "/admin/queues/{queue}/pause", back: "/queues",
			done: "The queue is paused. Workers stop within seconds."},
		{path: "/queues/{queue}/resume", to: "/admin/queues/{queue}/resume", back: "/queues",
			done: "The queue is resumed."},
		{path: "/schedules/{id}/pause", to: "/admin/schedules/{id}/pause", back: "/schedules",
			done: "The schedule is paused."},
		{path: "/schedules/{id}/resume", to: "/admin/schedules/{id}/resume", back: "/schedules",
			done: "The schedule is resumed."},
		{path: "/schedules/{id}/trigger", to: "/admin/schedules/{id}/trigger", back: "/schedules",
			done: "A run was started, unless one is in progress."},
		{path: "/outbox/{id}/requeue", to: "/admin/outbox/events/{id}/requeue", back: "/outbox",
			done: "The event is tried now."},
		{path: "/emails/{id}/resend", to: "/admin/emails/{id}/resend",
			done: "Another email is queued.", follow: created("/emails/")},
		{path: "/emails/{id}/cancel", to: "/admin/emails/{id}/cancel", back: "/emails/{id}",
			done: "The email is cancelled."},
		{path: "/webhooks", to: "/admin/webhooks", show: "webhook-secret", fields: []field{
			{"url", "text"}, {"description", "optional"}, {"kinds", "choices"}}},
		{path: "/webhooks/{id}", method: http.MethodPatch, to: "/admin/webhooks/{id}", back: "/webhooks/{id}",
			done: "The webhook is changed.", fields: []field{{"url", "text"}, {"description", "cleared"}, {"kinds", "choices"}}},
		{path: "/webhooks/{id}/switch", method: http.MethodPatch, to: "/admin/webhooks/{id}", back: "/webhooks/{id}",
			done: "The webhook is changed.", fields: []field{{"enabled", "flag"}}},
		{path: "/webhooks/{id}/secret", to: "/admin/webhooks/{id}/secret", show: "webhook-secret",
			fields: []field{{"overlap_seconds", "number"}}},
		{path: "/webhooks/{id}/remove", method: http.MethodDelete, to: "/admin/webhooks/{id}", back: "/webhooks",
			done: "The webhook is removed."},
		{path: "/webhooks/{id}/test", to: "/admin/webhooks/{id}/test", done: "A test message is queued.",
			follow: created("/webhook-deliveries/")},
		{path: "/webhooks/{id}/replay", to: "/admin/webhooks/{id}/replay", back: "/webhooks/{id}",
			fields: []field{{"since", "time"}}, follow: replayed},
		{path: "/webhook-deliveries/{id}/redeliver", to: "/admin/webhook-deliveries/{id}/redeliver",
			back: "/webhook-deliveries/{id}", done: "The delivery begins anew."},
		{path: "/cleanup", to: "/admin/cleanup", done: "The run is queued.", follow: startedRun, fields: []field{
			{"policies", "list"}, {"dry_run", "flag"}, {"older_than", "optional"},
		}},
		{path: "/cleanup/{id}/cancel", to: "/admin/cleanup/runs/{id}/cancel", back: "/cleanup/{id}",
			done: "The run ends after its current batch."},
		{path: "/rooms/{id}/close", to: "/admin/rooms/{id}/close", back: "/rooms/{id}",
			fields: []field{{"reason", "text"}, {"abuse_report_id", "optional"}}, done: "The room is closed."},
		{path: "/rooms/{id}/reopen", to: "/admin/rooms/{id}/reopen", fields: text("reason"), back: "/rooms/{id}",
			done: "The room is open again."},
		{path: "/rooms/{id}/restore", to: "/admin/rooms/{id}/restore", back: "/rooms/{id}", done: "The room is restored."},
		{path: "/users/{id}/suspend", to: "/admin/users/{id}/suspend", back: "/users/{id}", done: "The account is suspended.",
			fields: []field{{"reason", "text"}, {"hide_content", "flag"}, {"abuse_report_id", "optional"}}},
		{path: "/users/{id}/reinstate", to: "/admin/users/{id}/reinstate", back: "/users/{id}",
			done: "The account is reinstated."},
		{path: "/users/{id}/sign-out", method: http.MethodDelete, to: "/admin/users/{id}/sessions", back: "/users/{id}",
			done: "All sign-ins of the account have ended."},
		{path: "/users/{id}/sessions/{session}/end", method: http.MethodDelete, to: "/admin/users/{id}/sessions/{session}",
			back: "/users/{id}", done: "The sign-in has ended."},
		{path: "/abuse/{id}/resolve", to: "/admin/abuse-reports/{id}/resolve", fields: text("outcome", "note"),
			back: "/abuse/{id}", done: "The report is resolved."},
		{path: "/movies", to: "/movies", back: "/movies", done: "The movie is in the catalogue.", fields: movieFields},
		{path: "/movies/{id}", method: http.MethodPatch, to: "/movies/{id}", back: "/movies", done: "The movie is changed.",
			fields: movieFields},
		{path: "/movies/{id}/archive", method: http.MethodPatch, to: "/movies/{id}", back: "/movies",
			done: "The movie is changed.", fields: []field{{"archived", "flag"}}},
	}
}

var movieFields = []field{
	{"title", "text"}, {"year", "number"}, {"runtime_minutes", "number"}, {"genres", "words"}, {"description", "text"},
	{"poster_url", "cleared"}, {"stream_url", "cleared"},
}

// shownPrefix begins the names of the hidden fields with what a form showed when its page was opened.
const shownPrefix = "shown-"

// shown makes the hidden fields of a form that shows what there is. Its arguments are names and values, in turn.
func shown(pairs ...any) (all []typed) {
	for pair := range slices.Chunk(pairs, 2) {
		name := shownPrefix + fmt.Sprint(pair[0])
		if v := reflect.ValueOf(pair[1]); v.Kind() == reflect.Slice {
			for _, text := range texts(pair[1]) {
				all = append(all, typed{Name: name, Value: text})
			}
			continue
		}
		all = append(all, typed{Name: name, Value: fmt.Sprint(pair[1])})
	}
	return all
}

// unchanged reports whether a field of a form is as it was shown. What was chosen has no order.
func unchanged(r *http.Request, name string) bool {
	before, ok := r.PostForm[shownPrefix+name]
	return ok && slices.Equal(inOrder(before), inOrder(r.PostForm[name]))
}

// inOrder returns the values of a field in one order, with the line breaks that texts have. Browsers send others.
func inOrder(values []string) (all []string) {
	for _, value := range values {
		all = append(all, strings.ReplaceAll(value, "\r\n", "\n"))
	}
	slices.Sort(all)
	return all
}

// body makes the body of an operation from a form. It has only the fields that differ from what the form showed, so
// that saving a form does not undo what another admin has changed since.
func (a act) body(r *http.Request) any {
	if len(a.fields) == 0 {
		return nil
	}
	body := map[string]any{}
	for _, f := range a.fields {
		value := strings.TrimSpace(r.PostFormValue(f.name))
		switch {
		case unchanged(r, f.name):
		case f.kind == "flag":
			body[f.name] = value != ""
		case f.kind == "choices":
			body[f.name] = append([]string{}, r.PostForm[f.name]...)
		case f.kind == "list":
			if list := r.PostForm[f.name]; len(list) > 0 {
				body[f.name] = list
			}
		case f.kind == "time" && value != "":
			body[f.name] = instant(value)
		case f.kind == "words":
			body[f.name] = splitWords(value)
		case f.kind == "cleared" && value == "":
			body[f.name] = nil
		case value == "" && f.kind != "text":
		case f.kind == "number":
			if n, err := strconv.Atoi(value); err == nil {
				body[f.name] = n
			} else {
				body[f.name] = value // the API reports what is wrong with it
			}
		default:
			body[f.name] = value
		}
	}
	return body
}

// noteField is the field of a form that has the reason of the act.
const noteField = "note"

// ownReason says whether the body of the operation has the reason of the act.
func (a act) ownReason() bool {
	return slices.ContainsFunc(a.fields, func(f field) bool { return f.name == "reason" || f.name == noteField })
}

// query has the reason of the act for all other operations.
func (a act) query(r *http.Request) url.Values {
	note := strings.TrimSpace(r.PostFormValue(noteField))
	if note == "" || a.ownReason() {
		return nil
	}
	return url.Values{"note": {note}}
}

// backField is the field of a form that was refused, with the page that it was on.
const backField = "back"

// typed is a field of a refused form, with what was typed.
type typed struct {
	Name, Value  string
	Hidden, Long bool
}

// typed returns what a form had, so that nobody types it again.
func (a act) typed(r *http.Request) (all []typed) {
	fields := a.fields
	if !a.ownReason() {
		fields = append(slices.Clip(fields), field{noteField, "optional"})
	}
	for _, f := range fields {
		for _, value := range r.PostForm[f.name] {
			hidden := f.kind == "list" || f.kind == "choices" || f.kind == "flag" || strings.HasSuffix(f.name, "_id") ||
				f.name == "expected"
			all = append(all, typed{f.name, value, hidden, len(value) > 80 || strings.Contains(value, "\n")})
		}
		for _, value := range r.PostForm[shownPrefix+f.name] {
			all = append(all, typed{Name: shownPrefix + f.name, Value: value, Hidden: true})
		}
	}
	return all
}

// splitWords returns the texts between commas.
func splitWords(text string) []string {
	all := []string{}
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// act returns the handler of a form. It answers with a redirect, so that reloading the page repeats nothing.
func (c *Console) act(a act) http.Handler {
	if a.method == "" {
		a.method = http.MethodPost
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			c.failed(w, r, view{Title: "Refused"}, unreadForm(err))
			return
		}
		var answer json.RawMessage
		err := c.nameAccounts(a, r)
		body := a.body(r)
		if fields, ok := body.(map[string]any); ok && len(fields) == 0 && a.method == http.MethodPatch {
			c.leaveNotice(w, "Nothing was changed.")
			http.Redirect(w, r, Base+fill(a.back, r), http.StatusSeeOther) //nolint:gosec // a page of the console
			return
		}
		if err == nil {
			err = c.send(r, a.method, withQuery(fill(a.to, r), a.query(r)), body, nilIfNoContent(&answer, a))
		}
		var p *problem
		if errors.As(err, &p) && p.Status != http.StatusUnauthorized {
			v := view{Title: "Not done", Template: "message"}
			if p.Status == http.StatusBadRequest || p.Status == http.StatusUnprocessableEntity ||
				string(p.Code) == watchparty.ErrMovieExists.Code {
				v.Again = a.typed(r)
			}
			c.failed(w, r, v, err)
			return
		}
		if err != nil {
			c.failed(w, r, view{Title: "Not done"}, err)
			return
		}
		if a.show != "" {
			var shown contract.WebhookAnswer
			if err := json.Unmarshal(answer, &shown); err != nil {
				c.failed(w, r, view{Title: "Not shown"}, err)
				return
			}
			c.render(w, r, http.StatusOK, view{Title: "Secret", Nav: "webhooks", Template: a.show, Data: shown})
			return
		}
		back, done := fill(a.back, r), a.done
		if a.follow != nil {
			var read struct {
				Data map[string]any `json:"data"`
			}
			_ = json.Unmarshal(answer, &read) // without data, the page that follows is the default
			read.Data = withForm(read.Data, r)
			if to := a.follow(read.Data); to != "" {
				back = to
			}
			if text, ok := read.Data["notice"].(string); ok {
				done = text
			}
		}
		c.leaveNotice(w, done)
		http.Redirect(w, r, Base+back, http.StatusSeeOther) //nolint:gosec // a page of the console
	})
}

// unreadForm says why a form was refused before anybody has read it. Then only the browser still has what was typed.
func unreadForm(err error) *problem {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &problem{contract.Problem{Status: http.StatusRequestEntityTooLarge, Title: fmt.Sprintf(
			"The form is larger than %d KB. Go back in your browser, which still has what you have typed, and shorten it.",
			tooLarge.Limit>>10)}}
	}
	return &problem{contract.Problem{Status: http.StatusBadRequest, Title: "The form cannot be read."}}
}

// nameAccounts replaces usernames of a form by IDs.
func (c *Console) nameAccounts(a act, r *http.Request) error {
	for _, f := range a.fields {
		if f.kind != "account" {
			continue
		}
		id, err := c.accountOf(r, r.PostFormValue(f.name))
		if err != nil {
			return err
		}
		r.PostForm.Set(f.name, id)
	}
	return nil
}

func nilIfNoContent(answer *json.RawMessage, a act) any {
	if a.follow == nil && a.show == "" {
		return nil
	}
	return answer
}

func withForm(data map[string]any, r *http.Request) map[string]any {
	if data == nil {
		data = map[string]any{}
	}
	data["form"] = r.PostForm
	return data
}

func created(prefix string) func(map[string]any) string {
	return func(data map[string]any) string {
		id, _ := data["id"].(string)
		return prefix + id
	}
}

// replayed says how many deliveries a replay has queued.
func replayed(data map[string]any) string {
	queued, _ := data["queued"].(float64)
	notice := fmt.Sprintf("Deliveries that begin anew: %d.", int(queued))
	if more, _ := data["more"].(bool); more {
		notice += " There are more: replay once more."
	}
	data["notice"] = notice
	return ""
}

func startedRun(data map[string]any) string {
	id, _ := data["run_id"].(string)
	return "/cleanup/" + id
}

// retried leads to the job that does the work now.
func retried(data map[string]any) string {
	job, _ := data["job"].(map[string]any)
	if id, ok := job["id"].(string); ok {
		return "/jobs/" + id
	}
	workflow, _ := data["workflow_id"].(string)
	data["notice"] = "Queued as " + workflow + "."
	if id, ok := strings.CutPrefix(workflow, "resend/"); ok {
		return "/emails/" + id
	}
	if id, ok := strings.CutPrefix(workflow, "cleanup/"); ok {
		return "/cleanup/" + id
	}
	return "/jobs"
}

// batched says what was done with many jobs. After a dry run the list shows the count, and offers the act.
func batched(data map[string]any) string {
	form, _ := data["form"].(url.Values)
	matched, _ := data["matched"].(float64)
	query := url.Values{}
	for _, name := range []string{"kind", "state", "queue", "user_id", "room_id", "from", "to"} {
		query[name] = form[name]
	}
	if form.Get("dry_run") != "" {
		query["action"], query["note"] = form["action"], form["note"]
		query.Set("state", batchState(form))
		query.Set("counted", strconv.Itoa(int(matched)))
		data["notice"] = fmt.Sprintf("%s found. Nothing was done yet.", many(int(matched), query.Get("state")+" job"))
		return "/jobs?" + query.Encode()
	}
	data["notice"] = fmt.Sprintf("Done: %v. Skipped: %v. Failed: %v. Left: %v.", data["done"], data["skipped"],
		data["failed"], data["left"])
	return "/jobs?" + query.Encode()
}

// batchState is the state of the jobs that an act on many is done to: those that an act can be done to, if none was
// chosen.
func batchState(form url.Values) string {
	if state := form.Get("state"); state != "" {
		return state
	}
	if form.Get("action") == string(contract.JobBatchActionRetry) {
		return string(jobs.Failed)
	}
	return string(jobs.Running)
}
