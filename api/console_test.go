package api

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/workflows/job"
)

// visitor is a browser at the console, without its rendering.
type visitor struct {
	*bundle
	cookie string // the session's
}

const consoleCookie = "__Host-console-session"

// sendRequest sends a form, with headers given as names and values in turn, and returns the answer.
func (v visitor) sendRequest(
	t testing.TB, method, path string, form url.Values, headers ...string,
) (status int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, v.url+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	if v.cookie != "" {
		request.AddCookie(&http.Cookie{Name: consoleCookie, Value: v.cookie})
	}
	response, err := v.client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read to its end
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(content)
}

// signInToConsole signs in with a session as the form makes one.
func (b *bundle) signInToConsole(t testing.TB, p person) visitor {
	t.Helper()
	token, n := b.server.newSession(t.Context())
	hash := value1[string](t, b, "SELECT password_hash FROM users WHERE id = ?", p.id)
	_, err := b.store.LogIn(t.Context(), p.id, hash, n)
	require.NoError(t, err)
	b.logs.secret(token)
	return visitor{b, token}
}

// TestConsolePages: each page shows what there is, and runs no script.
func TestConsolePages(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	v := w.signInToConsole(t, w.admin)
	for path, shows := range map[string]string{
		"":      "Queues and workers",
		"/jobs": "Act on many",
		"/jobs?kind=Cleanup&state=running&user_id=" + w.admin.id: "Cleanup",
		"/jobs/" + w.job: "Timeline",
		"/queues":        "Pause maintenance",
		"/schedules":     "cleanup",
		"/outbox":        "welcome-email/",
		"/emails":        "Welcome",
		"/emails?address=" + url.QueryEscape(w.alice.email): "/admin/emails/" + w.sent,
		"/emails/" + w.sent:                        "Attempts",
		"/emails/previews":                         "Room invitation",
		"/emails/previews/welcome/en":              "<body",
		"/webhooks":                                "https://hooks.example/a",
		"/webhooks?state=failed":                   "Register a webhook",
		"/webhooks/" + w.hook:                      "Missed since",
		"/webhooks/" + w.hook + "?state=delivered": "No deliveries",
		"/webhook-deliveries/" + w.delivery:        "Deliver again",
		"/cleanup":                                 "CLEANUP_MESSAGE_AGE",
		"/cleanup/" + w.run:                        "Failed",
		"/reports":                                 "Cleanup",
		"/reports/" + w.report:                     "Its run",
		"/users?q=alice":                           "/admin/users/" + w.alice.id,
		"/users/" + w.alice.id:                     "What was done to the account",
		"/users/" + w.bob.id:                       "Last used",
		"/abuse":                                   "Spam",
		"/abuse/" + w.abuse:                        "Suspend alice and resolve",
		"/rooms":                                   "/admin/rooms/" + w.open,
		"/rooms/" + w.open:                         "Close the room",
		"/rooms/retired":                           "Forgotten",
		"/cleanup/" + w.waiting:                    "Cancel the run",
		"/movies":                                  "Metropolis",
		"/movies/" + w.movie:                       "Metropolis",
		"/audit":                                   "Cleanup started",
		"/audit?actor_id=root":                     "Cleanup started",
		"/audit?actor_id=alice":                    "No act is recorded",
		"/audit?action=user_suspended":             "No act is recorded",
		"/nothing":                                 "There is no such page.",
		"/users/" + unknownID:                      "Not found",
	} {
		status, header, body := v.sendRequest(t, "GET", "/admin"+path, nil)
		want := http.StatusOK
		if path == "/nothing" || strings.HasSuffix(path, unknownID) {
			want = http.StatusNotFound
		}
		require.Equal(t, want, status, "%s: %s", path, body)
		require.Contains(t, body, shows, path)
		headStatus, _, headBody := v.sendRequest(t, "HEAD", "/admin"+path, nil)
		require.Equal(t, []any{want, ""}, []any{headStatus, headBody}, path)
		require.NotContains(t, body, "<script", path)
		require.Equal(t, "no-store", header.Get("Cache-Control"))
		require.NotContains(t, header.Get("Content-Security-Policy"), "script-src", path)
		if !strings.Contains(path, "previews/") { // emails have their own style
			require.NotContains(t, body, "style=\"", path)
			require.Contains(t, header.Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
			require.Equal(t, "DENY", header.Get("X-Frame-Options"), path)
		}
	}
}

// TestConsoleFilters: each filter of the lists reaches the API. Accounts are named by username or ID, and times are
// those of the browser's own field.
func TestConsoleFilters(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	v := w.signInToConsole(t, w.admin)
	for path, c := range map[string]struct{ shows, hides string }{
		"/jobs?user_id=root&queue=maintenance":        {"<code>cleanup/", "No jobs"},
		"/jobs?user_id=root&queue=email":              {"No jobs", "<code>cleanup/"},
		"/jobs?user_id=root":                          {"<code>cleanup/", "No jobs"},
		"/jobs?user_id=alice":                         {"No jobs", "<code>cleanup/"},
		"/jobs?user_id=root&from=2026-01-31T20:00":    {`value="2026-01-31T20:00"`, "No jobs"},
		"/jobs?user_id=root&to=2026-01-31T20:00":      {"No jobs", "<code>cleanup/"},
		"/jobs?user_id=root&to=2026-01-31T20:00:00Z":  {`value="2026-01-31T20:00"`, "<code>cleanup/"},
		"/emails?user_id=alice":                       {"/admin/emails/" + w.sent, "/admin/emails/" + w.queued},
		"/emails?user_id=" + w.bob.id:                 {"/admin/emails/" + w.queued, "/admin/emails/" + w.sent},
		"/emails?from=2026-01-31T20:00":               {"/admin/emails/" + w.sent, "No emails"},
		"/emails?to=2026-01-31T20:00":                 {"No emails", "/admin/emails/" + w.sent},
		"/emails?user_id=nobody":                      {"No account has the username “nobody”", "/admin/emails/" + w.sent},
		"/emails?user_id=" + strings.Repeat("x", 101): {"No account has the username", "/admin/emails/" + w.sent},
		"/emails?user_id=a%00b":                       {"No account has the username", "/admin/emails/" + w.sent},
		"/audit?target_id=alice":                      {`value="alice"`, "does not have the right form"},
		"/audit?target_id=nobody":                     {"No account has the username “nobody”", "<table"},
		"/abuse?kind=spam&user_id=ALICE":              {"/admin/abuse/" + w.abuse, "No reports"},
		"/abuse?kind=hate":                            {"No reports", "/admin/abuse/" + w.abuse},
		"/rooms?host_id=alice":                        {"/admin/rooms/" + w.open, "No rooms"},
		"/rooms?host_id=bob":                          {"No rooms", "/admin/rooms/" + w.open},
	} {
		require.EventuallyWithT(t, func(collect *assert.CollectT) { // the list of jobs is some moments behind
			_, _, body := v.sendRequest(t, "GET", "/admin"+path, nil)
			require.Contains(collect, body, c.shows, path)
			require.NotContains(collect, body, c.hides, path)
		}, time.Minute, 50*time.Millisecond, path)
	}
}

// TestConsoleKeepsForms: a form that is refused is shown with what was typed, however often.
func TestConsoleKeepsForms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.signInToConsole(t, b.admin(t, "root"))
	form := url.Values{"title": {"Sunrise"}, "year": {"19 27"}, "runtime_minutes": {"94"}, "genres": {"drama"},
		"description": {"A song\nof two humans"}, "poster_url": {""}, "stream_url": {""}}
	from := []string{"Referer", b.url + "/admin/movies?q=sun"}
	for range 2 {
		status, _, body := v.sendRequest(t, "POST", "/admin/movies", form, from...)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, body, "Send again")
		require.Contains(t, body, `value="19 27"`)
		require.Contains(t, body, "A song\nof two humans</textarea>")
		require.Contains(t, body, `href="/admin/movies?q=sun"`)
		form.Set("back", "/admin/movies?q=sun")
		from[1] = b.url + "/admin/movies"
	}
	form.Set("back", "https://evil.example/admin/")
	_, _, body := v.sendRequest(t, "POST", "/admin/movies", form, from...)
	require.NotContains(t, body, "href=\"https://evil")
	form.Set("year", "1927")
	status, header, _ := v.sendRequest(t, "POST", "/admin/movies", form, from...)
	require.Equal(t, []any{303, "/admin/movies"}, []any{status, header.Get("Location")})
	_, _, body = v.sendRequest(t, "GET", "/admin/movies/"+value1[string](t, b, "SELECT id FROM movies"), nil)
	require.Regexp(t, `name="year"[^>]* value="1927"`, body)
	require.Regexp(t, `name="runtime_minutes"[^>]* value="94"`, body)
}

// TestConsoleSignInLeadsBack: it leads to the page that was asked for, and never to another site.
func TestConsoleSignInLeadsBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.register(t, "ada")
	ada.promoted(t, b)
	for next, to := range map[string]string{
		"": "/admin", "/admin/jobs?kind=Cleanup": "/admin/jobs?kind=Cleanup", "/watch": "/admin", "/administrator": "/admin",
		"//evil.example/admin/": "/admin", "https://evil.example/admin/": "/admin",
	} {
		form := url.Values{"email": {ada.email}, "password": {ada.password}, "next": {next}}
		status, header, _ := visitor{b, ""}.sendRequest(t, "POST", "/admin/sign-in", form)
		require.Equal(t, []any{303, to}, []any{status, header.Get("Location")}, next)
		token, _, _ := strings.Cut(strings.TrimPrefix(header.Get("Set-Cookie"), consoleCookie+"="), ";")
		b.logs.secret(token)
	}
	for referer, to := range map[string]string{
		"": "", b.url + "/admin/movies?q=sun": "?next=%2Fadmin%2Fmovies%3Fq%3Dsun", "https://evil.example/admin/": "",
	} {
		status, header, _ := visitor{b, "nonsense"}.sendRequest(t, "POST", "/admin/movies", nil, "Referer", referer)
		require.Equal(t, []any{303, "/admin/sign-in" + to}, []any{status, header.Get("Location")}, "form on %s", referer)
		require.Contains(
			t,
			strings.Join(header.Values("Set-Cookie"), " "),
			"console-notice=",
			"it says that nothing was done",
		)
	}
}

// TestConsoleWebhooks: a webhook is registered, changed and removed; its secret is on one page, and never again.
func TestConsoleWebhooks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.signInToConsole(t, b.admin(t, "root"))
	send := func(path string, form url.Values, want int) string {
		status, header, body := v.sendRequest(t, "POST", "/admin"+path, form)
		require.Equal(t, want, status, body)
		if want == http.StatusOK {
			return body
		}
		return header.Get("Location")
	}
	secrets := regexp.MustCompile(`whsec_[A-Za-z0-9+/=]+`)
	body := send("/webhooks", url.Values{"url": {"https://hooks.example/a"}, "kinds": {"room.opened", "report.filed"}},
		200)
	secret := html.UnescapeString(secrets.FindString(html.UnescapeString(body)))
	require.Len(t, secret, 50)
	b.logs.secret(secret)
	id := value1[string](t, b, "SELECT id FROM webhooks")
	page := "/webhooks/" + id
	again := secrets.FindString(html.UnescapeString(send(page+"/secret", url.Values{"overlap_seconds": {"0"}}, 200)))
	require.NotEqual(t, secret, again)
	b.logs.secret(again)
	require.Equal(t, "/admin"+page, send(page, url.Values{
		"url": {"https://hooks.example/b"}, "description": {""}, "kinds": {"report.filed"}}, 303))
	require.Contains(t, send(page+"/test", nil, 303), "/admin/webhook-deliveries/")
	send(page+"/switch", url.Values{}, 303)
	require.Equal(t, "admin", value1[string](t, b, "SELECT off_reason FROM webhooks"))
	send(page+"/switch", url.Values{"enabled": {"on"}}, 303)
	b.failedDelivery(t, id)
	send(page+"/replay", url.Values{"since": {"2026-01-01T00:00"}}, 303)
	_, _, shown := v.sendRequest(t, "GET", "/admin"+page, nil)
	require.NotRegexp(t, secrets, shown)
	require.Contains(t, shown, "https://hooks.example/b")
	require.EqualValues(t, 2, value1[int](t, b, "SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'"))
	require.Equal(t, "/admin/webhooks", send(page+"/remove", nil, 303))
	_, _, body = v.sendRequest(t, "POST", "/admin/webhooks",
		url.Values{"url": {"https://127.0.0.1/"}, "kinds": {"report.filed"}})
	require.Contains(t, body, "must be an https address of a public server")
	_, _, body = v.sendRequest(t, "POST", "/admin/webhooks", url.Values{"url": {"https://hooks.example/c"}})
	require.Contains(t, body, "Kinds must not be empty")
}

// TestConsoleRefuses: the console refuses accounts that are not admins now, and forms of other sites.
func TestConsoleRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, ada := b.admin(t, "root"), b.register(t, "ada")
	for path, next := range map[string]string{
		"": "", "/jobs?kind=Cleanup": "?next=%2Fadmin%2Fjobs%3Fkind%3DCleanup", "/users/" + ada.id: "?next=%2Fadmin%2Fusers%2F" + ada.id,
	} {
		status, header, _ := visitor{b, ""}.sendRequest(t, "GET", "/admin"+path, nil)
		require.Equal(t, []any{303, "/admin/sign-in" + next}, []any{status, header.Get("Location")}, path)
		status, header, _ = visitor{b, "nonsense"}.sendRequest(t, "GET", "/admin"+path, nil)
		require.Equal(t, []any{303, "/admin/sign-in" + next}, []any{status, header.Get("Location")}, path)
	}
	form := url.Values{"email": {ada.email}, "password": {ada.password}}
	status, header, body := visitor{b, ""}.sendRequest(t, "POST", "/admin/sign-in", form)
	require.Equal(t, 403, status)
	require.Contains(t, body, "This account is not an admin.")
	require.Empty(t, header.Values("Set-Cookie"))
	form.Set("password", "wrong password")
	status, _, _ = visitor{b, ""}.sendRequest(t, "POST", "/admin/sign-in", form)
	require.Equal(t, 422, status)

	ada.promoted(t, b)
	form.Set("password", ada.password)
	status, header, _ = visitor{b, ""}.sendRequest(t, "POST", "/admin/sign-in", form)
	require.Equal(t, []any{303, "/admin"}, []any{status, header.Get("Location")})
	cookie := header.Get("Set-Cookie")
	require.Regexp(t, `^`+consoleCookie+`=[^;]+; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Strict$`, cookie)
	token, _, _ := strings.Cut(strings.TrimPrefix(cookie, consoleCookie+"="), ";")
	b.logs.secret(token)
	v := visitor{b, token}

	event := value1[string](t, b, "SELECT id FROM outbox WHERE workflow_id = ?", job.WelcomeEmailID(ada.id))
	act := "/admin/outbox/" + event + "/requeue"
	for name, headers := range map[string][]string{
		"another site":         {"Sec-Fetch-Site", "cross-site"},
		"another subdomain":    {"Sec-Fetch-Site", "same-site"},
		"another origin alone": {"Origin", "https://evil.example"},
	} {
		status, _, _ := v.sendRequest(t, "POST", act, nil, headers...)
		require.Equal(t, 403, status, name)
	}
	require.Zero(t, value1[int](t, b, "SELECT count(*) FROM audit WHERE action = 'event_requeued'"))
	status, _, body = v.sendRequest(t, "POST", act, nil, "Sec-Fetch-Site", "same-origin")
	require.Equal(t, 303, status, body)
	require.EqualValues(t, 1, value1[int](t, b, "SELECT count(*) FROM audit WHERE action = 'event_requeued'"))

	// The right is checked at each request, so it ends with the next one.
	b.exec(t, "UPDATE users SET is_admin = false WHERE id = ?", ada.id)
	status, _, _ = v.sendRequest(t, "GET", "/admin/jobs", nil)
	require.Equal(t, 403, status)
	status, _, _ = v.sendRequest(t, "POST", act, nil, "Sec-Fetch-Site", "same-origin")
	require.Equal(t, 403, status)

	v = b.signInToConsole(t, root)
	status, _, _ = v.sendRequest(t, "GET", "/admin", nil)
	require.Equal(t, 200, status)
	status, _, _ = v.sendRequest(t, "POST", "/admin/sign-out", nil)
	require.Equal(t, 303, status)
	status, _, _ = v.sendRequest(t, "GET", "/admin", nil)
	require.Equal(t, 303, status, "the session has ended")
	old := b.signInToConsole(t, root)
	b.exec(
		t, "UPDATE sessions SET created_at = now() - interval '13 h' WHERE token_hash = ?", auth.HashRefresh(old.cookie),
	)
	status, _, _ = old.sendRequest(t, "GET", "/admin", nil)
	require.Equal(t, 303, status, "a sign-in to the console lasts for 12 hours")
}

// TestConsoleWithoutTemporal: it opens and says so, and what the database knows is there.
func TestConsoleWithoutTemporal(t *testing.T) {
	t.Parallel()
	b := setup(t, temporalAway)
	v := b.signInToConsole(t, b.admin(t, "root"))
	for path, c := range map[string]struct {
		status int
		shows  string
	}{
		"": {200, "Temporal is down"}, "/queues": {200, "Temporal is down"}, "/outbox": {200, "Try now"},
		"/emails":  {200, "Temporal does not have its workflow yet"},
		"/jobs":    {503, watchparty.ErrTemporalDown.Message},
		"/cleanup": {200, "CLEANUP_MESSAGE_AGE"}, "/users": {200, "root"},
	} {
		status, _, body := v.sendRequest(t, "GET", "/admin"+path, nil)
		require.Equal(t, c.status, status, path)
		require.Contains(t, body, c.shows, path)
	}
}
