package e2e

import (
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/demo/clip"
)

// playsMovieNight has Alice open a room that plays, and returns its path.
func (w *watcher) playsMovieNight(t *testing.T) string {
	t.Helper()
	w.goTo(t, "/watch")
	w.press(t, "Alice")
	w.press(t, "New room")
	w.write(t, "name", "Movie night")
	w.press(t, "Open the room")
	w.shows(t, "Nothing is playing yet.")
	w.press(t, "Choose a movie")
	w.press(t, "Rocket to the Moon2026 · 1 min")
	w.record(t)
	eventually(t, func(c *assert.CollectT) { require.Greater(c, len(w.frames(c)), 10) }, "it plays")
	path, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`location.pathname + location.search`))
	require.NoError(t, err)
	return path
}

// TestAutoplayIsRefused: a browser that lets nothing play before a gesture holds up nobody, and after the gesture the
// player is where the room is by then.
func TestAutoplayIsRefused(t *testing.T) {
	t.Parallel()
	s := startWatchSystem(t)
	alice, bob := s.openBrowser(t, 0), s.openBrowser(t, 1)
	path := alice.playsMovieNight(t)
	bob.goTo(t, path)
	bob.press(t, "Bob")
	bob.shows(t, "Rocket to the Moon")

	bob = bob.newTab(t) // signed in already
	bob.goTo(t, path)
	// What tab.shows and watcher.press run counts as a gesture, and this does not.
	bob.evaluates(
		t,
		`document.querySelector('main')?.innerText.includes('Your browser plays after a click only.') + ''`,
		"true",
	)
	bob.evaluates(t, `document.querySelector('video').paused + ''`, "true")
	bob.record(t)
	alice.press(t, "Pause")
	alice.seek(t, 20)
	requirePosition(t, s, 20*time.Second)
	alice.press(t, "Play")
	eventually(t, func(c *assert.CollectT) {
		status, cause := s.status(c)
		require.Equal(c, "playing", status)
		require.Contains(c, []string{"play", "ready"}, cause)
	}, "nobody waits for Bob")
	bob.press(t, "Watch along")
	requireTogether(t, alice, bob, "after the gesture")
	require.Empty(t, bob.complaints)
}

// TestBackgroundTab: a page that was not shown for a minute, and whose timers were slow, is where the room is when it is
// shown again.
func TestBackgroundTab(t *testing.T) {
	t.Parallel()
	const hidden = time.Minute
	s := startWatchSystem(t)
	alice, bob := s.openBrowser(t, 0), s.openBrowser(t, 1)
	path := alice.playsMovieNight(t)
	bob.goTo(t, path)
	bob.press(t, "Bob")
	bob.shows(t, "Rocket to the Moon")
	bob.record(t)
	requireTogether(t, alice, bob, "before")

	bob.setWindow(t, cdpbrowser.WindowStateMinimized)
	bob.evaluates(t, `document.visibilityState`, "hidden")
	began := time.Now()
	alice.press(t, "Pause")
	alice.seek(t, 10)
	requirePosition(t, s, 10*time.Second)
	alice.press(t, "Play")
	eventually(t, func(c *assert.CollectT) { require.GreaterOrEqual(c, time.Since(began), hidden/2) }, "half a minute")
	alice.seek(t, 5)
	requirePosition(t, s, 5*time.Second)
	eventually(t, func(c *assert.CollectT) { require.GreaterOrEqual(c, time.Since(began), hidden) }, "a minute")

	bob.setWindow(t, cdpbrowser.WindowStateNormal)
	bob.evaluates(t, `document.visibilityState`, "visible")
	requireTogether(t, alice, bob, "after a minute in the background")
	require.Greater(t, alice.shownNow(t), 5*clip.FramesPerSecond)
	require.Empty(t, bob.complaints)
}

func (p tab) setWindow(t *testing.T, state cdpbrowser.WindowState) {
	t.Helper()
	window, err := chromedp.Call(p.ctx, cdpbrowser.GetWindowForTarget, cdpbrowser.GetWindowForTargetParams{})
	require.NoError(t, err)
	_, err = chromedp.Call(p.ctx, cdpbrowser.SetWindowBounds, cdpbrowser.SetWindowBoundsParams{
		WindowID: window.WindowID, Bounds: &cdpbrowser.Bounds{WindowState: state},
	})
	require.NoError(t, err)
}

func requirePosition(t *testing.T, s *watchSystem, want time.Duration) {
	t.Helper()
	eventually(
		t,
		func(c *assert.CollectT) { require.InDelta(c, want, s.position(t), float64(time.Second)) },
		"the room is there",
	)
}

// evaluates waits until an expression has a value.
func (p tab) evaluates(t *testing.T, expression, want string) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		got, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](expression))
		require.NoError(c, err)
		require.Equal(c, want, got)
	}, expression)
}
