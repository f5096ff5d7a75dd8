package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/mail/smtptest"
	"github.com/watchparty/watchparty/web"
)

// press sends the form whose button has this text, with values for its fields, and waits for the next page. The page
// may be replaced meanwhile, such as a page that reloads itself: the tab remembers that the button was pressed.
func (p tab) press(t *testing.T, button string, values map[string]string) {
	t.Helper()
	if values == nil {
		values = map[string]string{}
	}
	require.NoError(t, p.await(`(press, text, values) => {
		if (sessionStorage.getItem('press') === press) return true;
		const button = [...document.querySelectorAll('button')].find((b) => b.textContent.trim() === text);
		if (!button) return false;
		for (const [name, value] of Object.entries(values ?? {})) button.form.elements[name].value = value;
		sessionStorage.setItem('press', press);
		document.documentElement.dataset.left = '';
		button.click();
		return true;
	}`, uuid.NewString(), button, values), button)
	require.NoError(t, p.await(
		`() => document.readyState === 'complete' && document.documentElement.dataset.left === undefined`,
	), "after %s", button)
}

// goTo opens a page, again if it does not show the text: on a busy machine Temporal may once not answer in time.
func (p tab) goTo(t *testing.T, address, text string) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		_, err := chromedp.Run(p.ctx, chromedp.Navigate(address))
		require.NoError(c, err)
		seen, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		require.NoError(c, err)
		require.Contains(c, seen, text)
	}, address)
}

// look is how a page is looked at.
type look struct {
	scheme        string
	width, height int64
}

// looks are both schemes, on a desktop and on a phone: all four where pictures are kept.
func looks() []look {
	if os.Getenv("SCREENSHOTS") != "" {
		return []look{{"light", 1440, 900}, {"dark", 1440, 900}, {"light", 390, 844}, {"dark", 390, 844}}
	}
	return []look{{"light", 1440, 900}, {"dark", 390, 844}}
}

// requireAccessible runs axe on the page, and keeps pictures.
func (p tab) requireAccessible(t *testing.T, axe, name string) {
	t.Helper()
	for _, look := range looks() {
		_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}},
		})
		require.NoError(t, err)
		require.NoError(t, chromedp.Do(p.ctx, chromedp.EmulateViewport(look.width, look.height)))
		p.loadAxe(t, axe)
		found, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`
			axe.run({ resultTypes: ['violations'], iframes: false }).then(({ violations }) => [
				...violations.map(({ id, nodes }) => id + ' ' + nodes.length + ': ' + nodes[0].html),
				...(document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : []),
			].join('\n'))`, chromedp.EvalAwaitPromise))
		require.NoError(t, err)
		require.Empty(t, found, "%s, %s, %d", name, look.scheme, look.width)
		p.picture(t, fmt.Sprintf("console-%s-%s-%d", name, look.scheme, look.width))
	}
}

// awaitLine waits until the process has logged a line with this text.
func (p *process) awaitLine(t *testing.T, text string) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) { require.Contains(c, p.out.String(), text) }, text)
}

// requireNoFrames: a page of another origin that has pages of the service in frames shows nothing of them. The browser
// is signed in to the console.
func requireNoFrames(t *testing.T, p tab, service string) {
	t.Helper()
	var refused []string
	for _, path := range append(web.Pages(), web.Docs, web.Problems, web.Watch, "/admin/sign-in", "/admin", "/admin/queues",
		"/admin/emails/previews/welcome/en") {
		refused = append(refused, service+path)
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path != "/" {
			return
		}
		_, _ = fmt.Fprint(w, "<h1>Another origin</h1>")
		for _, address := range append([]string{"/own"}, refused...) {
			_, _ = fmt.Fprintf(w, `<iframe src="%s"></iframe>`, address)
		}
	}))
	t.Cleanup(site.Close)
	p.goTo(t, site.URL, "Another origin")
	eventually(t, func(c *assert.CollectT) {
		tree, err := chromedp.Call(p.ctx, page.GetFrameTree, cdp.Empty{})
		require.NoError(c, err)
		var found, shown []string
		for _, child := range tree.FrameTree.ChildFrames {
			if child.Frame.UnreachableURL == "" {
				shown = append(shown, child.Frame.URL)
			} else {
				found = append(found, child.Frame.UnreachableURL)
			}
		}
		require.Equal(c, []string{site.URL + "/own"}, shown)
		require.ElementsMatch(c, refused, found)
	}, "frames")
}

// TestConsole: an operator finds out why an email did not arrive, mends the cause and sends it; pauses what runs;
// cleans up; and acts on a report of abuse. Everything is real: browser, servers, processes.
func TestConsole(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	smtp := smtptest.ServeEach(t, func() smtptest.Script {
		if mended.Load() {
			return smtptest.Script{}
		}
		return smtptest.Script{Answers: map[string]string{"RCPT": "550 5.1.1 unknown user"}}
	})
	s := newSystem(t)
	s.environ = append(s.environ, "SMTP_HOST=127.0.0.1", "SMTP_PORT="+strconv.Itoa(smtp.Port))
	s.startAPI(t)
	worker := s.startWorker(t)
	olga, root := s.client.register(t, "olga", "Olga")
	s.grantAdmin(t, root.User.Email)
	carol, _ := s.client.register(t, "carol", "Carol")
	_, dave := s.client.register(t, "dave", "Dave")
	carol.post(t, "/abuse-reports", map[string]any{"kind": "spam", "username": "dave", "text": "The same in every room"})
	axe := readAxe(t)

	p := startBrowser(t).open(t, s.url+"/admin")
	p.requireAccessible(t, axe, "sign-in")
	p.press(t, "Sign in", map[string]string{"email": dave.User.Email, "password": password})
	p.requireShows(t, "This account is not an admin.")
	p.press(t, "Sign in", map[string]string{"email": root.User.Email, "password": password})
	p.requireShows(t, "Nothing is stuck.")

	t.Run("an email that failed", func(t *testing.T) {
		find := s.url + "/admin/emails?address=" + url.QueryEscape(dave.User.Email)
		p.goTo(t, find, "The mail server accepts no email for this address.")
		p.requireAccessible(t, axe, "emails")
		p.click(t, "td a")
		p.requireShows(t, "The mail server accepts no email for this address.")
		p.requireShows(t, "550 5.1.1 unknown user")
		p.requireAccessible(t, axe, "email")
		mended.Store(true)
		p.press(t, "Retry", map[string]string{"note": "The mail server knows the domain now"})
		p.requireShows(t, "Another email is queued.")
		eventually(t, func(c *assert.CollectT) { // the browser refuses either while it loads the page
			_, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("location.reload(), true"))
			require.NoError(c, err)
			text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.querySelector('dl')?.innerText ?? ''"))
			require.NoError(c, err)
			require.Contains(c, text, "Sent\n")
			require.Len(c, smtp.Accepted(), 1)
		}, "it is sent")
		require.Contains(t, smtp.Accepted()[0], "Dave")
	})
	t.Run("a schedule", func(t *testing.T) {
		p.goTo(t, s.url+"/admin/schedules", "Pause cleanup")
		p.press(t, "Pause cleanup", map[string]string{"note": "New disks"})
		p.requireShows(t, "The schedule is paused.")
		p.requireShows(t, "New disks")
		p.requireAccessible(t, axe, "schedules")
		p.press(t, "Resume cleanup", map[string]string{"note": "Done"})
		p.requireShows(t, "The schedule is resumed.")
	})
	t.Run("a clean-up", func(t *testing.T) {
		p.goTo(t, s.url+"/admin/cleanup", "Run now")
		p.requireAccessible(t, axe, "cleanup")
		p.press(t, "Dry run", nil)
		p.requireShows(t, "Completed")
		p.requireAccessible(t, axe, "cleanup-run")
		// While the queue is paused a run stays where it is, so that it can be cancelled.
		p.goTo(t, s.url+"/admin/queues", "Pause maintenance")
		p.press(t, "Pause maintenance", map[string]string{"note": "A test"})
		p.requireShows(t, "A test")
		p.requireAccessible(t, axe, "queues")
		worker.awaitLine(t, `"msg":"queue is paused"`)
		p.goTo(t, s.url+"/admin/cleanup", "Run now")
		p.press(t, "Run now", nil)
		p.press(t, "Cancel the run", map[string]string{"note": "Too early"})
		p.requireShows(t, "The run ends after its current batch.")
		var run string
		eventually(t, func(c *assert.CollectT) { // the page reloads itself
			var err error
			run, err = chromedp.Run(p.ctx, chromedp.Evaluate[string]("location.href"))
			require.NoError(c, err)
		}, "the address of the run")
		p.goTo(t, s.url+"/admin/queues", "Resume maintenance")
		p.press(t, "Resume maintenance", nil)
		p.goTo(t, run, "Cancelled")
		p.goTo(t, s.url+"/admin/jobs?queue=maintenance", "Cleanup")
		p.requireNotShown(t, "welcome-email/")
	})
	t.Run("a report of abuse", func(t *testing.T) {
		p.goTo(t, s.url+"/admin/abuse", "Reports of abuse")
		p.requireAccessible(t, axe, "abuse")
		p.click(t, "td a")
		p.requireShows(t, "The same in every room")
		p.press(t, "Suspend dave and resolve", map[string]string{"reason": "Advertising"})
		p.requireShows(t, "The account is suspended.")
		p.requireShows(t, "reason: Advertising")
		p.requireAccessible(t, axe, "user")
	})
	t.Run("a movie", func(t *testing.T) {
		p.goTo(t, s.url+"/admin/movies", "Add")
		p.requireAccessible(t, axe, "movies-empty")
		p.press(t, "Add", map[string]string{
			"title": "Metropolis", "year": "1926", "runtime_minutes": "153", "genres": "drama, science fiction",
			"description": "A city of the future.", "stream_url": "https://movies.example/metropolis.webm",
		})
		p.requireShows(t, "The movie is in the catalogue.")
		p.click(t, "td a")
		p.requireAccessible(t, axe, "movie")
		p.press(t, "Save", map[string]string{"year": "19 27", "note": "Its first night"})
		p.requireShows(t, "The request is not valid.")
		p.press(t, "Send again", map[string]string{"year": "1927", "stream_url": ""})
		p.requireShows(t, "drama, science fiction")
		p.requireShows(t, "1927")
		p.press(t, "Archive", map[string]string{"note": "The licence has ended"})
		p.goTo(t, s.url+"/admin/movies?archived=true", "Take back")
		p.press(t, "Take back", nil)
		p.requireShows(t, "Metropolis")
	})
	t.Run("a room that clean-up archived", func(t *testing.T) {
		carol.post(t, "/rooms", map[string]any{"name": "Movie club"})
		_, err := s.store.DB().ExecContext(t.Context(), "UPDATE rooms SET archived_at = now(), retired_at = now()")
		require.NoError(t, err)
		p.goTo(t, s.url+"/admin/rooms/retired", "Movie club")
		p.requireAccessible(t, axe, "retired")
		p.press(t, "Restore", map[string]string{"note": "50 % & more: still in use"})
		p.requireShows(t, "The room is restored.")
		p.goTo(t, s.url+"/admin/rooms?state=open", "Movie club")
	})
	t.Run("a report with charts", func(t *testing.T) {
		first := watchparty.Day("2026-02-23")
		_, err := s.store.DB().ExecContext(t.Context(), "UPDATE activity_since SET day = '2026-02-01'")
		require.NoError(t, err)
		for i := range 7 {
			require.NoError(t, s.store.TallyDay(t.Context(), first.Add(i)))
		}
		_, err = s.store.DB().ExecContext(t.Context(),
			"UPDATE activity_days SET messages = extract(day FROM day) * 97 % 311, minutes_together = extract(day FROM day) * 7")
		require.NoError(t, err)
		id, err := s.store.CreateActivityReport(t.Context(), watchparty.ReportWeek, first, first.Add(6))
		require.NoError(t, err)
		p.goTo(t, s.url+"/admin/reports/"+id, "Messages")
		p.requireAccessible(t, axe, "report-activity")
		p.goTo(t, s.url+"/admin/reports?kind=cleanup", "Clean-up")
		p.click(t, "td a")
		p.requireShows(t, "Its run")
		p.requireAccessible(t, axe, "report-cleanup")
	})
	made := olga.post(
		t,
		"/admin/webhooks",
		map[string]any{"url": "https://hooks.example.org/in", "kinds": []string{"room.opened"}},
	)
	require.Equal(t, http.StatusCreated, made.status, "%s", made.body)
	hook := "webhooks/" + made.data(t)["id"].(string)
	tested := olga.post(t, "/admin/"+hook+"/test", nil)
	require.Equal(t, http.StatusOK, tested.status, "%s", tested.body)
	var room string
	require.NoError(t, s.store.DB().NewRaw("SELECT id FROM rooms LIMIT 1").Scan(t.Context(), &room))
	for name, path := range map[string]string{
		"overview": "", "jobs": "jobs", "outbox": "outbox", "reports": "reports", "users": "users", "rooms": "rooms",
		"room": "rooms/" + room, "movies": "movies", "audit": "audit", "previews": "emails/previews", "webhooks": "webhooks",
		"webhook": hook, "delivery": "webhook-deliveries/" + tested.data(t)["id"].(string),
	} {
		p.goTo(t, s.url+"/admin/"+path, "Overview")
		p.requireAccessible(t, axe, "page-"+name)
	}
	p.goTo(t, s.url+"/admin/jobs", "WelcomeEmail")
	p.click(t, "td a")
	p.requireShows(t, "Timeline")
	p.requireAccessible(t, axe, "job")

	t.Run("a form of another site", func(t *testing.T) {
		page := "data:text/html,<form method=post action=" + s.url + "/admin/queues/email/pause><button>Win</button></form>"
		p.goTo(t, page, "Win")
		p.click(t, "button")
		p.requireShows(t, "another site")
		paused, err := s.store.EmailsPaused(t.Context())
		require.NoError(t, err)
		require.False(t, paused)
	})
	t.Run("the audit log", func(t *testing.T) {
		var acts []string
		err := s.store.DB().
			NewRaw(`SELECT concat_ws(' ', a.action, a.outcome, coalesce(a.details->>'note', a.details->>'reason'))
			FROM audit AS a JOIN users AS u ON u.id = a.actor_id WHERE u.username = 'olga' ORDER BY a.id`).
			Scan(t.Context(), &acts)
		require.NoError(t, err)
		require.Equal(t, []string{
			"email_resent done The mail server knows the domain now",
			"schedule_paused done New disks",
			"schedule_resumed done Done",
			"cleanup_started done",
			"queue_paused done A test",
			"cleanup_started done",
			"cleanup_cancelled done Too early",
			"queue_resumed done",
			"user_suspended done Advertising",
			"abuse_report_resolved done Advertising",
			"movie_created done",
			"movie_updated done Its first night",
			"movie_updated done The licence has ended",
			"movie_updated done",
			"room_restored done 50 % & more: still in use", "webhook_created done", "webhook_tested done",
		}, acts, "who, what and why, of everything above")
	})
	t.Run("in a frame of another origin", func(t *testing.T) {
		response, err := http.Get(s.url + "/admin/sign-in")
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, "DENY", response.Header.Get("X-Frame-Options"), "for browsers without frame-ancestors")
		requireNoFrames(t, p, s.url)
	})
}
