package player_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/live/player"
)

// command is one that a room is given, at a true time, in milliseconds. It comes to each viewer a while later.
type command struct {
	given  float64
	anchor player.Anchor
}

// follow has somebody's player follow commands, and returns how long after each it came within 100 ms of the room, to
// stay there until the next one.
func follow(random *rand.Rand, commands []command, until float64) (settled []float64) {
	const tick = 5.0
	v := newViewer(random)
	heard := make([]float64, len(commands))
	for i, c := range commands {
		heard[i] = c.given + badnet.Fair().Draw(random).Seconds()*1000
	}
	settled = make([]float64, len(commands))
	next, due := 0, 0.0
	for truth := 0.0; truth < until; truth += tick {
		present := -1
		for i, c := range commands {
			if truth >= c.given {
				present = i
			}
		}
		for next < len(commands) && truth >= heard[next] {
			v.follower.Set(commands[next].anchor)
			next, due = next+1, truth
		}
		v.media.Advance(v.clock.At(truth))
		if truth >= due {
			due = truth + 250
			following, ok := v.follower.Tick(v.clock.At(truth), truth+v.offset)
			if ok && following.NextTick > 0 {
				due = min(due, truth+following.NextTick)
			}
			if event := v.media.NextEvent() - v.clock.At(truth); event < 250 {
				due = min(due, truth+event)
			}
		}
		if present < 0 {
			continue
		}
		if math.Abs(v.media.Position()-commands[present].anchor.PositionAt(truth)) > 100 {
			settled[present] = truth - commands[present].given
		}
	}
	return settled
}

// TestCommandsSettle: after a seek and after a start, players are soon where the room is, also those that hear of it
// late.
func TestCommandsSettle(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	commands := []command{
		{0, player.Anchor{State: player.Playing, Position: 60_000, At: 300, Rate: 1}},
		{14_000, player.Anchor{State: player.Playing, Position: 600_000, At: 14_000, Rate: 1}},
		{28_000, player.Anchor{State: player.Playing, Position: 300_000, At: 28_000, Rate: 1}},
		{42_000, player.Anchor{State: player.Paused, Position: 314_000, At: 42_000, Rate: 1}},
		{56_000, player.Anchor{State: player.Playing, Position: 314_000, At: 56_260, Rate: 1}},
		{70_000, player.Anchor{State: player.Playing, Position: 900_000, At: 70_000, Rate: 1}},
	}
	const viewers, room = 1200, 12
	var one, all [6][]float64
	for range viewers / room {
		var worst [6]float64
		for range room {
			for i, s := range follow(random, commands, 84_000) {
				one[i] = append(one[i], s)
				worst[i] = max(worst[i], s)
			}
		}
		for i, w := range worst {
			all[i] = append(all[i], w)
		}
	}
	for i, name := range []string{"the first start", "the first seek", "a seek", "a pause", "a start", "a seek"} {
		t.Logf("%s: p50 %.0f p95 %.0f p99 %.0f ms; all of %d: p50 %.0f p95 %.0f ms", name, quantile(one[i], 0.5),
			quantile(one[i], 0.95), quantile(one[i], 0.99), room, quantile(all[i], 0.5), quantile(all[i], 0.95))
	}
	// The first start is no measure: nothing is known of the players yet.
	require.LessOrEqual(t, quantile(slices.Concat(all[1:]...), 0.95), 800.0)
}
