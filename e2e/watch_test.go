package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/bench/live"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/demo"
	"github.com/watchparty/watchparty/demo/clip"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/migrations"
	"github.com/watchparty/watchparty/store"
)

// watchHost is the name of the service in the browsers: one service, of which each browser reaches another process.
const watchHost = "watch.test"

// watchSystem is two API processes on one database, with the demo's people and movies.
type watchSystem struct {
	store *store.Store
	gates [2]*gate // before each process
}

func startWatchSystem(t *testing.T) *watchSystem {
	t.Helper()
	stack := stacktest.New(t, devstack.Postgres, devstack.Redis)
	s := &watchSystem{}
	environ := append(bareEnvironment(t),
		"APP_ENV=development", "LOG_LEVEL=warn", "METRICS_ADDR=off", "HTTP_DRAIN_DELAY=0s", "PUBLIC_URL=http://"+watchHost,
		"AUTH_SECRET="+strings.Repeat("s", config.MinSecretBytes), "DATABASE_URL="+stack.DatabaseURL(),
		"REDIS_URL="+stack.RedisURL(), "TEMPORAL_ADDRESS=127.0.0.1:1", "SMTP_HOST=127.0.0.1", "BLOB_URL=mem://",
	)
	cfg, err := config.Load(environ)
	require.NoError(t, err)
	s.store, err = store.Open(cfg.Database, auth.NewDigests(cfg.Auth.Secret))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.store.Close() })
	_, err = migrations.Up(t.Context(), s.store.DB())
	require.NoError(t, err)
	require.NoError(t, demo.Fill(t.Context(), s.store, auth.NewPasswords(1, auth.OWASP), cfg.HTTP.PublicURL))
	for i := range s.gates {
		addr := stacktest.FreeAddress(t)
		p := start(t, t.TempDir(), append(slices.Clone(environ), "HTTP_ADDR="+addr), "api")
		eventually(t, func(c *assert.CollectT) {
			select {
			case <-p.done:
				require.FailNow(t, "the process has ended", p.out.String())
			default:
			}
			response, err := httpClient.Get("http://" + addr + "/api/health/live")
			if assert.NoError(c, err) {
				_ = response.Body.Close()
			}
		}, "the API lives")
		s.gates[i] = newGate(t, addr)
	}
	return s
}

// revision is that of the room's playback.
func (s *watchSystem) revision(t *testing.T) int {
	t.Helper()
	var revision int
	require.NoError(t, s.store.DB().NewRaw("SELECT revision FROM playbacks").Scan(t.Context(), &revision))
	return revision
}

// readStatus is what the room's playback does, and why.
func (s *watchSystem) readStatus(t require.TestingT) (status, cause string) {
	require.NoError(
		t, s.store.DB().NewRaw("SELECT state, cause FROM playbacks").Scan(context.Background(), &status, &cause),
	)
	return status, cause
}

// demoRoom is the room that the demo comes with.
func (s *watchSystem) demoRoom(t *testing.T) (id string) {
	t.Helper()
	require.NoError(t, s.store.DB().NewRaw("SELECT id FROM rooms WHERE description = 'Each week, with popcorn'").
		Scan(t.Context(), &id))
	return id
}

// startsParties has what is scheduled start after a time.
func (s *watchSystem) startsParties(t *testing.T, after time.Duration) {
	t.Helper()
	_, err := s.store.DB().NewRaw("UPDATE parties SET starts_at = date_trunc('milliseconds', now()) + "+
		"make_interval(secs => ?) WHERE state = 'scheduled'", after.Seconds()).Exec(t.Context())
	require.NoError(t, err)
}

// position is where the room's playback was at its last change.
func (s *watchSystem) position(t *testing.T) time.Duration {
	t.Helper()
	var milliseconds int64
	require.NoError(t, s.store.DB().NewRaw("SELECT position_ms FROM playbacks").Scan(t.Context(), &milliseconds))
	return time.Duration(milliseconds) * time.Millisecond
}

// watcher is somebody in a browser of their own.
type watcher struct {
	tab
	page       *live.Page
	complaints chan string // of the browser: errors, and what the policy refuses
}

func (s *watchSystem) openBrowser(t *testing.T, process int, options ...chromedp.ExecAllocatorOption) *watcher {
	t.Helper()
	page, err := live.OpenBrowser(t.Context(), watchHost, s.gates[process].addr(), options...)
	require.NoError(t, err)
	return newWatcher(t, page)
}

func newWatcher(t *testing.T, page *live.Page) *watcher {
	t.Helper()
	t.Cleanup(page.Close)
	w := &watcher{tab{page.Ctx}, page, make(chan string, 100)}
	require.NoError(t, chromedp.Listen(page.Ctx, w.recordComplaint))
	_, err := chromedp.Call(page.Ctx, cdppage.AddScriptToEvaluateOnNewDocument,
		cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: noteToasts})
	require.NoError(t, err)
	return w
}

// noteToasts keeps what the page says for some seconds, which a busy machine may look for too late.
const noteToasts = `
window.toasts_ = [];
new MutationObserver((changes) => {
	for (const { target } of changes) {
		if (target.id === 'toast' && target.textContent) toasts_.push(target.textContent);
	}
}).observe(document, { childList: true, subtree: true });`

// requireSays waits until the page has shown a text for some seconds, after the text that was waited for last.
func (w *watcher) requireSays(t *testing.T, text string) {
	t.Helper()
	require.NoError(t, w.await(`(text) => {
		const at = toasts_.indexOf(text);
		toasts_.splice(0, at + 1);
		return at >= 0;
	}`, text), text)
}

// newTab is another tab of the watcher's browser.
func (w *watcher) newTab(t *testing.T) *watcher {
	t.Helper()
	page, err := w.page.NewTab()
	require.NoError(t, err)
	return newWatcher(t, page)
}

func (w *watcher) recordComplaint(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			text = e.Entry.Text
		}
	}
	if text != "" && len(w.complaints) < cap(w.complaints) {
		w.complaints <- text
	}
}

// requireNoComplaints shows the first complaint, if there is one.
func (w *watcher) requireNoComplaints(t *testing.T) {
	t.Helper()
	select {
	case text := <-w.complaints:
		t.Errorf("the browser complains: %s", text)
	default:
	}
}

func (w *watcher) goTo(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, w.page.GoTo(path))
}

// press clicks the button with that text or name.
func (w *watcher) press(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, w.page.Press(name))
}

// seek moves the slider.
func (w *watcher) seek(t *testing.T, seconds int) {
	t.Helper()
	require.NoError(t, w.page.Seek(seconds))
}

// record notes from now on which frame is shown when, as the pixels have it.
func (w *watcher) record(t *testing.T) {
	t.Helper()
	require.NoError(t, w.page.Record())
}

// frames are those of the last two seconds.
func (w *watcher) frames(t require.TestingT) []live.Frame {
	frames, err := w.page.Frames(2 * time.Second)
	require.NoError(t, err)
	return frames
}

func (w *watcher) shownNow(t require.TestingT) int {
	frame, err := w.page.ShownNow()
	require.NoError(t, err)
	return frame
}

// playerDistance returns by how many milliseconds two players are apart.
func playerDistance(t require.TestingT, a, b *watcher) float64 {
	one, other := a.frames(t), b.frames(t)
	require.Greater(t, len(one), 10, "it plays")
	require.Greater(t, len(other), 10, "it plays")
	return live.Apart(one, other)
}

// together is the design's bar for two browsers.
const together = 100.0

func requireTogether(t *testing.T, a, b *watcher, when string) {
	t.Helper()
	for _, w := range []*watcher{a, b} { // what was shown before does not count
		require.NoError(t, w.page.Forget())
	}
	eventually(t, func(c *assert.CollectT) {
		difference := playerDistance(c, a, b)
		require.LessOrEqual(c, difference, together)
		t.Logf("%s: %.0f ms apart", when, difference)
	}, when)
}

func requireSameFrame(t *testing.T, a, b *watcher, near int, when string) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		one, other := a.shownNow(c), b.shownNow(c)
		require.Equal(c, one, other)
		require.InDelta(c, near, one, 1)
	}, when)
}

// accessible runs axe on what is shown, in both schemes, on a desktop and on a phone, and keeps pictures. Only colours
// differ between the schemes.
func (w *watcher) accessible(t *testing.T, axe, name string) {
	t.Helper()
	const all, colours = `{}`, `{ runOnly: ['color-contrast', 'link-in-text-block'] }`
	for _, look := range []struct {
		scheme, rules string
		width, height int64
	}{{"light", all, 390, 844}, {"dark", colours, 390, 844}, {"light", all, 1440, 900}, {"dark", colours, 1440, 900}} {
		_, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: look.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		require.NoError(t, err)
		require.NoError(t, chromedp.Do(w.ctx, chromedp.EmulateViewport(look.width, look.height)))
		w.loadAxe(t, axe)
		found, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`
			axe.run({ resultTypes: ['violations'], ...`+look.rules+` }).then(({ violations }) => [
				...violations.map(({ id, nodes }) => id + ' ' + nodes.length + ': ' + nodes[0].html),
				...(document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : []),
				...[...document.querySelectorAll('.curtain:not([hidden]) > *')].filter((element) => {
					const [a, b] = [element, document.querySelector('.notice')].map((one) => one.getBoundingClientRect());
					return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
				}).map(({ outerHTML }) => 'the notice covers ' + outerHTML),
			].join('\n'))`, chromedp.EvalAwaitPromise))
		require.NoError(t, err)
		require.Empty(t, found, "%s, %s, %d", name, look.scheme, look.width)
		w.picture(t, fmt.Sprintf("watch-%s-%s-%d", name, look.scheme, look.width))
	}
}

// TestWatchTogether: two people in two browsers, at two processes of the API, see the same frames.
func TestWatchTogether(t *testing.T) {
	t.Parallel()
	s := startWatchSystem(t)
	alice, bob := s.openBrowser(t, 0), s.openBrowser(t, 1)

	bob.goTo(t, "/watch")
	bob.press(t, "Bob")
	bob.requireShows(t, "Open to everyone")
	link := alice.playsMovieNight(t)
	before := s.revision(t)
	bob.goTo(t, link) // signed in already: the movie lasts for a minute
	bob.requireShows(t, "Rocket to the Moon")
	bob.record(t)
	requireTogether(t, alice, bob, "after a late join")
	require.Equal(t, before, s.revision(t), "a join changes nothing for those who are there")
	bob.requireShows(t, "The host and the moderators control the movie here.")

	alice.press(t, "Pause")
	eventually(t, func(c *assert.CollectT) { require.Equal(c, before+1, s.revision(t)) }, "paused")
	pausedAt := s.position(t)
	requireSameFrame(t, alice, bob, int(pausedAt.Seconds()*clip.FramesPerSecond), "after a pause")
	alice.seek(t, 5)
	requireSameFrame(t, alice, bob, 5*clip.FramesPerSecond, "after a seek")
	alice.press(t, "Play")
	requireTogether(t, alice, bob, "after a start")

	// Bob loses the network for 10 seconds, in which the room goes elsewhere.
	resume := sync.OnceFunc(s.gates[1].stall())
	t.Cleanup(resume)
	lost, last := time.Now(), bob.shownNow(t)
	alice.seek(t, 2)
	eventually(t, func(c *assert.CollectT) { require.GreaterOrEqual(c, time.Since(lost), 10*time.Second) }, "the outage")
	require.Greater(t, bob.shownNow(t), last+5*clip.FramesPerSecond, "his movie goes on meanwhile")
	resume()
	requireTogether(t, alice, bob, "after an outage")

	alice.write(t, "body", "Hello, Bob!")
	alice.press(t, "Send")
	bob.requireShows(t, "Hello, Bob!")
	bob.write(t, "body", "Hello! The same frame here.")
	bob.press(t, "Send")
	alice.requireShows(t, "The same frame here.")
	alice.picture(t, "watch-together")

	alice.press(t, "Leave")
	alice.requireShows(t, "Open to everyone")
	alice.requireShows(t, "Movie night")

	// The demo's room has a queue, which one button starts.
	alice.goTo(t, "/watch?room="+s.demoRoom(t))
	alice.requireShows(t, "Same time next week?")
	alice.press(t, "Play")
	alice.record(t)
	eventually(t, func(c *assert.CollectT) { require.Greater(c, len(alice.frames(c)), 10) }, "the queue plays")
	alice.requireNoComplaints(t)
	bob.requireNoComplaints(t)
}

// TestWatchIsAccessible runs axe on each view.
func TestWatchIsAccessible(t *testing.T) {
	t.Parallel()
	axe := readAxe(t)
	s := startWatchSystem(t)
	w := s.openBrowser(t, 0)
	w.goTo(t, "/watch")
	w.requireShows(t, "Watch together")
	w.accessible(t, axe, "sign-in")
	w.press(t, "I have no account yet")
	w.requireShows(t, "At least 10 characters.")
	w.accessible(t, axe, "register")
	w.press(t, "I have an account")
	w.press(t, "Alice")
	w.requireShows(t, "Open to everyone")
	w.accessible(t, axe, "rooms")
	w.press(t, "New room")
	w.accessible(t, axe, "new-room")
	w.write(t, "name", "Movie night")
	w.press(t, "Open the room")
	w.requireShows(t, "Nothing is playing yet.")
	w.accessible(t, axe, "idle")
	w.press(t, "Choose a movie")
	w.requireShows(t, "Rocket to the Moon")
	w.accessible(t, axe, "movies")
	w.press(t, "Rocket to the Moon2026 · 1 min")
	w.record(t)
	eventually(t, func(c *assert.CollectT) { require.Greater(c, len(w.frames(c)), 10) }, "it plays")
	w.write(t, "body", "Is anybody there?")
	w.press(t, "Send")
	w.requireShows(t, "Is anybody there?")
	w.accessible(t, axe, "room")
	w.click(t, "#tab-people")
	w.requireShows(t, "Alice (you)")
	w.accessible(t, axe, "people")
	w.press(t, "Settings of the room")
	w.accessible(t, axe, "settings")
	w.press(t, "Cancel")
	w.press(t, "Invite people")
	w.accessible(t, axe, "invite")
	w.press(t, "Close")
	w.press(t, "Schedule a party")
	w.accessible(t, axe, "schedule")
	w.write(t, "title", "The second part of the long evening with the silent movies from the city of lights")
	w.press(t, "Schedule")
	w.requireShows(t, "Next party")
	w.press(t, "Yes (0)")
	w.requireShows(t, "Yes (1)")
	w.accessible(t, axe, "party")
	w.press(t, "Cancel the party")
	w.accessible(t, axe, "cancel-party")
	w.press(t, "Keep it")
	w.press(t, "Leave")
	w.requireShows(t, "Upcoming parties")
	w.press(t, "Maybe (0)")
	w.requireShows(t, "Maybe (1)")
	w.accessible(t, axe, "upcoming")

	// The demo's room has somebody else, with messages, and a queue.
	w.goTo(t, "/watch?room="+s.demoRoom(t))
	w.requireShows(t, "Same time next week?")
	w.press(t, "Report this message")
	w.accessible(t, axe, "report")
	w.press(t, "Cancel")
	w.press(t, "Answer this message")
	w.accessible(t, axe, "answer")
	w.click(t, "#tab-people")
	w.press(t, "About Bob")
	w.accessible(t, axe, "person")
	w.press(t, "Close")
	w.click(t, "#tab-queue")
	w.accessible(t, axe, "queue")
	w.press(t, "Schedule a party")
	w.press(t, "Schedule")
	w.requireSays(t, "The party is scheduled.")
	s.startsParties(t, 4*time.Minute)
	w.requireShows(t, "The party starts by itself in")
	w.accessible(t, axe, "countdown")
	w.requireNoComplaints(t)
}
