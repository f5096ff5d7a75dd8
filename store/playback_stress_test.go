package store

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/playback"
)

// sent is a command that somebody has sent, with the answer.
type sent struct {
	command playback.Command
	answer  PlaybackAnswer
	err     error
}

// TestManyCommandsAtOnce: 20 people give 1,000 commands to one room, by three processes; a part of the commands arrives
// twice, and not in the order in which they were given. Revisions strictly rise, each ID is applied once, and the state
// after each command, and so the last one, is that of the pure machine.
func TestManyCommandsAtOnce(t *testing.T) {
	t.Parallel()
	const people, commands = 20, 1000
	url := stacktest.MigratedURL(t)
	stores := []*Store{openStoreAt(t, url), openStoreAt(t, url), openStoreAt(t, url)}
	s := stores[0]
	host := newUser(t, s, "host")
	everyone := watchparty.Everyone
	room := newRoom(t, s, host, func(n *watchparty.NewRoom) { n.Capacity = people })
	_, err := s.UpdateRoom(t.Context(), room.ID, host.ID, watchparty.RoomChange{Control: &everyone}, nil)
	require.NoError(t, err)
	movie := addStreamedMovie(t, s, "Nosferatu")
	who := []auth.Identity{signedIn(t, s, host)}
	for len(who) < people {
		user := newUser(t, s, "viewer"+string(rune('a'+len(who))))
		joinRoom(t, s, room, user)
		who = append(who, signedIn(t, s, user))
	}
	seed := rand.Uint64() //nolint:gosec // no secret
	t.Logf("seed %d", seed)

	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		all []sent
	)
	send := func(n int, c playback.Command, by auth.Identity) playback.State {
		if c.Kind == playback.Load {
			c.Source.MovieID = movie
		}
		answer, err := stores[n%len(stores)].ApplyPlaybackCommand(t.Context(), room.ID, by, c)
		c.By = by.UserID
		mu.Lock()
		defer mu.Unlock()
		all = append(all, sent{c, answer, err})
		return answer.State
	}
	for i, by := range who {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i))) //nolint:gosec // no secret
			var seen playback.State
			var former []playback.Command
			for n := range commands / people {
				c := randomCommand(random, seen)
				former = append(former, c)
				if len(former) > 1 && random.IntN(4) == 0 { // overtaken by the next one
					last := len(former) - 1
					former[last], former[last-1] = former[last-1], former[last]
				}
				seen = send(n+i, c, by)
				if random.IntN(3) == 0 { // arrives once more, at another process
					send(n+i+1, former[max(len(former)-1-random.IntN(2), 0)], by)
				}
			}
		})
	}
	wg.Wait()
	final, err := s.Playback(t.Context(), room.ID)
	require.NoError(t, err)
	requirePureHistory(t, all, room.ID, final.State)
}

func randomCommand(random *rand.Rand, seen playback.State) playback.Command {
	kinds := []playback.Kind{playback.Play, playback.Pause, playback.Seek, playback.Seek, playback.Rate}
	c := playback.Command{Kind: kinds[random.IntN(len(kinds))], ID: newID(), Epoch: seen.Epoch, Seen: &seen.Revision}
	if seen.Status == playback.Idle || seen.Status == "" {
		c.Kind = playback.Load
	} else if end := random.IntN(100); end == 0 {
		c.Kind = playback.Stop
	} else if end == 1 {
		c.Kind = playback.Load
	}
	at := random.Int64N(5_000_000)
	switch c.Kind {
	case playback.Seek:
		c.PositionMS = &at
	case playback.Rate:
		c.Rate = float64(1+random.IntN(8)) / 4
	case playback.Play, playback.Pause, playback.Load, playback.Skip, playback.Stop:
	}
	if random.IntN(20) == 0 {
		c.IfRevision = &seen.Revision
	}
	return c
}

// requirePureHistory applies the commands anew, without a database, in the order of their revisions.
func requirePureHistory(t *testing.T, all []sent, roomID string, final playback.State) {
	t.Helper()
	applied := map[string]sent{}
	answers := map[string]int64{}
	var history []sent
	refused, replayed := 0, 0
	for _, one := range all {
		if one.err != nil {
			require.True(t, watchparty.IsKind(one.err, watchparty.KindConflict), "%v", one.err)
			refused++
			continue
		}
		id, revision := one.command.ID, one.answer.Effects.Revision
		if earlier, ok := answers[id]; ok {
			require.Equal(t, earlier, revision, "one command has one answer")
		}
		answers[id] = revision
		if one.answer.Effects.Replayed {
			replayed++
		}
		if one.answer.Effects.Changed {
			require.NotContains(t, applied, id, "it was applied twice")
			applied[id] = one
			history = append(history, one)
		}
	}
	slices.SortFunc(history, func(a, b sent) int { return int(a.answer.Revision - b.answer.Revision) })
	state := playback.New(roomID)
	for i, one := range history {
		require.Equal(t, int64(i+1), one.answer.Revision, "revisions rise by one")
		require.False(t, one.answer.UpdatedAt.Before(state.UpdatedAt), "and so does time")
		c := one.command
		if c.Kind == playback.Load {
			c.Item = playback.NewItem(one.answer.Item.ID, one.answer.Item.RuntimeMS, 0)
		}
		next, effects, err := playback.Apply(state, c, playback.Room{}, one.answer.UpdatedAt)
		require.NoError(t, err)
		require.True(t, effects.Changed)
		state = next
		require.Equal(t, one.answer.State, next, "%s", c.Kind)
	}
	require.Equal(t, state, final)
	require.Positive(t, replayed)
	t.Logf("%d sent: %d changed the state, %d were refused, %d were repeated", len(all), len(history), refused, replayed)
	require.Greater(t, len(history), len(all)/5)
}
