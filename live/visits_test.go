package live_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/live/wire"
)

// awaitHandled waits until the server has handled what the watcher has sent.
func (w *watcher) awaitHandled() {
	w.t.Helper()
	w.send(&wire.Clock{C0: 1})
	awaitMessage(w, func(m wire.ServerMessage) bool { return m.Type() == "clock" })
}

// TestJoinsChangeNothing: a join does not change the playback of a room. The newcomer gets the same anchor as the
// others, and reports of the newcomer's player do not move them.
func TestJoinsChangeNothing(t *testing.T) {
	t.Parallel()
	for status, lead := range map[string]func(t *testing.T, host, guest *watcher){
		"playing": func(_ *testing.T, host, guest *watcher) { loadAndPlay(host, guest) },
		"paused": func(_ *testing.T, host, guest *watcher) {
			loadAndPlay(host, guest)
			host.sendAcknowledged(&wire.Seek{Command: host.newCommand(), PositionMS: 60000})
			host.sendAcknowledged(&wire.Pause{Command: host.newCommand()})
			for _, w := range []*watcher{host, guest} {
				s := w.awaitState(func(s wire.State) bool { return s.Cause == "seek" || s.Cause == "pause" })
				w.send(&wire.Ready{Epoch: s.Epoch, Cue: s.Cue})
			}
			host.awaitState(hasStatus("paused"))
		},
		"waiting": func(_ *testing.T, host, _ *watcher) {
			host.sendAcknowledged(&wire.Load{Command: host.newCommand(), StreamURL: new("https://videos.example/movie.webm")})
			host.awaitState(hasStatus("waiting"))
		},
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			i := newInstallation(t, twoNodes)
			a, b := i.nodes[0], i.nodes[1]
			alice, bob, carol := i.createPerson(t, "alice"), i.createPerson(t, "bob"), i.createPerson(t, "carol")
			room := a.createRoom(t, alice, nil)
			b.joinRoom(t, room, bob, carol)
			host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
			lead(t, host, guest)
			before := i.readPlaybackRow(t, room)

			newcomer := b.connectLive(t, room, carol)
			got := newcomer.Welcome.State
			require.Equal(t, []any{status, before.Revision, before.PositionMS}, []any{got.State, got.Revision, got.PositionMS})
			require.InDelta(t, host.state.AtMS, got.AtMS, 0, "the anchor is not made anew")
			newcomer.send(&wire.Status{Epoch: got.Epoch, Cue: got.Cue, Watching: true, WaitForMe: true, Stalled: true})
			newcomer.send(&wire.Status{Epoch: got.Epoch - 1, Watching: true, WaitForMe: true, Ended: true})
			newcomer.awaitHandled()

			if status == "waiting" { // not for the newcomer
				for _, w := range []*watcher{host, guest} {
					w.send(&wire.Ready{Epoch: got.Epoch, Cue: got.Cue})
				}
				playing := newcomer.awaitState(hasStatus("playing"))
				require.Equal(t, []any{before.Revision + 1, wire.Nullable("ready")},
					[]any{playing.Revision, playing.Cause}, "not by the deadline")
				return
			}
			host.awaitHandled()
			guest.awaitState(func(s wire.State) bool { return s.Revision >= before.Revision })
			guest.awaitHandled()
			require.Equal(t, before, i.readPlaybackRow(t, room))
			require.Equal(t, []int64{before.Revision, before.Revision}, []int64{host.state.Revision, guest.state.Revision})
		})
	}
}

// TestRoomsOutliveTheirServers: a room's item, position and queue survive a stop of all servers.
func TestRoomsOutliveTheirServers(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes)
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	b.joinRoom(t, room, bob)
	host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
	loadAndPlay(host, guest)
	host.sendAcknowledged(&wire.Pause{Command: host.newCommand()})
	host.sendAcknowledged(&wire.Seek{Command: host.newCommand(), PositionMS: 1_234_567})
	for _, address := range []string{"https://videos.example/second.webm", "https://videos.example/third.webm"} {
		a.callAPI(t, "POST", "/rooms/"+room+"/queue", alice, map[string]any{"stream_url": address}, http.StatusCreated)
	}
	before := guest.awaitState(func(s wire.State) bool { return s.PositionMS == 1_234_567 })
	queue := func(n *node) string {
		status, raw := n.sendRequest(t, "GET", "/rooms/"+room+"/queue", bob, nil)
		require.Equal(t, http.StatusOK, status)
		return string(raw)
	}
	items := queue(b)
	a.stop()
	b.stop()

	later := i.start(t, func(*live.TestLimits) {})
	again := later.connectLive(t, room, bob).Welcome
	require.Equal(t, []any{before.State, before.Revision, before.PositionMS, before.Media, before.Item},
		[]any{again.State.State, again.State.Revision, again.State.PositionMS, again.State.Media, again.State.Item})
	require.JSONEq(t, items, queue(later))
	require.Equal(
		t, 2, strings.Count(items, "videos.example/second.webm")+strings.Count(items, "videos.example/third.webm"),
	)
}
