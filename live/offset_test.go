package live

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func TestSample(t *testing.T) {
	t.Parallel()
	s := newSample(10*ms, 14*ms, 1012*ms)
	require.Equal(t, sample{at: 14 * ms, offset: 1000 * ms, trip: 4 * ms}, s)
	require.Equal(t, 2*ms, s.doubt(14*ms))
	require.Equal(t, 2*ms+50*time.Microsecond, s.doubt(14*ms+time.Second), "a second later the clocks may have drifted")
}

func TestOffset(t *testing.T) {
	t.Parallel()
	type value struct {
		at   time.Duration
		want time.Duration
	}
	for name, c := range map[string]struct {
		samples []sample
		jumps   []bool
		values  []value
	}{
		"unset": {values: []value{{0, 0}, {time.Hour, 0}}},
		"the first is taken at once, however far": {
			samples: []sample{{at: time.Second, offset: time.Hour}}, jumps: []bool{false},
			values: []value{{time.Second, time.Hour}, {2 * time.Second, time.Hour}},
		},
		"a small difference is slewed": {
			samples: []sample{{at: 0, offset: 0}, {at: 5 * time.Second, offset: 20 * ms}}, jumps: []bool{false, false},
			values: []value{
				{5 * time.Second, 0}, {6 * time.Second, 5 * ms}, {8 * time.Second, 15 * ms}, {9 * time.Second, 20 * ms},
				{time.Minute, 20 * ms},
			},
		},
		"backwards too": {
			samples: []sample{{at: 0, offset: 0}, {at: 5 * time.Second, offset: -20 * ms}}, jumps: []bool{false, false},
			values: []value{{6 * time.Second, -5 * ms}, {time.Minute, -20 * ms}},
		},
		"a turn on the way begins where it is": {
			samples: []sample{{at: 0, offset: 0}, {at: 5 * time.Second, offset: 100 * ms}, {at: 10 * time.Second, offset: 0}},
			jumps:   []bool{false, false, false},
			values:  []value{{10 * time.Second, 25 * ms}, {11 * time.Second, 20 * ms}, {15 * time.Second, 0}},
		},
		"another clock is taken at once": {
			samples: []sample{{at: 0, offset: 0, trip: ms}, {at: 5 * time.Second, offset: 300 * ms, trip: 50 * ms}},
			jumps:   []bool{false, true},
			values:  []value{{5 * time.Second, 300 * ms}},
		},
		"backwards by a second": {
			samples: []sample{{at: 0, offset: 0, trip: ms}, {at: 5 * time.Second, offset: -time.Second, trip: 50 * ms}},
			jumps:   []bool{false, true},
			values:  []value{{5 * time.Second, -time.Second}},
		},
		"a slow answer proves no other clock": {
			samples: []sample{{at: 0, offset: 0, trip: ms}, {at: 5 * time.Second, offset: 300 * ms, trip: 600 * ms}},
			jumps:   []bool{false, false},
			values:  []value{{5 * time.Second, 0}, {time.Minute, 0}},
		},
		"the quick answer counts, not the last one": {
			samples: []sample{
				{at: 0, offset: 0, trip: 40 * ms}, {at: 5 * time.Second, offset: 10 * ms, trip: ms},
				{at: 10 * time.Second, offset: 60 * ms, trip: 120 * ms},
			},
			jumps:  []bool{false, false, false},
			values: []value{{time.Minute, 10 * ms}},
		},
		"among equals the newest": {
			samples: []sample{{at: 0, offset: 0, trip: ms}, {at: 5 * time.Second, offset: ms, trip: ms}},
			jumps:   []bool{false, false},
			values:  []value{{time.Minute, ms}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var o offset
			for i, s := range c.samples {
				require.Equal(t, c.jumps[i], o.add(s), "sample %d", i)
			}
			for _, v := range c.values {
				require.Equal(t, v.want, o.value(v.at), "at %s", v.at)
			}
		})
	}
}

// TestClockIsThatOfPostgres: the time of a process whose own clock is wrong is that of Postgres.
func TestClockIsThatOfPostgres(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		c := NewClock(func(context.Context) (asked, answered, told time.Time, err error) {
			now := time.Now()
			return now, now, now.Round(0).Add(ahead), nil
		}, slog.New(slog.DiscardHandler))
		step, err := c.Measure(t.Context())
		require.NoError(t, err)
		require.Zero(t, step, "the first measurement is no step")
		require.WithinDuration(t, time.Now().Add(ahead), c.Now(), time.Minute)
	}
}

// After a failover the quick answers of the server that was before do not count any more.
func TestOffsetForgetsTheFormerClock(t *testing.T) {
	t.Parallel()
	var o offset
	for i := range 20 {
		o.add(sample{at: time.Duration(i) * 5 * time.Second, trip: 50 * time.Microsecond})
	}
	at := 100 * time.Second
	require.True(t, o.add(sample{at: at, offset: 2 * time.Second, trip: 200 * ms}))
	for i := range 20 {
		require.False(t, o.add(sample{at: at + time.Duration(i)*5*time.Second, offset: 2 * time.Second, trip: 200 * ms}))
		require.Equal(t, 2*time.Second, o.value(at+time.Duration(i)*5*time.Second))
	}
	require.LessOrEqual(t, len(o.samples), samplesKept)
}

// TestOffsetFollows runs against a clock that drifts, over a line with jitter: once settled, the error stays below a
// millisecond in 99 of 100 instants, the clock never goes back, and never faster than it may.
func TestOffsetFollows(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // no secret
	var o offset
	truth := func(at time.Duration) time.Duration {
		return 40*ms + time.Duration(40e-6*float64(at))
	}
	line := func() time.Duration {
		return 25*time.Microsecond + time.Duration(random.ExpFloat64()*float64(300*time.Microsecond))
	}
	var errors []time.Duration
	last := time.Duration(-1)
	for at := time.Duration(0); at < time.Hour; at += measureEvery {
		there, back := line(), line()
		told := at + there + truth(at+there)
		o.add(newSample(at, at+there+back, told))
		for step := range 50 {
			moment := at + there + back + time.Duration(step)*100*ms
			now := moment + o.value(moment)
			if at > time.Minute {
				errors = append(errors, (o.value(moment) - truth(moment)).Abs())
			}
			require.Greater(t, now, last)
			last = now
		}
	}
	slices.Sort(errors)
	require.Less(t, errors[len(errors)*99/100], ms)
}
