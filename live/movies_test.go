package live_test

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/live/wire"
)

// edits has a change of each field of a movie, as an admin makes it, and what the state shows then.
var edits = map[string]struct {
	change map[string]any
	shows  func(wire.State) bool
}{
	"Title": {map[string]any{"title": "Restored"}, func(s wire.State) bool { return s.Media.Title == "Restored" }},
	"StreamURL": {map[string]any{"stream_url": "https://movies.example/better.webm"}, func(s wire.State) bool {
		return s.Media.StreamURL == "https://movies.example/better.webm"
	}},
	"DurationMS": {
		map[string]any{"duration_ms": 5_700_000},
		func(s wire.State) bool { return *s.DurationMS == 5_700_000 },
	},
	"Subtitles": {
		map[string]any{"subtitles": []any{map[string]any{"language": "de", "url": "https://movies.example/de.vtt"}}},
		func(s wire.State) bool { return len(s.Media.Subtitles) == 1 && s.Media.Subtitles[0].Language == "de" },
	},
	"RuntimeMinutes": {map[string]any{"runtime_minutes": 96}, anyMessage[wire.State]},
	"Year":           {map[string]any{"year": 1923}, anyMessage[wire.State]},
	"Description":    {map[string]any{"description": "About a vampire."}, anyMessage[wire.State]},
	"Genres":         {map[string]any{"genres": []string{"horror"}}, anyMessage[wire.State]},
	"PosterURL":      {map[string]any{"poster_url": "https://movies.example/poster.webp"}, anyMessage[wire.State]},
	"Archived":       {map[string]any{"archived": true}, anyMessage[wire.State]},
}

// movieFixture has two rooms with one movie: in one it plays, in the other one it is queued.
type movieFixture struct {
	*installation

	root, alice     person
	movie           string
	plays, queues   string
	viewer, waiting *watcher // connected to the last server
}

func newMovieFixture(t *testing.T, i *installation) *movieFixture {
	t.Helper()
	c := &movieFixture{installation: i, root: i.createPerson(t, "root"), alice: i.createPerson(t, "alice")}
	i.execSQL(t, "UPDATE users SET email_verified_at = now() WHERE id = ?", c.root.id)
	_, err := i.store.GrantAdmin(t.Context(), "root@example.org")
	require.NoError(t, err)
	here, there := i.nodes[0], i.nodes[len(i.nodes)-1]
	c.movie = c.addMovie(t, "Nosferatu")
	c.plays, c.queues = here.createRoom(t, c.alice, nil), here.createRoom(t, c.alice, nil)
	here.callAPI(t, "PATCH", "/rooms/"+c.plays, c.alice, map[string]any{"now_playing": true}, http.StatusOK)
	here.callAPI(t, "POST", "/rooms/"+c.queues+"/queue", c.alice, map[string]any{"movie_id": c.movie}, http.StatusCreated)
	c.viewer, c.waiting = there.connectLive(t, c.plays, c.alice), there.connectLive(t, c.queues, c.alice)
	c.playMovie(t, c.movie)
	return c
}

func (c *movieFixture) addMovie(t *testing.T, title string) string {
	t.Helper()
	return c.nodes[0].callAPI(t, "POST", "/movies", c.root, map[string]any{
		"title": title, "year": 1922, "runtime_minutes": 94, "duration_ms": 5_600_000,
		"stream_url": "https://movies.example/" + uuid.NewString() + ".webm",
	}, http.StatusCreated)["id"].(string)
}

// playMovie has the room play a movie.
func (c *movieFixture) playMovie(t *testing.T, movie string) {
	t.Helper()
	c.viewer.sendAcknowledged(&wire.Load{Command: c.viewer.newCommand(), MovieID: new(movie)})
	s := c.viewer.awaitState(hasStatus("waiting"))
	c.viewer.send(&wire.Ready{Epoch: s.Epoch, Cue: s.Cue})
	c.viewer.awaitState(hasStatus("playing"))
}

// updateMovie changes the movie over REST.
func (c *movieFixture) updateMovie(t *testing.T, change map[string]any) {
	t.Helper()
	c.nodes[0].callAPI(t, "PATCH", "/movies/"+c.movie, c.root, change, http.StatusOK)
}

// requireShown waits until both rooms have been told of the change, and requires that all ways to ask agree.
func (c *movieFixture) requireShown(t *testing.T, shows func(wire.State) bool) {
	t.Helper()
	before := c.viewer.state
	told := awaitMessage(c.viewer, func(s *wire.State) bool { return s.Media.Version > before.Media.Version })
	require.True(t, shows(*told), "%+v", told.Media)
	require.Equal(t, []any{before.Revision, before.PositionMS, before.AtMS},
		[]any{told.Revision, told.PositionMS, told.AtMS}, "it goes on from where it was")
	c.viewer.state = *told
	awaitMessage(c.waiting, anyMessage[*wire.Queue])
	c.requireAgreement(t, *told)
}

// requireAgreement asks every server in every way.
func (c *movieFixture) requireAgreement(t *testing.T, s wire.State) {
	t.Helper()
	for _, n := range c.nodes {
		playback := n.callAPI(t, "GET", "/rooms/"+c.plays+"/playback", c.alice, nil, http.StatusOK)
		item := playback["item"].(map[string]any)
		stream, _ := item["stream_url"].(string) // null where the message has an empty text
		require.Equal(t, fmt.Sprint(s.Revision, s.Media.Title, s.Media.StreamURL, *s.DurationMS, len(s.Media.Subtitles)),
			fmt.Sprint(int64(playback["revision"].(float64)), item["title"], stream,
				int64(item["duration_ms"].(float64)), len(item["subtitles"].([]any))))
		now := n.callAPI(t, "GET", "/rooms/"+c.plays+"/now-playing", c.alice, nil, http.StatusOK)
		require.Equal(t, fmt.Sprint(s.Media.Title, *s.DurationMS),
			fmt.Sprint(now["title"], int64(now["duration_ms"].(float64))))
		queue := n.callAPI(t, "GET", "/rooms/"+c.queues+"/queue", c.alice, nil, http.StatusOK)["items"].([]any)
		if s.Media.StreamURL == "" {
			require.Empty(t, queue)
			continue
		}
		queued := queue[0].(map[string]any)
		require.Equal(t, []any{s.Media.Title, string(s.Media.StreamURL)}, []any{queued["title"], queued["stream_url"]})
	}
}

// TestMovieEdited: whoever watches a movie, or has it in the queue, gets each change of it at once, also from another
// server.
func TestMovieEdited(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[watchparty.MovieChange]().Fields() {
		require.Contains(t, edits, field.Name)
	}
	c := newMovieFixture(t, newInstallation(t, twoNodes, withLimits(noPolls)))
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // one after the other, in one room
			c.updateMovie(t, edit.change)
			c.requireShown(t, edit.shows)
		})
	}
}

// TestMovieEditedWithoutHint: if the hint is lost, the next poll finds the change.
func TestMovieEditedWithoutHint(t *testing.T) {
	t.Parallel()
	c := newMovieFixture(t, newInstallation(t, withLimits(noPolls)))
	title := "Restored"
	// Behind the back of all servers, as one does that cannot reach Redis.
	_, err := c.store.UpdateMovie(t.Context(), c.root.id, c.movie, watchparty.MovieChange{Title: &title}, nil)
	require.NoError(t, err)
	c.nodes[0].hub.Poke()
	told := awaitMessage(c.viewer, func(s *wire.State) bool { return s.Media.Version == 2 })
	require.Equal(t, title, told.Media.Title)
	awaitMessage(c.waiting, anyMessage[*wire.Queue])
}

// TestMovieLosesItsStream: the room goes on without one, and takes it again.
func TestMovieLosesItsStream(t *testing.T) {
	t.Parallel()
	c := newMovieFixture(t, newInstallation(t, twoNodes, withLimits(noPolls)))
	c.updateMovie(t, map[string]any{"stream_url": nil})
	c.requireShown(t, func(s wire.State) bool { return s.Media.StreamURL == "" && s.State == "playing" })
	c.updateMovie(t, map[string]any{"stream_url": "https://movies.example/again.webm"})
	c.requireShown(t, func(s wire.State) bool { return s.Media.StreamURL == "https://movies.example/again.webm" })
	require.Equal(t, http.StatusConflict, func() int {
		code, _ := c.nodes[0].sendRequest(t, "DELETE", "/movies/"+c.movie, c.root, nil)
		return code
	}(), "a movie that rooms have cannot be deleted")
}

// TestMovieBecomesShorter: an item whose end has passed is over, and the next one begins.
func TestMovieBecomesShorter(t *testing.T) {
	t.Parallel()
	c := newMovieFixture(t, newInstallation(t, twoNodes, withLimits(noPolls)))
	second := c.addMovie(t, "Faust")
	c.nodes[0].callAPI(t, "POST", "/rooms/"+c.plays+"/queue", c.alice, map[string]any{"movie_id": second},
		http.StatusCreated)
	c.viewer.sendAcknowledged(&wire.Seek{Command: c.viewer.newCommand(), PositionMS: 3_000_000})
	sought := c.viewer.awaitState(func(s wire.State) bool { return s.Cause == "seek" })
	c.viewer.send(&wire.Ready{Epoch: sought.Epoch, Cue: sought.Cue})
	c.viewer.awaitState(func(s wire.State) bool { return s.State == "playing" && s.PositionMS == 3_000_000 })
	begin := time.Now()
	c.updateMovie(t, map[string]any{"duration_ms": 2_000_000})
	over := awaitMessage(c.viewer, func(s *wire.State) bool { return s.Media.Version == 2 })
	require.Equal(t, []int64{2_000_000, 2_000_000}, []int64{over.PositionMS, *over.DurationMS})
	after := c.viewer.awaitState(func(s wire.State) bool { return s.Cause == "ended" })
	require.Equal(t, second, *after.Media.MovieID)
	require.Less(t, time.Since(begin), patience)
}

// TestStateFromBeforeAnEdit: a state that was read before its movie was changed, and arrives after that, brings nobody
// the former movie.
func TestStateFromBeforeAnEdit(t *testing.T) {
	t.Parallel()
	c := newMovieFixture(t, newInstallation(t, withLimits(noPolls)))
	former, err := c.store.Playback(t.Context(), c.plays)
	require.NoError(t, err)
	c.updateMovie(t, edits["Title"].change)
	c.requireShown(t, edits["Title"].shows)
	// Another server has moved the room, but its hint was made from what was read before the edit.
	c.execSQL(t, "UPDATE playbacks SET revision = revision + 1 WHERE room_id = ?", c.plays)
	former.Revision++
	c.nodes[0].hub.PublishState(former)
	moved := awaitMessage(c.viewer, func(s *wire.State) bool { return s.Revision == former.Revision })
	require.Equal(t, []any{"Restored", 2}, []any{moved.Media.Title, moved.Media.Version})
}
