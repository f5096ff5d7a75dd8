package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/workflows/job"
)

// page is a page, and what it reads of the API.
type page struct {
	path     string
	nav      string
	title    string
	template string
	filters  []string // query parameters that go on to the API
	read     read
	// refused is what the page shows of a list whose filters were refused; nil if it shows the filters alone.
	refused any
}

// read reads what a page shows, and where the next page of its list begins.
type read func(c *Console, r *http.Request, query url.Values) (data any, next *string, err error)

// one reads one answer of the API.
func one[T any](path string) read {
	return func(c *Console, r *http.Request, query url.Values) (any, *string, error) {
		var answer T
		err := c.get(r, withQuery(fill(path, r), query), &answer)
		return answer, nil, err
	}
}

// list reads a page of a list.
func list[T any](path string) read {
	return func(c *Console, r *http.Request, query url.Values) (any, *string, error) {
		var raw json.RawMessage
		if err := c.get(r, withQuery(fill(path, r), query), &raw); err != nil {
			return nil, nil, err
		}
		var answer T
		var cursor struct {
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(raw, &answer); err != nil {
			return nil, nil, err //nolint:wrapcheck // it is our own answer
		}
		err := json.Unmarshal(raw, &cursor)
		return answer, cursor.Next, err //nolint:wrapcheck // the same
	}
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

func pages() []page {
	return []page{
		{path: Base, nav: "overview", title: "Overview", template: "overview", read: readOverview},
		{path: Base + "/{$}", nav: "overview", title: "Overview", template: "overview", read: readOverview},
		{
			path:     Base + "/jobs",
			nav:      "jobs",
			title:    "Jobs",
			template: "jobs",
			filters: []string{
				"kind",
				"state",
				"queue",
				"user_id",
				"room_id",
				"from",
				"to",
			},
			read:    readJobs,
			refused: jobsPage{},
		},
		{path: Base + "/jobs/{id}", nav: "jobs", title: "Job", template: "job",
			read: one[contract.JobAnswer]("/admin/jobs/{id}")},
		{path: Base + "/queues", nav: "queues", title: "Queues", template: "queues",
			read: one[contract.TaskQueuesAnswer]("/admin/queues")},
		{path: Base + "/schedules", nav: "schedules", title: "Schedules", template: "schedules",
			read: one[contract.ScheduleList]("/admin/schedules")},
		{path: Base + "/outbox", nav: "outbox", title: "Outbox", template: "outbox", filters: []string{"state"},
			read: readOutbox},
		{path: Base + "/emails", nav: "emails", title: "Emails", template: "emails",
			filters: []string{"address", "kind", "state", "reason", "user_id", "room_id", "invitation_id", "from", "to"},
			read:    list[contract.EmailList]("/admin/emails"), refused: contract.EmailList{}},
		{path: Base + "/emails/previews", nav: "emails", title: "Previews of emails", template: "previews",
			read: one[contract.EmailPreviewList]("/admin/emails/previews")},
		{path: Base + "/emails/{id}", nav: "emails", title: "Email", template: "email",
			read: one[contract.EmailAnswer]("/admin/emails/{id}")},
		{path: Base + "/webhooks", nav: "webhooks", title: "Webhooks", template: "webhooks", filters: []string{},
			read: list[contract.WebhookList]("/admin/webhooks")},
		{path: Base + "/webhooks/{id}", nav: "webhooks", title: "Webhook", template: "webhook",
			filters: []string{"state", "kind"}, read: readWebhook},
		{path: Base + "/webhook-deliveries/{id}", nav: "webhooks", title: "Delivery to a webhook",
			template: "webhook-delivery", read: one[contract.WebhookDeliveryAnswer]("/admin/webhook-deliveries/{id}")},
		{path: Base + "/cleanup", nav: "cleanup", title: "Clean-up", template: "cleanup", filters: []string{},
			read: readCleanup},
		{path: Base + "/cleanup/{id}", nav: "cleanup", title: "Clean-up run", template: "run",
			read: one[contract.CleanupRunAnswer]("/admin/cleanup/runs/{id}")},
		{path: Base + "/reports", nav: "reports", title: "Reports", template: "reports", filters: []string{"kind"},
			read: list[contract.ReportList]("/admin/reports"), refused: contract.ReportList{}},
		{path: Base + "/reports/{id}", nav: "reports", title: "Report", template: "report", read: readReport},
		{path: Base + "/users", nav: "users", title: "Users", template: "users", filters: []string{"q", "state"},
			read: readUsers, refused: usersPage{}},
		{path: Base + "/users/{id}", nav: "users", title: "User", template: "user", read: readUser},
		{path: Base + "/abuse", nav: "abuse", title: "Reports of abuse", template: "abuse-list",
			filters: []string{"state", "kind", "user_id"}, read: list[contract.AbuseReportList]("/admin/abuse-reports"),
			refused: contract.AbuseReportList{}},
		{path: Base + "/abuse/{id}", nav: "abuse", title: "Report of abuse", template: "abuse",
			read: one[contract.AbuseReportAnswer]("/admin/abuse-reports/{id}")},
		{path: Base + "/rooms", nav: "rooms", title: "Rooms", template: "rooms", filters: []string{"q", "state", "host_id"},
			read: list[contract.AdminRoomList]("/admin/rooms"), refused: contract.AdminRoomList{}},
		{path: Base + "/rooms/retired", nav: "rooms", title: "Rooms that clean-up archived", template: "retired",
			filters: []string{}, read: list[contract.RetiredRoomList]("/admin/rooms/retired")},
		{path: Base + "/rooms/{id}", nav: "rooms", title: "Room", template: "room",
			read: one[contract.AdminRoomAnswer]("/admin/rooms/{id}")},
		{path: Base + "/movies", nav: "movies", title: "Movies", template: "movies", filters: []string{"q", "archived"},
			read: list[contract.MovieList]("/movies"), refused: contract.MovieList{}},
		{path: Base + "/movies/{id}", nav: "movies", title: "Movie", template: "movie",
			read: one[contract.MovieAnswer]("/movies/{id}")},
		{path: Base + "/audit", nav: "audit", title: "Audit log", template: "audit",
			filters: []string{"action", "actor_id", "target_id"}, read: list[contract.AuditList]("/admin/audit"),
			refused: contract.AuditList{}},
	}
}

// servePage returns the handler of a page.
func (c *Console) servePage(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			err = &problem{contract.Problem{Status: http.StatusBadRequest, Title: "The filters in the address cannot be read."}}
		}
		v := view{Title: p.title, Nav: p.nav, Template: p.template, Query: map[string]string{}}
		query := url.Values{}
		for name := range asked {
			v.Query[name] = asked.Get(name)
		}
		for _, name := range append([]string{"cursor"}, p.filters...) {
			if value := strings.TrimSpace(asked.Get(name)); value != "" && (name != "cursor" || p.filters != nil) {
				query.Set(name, value)
			}
		}
		var data any
		var next *string
		if err == nil {
			err = c.readFilters(r, query)
		}
		if err == nil {
			data, next, err = p.read(c, r, query)
		}
		if err != nil {
			v.Unfiltered, v.Again = r.URL.RawQuery != "", p.typed(asked)
			if refused := (*problem)(nil); errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
				v.Data = p.refused
			}
			c.failed(w, r, v, err)
			return
		}
		if next != nil {
			asked.Set("cursor", *next)
			v.Next = r.URL.Path + "?" + asked.Encode()
		}
		v.Data = data
		if run, ok := data.(contract.CleanupRunAnswer); ok && run.Data.EndedAt == nil && asked.Get("live") != "off" {
			w.Header().Set("Refresh", "3")
		}
		c.render(w, r, http.StatusOK, v)
	})
}

// typed returns the filters that were typed, so that nobody types them again.
func (p page) typed(asked url.Values) (all []typed) {
	for _, name := range p.filters {
		if value := asked.Get(name); value != "" {
			all = append(all, typed{Name: name, Value: value})
		}
	}
	return all
}

// readFilters makes of filters as people type them what the API reads: times of the browser, and usernames for IDs.
func (c *Console) readFilters(r *http.Request, query url.Values) error {
	for _, name := range []string{"from", "to"} {
		if query.Has(name) {
			query.Set(name, instant(query.Get(name)))
		}
	}
	for _, name := range []string{"user_id", "host_id", "actor_id", "target_id"} {
		if !query.Has(name) {
			continue
		}
		id, err := c.accountOf(r, query.Get(name))
		if err != nil {
			return err
		}
		query.Set(name, id)
	}
	return nil
}

// accountOf returns the ID of an account that was typed: an ID, or a username. Nothing stays nothing.
func (c *Console) accountOf(r *http.Request, username string) (string, error) {
	username = strings.TrimSpace(username)
	if username == "" || uuid.Validate(username) == nil {
		return username, nil
	}
	var found contract.AdminUserList
	err := c.get(r, withQuery("/admin/users", url.Values{"q": {username}, "limit": {"100"}}), &found)
	if p := (*problem)(nil); err != nil && (!errors.As(err, &p) || p.Status != http.StatusBadRequest) {
		return "", err
	}
	for _, user := range found.Data {
		if strings.EqualFold(user.Username, username) {
			return user.ID, nil
		}
	}
	return "", &problem{contract.Problem{Status: http.StatusUnprocessableEntity,
		Title: "No account has the username “" + username + "”, and it is not a complete ID."}}
}

// overviewPage is what the overview shows.
type overviewPage struct {
	contract.Overview
	Paused []contract.Schedule // the schedules that are paused
}

// Calm reports whether nothing is stuck, as far as is known.
func (p overviewPage) Calm() bool {
	return len(p.Late) == 0 && len(unattended(p.Queues)) == 0 && p.Temporal != contract.TemporalStateDown
}

// knownByTemporal are the parts about which nothing is known while Temporal is down.
var knownByTemporal = []contract.HealthPart{
	contract.HealthPartTemporal, contract.HealthPartWorkers, contract.HealthPartSchedules,
}

// Degraded returns the degraded parts, except those that only depend on Temporal while Temporal is down.
func (p overviewPage) Degraded() []contract.DegradedPart {
	return slices.DeleteFunc(slices.Clone(p.Health.Degraded), func(part contract.DegradedPart) bool {
		return p.Temporal == contract.TemporalStateDown && slices.Contains(knownByTemporal, part.Part)
	})
}

func readOverview(c *Console, r *http.Request, _ url.Values) (any, *string, error) {
	var overview contract.OverviewAnswer
	if err := c.get(r, "/admin/overview", &overview); err != nil {
		return nil, nil, err
	}
	page := overviewPage{Overview: overview.Data}
	if page.Temporal == contract.TemporalStateDown {
		return page, nil, nil
	}
	var schedules contract.ScheduleList
	_ = c.get(r, "/admin/schedules", &schedules) // Temporal may have gone away; then the next view says so
	for _, schedule := range schedules.Data {
		if schedule.Paused {
			page.Paused = append(page.Paused, schedule)
		}
	}
	return page, nil, nil
}

// jobsPage is what the list of jobs shows.
type jobsPage struct {
	Jobs  []contract.Job
	Total *int64 // nil if Temporal did not count them in time
}

func readJobs(c *Console, r *http.Request, query url.Values) (any, *string, error) {
	var jobs contract.JobList
	if err := c.get(r, withQuery("/admin/jobs", query), &jobs); err != nil {
		return nil, nil, err
	}
	query.Del("cursor")
	query.Set("only_total", "true")
	var counts contract.JobCountsAnswer
	page := jobsPage{Jobs: jobs.Data}
	err := c.get(r, withQuery("/admin/jobs/counts", query), &counts)
	if p := (*problem)(nil); errors.As(err, &p) && p.Status == http.StatusServiceUnavailable {
		return page, jobs.NextCursor, nil // counting takes long while there are many; the list is there
	}
	page.Total = &counts.Data.Total
	return page, jobs.NextCursor, err
}

// outboxPage is what the page of the outbox shows.
type outboxPage struct {
	Summary contract.OutboxSummary
	Events  []contract.OutboxEvent
}

func readOutbox(c *Console, r *http.Request, query url.Values) (any, *string, error) {
	var summary contract.OutboxAnswer
	if err := c.get(r, "/admin/outbox", &summary); err != nil {
		return nil, nil, err
	}
	var events contract.OutboxEventList
	err := c.get(r, withQuery("/admin/outbox/events", query), &events)
	return outboxPage{summary.Data, events.Data}, events.NextCursor, err
}

// cleanupPage is what the page of the clean-up shows.
type cleanupPage struct {
	Policies []contract.CleanupPolicy
	Runs     []contract.CleanupRun
	Schedule *contract.Schedule // of the nightly runs; nil while Temporal is down
	First    bool               // whether the runs are the newest ones
}

// Tone is how the clean-up's state looks: a fault, or a pause, which is as an admin wants it.
func (p cleanupPage) Tone() string {
	last := p.Last()
	switch {
	case p.Schedule == nil, last != nil && (last.State == contract.CleanupRunStateFailed || len(last.Errors) > 0):
		return "bad"
	case p.Schedule.Paused:
		return "warn"
	}
	return ""
}

// Next says when the next run comes.
func (p cleanupPage) Next() string {
	switch {
	case p.Schedule == nil:
		return "Temporal does not answer, so that the next one is not known."
	case p.Schedule.Paused && p.Schedule.Note != "":
		return "None comes by itself, since the schedule is paused: “" + p.Schedule.Note + "”."
	case p.Schedule.Paused:
		return "None comes by itself, since the schedule is paused."
	case len(p.Schedule.NextRuns) == 0:
		return "The schedule has no next one."
	}
	next := when(p.Schedule.NextRuns[0])
	return fmt.Sprintf("The next one comes %s, at %s UTC.", next.Relative, next.Exact)
}

// Last is the newest run that has ended and was no dry run.
func (p cleanupPage) Last() *contract.CleanupRun {
	for _, run := range p.Runs {
		if run.EndedAt != nil && !run.DryRun {
			return &run
		}
	}
	return nil
}

func readCleanup(c *Console, r *http.Request, query url.Values) (any, *string, error) {
	var policies contract.CleanupPolicyList
	if err := c.get(r, "/admin/cleanup/policies", &policies); err != nil {
		return nil, nil, err
	}
	var runs contract.CleanupRunList
	if err := c.get(r, withQuery("/admin/cleanup/runs", query), &runs); err != nil {
		return nil, nil, err
	}
	page := cleanupPage{Policies: policies.Data, Runs: runs.Data, First: !query.Has("cursor")}
	var schedules contract.ScheduleList
	_ = c.get(r, "/admin/schedules", &schedules) // the page works without Temporal
	for _, schedule := range schedules.Data {
		if schedule.ID == job.ScheduleCleanup {
			page.Schedule = &schedule
		}
	}
	return page, runs.NextCursor, nil
}

// webhookPage is what the page of a webhook shows.
type webhookPage struct {
	Hook       contract.Webhook
	Deliveries []contract.WebhookDelivery
}

func readWebhook(c *Console, r *http.Request, query url.Values) (any, *string, error) {
	var hook contract.WebhookAnswer
	if err := c.get(r, fill("/admin/webhooks/{id}", r), &hook); err != nil {
		return nil, nil, err
	}
	var deliveries contract.WebhookDeliveryList
	err := c.get(r, withQuery(fill("/admin/webhooks/{id}/deliveries", r), query), &deliveries)
	return webhookPage{hook.Data, deliveries.Data}, deliveries.NextCursor, err
}

// usersPage is what the list of accounts shows.
type usersPage struct {
	Users []contract.AdminUser
	Why   map[string]string // who has suspended an account and why, by the account's ID, as far as the newest acts tell
}

func readUsers(c *Console, r *http.Request, query url.Values) (any, *string, error) {
	var users contract.AdminUserList
	var err error
	if id := query.Get("q"); uuid.Validate(id) == nil {
		users.Data, err = c.userByID(r, id)
	} else {
		err = c.get(r, withQuery("/admin/users", query), &users)
	}
	if err != nil {
		return nil, nil, err
	}
	page := usersPage{users.Data, map[string]string{}}
	if !slices.ContainsFunc(users.Data, func(u contract.AdminUser) bool { return u.SuspendedAt != nil }) {
		return page, users.NextCursor, nil
	}
	var acts contract.AuditList
	of := url.Values{"action": {string(watchparty.AuditUserSuspended)}, "limit": {"100"}}
	err = c.get(r, withQuery("/admin/audit", of), &acts)
	for _, e := range acts.Data {
		if e.Target != nil && page.Why[e.Target.ID] == "" {
			page.Why[e.Target.ID] = whyOf(e)
		}
	}
	return page, users.NextCursor, err
}

// userByID returns the account with an ID, or none.
func (c *Console) userByID(r *http.Request, id string) ([]contract.AdminUser, error) {
	var user contract.AdminUserAnswer
	err := c.get(r, "/admin/users/"+id, &user)
	if p := (*problem)(nil); errors.As(err, &p) && p.Status == http.StatusNotFound {
		return nil, nil
	}
	return []contract.AdminUser{user.Data}, err
}

// whyOf says who has done an act and why.
func whyOf(e contract.AuditEntry) string {
	by := "an operator's command"
	if e.Actor != nil {
		by = e.Actor.Username
	}
	return fmt.Sprintf("by %s: %s", by, plain(e.Details["reason"]))
}

// userPage is what the page of an account shows.
type userPage struct {
	User     contract.AdminUser
	Sessions []contract.Session
	Done     []contract.AuditEntry // by the account
	To       []contract.AuditEntry // to the account
}

// Why says who has suspended the account and why, as far as the page's acts tell.
func (p userPage) Why() string {
	for _, e := range p.To {
		if string(e.Action) == string(watchparty.AuditUserSuspended) {
			return whyOf(e)
		}
	}
	return ""
}

func readUser(c *Console, r *http.Request, _ url.Values) (any, *string, error) {
	id, err := c.accountOf(r, r.PathValue("id")) // people type usernames into addresses, too
	if err != nil {
		return nil, nil, err
	}
	r.SetPathValue("id", id)
	var user contract.AdminUserAnswer
	if err := c.get(r, fill("/admin/users/{id}", r), &user); err != nil {
		return nil, nil, err
	}
	var sessions contract.SessionList
	if err := c.get(r, fill("/admin/users/{id}/sessions", r), &sessions); err != nil {
		return nil, nil, err
	}
	var done, to contract.AuditList
	if err := c.get(r, fill("/admin/audit?actor_id={id}", r), &done); err != nil {
		return nil, nil, err
	}
	err = c.get(r, fill("/admin/audit?target_id={id}", r), &to)
	return userPage{user.Data, sessions.Data, done.Data, to.Data}, nil, err
}

// showPreview shows the HTML of an example of an email, in a frame of the console: without scripts, forms and links
// out.
func (c *Console) showPreview(w http.ResponseWriter, r *http.Request) {
	var answer contract.EmailPreviewList
	query := url.Values{"language": {r.PathValue("language")}}
	if err := c.get(r, withQuery("/admin/emails/previews", query), &answer); err != nil {
		c.failed(w, r, view{Title: "Preview"}, err)
		return
	}
	for _, p := range answer.Data {
		if string(p.Kind) == r.PathValue("kind") {
			h := w.Header()
			h.Set("Content-Type", "text/html; charset=utf-8")
			h.Set("X-Frame-Options", "SAMEORIGIN")
			h.Set("Content-Security-Policy",
				"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'")
			_, _ = w.Write([]byte(template.HTML(p.HTML))) //nolint:gosec // it is our own example
			return
		}
	}
	c.notFound(w, r)
}
