package console

import (
	"encoding/json"
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/health"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// entry is an entry of the navigation.
type entry struct{ Key, Path, Label string }

// accessKeys open the pages by keyboard, together with what the browser wants beside them.
var accessKeys = map[string]string{
	"overview": "o", "jobs": "j", "queues": "q", "schedules": "s", "outbox": "x", "emails": "e", "cleanup": "c",
	"reports": "r", "users": "u", "abuse": "b", "rooms": "m", "movies": "v", "audit": "a", "webhooks": "w",
}

// AccessKey is the letter of the page.
func (e entry) AccessKey() string { return accessKeys[e.Key] }

// functions has the functions of the templates.
func (c *Console) functions() template.FuncMap {
	return template.FuncMap{
		"style": func() string { return c.styleSheet },
		"base":  func() string { return Base },
		"nav": func() []entry {
			return []entry{
				{"overview", Base, "Overview"},
				{"jobs", Base + "/jobs", "Jobs"},
				{"queues", Base + "/queues", "Queues"},
				{"schedules", Base + "/schedules", "Schedules"},
				{"outbox", Base + "/outbox", "Outbox"},
				{"emails", Base + "/emails", "Emails"},
				{"webhooks", Base + "/webhooks", "Webhooks"},
				{"cleanup", Base + "/cleanup", "Clean-up"},
				{"reports", Base + "/reports", "Reports"},
				{"users", Base + "/users", "Users"},
				{"abuse", Base + "/abuse", "Abuse"},
				{"rooms", Base + "/rooms", "Rooms"},
				{"movies", Base + "/movies", "Movies"},
				{"audit", Base + "/audit", "Audit"},
			}
		},
		"when":     when,
		"words":    words,
		"number":   number,
		"many":     many,
		"plural":   plural,
		"age":      age,
		"tone":     tone,
		"partTone": partTone,
		"details":  details,
		"charts":   charts,
		"has":      func(p any) bool { return p != nil && !reflect.ValueOf(p).IsNil() },
		"some": func(p any) bool {
			v := reflect.Indirect(reflect.ValueOf(p))
			return v.IsValid() && v.Len() > 0
		},
		"shares":       shares,
		"sum":          sum,
		"idle":         isIdle,
		"unattended":   unattended,
		"paused":       paused,
		"backlog":      backlog,
		"waits":        waits,
		"lateAt":       lateAt,
		"target":       target,
		"noMovie":      func() contract.Movie { return contract.Movie{} },
		"auditActions": sync.OnceValue(func() []string { return codesOf("AuditAction") }),
		"emailReasons": sync.OnceValue(func() []string { return codesOf("EmailReason") }),
		"limits":       func() map[string]int { return fieldLimits },
		"heads":        heads,
		"empty":        empty,
		"choose":       choose,
		"find":         find,
		"shown":        shown,
		"press":        press,
		"local":        local,
		"scheduleID":   store.ScheduleAuditID,
		"suspension":   func(id, reportID, label string) suspension { return suspension{id, reportID, label} },
		"jobID":        func(workflowID string) string { return jobs.EncodeID(workflowID, "") },
		"auditID":      store.JobAuditID,
		"meaning":      func(key any) string { return meanings[plain(key)] },
		"abuseKinds":   watchparty.AbuseKinds,
		"kinds":        job.WorkflowTypes,
		"avatarJob":    func() string { return job.WorkflowProcessAvatar },
		"jobStates":    jobs.States,
		"workerQueues": job.ServableTaskQueues,
		"emailKinds":   watchparty.EmailKinds,
		"webhookKinds": watchparty.WebhookKinds,
		"chosen":       chosen,
		"join":         func(list any) string { return strings.Join(texts(list), ", ") },
		"pretty":       pretty,
		"plain":        plain,
		"states":       strings.Fields,
		"short":        func(id any) string { s := fmt.Sprint(id); return s[max(0, len(s)-8):] },
		"deref": func(p *string) string {
			if p == nil {
				return ""
			}
			return *p
		},
	}
}

// moment is a time as people read it, and exactly.
type moment struct{ Exact, Machine, Relative string }

// when returns a moment, and nil for no time.
func when(v any) *moment {
	t, ok := v.(time.Time)
	if p, pointer := v.(*time.Time); pointer {
		if p == nil {
			return nil
		}
		t, ok = *p, true
	}
	if !ok || t.IsZero() {
		return nil
	}
	return &moment{
		Exact: t.UTC().Format(time.DateTime), Machine: t.UTC().Format(time.RFC3339), Relative: relative(time.Until(t)),
	}
}

func relative(d time.Duration) string {
	if d.Abs() < 5*time.Second {
		return "now"
	}
	if d < 0 {
		return span(-d) + " ago"
	}
	return "in " + span(d)
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// age is a number of seconds, as a span of time.
func age(v any) string {
	var seconds int64
	switch n := v.(type) {
	case *int64:
		if n == nil {
			return "–"
		}
		seconds = *n
	case *int:
		if n == nil {
			return "–"
		}
		seconds = int64(*n)
	}
	if seconds == 0 {
		return "0 s"
	}
	return span(time.Duration(seconds) * time.Second)
}

// plain is the text of a value, or of what it points to: templates pass both.
func plain(v any) string {
	if v == nil {
		return ""
	}
	value := reflect.ValueOf(v)
	for value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return ""
		}
		value = value.Elem()
	}
	return fmt.Sprint(value.Interface())
}

// words makes words of a code. Names of events stay as they are.
func words(v any) string {
	text := strings.ReplaceAll(plain(v), "_", " ")
	if strings.Contains(text, ".") {
		return text // the name of an event
	}
	return strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
}

// number groups the digits of a number. It is a dash for a number that is not known.
func number(v any) string {
	var text string
	switch n := v.(type) {
	case *int64:
		if n == nil {
			return "–"
		}
		text = strconv.FormatInt(*n, 10)
	case *float32:
		if n == nil {
			return "–"
		}
		return strconv.FormatFloat(float64(*n), 'f', 2, 32)
	default:
		text = fmt.Sprint(v)
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

// many is a number of things, which have this name if it is one.
func many(n any, name string) string { return number(n) + " " + plural(n, name) }

// plural is the name of so many things, which have this name if it is one.
func plural(n any, name string) string {
	if number(n) == "1" {
		return name
	}
	return name + "s"
}

// tone is how a state looks: good, bad, busy or quiet.
func tone(v any) string {
	switch plain(v) {
	case "sent", "delivered", "completed", "connected", "ok", "done", "active", "open_room":
		return "good"
	case "failed",
		"terminated",
		"timed_out",
		"stuck",
		"no_worker",
		"away",
		"down",
		"suspended",
		"permanent",
		"lost",
		"abandoned",
		"gone",
		"blocked":
		return "bad"
	case "retrying", "temporary", "later", "unreachable", "ambiguous", "degraded", "pending", "queued", "open", "paused",
		"status", "redirect", "timeout", "name", "connection", "tls":
		return "warn"
	}
	return "quiet"
}

// partTone is how the state of a part of the service looks.
func partTone(state string) string {
	switch {
	case state == health.Connected:
		return "good"
	case strings.HasPrefix(state, health.PausedByAdmin):
		return "warn"
	}
	return "bad"
}

// details writes the details of an audit entry in one line.
func details(v any) string {
	encoded, err := json.Marshal(v)
	var all map[string]any
	if err != nil || json.Unmarshal(encoded, &all) != nil {
		return ""
	}
	var parts []string
	for name, value := range all {
		parts = append(parts, strings.ReplaceAll(name, "_", " ")+": "+detail(value))
	}
	slices.Sort(parts)
	return strings.Join(parts, " · ")
}

// detail writes one value as people do.
func detail(value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case []any:
		all := make([]string, 0, len(v))
		for _, one := range v {
			all = append(all, strings.ReplaceAll(detail(one), "_", " "))
		}
		return strings.Join(all, ", ")
	}
	return fmt.Sprint(value)
}

// codesOf returns the codes of a schema, in the order of the contract.
func codesOf(schema string) (all []string) {
	spec, err := contract.GetSpec()
	if err != nil {
		return nil // its own tests would fail
	}
	for _, code := range spec.Components.Schemas[schema].Value.Enum {
		all = append(all, fmt.Sprint(code))
	}
	return all
}

// chosen reports whether a list of codes contains a code.
func chosen(list, one any) bool {
	v := reflect.ValueOf(list)
	for i := range v.Len() {
		if plain(v.Index(i).Interface()) == plain(one) {
			return true
		}
	}
	return false
}

// pretty writes JSON in lines.
func pretty(v any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}

// fieldLimits are the limits of fields in characters. Browsers let nobody type more.
var fieldLimits = map[string]int{
	"Note": watchparty.MaxAdminNote, "Reason": watchparty.MaxReason, "Title": watchparty.MaxTitle,
	"Description": watchparty.MaxMovieDescription, "Genres": watchparty.MaxGenres * (watchparty.MaxGenre + len(", ")),
	"Address": watchparty.MaxURL, "Number": 10, "Filter": 300,
}

// bar is a bar of a chart.
type bar struct {
	X, Good, Bad int // the place and the heights, of barHeight
	Top, Under   int // the upper ends of the two
	Label        string
}

// spanChart has what succeeded and failed in spans of time.
type spanChart struct {
	throughputKind
	Bars  []bar
	Width int
	First string // when the first span begins
	Good  int
	Bad   *int64 // nil if it is not known
}

// throughputKind is a kind of work whose throughput is shown.
type throughputKind struct {
	Title, Noun       string // the heading, and what the bars show
	GoodWord, BadWord string
	BadPath           string // where the console lists those that failed
	count             func(contract.Throughput) (good int, bad *int64)
}

var throughputKinds = []throughputKind{
	{"Emails", "emails that were sent and given up", "sent", "given up", "/emails?state=failed",
		func(t contract.Throughput) (good int, bad *int64) { return t.EmailsSent, known(t.EmailsFailed) }},
	{"Avatars", "uploads of avatars that were published and that failed", "published", "failed",
		"/jobs?kind=" + job.WorkflowProcessAvatar,
		func(t contract.Throughput) (good int, bad *int64) { return t.AvatarsReady, known(t.AvatarsFailed) }},
	{"Clean-up runs", "clean-up runs that were completed and that failed", "completed", "failed", "/cleanup",
		func(t contract.Throughput) (good int, bad *int64) {
			return t.CleanupsCompleted, known(t.CleanupsFailed)
		}},
	{"Jobs", "jobs that were started and that failed", "started by events", "failed", "/jobs?state=failed",
		func(t contract.Throughput) (good int, bad *int64) { return t.JobsStarted, t.JobsFailed }},
}

// known returns a number that is known.
func known(n int) *int64 {
	all := int64(n)
	return &all
}

// total adds two numbers. It is not known if one of them is not.
func total(a, b *int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	all := *a + *b
	return &all
}

// charts makes the chart of each kind of work.
func charts(spans []contract.Throughput, layout string) (all []spanChart) {
	for _, kind := range throughputKinds {
		all = append(all, chartOf(kind, spans, layout))
	}
	return all
}

func chartOf(kind throughputKind, spans []contract.Throughput, layout string) spanChart {
	chart := spanChart{throughputKind: kind, Bad: known(0), Width: max(1, len(spans)) * barWidth}
	top := 1
	for _, span := range spans {
		good, bad := kind.count(span)
		top = max(top, good+int(value(bad)))
		chart.Good += good
		chart.Bad = total(chart.Bad, bad)
	}
	if len(spans) > 0 {
		chart.First = spans[0].From.UTC().Format(layout) + " UTC"
	}
	for i, span := range spans {
		good, bad := kind.count(span)
		b := bar{X: i * barWidth, Good: good * barHeight / top, Bad: int(value(bad)) * barHeight / top}
		if value(bad) > 0 {
			b.Bad = max(b.Bad, 2) // so that it is seen
		}
		b.Top, b.Under = chartHeight-b.Good-b.Bad, chartHeight-b.Bad
		b.Label = fmt.Sprintf("%s UTC: %s %s, %s %s", span.From.UTC().Format(layout),
			number(good), kind.GoodWord, number(bad), kind.BadWord)
		chart.Bars = append(chart.Bars, b)
	}
	return chart
}

// meanings say what a code means to an operator.
var meanings = map[string]string{
	"events":    "Events that Temporal does not take. People do not get emails, and uploads are not processed.",
	"emails":    "Emails whose attempt is due. No worker sends them, or their jobs were ended in Temporal.",
	"refused":   "Emails that the mail server has refused more than ten times.",
	"avatars":   "Uploads that are not rendered. People see their former picture.",
	"runs":      "Clean-up runs that do not begin, or make no progress.",
	"deletions": "Deleted accounts whose data is still there.",
	"webhooks":  "Webhooks that were switched off because they failed. Their receivers miss events.",

	"admin":       "By an admin.",
	"failing":     "All attempts have failed for days.",
	"gone":        "The receiver has answered 410: the address is gone.",
	"attempts":    "The last attempt failed.",
	"webhook_off": "The webhook is off, or was removed.",
	"stopped":     "An admin has ended its job.",
	"lost":        "Its job was lost.",

	"recipient_limit": "The recipient has had as many emails as allowed. The email is sent later, by itself.",
	"pause":           "An admin has paused emails.",
	"relay":           "Temporal does not have its workflow yet. Look at the outbox.",
	"retry":           "The mail server did not take it. The next attempt comes by itself.",
	"worker": "An attempt is due, and no worker has begun it. Look at the queues, and at its job: if that has ended, " +
		"cancel the email, and retry it.",

	"address_rejected":   "The mail server accepts no email for this address.",
	"mailbox_full":       "The recipient has no space left.",
	"message_rejected":   "The mail server refuses what is in the email.",
	"server_unreachable": "The mail server could not be reached, refused this service, or did not take it in time.",
	"unconfirmed":        "The mail server may have accepted it, but its answer did not arrive.",
	"expired":            "No attempt was made in time.",
	"cancelled":          "An admin cancelled it; the audit log says who and why.",
	"no_account":         "The address has no account, or the account was deleted.",
	"account_suspended":  "The recipient's account is suspended.",
	"already_confirmed":  "The address was confirmed before.",
	"address_taken":      "Another account has the address now.",
	"link_ended":         "Its link was used, replaced by a later one, or is too old.",
	"invitation_ended":   "The invitation was answered, revoked, removed, or it expired.",
	"may_not_invite":     "The inviter may not invite to the room any more.",
	"room_ended":         "The room is archived, closed or removed.",
	"not_a_recipient":    "The settings do not name the address any more.",
	"party_changed":      "The party was moved. Another email has its new time.",
	"party_ended":        "The party has started, or was cancelled.",
	"not_a_guest":        "The recipient does not come to the party, or may not see it any more.",
	"opted_out":          "The address wants no emails about invitations and parties. The inviter does not learn this.",

	"working":  "A step is under way, or about to begin.",
	"waiting":  "It waits on purpose.",
	"retrying": "A step has failed, and is retried automatically.",
	"stuck":    "A step has failed ten times or more. It is still retried automatically.",

	"no_worker": "Its work is due, and the queue has no worker, or its workers are busy or fail.",
}

// isIdle reports whether no worker takes the tasks of a queue, although it is not paused.
func isIdle(q contract.TaskQueue) bool {
	return q.PausedAt == nil && q.Workers != nil && len(*q.Workers) == 0
}

// unattended returns the queues with waiting tasks that no worker takes.
func unattended(queues []contract.TaskQueue) []contract.TaskQueue {
	return slices.DeleteFunc(slices.Clone(queues), func(q contract.TaskQueue) bool {
		return !isIdle(q) || !waits(q)
	})
}

// waits reports whether a task is known to wait on a queue.
func waits(q contract.TaskQueue) bool { return value(q.Backlog) > 0 || value(q.BacklogAgeSeconds) > 0 }

// backlog is how many tasks wait on a queue. Temporal's count is an estimate: it may be 0 while one is known to wait.
func backlog(q contract.TaskQueue) string {
	if q.Backlog != nil && *q.Backlog == 0 && value(q.BacklogAgeSeconds) > 0 {
		return "1 or more"
	}
	return number(q.Backlog)
}

// value is what p points to, and 0 for nil.
func value[T int | int64](p *T) T {
	if p == nil {
		return 0
	}
	return *p
}

// paused are the queues that an admin has paused.
func paused(queues []contract.TaskQueue) []contract.TaskQueue {
	return slices.DeleteFunc(slices.Clone(queues), func(q contract.TaskQueue) bool { return q.PausedAt == nil })
}

// suspension is a form that suspends an account.
type suspension struct {
	ID       string
	ReportID string // the report of abuse that it resolves; empty for none
	Label    string
}

// link is a page of the console.
type link struct{ Path, Label string }

// lateAt is where the console shows work that is late; nil if it has no page.
func lateAt(what any) *link {
	switch watchparty.DelayKind(plain(what)) {
	case watchparty.DelayEvents:
		return &link{"/outbox", "Outbox"}
	case watchparty.DelayEmails, watchparty.DelayRefused:
		return &link{"/emails?state=sending", "Emails"}
	case watchparty.DelayAvatars:
		return &link{"/jobs?state=running&kind=" + job.WorkflowProcessAvatar, "Jobs"}
	case watchparty.DelayRuns:
		return &link{"/cleanup", "Clean-up"}
	case watchparty.DelayDeletions:
		return &link{"/jobs?state=running&kind=" + job.WorkflowDeleteAccount, "Jobs"}
	case watchparty.DelayWebhooks:
		return &link{"/webhooks", "Webhooks"}
	}
	return nil
}

// targetPages are the pages of things that acts are done to; each ends with the ID of the thing.
var targetPages = map[watchparty.AuditKind]string{
	watchparty.AuditMovie: "/movies/", watchparty.AuditCleanupRun: "/cleanup/", watchparty.AuditReport: "/abuse/",
	watchparty.AuditEmail: "/emails/", watchparty.AuditRoom: "/rooms/", watchparty.AuditWebhook: "/webhooks/",
	watchparty.AuditWebhookDelivery: "/webhook-deliveries/",
}

// target is where the console shows what an act was done to; nil if it has no page.
func target(e contract.AuditEntry) *link {
	if e.Target != nil {
		return &link{"/users/" + e.Target.ID, e.Target.Username}
	}
	kind := watchparty.AuditKind(e.TargetKind)
	switch kind {
	case watchparty.AuditSchedule:
		name := plain(e.Details["schedule"])
		return &link{"/schedules#" + name, "Schedule " + name}
	case watchparty.AuditJob:
		workflow := plain(e.Details["workflow_id"])
		return &link{"/jobs/" + jobs.EncodeID(workflow, ""), "Job " + plain(e.Details["kind"])}
	case watchparty.AuditQueuePause:
		return &link{"/queues", "Queue " + plain(e.Details["queue"])}
	}
	if page := targetPages[kind]; page != "" {
		return &link{page + e.TargetID, words(e.TargetKind)}
	}
	return nil
}
