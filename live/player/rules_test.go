package player_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/live/player"
)

// rules is the table that the TypeScript client runs, too.
type rules struct {
	Clock []struct {
		Name  string
		Start float64
		Steps []clockStep
	}
	Positions []struct {
		Name           string
		Anchor         player.Anchor
		Time, Position float64
	}
	Correction []struct {
		Name  string
		Steps []correctionStep
	}
	Follower []struct {
		Name  string
		Steps []followerStep
	}
}

type clockStep struct {
	Op                         string
	Now, Value                 float64
	C0, S1, S2, C3             float64
	None                       bool
	Offset, Uncertainty, Delay float64
}

type correctionStep struct {
	Op string
	player.Observation
	Behind, Value float64
	Expect        struct {
		Rate   float64
		Seek   *float64
		GaveUp bool `json:"gave_up"`
	}
}

type followerStep struct {
	Op        string
	Anchor    player.Anchor
	Now, Time float64
	Media     struct {
		Position              float64
		Paused, Ready, Moving bool
	}
	Calls []string
	Error *float64
	Next  float64
}

func readRules(t *testing.T) rules {
	t.Helper()
	content, err := os.ReadFile("testdata/rules.json")
	require.NoError(t, err)
	var r rules
	require.NoError(t, json.Unmarshal(content, &r))
	return r
}

const rounding = 1e-6

func TestClockRules(t *testing.T) {
	for _, c := range readRules(t).Clock {
		t.Run(c.Name, func(t *testing.T) {
			clock := player.NewClock(c.Start)
			for i, step := range c.Steps {
				switch step.Op {
				case "due":
					require.InDelta(t, step.Value, clock.Due(), rounding, "step %d", i)
				case "sent":
					clock.Sent(step.Now)
				case "wake":
					clock.Wake(step.Now)
				case "add":
					clock.Add(step.C0, step.S1, step.S2, step.C3)
				case "read":
					reading, ok := clock.Read(step.Now)
					require.Equal(t, !step.None, ok, "step %d", i)
					expected := player.ClockReading{Offset: step.Offset, Uncertainty: step.Uncertainty, Delay: step.Delay}
					require.InDelta(t, expected.Offset, reading.Offset, rounding, "step %d", i)
					require.InDelta(t, expected.Uncertainty, reading.Uncertainty, rounding, "step %d", i)
					require.InDelta(t, expected.Delay, reading.Delay, rounding, "step %d", i)
				default:
					require.Fail(t, step.Op)
				}
			}
		})
	}
}

func TestPositions(t *testing.T) {
	for _, c := range readRules(t).Positions {
		require.InDelta(t, c.Position, c.Anchor.PositionAt(c.Time), rounding, c.Name)
	}
}

func TestCorrectionRules(t *testing.T) {
	for _, c := range readRules(t).Correction {
		t.Run(c.Name, func(t *testing.T) {
			corrector := player.NewCorrector()
			for i, step := range c.Steps {
				switch step.Op {
				case "next":
					got := corrector.Next(step.Observation)
					require.InDelta(t, step.Expect.Rate, got.Rate, rounding, "step %d", i)
					require.Equal(t, step.Expect.Seek, got.Seek, "step %d", i)
					require.Equal(t, step.Expect.GaveUp, got.GaveUp, "step %d", i)
				case "aim":
					require.InDelta(t, step.Value, corrector.Aim(step.Target, step.Rate), rounding, "step %d", i)
				case "starting":
					corrector.Starting(step.Behind)
				case "start_time":
					require.InDelta(t, step.Value, corrector.StartTime(), rounding, "step %d", i)
				case "reset":
					corrector.Reset()
				default:
					require.Fail(t, step.Op)
				}
			}
		})
	}
}

// recorder is a player that notes what it is told.
type recorder struct {
	position              float64
	paused, ready, moving bool
	calls                 []string
}

func (r *recorder) Position() float64 { return r.position }
func (r *recorder) IsPaused() bool    { return r.paused }
func (r *recorder) IsReady() bool     { return r.ready }
func (r *recorder) IsMoving() bool    { return r.moving }
func (r *recorder) Seek(p float64)    { r.calls = append(r.calls, "seek "+number(p)) }
func (r *recorder) SetRate(f float64) { r.calls = append(r.calls, "rate "+number(f)) }
func (r *recorder) Play()             { r.calls = append(r.calls, "play") }
func (r *recorder) Pause()            { r.calls = append(r.calls, "pause") }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func TestFollowerRules(t *testing.T) {
	for _, c := range readRules(t).Follower {
		t.Run(c.Name, func(t *testing.T) {
			media := &recorder{paused: true}
			follower := player.NewFollower(media)
			for i, step := range c.Steps {
				if step.Op == "set" {
					follower.Set(step.Anchor)
					continue
				}
				require.Equal(t, "tick", step.Op)
				*media = recorder{step.Media.Position, step.Media.Paused, step.Media.Ready, step.Media.Moving, []string{}}
				following, ok := follower.Tick(step.Now, step.Time)
				require.Equal(t, step.Calls, media.calls, "step %d", i)
				require.InDelta(t, step.Next, following.NextTick, rounding, "step %d", i)
				if step.Error != nil {
					require.InDelta(t, *step.Error, following.Error, rounding)
				} else {
					require.True(t, !ok || math.IsNaN(following.Error), fmt.Sprint("step ", i))
				}
			}
		})
	}
}
