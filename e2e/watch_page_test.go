package e2e

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/demo"
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
	w.requireShows(t, "Nothing is playing yet.")
	w.press(t, "Choose a movie")
	w.press(t, "Rocket to the Moon2026 · 1 min")
	w.record(t)
	eventually(t, func(c *assert.CollectT) { require.Greater(c, len(w.frames(c)), 10) }, "it plays")
	path, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`location.pathname + location.search`))
	require.NoError(t, err)
	return path
}

// TestWatchPageActs: acts on people and messages on the page, between two processes.
func TestWatchPageActs(t *testing.T) {
	t.Parallel()
	s := startWatchSystem(t)
	alice, bob := s.openBrowser(t, 0), s.openBrowser(t, 1)
	alice.livesIn(t, "America/New_York")
	bob.livesIn(t, "Europe/Berlin")
	path := alice.playsMovieNight(t)
	bob.goTo(t, path)
	bob.press(t, "Bob")
	bob.requireShows(t, "Rocket to the Moon")
	alice.press(t, "Pause") // the movie lasts for a minute, and what follows may take longer

	bob.write(t, "body", "Who is the pilto?")
	bob.press(t, "Send")
	alice.requireShows(t, "Who is the pilto?")
	bob.press(t, "Edit this message")
	bob.write(t, "body",
		kb.Home+strings.Repeat(kb.ArrowRight, len("Who is the "))+strings.Repeat(kb.Delete, len("pilto?"))+"pilot?")
	bob.press(t, "Send")
	alice.requireShows(t, "Who is the pilot?")
	alice.requireShows(t, "(edited)")
	alice.press(t, "Answer this message")
	alice.requireShows(t, "To Bob: Who is the pilot?")
	alice.write(t, "body", "The moon.")
	alice.press(t, "Send")
	bob.requireShows(t, "The moon.")
	alice.picture(t, "watch-answer")
	bob.press(t, "Report this message")
	bob.requireShows(t, "Only admins see who reported it.")
	bob.press(t, "Report")
	bob.requireSays(t, "Thank you. The admins will look at it.")

	bob.click(t, "#tab-queue")
	for _, movie := range []string{"The City Lights Up2026 · 1 min", "The Evening Train2026 · 1 min"} {
		bob.press(t, "Add a movie")
		bob.press(t, movie)
	}
	alice.click(t, "#tab-queue")
	alice.press(t, "Move The Evening Train up")
	bob.requireEvaluates(t, `document.querySelector('.queue-item')?.innerText.split('\n')[0]`, "The Evening Train")

	alice.click(t, "#tab-people")
	alice.press(t, "About Bob")
	alice.picture(t, "watch-person")
	alice.press(t, "Mute for 10 minutes")
	bob.click(t, "#tab-chat")
	bob.requireEvaluates(t, `document.querySelector('[name="body"]').placeholder`, "You are muted here")
	alice.requireShows(t, "· muted")
	alice.press(t, "About Bob")
	alice.press(t, "Lift the mute")
	bob.requireEvaluates(t, `document.querySelector('[name="body"]').placeholder`, "Say something")
	alice.requireEvaluates(t, `document.body.innerText.includes('· muted') + ''`, "false")
	alice.press(t, "About Bob")
	bob.requireEvaluates(t, `document.querySelector('[aria-label="Schedule a party"]').hidden + ''`, "true")
	alice.press(t, "Make moderator")
	bob.requireEvaluates(t, `document.querySelector('[aria-label="Settings of the room"]').hidden + ''`, "true")
	bob.press(t, "Play")
	eventually(
		t,
		func(c *assert.CollectT) { require.Equal(c, "playing", first(s.readStatus(c))) },
		"a moderator starts it",
	)
	bob.press(t, "Pause")
	eventually(t, func(c *assert.CollectT) { require.Equal(c, "paused", first(s.readStatus(c))) }, "a moderator pauses")
	requireParties(t, s, alice, bob)

	alice.click(t, "#tab-people")
	alice.press(t, "About Bob")
	alice.press(t, "Ban from the room")
	bob.requireShows(t, "You are banned from this room.")

	alice.press(t, "Invite people")
	alice.write(t, "email", "not.bob@people.example")
	alice.picture(t, "watch-invite")
	alice.press(t, "Send the invitation")
	alice.requireShows(t, "The invitation to not.bob@people.example is on its way.")
	alice.press(t, "Close")

	const checkbox = `document.querySelector('[name="now_playing"]')`
	alice.press(t, "Settings of the room")
	alice.requireEvaluates(t, checkbox+`?.disabled + ' ' + `+checkbox+`?.checked`, "false false")
	alice.click(t, `[name="now_playing"]`)
	alice.press(t, "Save")
	alice.requireEvaluates(t, `document.querySelectorAll('dialog').length + ''`, "0")
	alice.press(t, "Settings of the room")
	alice.requireEvaluates(t, checkbox+`?.disabled + ' ' + `+checkbox+`?.checked`, "false true")
	alice.requireNoComplaints(t)
	bob.requireNoComplaints(t)
}

// TestWatchPageMishaps: what people do by mistake, and what happens to them while they are in a room.
func TestWatchPageMishaps(t *testing.T) {
	t.Parallel()
	s := startWatchSystem(t)
	alice, bob := s.openBrowser(t, 0), s.openBrowser(t, 1)
	alice.goTo(t, "/watch")
	alice.press(t, "Alice")
	alice.press(t, "New room")
	alice.write(t, "name", "Movie night")
	alice.press(t, "Open the room")
	alice.requireShows(t, "Nothing is playing yet.")
	path, err := chromedp.Run(alice.ctx, chromedp.Evaluate[string](`location.pathname + location.search`))
	require.NoError(t, err)
	_, room, _ := strings.Cut(path, "room=")
	bob.goTo(t, path)
	bob.press(t, "Bob")
	bob.requireShows(t, "Nothing is playing yet.")
	api := client{base: "http://" + s.gates[0].addr() + "/api"}
	host := api.login(t, "alice@watchparty.test", demo.Password)
	post := func(c client, body string, more map[string]any) (id string) {
		message := map[string]any{"room_id": room, "body": body}
		maps.Copy(message, more)
		got := c.post(t, "/chat/messages", message)
		require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
		return got.data(t)["id"].(string)
	}
	chat := func(text string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('.message p')].filter((p) => p.innerText.includes(%q)).length + ''`,
			text)
	}

	// A double click is one click.
	twice := func(selector, act string) {
		bob.requireEvaluates(t, fmt.Sprintf(`(() => {
			const element = document.querySelector(%q);
			%s
			return '';
		})()`, selector, act), "")
	}
	twice("form.say", `element.body.value = 'Only once'; element.requestSubmit(); element.requestSubmit();`)
	bob.requireShows(t, "Only once")
	bob.click(t, "#tab-queue")
	bob.press(t, "Add a movie")
	bob.requireShows(t, "Rocket to the Moon")
	twice("dialog .movie", `element.click(); element.click();`)
	alice.requireShows(t, "Queue (1)")
	bob.requireEvaluates(t, `document.querySelectorAll('dialog').length + ''`, "0")
	bob.press(t, "Add a movie")
	bob.requireShows(t, "The Evening Train")
	twice("dialog li:last-child .movie", `element.click();`)
	alice.requireShows(t, "Queue (2)") // and not one more from before
	bob.click(t, "#tab-chat")
	bob.requireEvaluates(t, chat("Only once"), "1")

	// Whoever is at a button stays there when the list changes.
	alice.click(t, "#tab-people")
	alice.requireShows(t, "@bob")
	alice.requireEvaluates(t, `(document.querySelector('[aria-label="About Bob"]').focus(), '')`, "")
	guest, _ := api.register(t, "carol", "Carol")
	require.Equal(t, http.StatusOK, guest.post(t, "/rooms/"+room+"/join", nil).status)
	alice.requireShows(t, "@carol")
	require.Equal(t, http.StatusCreated, host.post(t, "/rooms/"+room+"/mutes", map[string]any{
		"username": "bob", "until": time.Now().Add(time.Hour),
	}).status)
	alice.requireShows(t, "· muted")
	alice.requireEvaluates(t, `document.activeElement.getAttribute('aria-label') + ''`, "About Bob")
	require.Equal(t, http.StatusNoContent, host.do(t, "DELETE", "/rooms/"+room+"/mutes/bob", nil).status)

	// A message that is taken back is also gone from its quotes.
	nasty := post(host, "Nasty words", nil)
	post(guest, "Who says that?", map[string]any{"reply_to_id": nasty})
	bob.requireEvaluates(t, chat("Nasty words"), "2")
	require.Equal(t, http.StatusNoContent, host.do(t, "DELETE", "/chat/messages/"+nasty, nil).status)
	bob.requireShows(t, "Reply to a deleted message.")
	bob.requireEvaluates(t, chat("Nasty words"), "0")

	// What an admin hides is gone from all screens, quotes included.
	spammer, account := api.register(t, "dave", "Dave")
	require.Equal(t, http.StatusOK, spammer.post(t, "/rooms/"+room+"/join", nil).status)
	post(guest, "Please stop", map[string]any{"reply_to_id": post(spammer, "Cheap watches", nil)})
	bob.requireEvaluates(t, chat("Cheap watches"), "2")
	suspended := api.login(t, demo.Admin, demo.Password).post(t, "/admin/users/"+account.User.ID+"/suspend",
		map[string]any{"reason": "Spam", "hide_content": true})
	require.Equal(t, http.StatusOK, suspended.status, "%s", suspended.body)
	bob.requireEvaluates(t, chat("Cheap watches"), "0")
	bob.requireEvaluates(t, chat("Please stop"), "1")

	// What was posted and edited while the network was away is there afterwards, without a gap.
	edited := post(host, "As it was", nil)
	bob.requireEvaluates(t, chat("As it was"), "1")
	s.gates[1].shut()
	bob.requireShows(t, "The connection was lost.")
	bob.accessible(t, readAxe(t), "lost")
	for i := range 60 {
		post(host, fmt.Sprintf("Missed %d", i), nil)
	}
	require.Equal(
		t, http.StatusOK, host.do(t, "PATCH", "/chat/messages/"+edited, map[string]any{"body": "As it is"}).status,
	)
	s.gates[1].open()
	bob.requireEvaluates(t, chat("Missed "), "60")
	bob.requireEvaluates(t, chat("As it is"), "1")

	// A sign-in that has ended meanwhile asks for another one, and leads to the room.
	bob.requireEvaluates(t, `(localStorage.setItem('watchparty', JSON.stringify({
		access_token: 'ended', refresh_token: 'e'.repeat(43),
	})), '')`, "")
	bob.goTo(t, path)
	bob.requireShows(t, "Your sign-in has ended. Sign in again.")
	bob.press(t, "Bob")
	bob.requireShows(t, "Missed 59")

	// A dialog does not outlive its page.
	bob.press(t, "Invite people")
	bob.requireShows(t, "The link to this room")
	require.Equal(t, http.StatusCreated, host.post(t, "/rooms/"+room+"/bans", map[string]any{"username": "bob"}).status)
	bob.requireEvaluates(t,
		`document.querySelector('main').innerText.includes('You are banned from this room.') + ''`, "true")
	bob.requireEvaluates(t, `document.querySelectorAll('dialog').length + ''`, "0")

	// A room can be quit, not only closed.
	alice.press(t, "About you")
	alice.requireShows(t, "Another member becomes the host.")
	alice.press(t, "Quit the room")
	alice.requireSays(t, "You are not in that room any more.")
	alice.requireEvaluates(
		t, `document.querySelector('[aria-labelledby="mine"]').innerText.includes('Movie night') + ''`, "false",
	)
	require.Equal(t, "host", guest.get(t, "/rooms/"+room+"/me").data(t)["role"])
	alice.requireNoComplaints(t)
	bob.requireNoComplaints(t)

	// Where WebSockets do not get through, the page says so: a browser does not show what the server answers.
	alice.requireEvaluates(t, `(window.WebSocket = class extends WebSocket {
		constructor(url, protocols) { super(url.replace(/live$/, 'nothing'), protocols); }
	}, '')`, "")
	alice.requireEvaluates(t, fmt.Sprintf(`(document.querySelector('a[href*=%q]').click(), '')`, s.demoRoom(t)), "")
	alice.requireShows(t, "a proxy may be blocking WebSockets")
	for _, name := range []string{"Schedule a party", "Settings of the room", "Choose a movie"} {
		alice.requireEvaluates(t, fmt.Sprintf(`[...document.querySelectorAll('.room-head button')].find((button) =>
			(button.getAttribute('aria-label') ?? button.textContent) === %q).hidden + ''`, name), "true")
	}
}

// requireParties: a party is scheduled by keyboard, answered, moved and cancelled; another one starts the room's movie.
// Alice may schedule, and both are in the room, which is paused.
func requireParties(t *testing.T, s *watchSystem, alice, bob *watcher) {
	t.Helper()
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	day := time.Now().In(newYork).AddDate(0, 0, 2)
	start := time.Date(day.Year(), day.Month(), day.Day(), 20, 30, 0, 0, newYork)

	alice.tabTo(t, "Schedule a party")
	alice.typeText(t, kb.Enter)
	alice.requireEvaluates(t, `document.activeElement.name ?? ''`, "starts_at")
	alice.typeText(t, time.Now().In(newYork).Format("01022006")+kb.ArrowRight+"1201A"+kb.Enter)
	alice.requireShows(t, "Starts at must be from 10 minutes to 366 days ahead.")
	alice.tabTo(t, "title") // and around to the first part of the time
	alice.tabTo(t, "starts_at")
	alice.typeText(t, start.Format("01022006")+kb.ArrowRight+"0830P")
	alice.tabTo(t, "title")
	alice.typeText(t, "Second part"+kb.Enter)
	alice.requireSays(t, "The party is scheduled.")
	const when = `document.querySelector('.party .when').textContent.replaceAll('\u202f', ' ')`
	alice.requireEvaluates(t, when, shownTime(start))
	bob.requireEvaluates(t, when, shownTime(start.In(berlin))+" for you, "+shownTime(start)+" in America/New York")
	bob.requireEvaluates(t, `document.querySelector('.party [role="timer"]').textContent.startsWith('in ') + ''`, "true")

	bob.tabTo(t, "Maybe (0)")
	bob.typeText(t, " ")
	const answered = `[...document.querySelectorAll('.party [aria-pressed="true"]')].map((b) => b.textContent).join()`
	bob.requireEvaluates(t, answered, "Maybe (1)")
	bob.tabTo(t, "Yes (0)")
	bob.typeText(t, " ")
	bob.requireEvaluates(t, answered, "Yes (1)")
	alice.requireEvaluates(t, `document.querySelector('.party [role="group"]').innerText.replace(/\s+/g, ' ')`,
		"Yes (1) Maybe (0) No (0)")
	alice.requireEvaluates(t, answered, "")
	bob.savesCalendar(t, start)

	alice.tabTo(t, "Change the party")
	alice.typeText(t, kb.Enter)
	alice.requireEvaluates(t, `document.activeElement.name ?? ''`, "starts_at")
	alice.typeText(t, start.Format("01022006")+kb.ArrowRight+"0915P"+kb.Enter)
	alice.requireSays(t, "The party is changed.")
	moved := start.Add(45 * time.Minute)
	alice.requireEvaluates(t, when, shownTime(moved))
	bob.requireEvaluates(t, when, shownTime(moved.In(berlin))+" for you, "+shownTime(moved)+" in America/New York")
	bob.requireEvaluates(t, answered, "Yes (1)")

	alice.tabTo(t, "Cancel the party")
	alice.typeText(t, kb.Enter)
	alice.requireShows(t, "Guests who answered yes or maybe get an email.")
	alice.requireEvaluates(t, `document.activeElement.textContent`, "Keep it")
	alice.tabTo(t, "Cancel the party")
	alice.typeText(t, kb.Enter)
	alice.requireSays(t, "The party is cancelled.")
	for _, w := range []*watcher{alice, bob} {
		w.requireEvaluates(t, `document.querySelector('.party').hidden + ''`, "true")
	}

	alice.press(t, "Schedule a party")
	alice.press(t, "Schedule")
	alice.requireSays(t, "The party is scheduled.")
	s.startsParties(t, 4*time.Minute)
	for _, w := range []*watcher{alice, bob} {
		w.requireEvaluates(t, `document.querySelector('.curtain').innerText.replace(/\s+\d:\d\d$/, '')`,
			"The party starts by itself in")
	}
	alice.picture(t, "watch-armed")
	s.startsParties(t, 10*time.Second)
	bob.record(t)
	requireTogether(t, alice, bob, "after the start of a party")
	for _, w := range []*watcher{alice, bob} {
		w.requireEvaluates(t, `document.querySelector('.curtain').hidden + ''`, "true")
		w.requireEvaluates(t, `document.querySelector('.party').hidden + ''`, "true")
	}
}

// shownTime is how an American browser shows a time.
func shownTime(at time.Time) string {
	if at.Year() != time.Now().In(at.Location()).Year() {
		return at.Format("Mon, Jan 2, 2006, 3:04 PM")
	}
	return at.Format("Mon, Jan 2, 3:04 PM")
}

// livesIn sets the browser's time zone.
func (w *watcher) livesIn(t *testing.T, zone string) {
	t.Helper()
	_, err := chromedp.Call(w.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone})
	require.NoError(t, err)
}

// typeText sends keys to what has the focus.
func (w *watcher) typeText(t *testing.T, keys string) {
	t.Helper()
	require.NoError(t, chromedp.Do(w.ctx, chromedp.KeyEvent(keys)))
}

// tabTo goes by the tab key to the control with that name, text or label.
func (w *watcher) tabTo(t *testing.T, name string) {
	t.Helper()
	const focused = `[document.activeElement.getAttribute('aria-label'), document.activeElement.name,
		document.activeElement.textContent].find(Boolean) ?? ''`
	for range 100 {
		w.typeText(t, kb.Tab)
		at, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](focused))
		require.NoError(t, err)
		if at == name {
			return
		}
	}
	require.FailNow(t, "the tab key does not reach "+name)
}

// savesCalendar requires that the button saves a calendar with the start.
func (w *watcher) savesCalendar(t *testing.T, start time.Time) {
	t.Helper()
	dir := t.TempDir()
	_, err := chromedp.Call(w.ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
	})
	require.NoError(t, err)
	w.press(t, "Add to calendar")
	eventually(t, func(c *assert.CollectT) {
		content, err := os.ReadFile(filepath.Join(dir, "party.ics"))
		require.NoError(c, err)
		require.Contains(c, string(content), "DTSTART:"+start.UTC().Format("20060102T150405Z"))
	}, "the calendar is saved")
}

func first[A, B any](a A, _ B) A { return a }

// TestAutoplayIsRefused: a browser that plays nothing before a gesture does not delay others, and after the gesture its
// player goes to the room's current position.
func TestAutoplayIsRefused(t *testing.T) {
	t.Parallel()
	s := startWatchSystem(t)
	alice, bob := s.openBrowser(t, 0), s.openBrowser(t, 1)
	path := alice.playsMovieNight(t)
	bob.goTo(t, path)
	bob.press(t, "Bob")
	bob.requireShows(t, "Rocket to the Moon")
	alice.seek(t, 5) // the movie lasts for a minute
	requirePosition(t, s, 5*time.Second)
	eventually(t, func(c *assert.CollectT) { require.Equal(c, "playing", first(s.readStatus(c))) }, "it plays")

	bob = bob.newTab(t) // signed in already
	bob.goTo(t, path)
	// What tab.shows and watcher.press run counts as a gesture, and this does not.
	bob.requireEvaluates(
		t,
		`document.querySelector('main')?.innerText.includes('Your browser starts videos only after a click.') + ''`,
		"true",
	)
	bob.requireEvaluates(t, `document.querySelector('video').paused + ''`, "true")
	bob.record(t)
	alice.press(t, "Pause")
	alice.seek(t, 20)
	requirePosition(t, s, 20*time.Second)
	bob.accessible(t, readAxe(t), "autoplay")
	alice.press(t, "Play")
	eventually(t, func(c *assert.CollectT) {
		status, cause := s.readStatus(c)
		require.Equal(c, "playing", status)
		require.Contains(c, []string{"play", "ready"}, cause)
	}, "nobody waits for Bob")
	bob.press(t, "Watch along")
	requireTogether(t, alice, bob, "after the gesture")
	bob.requireNoComplaints(t)
}

// A minute: make soak. A browser slows the timers of a page at once when it is hidden.
var backgroundHidden = flag.Duration("background.hidden", 20*time.Second, "how long TestBackgroundTab hides a page")

// TestBackgroundTab: a page that was not shown for some time, and whose timers were slow, is where the room is when it
// is shown again.
func TestBackgroundTab(t *testing.T) {
	t.Parallel()
	s := startWatchSystem(t)
	alice, bob := s.openBrowser(t, 0), s.openBrowser(t, 1)
	path := alice.playsMovieNight(t)
	bob.goTo(t, path)
	bob.press(t, "Bob")
	bob.requireShows(t, "Rocket to the Moon")
	bob.record(t)
	alice.seek(t, 1) // the movie lasts for a minute
	requireTogether(t, alice, bob, "before")

	bob.setWindow(t, cdpbrowser.WindowStateMinimized)
	bob.requireEvaluates(t, `document.visibilityState`, "hidden")
	began := time.Now()
	alice.press(t, "Pause")
	alice.seek(t, 10)
	requirePosition(t, s, 10*time.Second)
	alice.press(t, "Play")
	eventually(
		t,
		func(c *assert.CollectT) { require.GreaterOrEqual(c, time.Since(began), *backgroundHidden/2) },
		"half of the time",
	)
	alice.seek(t, 5)
	requirePosition(t, s, 5*time.Second)
	eventually(
		t,
		func(c *assert.CollectT) { require.GreaterOrEqual(c, time.Since(began), *backgroundHidden) },
		"all of the time",
	)

	bob.setWindow(t, cdpbrowser.WindowStateNormal)
	bob.requireEvaluates(t, `document.visibilityState`, "visible")
	requireTogether(t, alice, bob, "after the time in the background")
	require.Greater(t, alice.shownNow(t), 5*clip.FramesPerSecond)
	bob.requireNoComplaints(t)
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
	eventually(t, func(c *assert.CollectT) { require.InDelta(c, want, s.position(t), float64(time.Second)) },
		"the room is there")
}

// requireEvaluates waits until an expression has a value.
func (p tab) requireEvaluates(t *testing.T, expression, want string) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		got, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](expression))
		require.NoError(c, err)
		require.Equal(c, want, got)
	}, expression)
}
