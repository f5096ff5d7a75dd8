package live_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/live/wire"
)

// TestWatchTogether: what one person does reaches the others, on the same server and on another one.
func TestWatchTogether(t *testing.T) {
	t.Parallel()
	i := install(t, twoNodes)
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.person(t, "alice"), i.person(t, "bob")
	room := a.room(t, alice, nil)
	b.join(t, room, bob)
	host, guest := a.connect(t, room, alice), b.connect(t, room, bob)
	require.Equal(t, "idle", host.Welcome.State.State)
	require.Contains(t, host.Welcome.Place.Permissions, "control_playback")
	require.NotContains(t, guest.Welcome.Place.Permissions, "control_playback")
	require.Len(t, guest.Welcome.People, 2)

	load(host, guest)
	playing := guest.awaitState(is("playing"))
	require.Equal(t, "https://videos.example/film.webm", playing.Media.StreamURL)
	require.Equal(t, "ready", playing.Cause)

	host.acknowledged(&wire.Pause{Command: host.command()})
	paused := guest.awaitState(is("paused"))
	require.Equal(t, "alice", *paused.By)

	host.acknowledged(&wire.Seek{Command: host.command(), PositionMS: 60000})
	sought := guest.awaitState(func(s wire.State) bool { return s.Cause == "seek" })
	require.Equal(t, int64(60000), sought.PositionMS)

	host.acknowledged(&wire.Rate{Command: host.command(), Rate: 1.5})
	require.InDelta(t, 1.5, guest.awaitState(func(s wire.State) bool { return s.Cause == "rate" }).Rate, 0)
	require.Equal(t, "forbidden", guest.refusal(&wire.Play{Command: guest.command()}).Code)
}
