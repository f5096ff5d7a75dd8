package live_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/live/wire"
)

// TestWatchTogether: the commands of one person reach the others, on the same server and on another one.
func TestWatchTogether(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes)
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	b.joinRoom(t, room, bob)
	host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
	require.Equal(t, "idle", host.Welcome.State.State)
	require.Contains(t, host.Welcome.Place.Permissions, "control_playback")
	require.NotContains(t, guest.Welcome.Place.Permissions, "control_playback")
	require.Len(t, guest.Welcome.People, 2)

	loadAndPlay(host, guest)
	playing := guest.awaitState(hasStatus("playing"))
	require.EqualValues(t, "https://videos.example/movie.webm", playing.Media.StreamURL)
	require.EqualValues(t, "ready", playing.Cause)

	host.sendAcknowledged(&wire.Pause{Command: host.newCommand()})
	paused := guest.awaitState(hasStatus("paused"))
	require.Equal(t, "alice", paused.By.Username)

	host.sendAcknowledged(&wire.Seek{Command: host.newCommand(), PositionMS: 60000})
	sought := guest.awaitState(func(s wire.State) bool { return s.Cause == "seek" })
	require.Equal(t, int64(60000), sought.PositionMS)

	host.sendAcknowledged(&wire.Rate{Command: host.newCommand(), Rate: 1.5})
	require.InDelta(t, 1.5, guest.awaitState(func(s wire.State) bool { return s.Cause == "rate" }).Rate, 0)
	require.Equal(t, "forbidden", guest.sendRefused(&wire.Play{Command: guest.newCommand()}).Code)
}

// TestPeopleAreShownAlike: messages show a person as REST does. A change of the name or the picture is shown at once,
// whether the person is connected or not.
func TestPeopleAreShownAlike(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(onlyHints))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	b.joinRoom(t, room, bob)
	asREST := func(p person) (shown wire.Person) {
		status, raw := b.sendRequest(t, "GET", "/users/"+p.name, p, nil)
		require.Equal(t, http.StatusOK, status)
		answer := struct{ Data *wire.Person }{&shown}
		require.NoError(t, json.Unmarshal(raw, &answer))
		return shown
	}
	host := a.connectLive(t, room, alice)
	require.Equal(t, asREST(alice), host.Welcome.Place.User)
	require.Len(t, host.Welcome.People, 2)
	require.Equal(t, []wire.Person{asREST(alice), asREST(bob)},
		[]wire.Person{host.Welcome.People[0].User, host.Welcome.People[1].User})

	change := map[string]any{"display_name": "Bob the Builder"}
	b.callAPI(t, "PATCH", "/users/me", bob, change, http.StatusOK)
	renamed := asREST(bob)
	require.Equal(t, "Bob the Builder", renamed.DisplayName)
	shows := func(want wire.Person) func(*wire.People) bool {
		return func(p *wire.People) bool { return len(p.Changed) == 1 && p.Changed[0].User == want }
	}
	awaitMessage(host, shows(renamed))
	guest := b.connectLive(t, room, bob)
	require.Equal(t, renamed, guest.Welcome.Place.User)
	b.callAPI(t, "POST", "/chat/messages", bob, map[string]any{"room_id": room, "body": "Hello"}, http.StatusCreated)
	require.Equal(t, renamed, *awaitMessage(host, anyMessage[*wire.MessageEvent]).Message.Author)
	host.sendAcknowledged(&wire.Load{Command: host.newCommand(), StreamURL: new("https://videos.example/movie.webm")})
	require.Equal(t, asREST(alice), *guest.awaitState(hasStatus("waiting")).By)

	// As by a process whose hint is lost: the next poll of the process that bob is connected to finds it.
	i.execSQL(t, "UPDATE users SET avatar_seq = 7, avatar_version = 7 WHERE id = ?", bob.id)
	b.hub.Poke()
	pictured := awaitMessage(guest, func(p *wire.People) bool {
		return len(p.Changed) == 1 && !p.Changed[0].User.Avatar.Default
	})
	require.Contains(t, pictured.Changed[0].User.Avatar.Thumbnail, "/api/files/avatars/"+bob.id+"/7/")
}

// TestOwnPerson: whoever changes their name or picture sees it at once in all of their connections, on every server.
// Nobody else gets another place.
func TestOwnPerson(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(noPolls))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob)
	host := b.connectLive(t, room, alice)
	own := []*watcher{a.connectLive(t, room, bob), b.connectLive(t, room, bob), b.connectLive(t, room, bob)}
	for name, c := range map[string]struct {
		change func()
		shows  func(wire.Person) bool
	}{
		"a name": {func() {
			a.callAPI(t, "PATCH", "/users/me", bob, map[string]any{"display_name": "Bob the Builder"}, http.StatusOK)
		}, func(p wire.Person) bool { return p.DisplayName == "Bob the Builder" }},
		"a picture": {func() {
			i.execSQL(t, "UPDATE users SET avatar_seq = 7, avatar_version = 7 WHERE id = ?", bob.id)
			a.hub.PublishTags([]string{"person:" + bob.id})
		}, func(p wire.Person) bool { return !p.Avatar.Default }},
	} {
		c.change()
		for _, w := range own {
			place := awaitMessage(w, func(p *wire.Place) bool { return c.shows(p.User) })
			require.Equal(t, w.Welcome.Place.Permissions, place.Permissions, name)
		}
		awaitMessage(host, func(p *wire.People) bool { return len(p.Changed) == 1 && c.shows(p.Changed[0].User) })
	}
	for _, m := range host.past {
		require.NotEqual(t, "place", m.Type())
	}
}

// TestREST: operations over REST reach connections like commands over a connection.
func TestREST(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(noPolls))
	a, b := i.nodes[0], i.nodes[1]
	alice := i.createPerson(t, "alice")
	room := a.createRoom(t, alice, nil)
	w := b.connectLive(t, room, alice)
	queued := a.callAPI(t, "POST", "/rooms/"+room+"/queue", alice,
		map[string]any{"stream_url": "https://videos.example/next.webm"}, http.StatusCreated)
	require.Equal(t, int64(1), awaitMessage(w, anyMessage[*wire.Queue]).Version)
	a.callAPI(t, "POST", "/rooms/"+room+"/playback/commands", alice,
		map[string]any{"kind": "play", "id": uuid.NewString(), "epoch": 0}, http.StatusOK)
	s := w.awaitState(hasStatus("waiting"))
	require.Equal(t, queued["id"], *s.Item)
	require.Equal(t, "next.webm", s.Media.Title)
	w.send(&wire.Ready{Epoch: s.Epoch, Cue: s.Cue})
	w.awaitState(hasStatus("playing"))
	a.callAPI(t, "POST", "/rooms/"+room+"/playback/commands", alice,
		map[string]any{"kind": "skip", "id": uuid.NewString(), "epoch": s.Epoch}, http.StatusOK)
	require.Nil(t, w.awaitState(hasStatus("idle")).Media)
}
