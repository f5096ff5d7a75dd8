package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/bench/live"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/playback"
)

// These are the short forms of what `go run ./bench live` measures. Their bounds are wide, for other tests run beside
// them.

func startLive(t *testing.T) *live.System {
	t.Helper()
	s, err := live.Start(t.Context(), live.Options{
		Binary: binary, Stack: stacktest.New(t, devstack.Postgres, devstack.Redis), Environ: bareEnvironment(t),
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// openRooms has some people watch together, behind networks that delay and lose.
func openRooms(t *testing.T, s *live.System, count int) []*live.Room {
	t.Helper()
	people, err := s.People(t.Context(), "viewer", count)
	require.NoError(t, err)
	r, err := s.Gather(t.Context(), string(watchparty.WaitPolicyNobody), badnet.Fair(), people, live.RandomManner)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return []*live.Room{r}
}

// TestLiveNodeKilled: the clients of a process that is killed are back soon, at the moment at which the room is; the
// others notice nothing.
func TestLiveNodeKilled(t *testing.T) {
	t.Parallel()
	s := startLive(t)
	rooms := openRooms(t, s, 6)
	for _, seek := range []bool{false, true} {
		k, err := s.KillNode(t.Context(), rooms, seek)
		require.NoError(t, err)
		require.Len(t, k.Back, 3)
		require.Less(t, slices.Max(k.Back), 10*time.Second)
		require.Zero(t, k.Lost, "connections of the others")
		require.Zero(t, k.Changed, "changes that nobody commanded")
		require.Less(t, k.Apart, 500.0, "the others stay where the room is")
	}
}

// TestLiveNetworkLost: a client without network for ten seconds, in which the room seeks, is soon where the room is.
func TestLiveNetworkLost(t *testing.T) {
	t.Parallel()
	s := startLive(t)
	r := openRooms(t, s, 4)[0]
	back, err := r.LoseNetwork(t.Context(), 2, 10*time.Second)
	require.NoError(t, err)
	require.Len(t, back, 2)
	require.Less(t, slices.Max(back), 10*time.Second)
}

// TestLiveRedisKilled: while Redis is down, nobody is disconnected, nothing changes by itself, commands reach
// everybody, kicked people are disconnected, and waits end. Nothing is missing when Redis comes back empty.
func TestLiveRedisKilled(t *testing.T) {
	t.Parallel()
	s := startLive(t)
	rooms := openRooms(t, s, 6)
	o, err := s.LoseRedis(t.Context(), rooms, 12*time.Second, func(ctx context.Context) error {
		took, err := s.Kick(ctx, "kicked", 5)
		if err == nil && slices.Max(took) > 5*time.Second {
			return fmt.Errorf("kicked after %v", slices.Max(took))
		}
		return err
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, o.Given, 4)
	require.Zero(t, o.Lost, "commands")
	require.Zero(t, o.Connections, "connections lost")
	require.Zero(t, o.Changes, "changes that nobody commanded")
}

// TestLive: kicks, waits and commands that come twice, on a system that is well.
func TestLive(t *testing.T) {
	t.Parallel()
	s := startLive(t)

	// A person who is kicked at one process is disconnected from the other one at once.
	t.Run("kick", func(t *testing.T) {
		t.Parallel()
		took, err := s.Kick(t.Context(), "kicked", 10)
		require.NoError(t, err)
		require.Less(t, slices.Max(took), 3*time.Second, "by a hint, and not by the poll, which comes each 5 s")
	})

	// No wait is longer than its deadline, with every client silent.
	for _, kind := range []playback.Wait{playback.WaitLoad, playback.WaitSeek, playback.WaitRebuffer} {
		t.Run("wait for a "+string(kind), func(t *testing.T) {
			t.Parallel()
			late, err := s.WaitInSilence(t.Context(), "silent"+string(kind), kind)
			require.NoError(t, err)
			require.Less(t, late, 3*time.Second)
			require.GreaterOrEqual(t, late, time.Duration(0), "it waits until then")
		})
	}

	// Commands that are sent twice, by two connections, and overtake each other, are applied once each, and everybody ends
	// in the state of the row.
	t.Run("storm", func(t *testing.T) {
		t.Parallel()
		storm, err := s.Storm(t.Context(), "storm", 100)
		require.NoError(t, err)
		require.Equal(t, 100, storm.Commands)
		require.Greater(t, storm.Frames, 110)
		require.Greater(t, storm.Applied, 10, "many are stale on a busy machine")
		require.Zero(t, storm.Faults(), "%+v", storm)
	})
}
