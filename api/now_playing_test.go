package api

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNowPlaying: everyone sees what a room plays, as new as the database, if its host allows it and it is not private.
func TestNowPlaying(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, root := b.user(t, "alice"), b.admin(t, "root")
	movie := b.addMovie(t, "Metropolis")
	b.exec(t, "UPDATE movies SET stream_url = 'https://movies.example/m.mp4', runtime_minutes = 30 WHERE id = ?", movie)
	room := b.room(t, alice, map[string]any{"movie_id": movie})
	path := "/rooms/" + room + "/now-playing"
	change := func(properties map[string]any) {
		a := b.do(t, "PATCH", "/rooms/"+room, alice.token, properties)
		require.Equal(t, 200, a.status, a)
	}
	b.do(t, "GET", path, "", nil).requireProblem(t, 404, "not_found")
	change(map[string]any{"now_playing": true})
	idle := b.do(t, "GET", path, "", nil).data()
	require.Equal(t, []any{"idle", nil, nil, 1.0}, []any{idle["state"], idle["title"], idle["movie"], idle["present"]})
	b.requireHit(t, path, "")

	b.command(t, room, alice, "load", map[string]any{"movie_id": movie, "stream_url": nil, "position_ms": 1500})
	loaded := b.do(t, "GET", path, "", nil)
	require.Equal(t, "MISS", loaded.header.Get("X-Cache"), "a command voids what was cached")
	require.Equal(t, "Metropolis", loaded.data()["title"])
	require.Equal(t, movie, loaded.data()["movie"].(map[string]any)["id"])
	b.requireHit(t, path, "")
	require.Equal(
		t, 200, b.do(t, "PATCH", "/movies/"+movie, root.token, map[string]any{"title": "Metropolis (1927)"}).status,
	)
	renamed := b.do(t, "GET", path, "", nil).data()["movie"].(map[string]any)
	require.Equal(t, "Metropolis (1927)", renamed["title"])
	b.command(t, room, alice, "stop", nil)
	require.Equal(t, "idle", b.do(t, "GET", path, "", nil).data()["state"])

	for _, closed := range []map[string]any{{"visibility": "private"}, {"state": "archived"}, {"now_playing": false}} {
		change(closed)
		b.do(t, "GET", path, alice.token, nil).requireProblem(t, 404, "not_found")
		if closed["state"] != nil {
			change(map[string]any{"state": "open"})
		}
		change(map[string]any{"visibility": "unlisted", "now_playing": true})
		require.Equal(t, 200, b.do(t, "GET", path, "", nil).status)
	}
}

// TestNowPlayingCrossesOrigins: pages of any origin may read it, whatever HTTP_CORS_ORIGINS is.
func TestNowPlayingCrossesOrigins(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) { s.config.HTTP.Origins = []string{"https://front-end.example"} })
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	for path, want := range map[string]string{
		"/rooms/" + room + "/now-playing": "*", "/rooms/" + unknownID + "/now-playing": "*", "/rooms/" + room: "",
	} {
		r := b.request(t, http.MethodGet, path, "", nil)
		r.Header.Set("Origin", "https://blog.example")
		response, err := b.client.Do(r)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want, response.Header.Get("Access-Control-Allow-Origin"), path)
	}
}
