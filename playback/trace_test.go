package playback_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/playback"
)

// trace reads events, members and the passing of time from bytes, and checks after each event what always holds.
type trace struct {
	t     testing.TB
	bytes []byte
	state playback.State
	now   time.Time
	room  playback.Room
	sent  []playback.Command
	told  map[string]int64 // the answers to commands that were applied
	seen  map[playback.Cause]bool
}

func runTrace(t testing.TB, bytes []byte) map[playback.Cause]bool {
	tr := &trace{t: t, bytes: bytes, state: playback.New("room"), now: start, told: map[string]int64{},
		seen: map[playback.Cause]bool{}}
	for len(tr.bytes) > 0 {
		tr.pass()
		tr.step()
	}
	tr.checkSilence()
	return tr.seen
}

func (tr *trace) number(limit int) int {
	if len(tr.bytes) == 0 {
		return 0
	}
	b := int(tr.bytes[0])
	tr.bytes = tr.bytes[1:]
	return b % limit
}

// pass lets up to minutes pass, mostly milliseconds.
func (tr *trace) pass() {
	scale := []time.Duration{time.Microsecond, 10 * time.Millisecond, 100 * time.Millisecond, 2 * time.Second}
	tr.now = tr.now.Add(time.Duration(tr.number(256)) * scale[tr.number(len(scale))])
	tr.room.Members = nil
	for i := range tr.number(4) {
		tr.room.Members = append(tr.room.Members, playback.Member{
			ConnID:     fmt.Sprint(i),
			UserID:     fmt.Sprint(i),
			Host:       i == 0,
			Controls:   i < 2,
			Able:       tr.number(4) > 0,
			Since:      tr.now.Add(-time.Duration(tr.number(30)) * time.Second),
			Epoch:      tr.near(tr.state.Epoch),
			ReadyCue:   tr.near(tr.state.Cue),
			EndedCue:   tr.near(tr.state.Cue),
			DurationMS: int64(tr.number(5)) * 100_000,
			RTT:        time.Duration(tr.number(256)) * 4 * time.Millisecond,
			StoppedAt:  tr.now.Add(-time.Duration(tr.number(90)) * time.Second),
		})
	}
	tr.room.Policy = watchparty.WaitPolicies()[tr.number(4)]
	tr.room.Next = playback.Item{}
	if tr.number(2) == 0 {
		tr.room.Next = tr.item()
	}
}

func (tr *trace) near(n int64) int64 { return n - max(int64(tr.number(4))-2, 0) }

func (tr *trace) item() playback.Item {
	n := tr.number(6)
	return playback.NewItem(fmt.Sprint("item ", n), int64(n%3)*300_000, int64(n%2)*400_000)
}

func (tr *trace) step() {
	var event playback.Event
	switch tr.number(12) {
	default:
		event = tr.command()
	case 0:
		event = playback.Tick{}
	case 1:
		event = playback.Reported{}
	case 2:
		event = playback.Stalled{ConnID: fmt.Sprint(tr.number(4))}
	case 3:
		event = playback.Deserted{Since: tr.now.Add(-time.Duration(tr.number(120)) * time.Second)}
	case 4:
		event = []playback.Event{playback.Archived{}, playback.Removed{ItemID: tr.state.Item.ID},
			playback.Removed{ItemID: "other"}, playback.Voted{Epoch: tr.near(tr.state.Epoch)},
			playback.Scheduled{Item: tr.item(), StartsAt: tr.now.Add(time.Duration(tr.number(9)) * time.Second)},
			playback.Unscheduled{}, playback.Begun{Item: tr.item(), StartsAt: tr.now},
			playback.ClockSet{Step: time.Duration(tr.number(256)-128) * time.Second, Revision: tr.near(tr.state.Revision)},
		}[tr.number(8)]
	}
	tr.apply(event)
}

// command is a new one, or one that was sent before, or its ID with other content.
func (tr *trace) command() playback.Command {
	if len(tr.sent) > 0 && tr.number(4) == 0 {
		c := tr.sent[max(len(tr.sent)-1-tr.number(80), 0)]
		if tr.number(4) == 0 {
			c.By += "!"
		}
		return c
	}
	kinds := playback.Kinds()
	c := playback.Command{
		Kind: kinds[tr.number(len(kinds))], ID: fmt.Sprint(len(tr.sent)), By: fmt.Sprint(tr.number(3)),
		Epoch: tr.near(tr.state.Epoch),
	}
	seen := tr.near(tr.state.Revision)
	c.Seen = &seen
	if tr.number(8) == 0 {
		c.IfRevision = &seen
	}
	position := int64(tr.number(256)) * 4000
	switch c.Kind {
	case playback.Seek, playback.Pause:
		c.PositionMS = &position
	case playback.Rate:
		c.Rate = float64(tr.number(20)) / 4
	case playback.Load:
		c.Item = tr.item()
		c.Source = watchparty.Source{ItemID: c.Item.ID}
	case playback.Play, playback.Skip, playback.Stop:
	}
	tr.sent = append(tr.sent, c)
	return c
}

func (tr *trace) apply(event playback.Event) {
	before := tr.state
	before.Recent = slices.Clone(tr.state.Recent)
	after, effects, err := playback.Apply(tr.state, event, tr.room, tr.now)
	require.Equal(tr.t, before, tr.state, "the state that was given stays as it is")
	if err != nil {
		require.Equal(tr.t, before, after)
		return
	}
	tr.checkNumbers(before, after, effects)
	tr.checkShape(after)
	if c, ok := event.(playback.Command); ok {
		tr.checkOnce(c, before, after, effects)
	}
	tr.state = after
	tr.seen[after.Cause] = true
	if set, ok := event.(playback.ClockSet); ok && effects.Changed {
		tr.now = tr.now.Add(set.Step)
		tr.state.UpdatedAt = tr.state.UpdatedAt.Add(set.Step)
	}
}

func (tr *trace) checkNumbers(before, after playback.State, effects playback.Effects) {
	t := tr.t
	if !effects.Changed {
		after.Recent, before.Recent = nil, nil
		require.Equal(t, before, after)
		return
	}
	require.Equal(t, before.Revision+1, after.Revision)
	require.GreaterOrEqual(t, after.Epoch, before.Epoch)
	require.GreaterOrEqual(t, after.Cue, before.Cue)
	if after.Item.ID != before.Item.ID {
		require.Greater(t, after.Epoch, before.Epoch)
		require.Equal(t, before.Item.ID, effects.Finished)
		require.Equal(t, after.Item.ID, effects.Started)
	}
	if after.Epoch > before.Epoch {
		require.Greater(t, after.Cue, before.Cue)
	}
}

func (tr *trace) checkShape(s playback.State) {
	t := tr.t
	for _, at := range []time.Time{tr.now, tr.now.Add(time.Minute), tr.now.Add(1000 * time.Hour)} {
		require.GreaterOrEqual(t, s.Position(at), int64(0))
		require.LessOrEqual(t, s.Position(at), max(s.Item.DurationMS, int64(0))+noDuration(s))
	}
	require.Equal(t, s.Status == playback.Idle, s.Item.ID == "")
	require.Equal(t, s.Status == playback.Waiting, !s.WaitUntil.IsZero(), "no wait without a deadline")
	require.Equal(t, s.Status == playback.Waiting, s.WaitFor != "")
	require.Equal(t, s.Status == playback.Playing && s.Item.DurationMS > 0, !s.EndsAt.IsZero())
	if !s.StartsAt.IsZero() {
		require.Equal(t, playback.Paused, s.Status)
	}
	require.LessOrEqual(t, len(s.Recent), playback.MaxRecent)
	require.Positive(t, s.Rate)
	if s.Resume {
		require.Equal(t, playback.Waiting, s.Status)
	}
}

func noDuration(s playback.State) int64 {
	if s.Item.DurationMS == 0 {
		return playback.MaxPositionMS
	}
	return 0
}

// checkOnce checks that a command that is still remembered is not applied again, and is answered as before.
func (tr *trace) checkOnce(c playback.Command, before, after playback.State, effects playback.Effects) {
	known := slices.ContainsFunc(before.Recent, func(a playback.Applied) bool { return a.ID == c.ID })
	require.Equal(tr.t, known, effects.Replayed)
	if !known {
		require.NotContains(tr.t, tr.told, c.ID, "it was applied before, however long ago")
	}
	if known {
		require.False(tr.t, effects.Changed)
		require.Equal(tr.t, tr.told[c.ID], effects.Revision)
		return
	}
	require.Equal(tr.t, after.Revision, effects.Revision)
	tr.told[c.ID] = effects.Revision
}

// checkSilence lets nothing happen any more than time passing: no wait outlives its deadline, and what plays ends.
func (tr *trace) checkSilence() {
	tr.room.Next = playback.Item{}
	if tr.state.Status == playback.Waiting {
		require.LessOrEqual(tr.t, tr.state.WaitUntil.Sub(tr.state.UpdatedAt), playback.LoadDeadline)
	}
	for range 4 {
		due := tr.state.Due()
		if due.IsZero() {
			break
		}
		if due.After(tr.now) {
			tr.now = due
		}
		was := tr.state.Status
		tr.apply(playback.Tick{})
		require.NotEqual(tr.t, was, tr.state.Status)
	}
	require.Zero(tr.t, tr.state.Due(), "nothing is left to come")
}

func TestRandomTraces(t *testing.T) {
	const traces, length = 3000, 1500
	seed := rand.Uint64() //nolint:gosec // no secret
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // no secret
	seen := map[playback.Cause]bool{}
	for range traces {
		bytes := make([]byte, length)
		for i := range bytes {
			bytes[i] = byte(random.Uint32()) //nolint:gosec // its lowest bits
		}
		maps.Copy(seen, runTrace(t, bytes))
	}
	require.Len(t, seen, len(causes), "each cause comes up: %v", seen)
}

var causes = []playback.Cause{
	playback.CauseNone,
	playback.CausePlay,
	playback.CausePause,
	playback.CauseSeek,
	playback.CauseRate,
	playback.CauseLoad,
	playback.CauseSkip,
	playback.CauseStop,
	playback.CauseReady,
	playback.CauseDeadline,
	playback.CauseRebuffer,
	playback.CauseEnded,
	playback.CauseVoted,
	playback.CauseRemoved,
	playback.CauseDeserted,
	playback.CauseArchived,
	playback.CauseScheduled,
	playback.CauseUnscheduled,
	playback.CauseStarted,
	playback.CauseDuration,
	playback.CauseClock,
}

// FuzzCommand applies one command with any content to a state of each kind.
func FuzzCommand(f *testing.F) {
	f.Add("seek", "id", int64(3), int64(9), int64(70_000), 0.0, "")
	f.Add("rate", "id", int64(3), int64(9), int64(0), math.NaN(), "")
	f.Add("load", "id", int64(3), int64(9), int64(-1), math.Inf(1), "item")
	f.Fuzz(func(t *testing.T, kind, id string, epoch, revision, position int64, rate float64, item string) {
		c := playback.Command{
			Kind: playback.Kind(kind), ID: id, Epoch: epoch, IfRevision: &revision, PositionMS: &position, Rate: rate,
			Item: playback.Item{ID: item}, Source: watchparty.Source{ItemID: item},
		}
		for _, status := range []playback.Status{playback.Idle, playback.Waiting, playback.Playing, playback.Paused} {
			tr := &trace{t: t, state: stateOf(status), now: start, told: map[string]int64{},
				seen: map[playback.Cause]bool{}}
			tr.apply(c)
			c.PositionMS, c.IfRevision = nil, nil
			tr.apply(c)
		}
	})
}

func FuzzTrace(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 0)) //nolint:gosec // no secret
	for range 8 {
		bytes := make([]byte, 400)
		for i := range bytes {
			bytes[i] = byte(random.Uint32()) //nolint:gosec // its lowest bits
		}
		f.Add(bytes)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) { runTrace(t, bytes) })
}
