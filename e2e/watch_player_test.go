package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/demo"
)

// TestWatchPlayer: the keys of the player, and subtitles. Only gestures become commands.
func TestWatchPlayer(t *testing.T) {
	t.Parallel()
	s := startWatchSystem(t)
	s.addSubtitles(t, map[string][]string{"Rocket to the Moon": {"de", "en"}, "The Evening Train": {"en", "fr"}})
	alice, bob := s.openBrowser(t, 0, chromedp.IgnoreCertErrors), s.openBrowser(t, 1, chromedp.IgnoreCertErrors)
	path := alice.playsMovieNight(t)
	bob.goTo(t, path)
	bob.press(t, "Bob")
	bob.requireShows(t, "Rocket to the Moon")
	for _, w := range []*watcher{alice, bob} {
		w.notesCommands(t)
	}
	requireKeys(t, s, alice, bob)
	requireNoKeys(t, alice)

	// What the player does by itself is no command.
	given, err := chromedp.Run(alice.ctx, chromedp.Evaluate[string](commands))
	require.NoError(t, err)
	alice.typeText(t, "k")
	alice.requireEvaluates(t, `document.querySelector('video').paused + ''`, "false")
	alice.requireEvaluates(t, `(() => {
		const video = document.querySelector('video');
		video.currentTime = 50;
		video.playbackRate = 2;
		video.pause();
		return '';
	})()`, "")
	alice.requireEvaluates(t, `document.querySelector('video').paused + ''`, "false")
	alice.record(t)
	bob.record(t)
	requireTogether(t, alice, bob, "after what a player did by itself")
	alice.requireEvaluates(t, commands, given+",play")

	requireSubtitles(t, alice, bob)
	bob.requireEvaluates(t, commands, "")
	alice.requireNoComplaints(t)
	bob.requireNoComplaints(t)
	requireEditedMovie(t, s, alice)
	requireMediaKeys(t, alice)
}

// requireEditedMovie: a movie that an admin changes while Alice watches it goes on with what is new, and she is told of
// subtitles that cannot be loaded, which she has chosen.
func requireEditedMovie(t *testing.T, s *watchSystem, alice *watcher) {
	t.Helper()
	alice.seek(t, 1) // the movie lasts for a minute
	alice.requireEvaluates(t, `(window.video_ = document.querySelector('video'), video_.src_ = video_.src, '')`, "")
	s.editMovie(t, "The City Lights Up", map[string]any{
		"title":     "The City Goes Dark",
		"subtitles": []any{map[string]any{"language": "it", "url": "https://127.0.0.1:1/missing.vtt"}},
	})
	alice.requireEvaluates(t, `document.querySelector('.player h2').textContent`, "The City Goes Dark")
	alice.requireEvaluates(t, `document.querySelector('[aria-label="Subtitles"]').hidden + ''`, "false")
	alice.requireEvaluates(t, `document.querySelector('.notice').textContent`, "")
	alice.typeText(t, "c")
	alice.requireEvaluates(t, `document.querySelector('.notice').textContent`, "The subtitles cannot be loaded: italiano")
	alice.typeText(t, "c")
	alice.requireEvaluates(t, `document.querySelector('.notice').textContent`, "")
	alice.requireEvaluates(t, `(document.querySelector('video').src === video_.src_) + ''`, "true")
	s.editMovie(t, "The City Goes Dark", map[string]any{"stream_url": nil})
	alice.requireShows(t, "This movie can no longer be played.")
}

// requireMediaKeys: the page of a room handles the media keys of a keyboard until Alice leaves it.
func requireMediaKeys(t *testing.T, alice *watcher) {
	t.Helper()
	alice.requireEvaluates(t, `(() => {
		window.ended_ = [];
		const { setActionHandler } = MediaSession.prototype;
		MediaSession.prototype.setActionHandler = function (key, handler) {
			if (handler === null) ended_.push(key);
			return setActionHandler.call(this, key, handler);
		};
		return '';
	})()`, "")
	alice.press(t, "Leave")
	alice.requireEvaluates(t, `ended_.sort().join()`, "pause,play,seekbackward,seekforward")
	alice.requireEvaluates(t, `navigator.mediaSession.playbackState`, "none")
}

// requireKeys presses each key of the player. Alice controls the movie, which plays; Bob does not.
func requireKeys(t *testing.T, s *watchSystem, alice, bob *watcher) {
	t.Helper()
	alice.removeFocus(t)
	requireStatus := func(want, offered string) {
		t.Helper()
		eventually(t, func(c *assert.CollectT) { require.Equal(c, want, first(s.readStatus(c))) }, want)
		alice.requireEvaluates(t, `document.querySelector('.controls button').getAttribute('aria-label')`, offered)
	}
	alice.typeText(t, " ")
	requireStatus("paused", "Play")
	alice.seek(t, 20)
	for _, step := range []struct {
		key  string
		want time.Duration
	}{{"", 20 * time.Second}, {kb.ArrowRight, 25 * time.Second}, {kb.ArrowLeft, 20 * time.Second},
		{kb.ArrowLeft, 15 * time.Second}} {
		alice.typeText(t, step.key)
		requirePosition(t, s, step.want)
		alice.requireEvaluates(t, `document.querySelector('.position').value`, fmt.Sprint(step.want.Seconds()))
	}
	alice.typeText(t, "k")
	requireStatus("playing", "Pause")
	alice.typeText(t, "k")
	requireStatus("paused", "Play")
	alice.requireEvaluates(t, commands, "pause,seek,seek,seek,seek,play,pause")

	bob.removeFocus(t)
	bob.typeText(t, " ")
	bob.requireSays(t, "The host and the moderators control the movie here.")
	const muted, whole = `document.querySelector('video').muted + ''`, `(document.fullscreenElement !== null) + ''`
	for _, w := range []*watcher{alice, bob} {
		for _, key := range []struct{ key, state string }{{"m", muted}, {"f", whole}} {
			w.typeText(t, key.key)
			w.requireEvaluates(t, key.state, "true")
			w.typeText(t, key.key)
			w.requireEvaluates(t, key.state, "false")
		}
	}
	held := func(p *input.DispatchKeyEventParams) { p.AutoRepeat = new(true) }
	alice.typeText(t, "m")
	require.NoError(t, chromedp.Do(alice.ctx, chromedp.KeyEvent("mmm", held)))
	alice.requireEvaluates(t, muted, "true")
	alice.typeText(t, "m")
	alice.requireEvaluates(t, muted, "false")
}

// requireNoKeys: keys that are meant for something else do nothing to the player.
func requireNoKeys(t *testing.T, w *watcher) {
	t.Helper()
	const player = `(() => {
		const video = document.querySelector('video');
		return [document.fullscreenElement !== null, video.muted, ...[...video.textTracks].map(({ mode }) => mode),
			` + commands + `].join();
	})()`
	before, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](player))
	require.NoError(t, err)
	requireNothing := func(place, keys string, modifiers ...chromedp.Modifier) {
		t.Helper()
		require.NoError(t, chromedp.Do(w.ctx, chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...))))
		after, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](player))
		require.NoError(t, err)
		require.Equal(t, before, after, place)
	}
	const all = "k mfc" + kb.ArrowLeft + kb.ArrowRight
	for _, place := range []struct{ selector, keys string }{
		{`[name="body"]`, all}, {".messages", all}, {"#tab-chat", all}, {".controls select", "kmfc"},
		{`[aria-label="Invite people"]`, " "}, // the last one opens a dialog
	} {
		w.requireEvaluates(t, fmt.Sprintf(`(document.querySelector(%q).focus(), '')`, place.selector), "")
		requireNothing("at "+place.selector, place.keys)
	}
	w.requireShows(t, "The link to this room")
	requireNothing("in a dialog", "kmfc"+kb.ArrowRight)
	w.press(t, "Close")
	w.removeFocus(t)
	requireNothing("with Ctrl", "kmfc", chromedp.ModifierCtrl)
	requireNothing("with Alt", "kmfc", chromedp.ModifierAlt)
	requireNothing("with Meta", "kmfc", chromedp.ModifierMeta)
	w.requireEvaluates(t, `document.querySelector('[name="body"]').value`, "k mfc")
}

// requireSubtitles: Alice chooses, changes and ends subtitles, which stay chosen in the next movie.
func requireSubtitles(t *testing.T, alice, bob *watcher) {
	t.Helper()
	const shown = `[document.querySelector('.player h2').textContent, ...[...document.querySelector('video').textTracks]
		.filter(({ mode }) => mode === 'showing')
		.map(({ activeCues }) => [...activeCues].map(({ text }) => text).join())].join(': ')`
	requireShown := func(want string) {
		t.Helper()
		alice.requireEvaluates(t, shown, want)
	}
	watches := func(movie string) {
		t.Helper()
		alice.press(t, "Choose a movie")
		alice.press(t, movie+"2026 · 1 min")
		bob.requireShows(t, movie)
		alice.removeFocus(t)
	}
	alice.seek(t, 1) // a movie lasts for a minute
	alice.removeFocus(t)
	requireShown("Rocket to the Moon")
	alice.typeText(t, "c")
	requireShown("Rocket to the Moon: Rocket to the Moon in de")
	alice.requireSays(t, "Subtitles: Deutsch")
	alice.typeText(t, "c")
	requireShown("Rocket to the Moon: Rocket to the Moon in en")
	alice.picture(t, "watch-subtitles")
	bob.requireEvaluates(t, shown, "Rocket to the Moon")

	watches("The Evening Train")
	requireShown("The Evening Train: The Evening Train in en")
	alice.press(t, "Subtitles")
	requireShown("The Evening Train: The Evening Train in fr")
	watches("Rocket to the Moon")
	requireShown("Rocket to the Moon: ") // it has none in French
	alice.typeText(t, "c")
	requireShown("Rocket to the Moon: Rocket to the Moon in de")
	alice.typeText(t, "cc")
	requireShown("Rocket to the Moon")
	watches("The Evening Train")
	requireShown("The Evening Train")

	watches("The City Lights Up")
	requireShown("The City Lights Up")
	alice.requireEvaluates(t, `document.querySelector('[aria-label="Subtitles"]').hidden + ''`, "true")
	alice.typeText(t, "c")
	alice.requireSays(t, "This movie has no subtitles.")
	bob.requireEvaluates(t, shown, "The City Lights Up")
}

// addSubtitles has another server provide the subtitles of movies, in languages. All have one text, from beginning to
// end.
func (s *watchSystem) addSubtitles(t *testing.T, languages map[string][]string) {
	t.Helper()
	files := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Type", "text/vtt")
		_, _ = fmt.Fprintf(w, "WEBVTT\n\n00:00.000 --> 02:00.000\n%s in %s\n", r.FormValue("movie"), r.FormValue("language"))
	}))
	t.Cleanup(files.Close)
	admin := client{base: "http://" + s.gates[0].addr() + "/api"}.login(t, demo.Admin, demo.Password)
	for _, one := range admin.get(t, "/movies?limit=100").list(t) {
		movie := one.(map[string]any)
		var subtitles []map[string]any
		for _, language := range languages[movie["title"].(string)] {
			query := url.Values{"movie": {movie["title"].(string)}, "language": {language}}
			subtitles = append(subtitles, map[string]any{"language": language, "url": files.URL + "/?" + query.Encode()})
		}
		if subtitles != nil {
			got := admin.do(t, "PATCH", "/movies/"+movie["id"].(string), map[string]any{"subtitles": subtitles})
			require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		}
	}
}

// editMovie has an admin change a movie, which it finds by its title.
func (s *watchSystem) editMovie(t *testing.T, title string, change map[string]any) {
	t.Helper()
	admin := client{base: "http://" + s.gates[0].addr() + "/api"}.login(t, demo.Admin, demo.Password)
	for _, one := range admin.get(t, "/movies?limit=100").list(t) {
		if movie := one.(map[string]any); movie["title"] == title {
			got := admin.do(t, "PATCH", "/movies/"+movie["id"].(string), change)
			require.Equal(t, http.StatusOK, got.status, "%s", got.body)
			return
		}
	}
	require.Fail(t, "no such movie", title)
}

// commands are the commands that the page has sent, since notesCommands.
const commands = `window.commands_.join()`

func (p tab) notesCommands(t *testing.T) {
	t.Helper()
	p.requireEvaluates(t, `(() => {
		window.commands_ = [];
		const { send } = WebSocket.prototype;
		WebSocket.prototype.send = function (text) {
			const { t } = JSON.parse(text);
			if (!['clock', 'status', 'ready', 'token', 'hello'].includes(t)) commands_.push(t);
			return send.call(this, text);
		};
		return '';
	})()`, "")
}

// removeFocus takes the focus from the element that has it.
func (p tab) removeFocus(t *testing.T) {
	t.Helper()
	p.requireEvaluates(t, `(document.activeElement.blur(), '')`, "")
}
