package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/demo"
)

// TestWatchPageDialogs: a dialog that shows what there is changes what the person has changed, and nothing else. Every
// movie that can be played can be found.
func TestWatchPageDialogs(t *testing.T) {
	t.Parallel()
	s := startWatchSystem(t)
	_, err := s.store.DB().NewRaw("INSERT INTO movies (id, title, year, runtime_minutes) " +
		"SELECT gen_random_uuid(), 'A movie without a stream ' || n, 1927, 90 FROM generate_series(1, 150) AS n").
		Exec(t.Context())
	require.NoError(t, err)
	alice := s.openBrowser(t, 0)
	alice.goTo(t, "/watch")
	alice.press(t, "Alice")
	alice.press(t, "New room")
	alice.write(t, "name", "Movie night")
	alice.press(t, "Open the room")
	alice.requireShows(t, "Nothing is playing yet.")
	room, err := chromedp.Run(alice.ctx, chromedp.Evaluate[string](`new URLSearchParams(location.search).get('room')`))
	require.NoError(t, err)
	host := client{base: "http://" + s.gates[0].addr() + "/api"}.login(t, "alice@watchparty.test", demo.Password)
	start := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	party := host.post(t, "/rooms/"+room+"/parties", map[string]any{"starts_at": start, "time_zone": "UTC"})
	require.Equal(t, http.StatusCreated, party.status, "%s", party.body)
	alice.requireShows(t, "Next party")

	const dialogs = `document.querySelectorAll('dialog').length + ''`
	for _, d := range []struct {
		open, path, field string
		meanwhile         map[string]any // what somebody else changes while it is open
	}{
		{"Settings of the room", "/rooms/" + room, "name", map[string]any{
			"control": "everyone", "queue": "host", "queue_order": "votes", "wait_policy": "nobody", "now_playing": true}},
		{"Change the party", "/parties/" + party.data(t)["id"].(string), "title", map[string]any{
			"starts_at": start.Add(time.Hour).Format(time.RFC3339), "movie_id": playable(t, host)}},
	} {
		alice.press(t, d.open)
		alice.press(t, "Save")
		alice.requireEvaluates(t, dialogs, "0")

		alice.press(t, d.open)
		changed := host.do(t, http.MethodPatch, d.path, d.meanwhile)
		require.Equal(t, http.StatusOK, changed.status, "%s", changed.body)
		alice.requireEvaluates(t,
			fmt.Sprintf(`(document.querySelector('dialog [name=%q]').value = 'Renamed')`, d.field), "Renamed")
		alice.press(t, "Save")
		alice.requireEvaluates(t, dialogs, "0")
		now := host.get(t, d.path).data(t)
		require.Equal(t, "Renamed", now[d.field], d.open)
		if movie, ok := now["movie"].(map[string]any); ok {
			now["movie_id"] = movie["id"]
		}
		for name, value := range d.meanwhile {
			require.Equal(t, value, now[name], "%s: %s", d.open, name)
		}
	}

	alice.press(t, "Choose a movie")
	alice.requireShows(t, "Rocket to the Moon")
	const titles = `[...document.querySelectorAll('dialog .movie .name')].map((name) => name.textContent).join()`
	alice.write(t, "q", "evening")
	alice.requireEvaluates(t, titles, "The Evening Train")
	alice.write(t, "q", " nothing")
	alice.requireShows(t, "No movie that can be played has this title.")
	alice.press(t, "Close")

	// A movie that has no stream any more leaves the queue.
	id := playable(t, host)
	require.Equal(t, http.StatusCreated, host.post(t, "/rooms/"+room+"/queue", map[string]any{"movie_id": id}).status)
	alice.click(t, "#tab-queue")
	alice.requireShows(t, "Queue (1)")
	alice.requireShows(t, "Rocket to the Moon")
	admin := client{base: host.base}.login(t, demo.Admin, demo.Password)
	require.Equal(
		t, http.StatusOK, admin.do(t, http.MethodPatch, "/movies/"+id, map[string]any{"stream_url": nil}).status,
	)
	alice.requireEvaluates(t,
		`document.querySelector('#panel-queue').innerText.includes('Rocket to the Moon') + ''`, "false")
	alice.requireEvaluates(t, `document.querySelector('#tab-queue').innerText`, "Queue")

	// A host who is alone cannot pass the room on, but can archive it.
	alice.click(t, "#tab-people")
	alice.press(t, "About you")
	alice.press(t, "Quit the room")
	alice.requireShows(t, "Nobody else is in the room who could become its host.")
	alice.press(t, "Archive the room")
	alice.requireSays(t, "The room is archived.")
	alice.requireShows(t, "Movie night") // another one of hers
	alice.requireNotShown(t, "Renamed")
	require.Equal(t, "archived", host.get(t, "/rooms/"+room).data(t)["state"])
	alice.requireNoComplaints(t)
}

// playable is a movie that can be played.
func playable(t *testing.T, c client) (id string) {
	t.Helper()
	for _, movie := range c.get(t, "/movies?q=rocket").list(t) {
		id = movie.(map[string]any)["id"].(string)
	}
	require.NotEmpty(t, id)
	return id
}
