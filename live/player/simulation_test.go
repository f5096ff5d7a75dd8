package player_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/live/player"
)

// measure runs a clock by its own schedule, and returns its errors, one each 100 ms from the end of the first burst on.
func measure(q badnet.Quality, random *rand.Rand, duration float64) []float64 {
	const server = 1_764_151_234_567.0
	own := player.RandomOscillator(random)
	delay := func() float64 { return q.Draw(random).Seconds() * 1000 }
	clock := player.NewClock(own.At(0))
	type answer struct{ c0, s1, s2, arrives float64 }
	var flying []answer
	var errors []float64
	for truth := 0.0; truth < duration; truth += 5 {
		now := own.At(truth)
		for _, a := range flying {
			if a.arrives <= truth {
				clock.Add(a.c0, a.s1, a.s2, own.At(truth))
			}
		}
		flying = slices.DeleteFunc(flying, func(a answer) bool { return a.arrives <= truth })
		if now >= clock.Due() {
			s1 := truth + delay()
			s2 := s1 + 0.2
			flying = append(flying, answer{c0: now, s1: server + s1, s2: server + s2, arrives: s2 + delay()})
			clock.Sent(now)
		}
		if math.Mod(truth, 100) != 0 || truth < 2_000 {
			continue
		}
		if reading, ok := clock.Read(now); ok {
			errors = append(errors, math.Abs(now+reading.Offset-server-truth))
		}
	}
	return errors
}

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1))]
}

// TestClockError: the design's bars for a client's clock. Answers are seen 5 ms late at most, as a page's are.
func TestClockError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quality badnet.Quality
		bar     float64
	}{
		{badnet.Fair(), 10},
		{badnet.Poor(), 25},
		{badnet.Quality{Base: 5 * time.Millisecond, Jitter: time.Millisecond}, 5},
	} {
		t.Run(fmt.Sprintf("%+v", c.quality), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			var errors []float64
			for range 200 {
				errors = append(errors, measure(c.quality, random, 300_000)...)
			}
			p95 := quantile(errors, 0.95)
			t.Logf("p50 %.1f ms, p95 %.1f ms, p99 %.1f ms", quantile(errors, 0.5), p95, quantile(errors, 0.99))
			require.LessOrEqual(t, p95, c.bar)
		})
	}
}

// viewer is a model player that follows a room by a clock with an error.
type viewer struct {
	clock    player.Oscillator
	offset   float64 // the error of its idea of the server's time
	media    *player.Model
	follower *player.Follower
}

func newViewer(random *rand.Rand) *viewer {
	clock := player.RandomOscillator(random)
	media := player.NewModel(clock.At(0), player.RandomFaults(random))
	return &viewer{clock, random.NormFloat64() * 4, media, player.NewFollower(media)}
}

func (v *viewer) tick(truth float64) {
	v.media.Advance(v.clock.At(truth))
	for following, ok := v.follower.Tick(v.clock.At(truth), truth+v.offset); ok && following.NextTick > 0; {
		if following.NextTick > 50 {
			return
		}
		truth += max(following.NextTick, 0.01)
		v.media.Advance(v.clock.At(truth))
		following, ok = v.follower.Tick(v.clock.At(truth), truth+v.offset)
	}
}

// TestPlayersStayTogether: after a start, a seek and a join, players are as near as the design wants.
func TestPlayersStayTogether(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	var joined, after10s []float64
	for range 100 {
		viewers := []*viewer{newViewer(random), newViewer(random), newViewer(random)}
		anchor := player.Anchor{State: player.Playing, Position: 60_000, At: 1_000, Rate: 1}
		late := newViewer(random) // joins in the middle
		for truth := 0.0; truth < 60_000; truth += 50 {
			if truth == 30_000 {
				anchor = player.Anchor{State: player.Playing, Position: 600_000, At: truth + 200, Rate: 1}
			}
			if truth == 15_000 {
				viewers = append(viewers, late)
			}
			positions := make([]float64, 0, len(viewers))
			for _, v := range viewers {
				v.follower.Set(anchor)
				v.tick(truth + random.Float64()*50)
				v.media.Advance(v.clock.At(truth + 50))
				positions = append(positions, v.media.Position())
			}
			spread := slices.Max(positions) - slices.Min(positions)
			switch {
			case truth > 10_000 && truth < 15_000, truth > 40_000:
				after10s = append(after10s, spread)
			case truth == 17_000:
				joined = append(joined, math.Abs(positions[3]-anchor.PositionAt(truth+50)))
			}
		}
		for _, v := range viewers {
			require.LessOrEqual(t, v.media.Seeks, 4, "no player is sent seeking again and again")
		}
	}
	t.Logf("spread after 10 s: p95 %.0f ms, p99 %.0f ms; error 2 s after a join: p95 %.0f ms",
		quantile(after10s, 0.95), quantile(after10s, 0.99), quantile(joined, 0.95))
	require.LessOrEqual(t, quantile(after10s, 0.95), 60.0)
	require.LessOrEqual(t, quantile(after10s, 0.99), 120.0)
	require.LessOrEqual(t, quantile(joined, 0.95), 100.0)
}

// TestStarvedPlayerComesBack: after a stall a player catches up, by itself, and the room knows nothing of it.
func TestStarvedPlayerComesBack(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for _, stall := range []float64{300, 900, 4_000} {
		v := newViewer(random)
		v.offset = 0
		anchor := player.Anchor{State: player.Playing, Position: 0, At: 500, Rate: 1.5}
		v.follower.Set(anchor)
		for truth := 0.0; truth < 40_000; truth += 250 {
			if truth == 10_000 {
				v.media.Starve(stall)
			}
			v.tick(truth)
		}
		require.InDelta(t, anchor.PositionAt(39_750), v.media.Position(), 60, "a stall of %v ms", stall)
	}
}

// TestFixedRate: a player whose rate cannot be set is brought near by few seeks, and not shaken.
func TestFixedRate(t *testing.T) {
	t.Parallel()
	media := player.NewModel(0, player.Faults{
		SeekTime: func() float64 { return 300 }, StartTime: func() float64 { return 700 }, FixedRate: true,
	})
	follower := player.NewFollower(media)
	follower.Set(player.Anchor{State: player.Playing, Position: 0, At: 1_000, Rate: 1})
	for now := 0.0; now < 120_000; now += 250 {
		media.Advance(now)
		follower.Tick(now, now)
	}
	require.InDelta(t, 118_750, media.Position(), 400)
	require.LessOrEqual(t, media.Seeks, 2)
}
