package console

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

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
	read     func(c *Console, r *http.Request, query url.Values) (data any, next *string, err error)
}

// one reads one answer of the API.
func one[T any](path string) func(*Console, *http.Request, url.Values) (any, *string, error) {
	return func(c *Console, r *http.Request, query url.Values) (any, *string, error) {
		var answer T
		err := c.get(r, withQuery(fill(path, r), query), &answer)
		return answer, nil, err
	}
}

// list reads a page of a list.
func list[T any](path string) func(*Console, *http.Request, url.Values) (any, *string, error) {
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
		{
			path:     Base,
			nav:      "overview",
			title:    "Overview",
			template: "overview",
			read:     one[contract.OverviewAnswer]("/admin/overview"),
		},
		{path: Base + "/{$}", nav: "overview", title: "Overview", template: "overview",
			read: one[contract.OverviewAnswer]("/admin/overview")},
		{path: Base + "/jobs", nav: "jobs", title: "Jobs", template: "jobs",
			filters: []string{"kind", "state", "user_id", "room_id", "from", "to"}, read: readJobs},
		{
			path:     Base + "/jobs/{id}",
			nav:      "jobs",
			title:    "Job",
			template: "job",
			read:     one[contract.JobAnswer]("/admin/jobs/{id}"),
		},
		{path: Base + "/queues", nav: "queues", title: "Queues", template: "queues",
			read: one[contract.TaskQueuesAnswer]("/admin/queues")},
		{path: Base + "/schedules", nav: "schedules", title: "Schedules", template: "schedules",
			read: one[contract.ScheduleList]("/admin/schedules")},
		{path: Base + "/outbox", nav: "outbox", title: "Outbox", template: "outbox", filters: []string{"state"},
			read: readOutbox},
		{path: Base + "/emails", nav: "emails", title: "Emails", template: "emails",
			filters: []string{"address", "kind", "state", "reason", "user_id", "room_id", "invitation_id", "from", "to"},
			read:    list[contract.EmailList]("/admin/emails")},
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
		{path: Base + "/cleanup", nav: "cleanup", title: "Clean-up", template: "cleanup", read: readCleanup},
		{path: Base + "/cleanup/{id}", nav: "cleanup", title: "Clean-up run", template: "run",
			read: one[contract.CleanupRunAnswer]("/admin/cleanup/runs/{id}")},
		{path: Base + "/reports", nav: "reports", title: "Reports", template: "reports", filters: []string{"kind"},
			read: list[contract.ReportList]("/admin/reports")},
		{path: Base + "/reports/{id}", nav: "reports", title: "Report", template: "report", read: readReport},
		{path: Base + "/users", nav: "users", title: "Users", template: "users", filters: []string{"q", "state"},
			read: list[contract.AdminUserList]("/admin/users")},
		{path: Base + "/users/{id}", nav: "users", title: "User", template: "user", read: readUser},
		{path: Base + "/abuse", nav: "abuse", title: "Reports of abuse", template: "abuse-list",
			filters: []string{"state", "kind", "user_id"}, read: list[contract.AbuseReportList]("/admin/abuse-reports")},
		{path: Base + "/abuse/{id}", nav: "abuse", title: "Report of abuse", template: "abuse",
			read: one[contract.AbuseReportAnswer]("/admin/abuse-reports/{id}")},
		{path: Base + "/rooms", nav: "rooms", title: "Rooms", template: "rooms", filters: []string{"q", "state", "host_id"},
			read: list[contract.AdminRoomList]("/admin/rooms")},
		{path: Base + "/rooms/retired", nav: "rooms", title: "Rooms that clean-up archived", template: "retired",
			filters: []string{}, read: list[contract.RetiredRoomList]("/admin/rooms/retired")},
		{path: Base + "/movies", nav: "movies", title: "Movies", template: "movies", filters: []string{"q", "archived"},
			read: list[contract.MovieList]("/movies")},
		{path: Base + "/movies/{id}", nav: "movies", title: "Movie", template: "movie",
			read: one[contract.MovieAnswer]("/movies/{id}")},
		{path: Base + "/audit", nav: "audit", title: "Audit log", template: "audit",
			filters: []string{"action", "actor_id", "target_id"}, read: list[contract.AuditList]("/admin/audit")},
	}
}

// page returns the handler of a page.
func (c *Console) page(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.Query()
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
		data, next, err := p.read(c, r, query)
		if err != nil {
			c.failed(w, r, v, err)
			return
		}
		if next != nil {
			asked.Set("cursor", *next)
			v.Next = r.URL.Path + "?" + asked.Encode()
		}
		v.Data = data
		if run, ok := data.(contract.CleanupRunAnswer); ok && run.Data.FinishedAt == nil && asked.Get("live") != "off" {
			w.Header().Set("Refresh", "3")
		}
		c.render(w, r, http.StatusOK, v)
	})
}

// jobsPage is what the list of jobs shows.
type jobsPage struct {
	Jobs  []contract.Job
	Total int64
}

func readJobs(c *Console, r *http.Request, query url.Values) (any, *string, error) {
	var jobs contract.JobList
	if err := c.get(r, withQuery("/admin/jobs", query), &jobs); err != nil {
		return nil, nil, err
	}
	query.Del("cursor")
	var counts contract.JobCountsAnswer
	err := c.get(r, withQuery("/admin/jobs/counts", query), &counts)
	return jobsPage{jobs.Data, counts.Data.Total}, jobs.NextCursor, err
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
	Schedule *contract.Schedule // of the nightly runs; nil while Temporal is away
}

// Bad reports whether an admin should look at the clean-up.
func (p cleanupPage) Bad() bool {
	last := p.last()
	return p.Schedule == nil || p.Schedule.Paused || last != nil && last.State == contract.CleanupRunStateFailed
}

// Verdict says how the last run ended, and when the next one comes.
func (p cleanupPage) Verdict() string {
	said := "No run has ended yet."
	if last := p.last(); last != nil {
		said = fmt.Sprintf("The last run ended %s: %s, with %s removed.", when(last.FinishedAt).Relative,
			plain(last.State), number(sum(last.Counts)))
	}
	switch {
	case p.Schedule == nil:
		return said + " Temporal does not answer, so the next one is not known."
	case p.Schedule.Paused:
		return said + " The schedule is paused: " + p.Schedule.Note
	case len(p.Schedule.NextRuns) == 0:
		return said + " The schedule has no next one."
	}
	next := when(p.Schedule.NextRuns[0])
	return fmt.Sprintf("%s The next one comes %s, at %s UTC.", said, next.Relative, next.Exact)
}

// last is the newest run that has ended and was no dry run.
func (p cleanupPage) last() *contract.CleanupRun {
	for _, run := range p.Runs {
		if run.FinishedAt != nil && !run.DryRun {
			return &run
		}
	}
	return nil
}

func readCleanup(c *Console, r *http.Request, _ url.Values) (any, *string, error) {
	var policies contract.CleanupPolicyList
	if err := c.get(r, "/admin/cleanup/policies", &policies); err != nil {
		return nil, nil, err
	}
	var runs contract.CleanupRunList
	if err := c.get(r, "/admin/cleanup/runs", &runs); err != nil {
		return nil, nil, err
	}
	page := cleanupPage{Policies: policies.Data, Runs: runs.Data}
	var schedules contract.ScheduleList
	_ = c.get(r, "/admin/schedules", &schedules) // the page works without Temporal
	for _, schedule := range schedules.Data {
		if schedule.ID == job.ScheduleCleanup {
			page.Schedule = &schedule
		}
	}
	return page, nil, nil
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
			by := "an operator's command"
			if e.Actor != nil {
				by = e.Actor.Username
			}
			return fmt.Sprintf("by %s: %s", by, plain(e.Details["reason"]))
		}
	}
	return ""
}

func readUser(c *Console, r *http.Request, _ url.Values) (any, *string, error) {
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
	err := c.get(r, fill("/admin/audit?target_id={id}", r), &to)
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
