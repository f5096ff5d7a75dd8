package player

import "math"

// Observation is what a player shows, and what it should show.
type Observation struct {
	Now    float64 `json:"now"`    // the client's monotonic time
	Target float64 `json:"target"` // the position of the room
	Actual float64 `json:"actual"` // the position of this player
	Rate   float64 `json:"rate"`   // the room's
	Moving bool    `json:"moving"` // the player neither seeks nor waits for data
}

// Correction is what to do.
type Correction struct {
	Rate   float64  // to play at
	Seek   *float64 // where to seek, if anywhere
	GaveUp bool     // correction has been given up: say how far behind the player is, and offer to try again
}

// Times and positions are in milliseconds.
const (
	coarseError = 40.0    // correction starts above this error
	fineError   = 15.0    // correction ends below this error
	errorDecay  = 3_000.0 // time in which a corrected error decays
	gentleShare = 0.05
	firmShare   = 0.1
	firmAbove   = 500.0
	rateStep    = 0.005 // rates are changed in steps, since each change may be heard

	seekAbove            = 1_000.0
	seekAboveWithoutRate = 400.0
	firstSeekGap         = 5_000.0
	lastSeekGap          = 30_000.0
	calmAfter            = 30_000.0
	seekAttempts         = 3
	maxSeekTime          = 2_000.0
	// maxStandingSeek limits what is learnt from a seek of a resting player: it may have to load data, which says little
	// about the next seek.
	maxStandingSeek = 1_000.0
	firstLead       = 600.0 // until it is known how long seeks take
	minLead         = 300.0
	leadSpare       = 50.0
	seekVariation   = 1.25
	// rateProof is the expected movement after which a rate is judged: it does not work if the player has moved by less
	// than a quarter of that.
	rateProof = 200.0
)

type pendingKind int

const (
	nothingPending pendingKind = iota
	seekPending
	startPending
)

type pendingMove struct {
	kind     pendingKind
	expected float64 // the error that would be left if the move took no time
	limit    float64 // that the error was above, for a seek that corrects; 0 for one that was asked for
}

type appliedRate struct{ now, rate float64 }

type rateProbe struct{ error, expected float64 }

// Corrector keeps a player with its room: small errors by its rate, large ones by seeking, never by a command. It
// learns how long the player takes to seek and to start, and aims ahead by that.
type Corrector struct {
	correcting bool
	pending    pendingMove
	seekTime   float64
	seekKnown  bool
	startTime  float64
	startKnown bool
	lastSeek   float64
	gap        float64
	standing   float64 // when a resting player was told to seek; NaN if it has arrived
	failures   int
	rateFails  bool
	last       *appliedRate
	probe      *rateProbe
}

// NewCorrector returns one for a player of which nothing is known.
func NewCorrector() *Corrector {
	return &Corrector{seekTime: 150, startTime: 60, lastSeek: math.Inf(-1), gap: firstSeekGap, standing: math.NaN()}
}

// StartTime says how long a start of this player takes.
func (c *Corrector) StartTime() float64 { return c.startTime }

// Lead says how far ahead of the room a player has to seek in order to start there in time.
func (c *Corrector) Lead() float64 {
	if !c.seekKnown {
		return firstLead
	}
	return min(max(c.seekTime*seekVariation+c.startTime+leadSpare, minLead), maxSeekTime)
}

// Seeking records that a resting player was told to seek.
func (c *Corrector) Seeking(now float64) { c.standing = now }

// Arrived records that a resting player is ready at its new position. It may be called whenever the player is ready.
func (c *Corrector) Arrived(now float64) {
	if math.IsNaN(c.standing) {
		return
	}
	took := min(max(now-c.standing, 0), maxStandingSeek)
	c.seekTime, c.seekKnown, c.standing = learnt(c.seekTime, took, c.seekKnown), true, math.NaN()
}

// Reset tries again what was given up, after a command of the room or a gesture of the user.
func (c *Corrector) Reset() {
	c.failures, c.gap, c.lastSeek, c.correcting = 0, firstSeekGap, math.Inf(-1), false
	c.forget()
}

// Aim says where to seek so that the player is at the target when it moves again.
func (c *Corrector) Aim(target, rate float64) float64 {
	c.pending = pendingMove{kind: seekPending, expected: -c.seekTime}
	c.forget()
	return target + c.seekTime*rate
}

// Starting notes that the player has been told to play, and how far behind it is then: negative when it is early.
func (c *Corrector) Starting(behind float64) {
	c.pending = pendingMove{kind: startPending, expected: behind}
	c.forget()
}

// Next decides by what is seen now.
func (c *Corrector) Next(o Observation) Correction {
	if !o.Moving {
		c.forget()
		return Correction{Rate: o.Rate, GaveUp: c.failures >= seekAttempts}
	}
	behind := o.Target - o.Actual
	size := math.Abs(behind)
	behind /= o.Rate
	c.learn(behind)
	c.judgeRate(o.Now, behind, o.Rate)
	limit := seekAbove
	if c.rateFails {
		limit = seekAboveWithoutRate
	}
	if size <= limit && c.failures >= seekAttempts {
		c.failures = 0
	}
	gaveUp := c.failures >= seekAttempts
	if size > limit && !gaveUp && o.Now-c.lastSeek >= c.gap {
		return c.seek(o, limit)
	}
	if size <= coarseError && o.Now-c.lastSeek >= calmAfter {
		c.gap = firstSeekGap
	}
	bar := coarseError
	if c.correcting {
		bar = fineError
	}
	c.correcting = !gaveUp && !c.rateFails && size > bar
	chosen := o.Rate
	if c.correcting {
		chosen *= 1 + share(behind)
		if c.probe == nil {
			c.probe = &rateProbe{error: behind}
		}
	} else {
		c.probe = nil
	}
	c.last = &appliedRate{now: o.Now, rate: chosen}
	return Correction{Rate: chosen, GaveUp: gaveUp}
}

func (c *Corrector) seek(o Observation, limit float64) Correction {
	if !math.IsInf(c.lastSeek, -1) {
		c.gap = min(c.gap*2, lastSeekGap)
	}
	c.lastSeek, c.correcting = o.Now, false
	to := c.Aim(o.Target, o.Rate)
	c.pending.limit = limit
	return Correction{Rate: o.Rate, Seek: &to}
}

// learn measures how long a seek or start took: the growth of the error since the player was told to.
func (c *Corrector) learn(behind float64) {
	pending := c.pending
	c.pending = pendingMove{}
	if pending.kind == nothingPending {
		return
	}
	took := min(max(behind-pending.expected, 0), maxSeekTime)
	if pending.kind == startPending {
		c.startTime, c.startKnown = learnt(c.startTime, took, c.startKnown), true
		return
	}
	c.seekTime, c.seekKnown = learnt(c.seekTime, took, c.seekKnown), true
	switch {
	case pending.limit == 0:
	case math.Abs(behind) <= pending.limit/2:
		c.failures = 0
	default:
		c.failures++
	}
}

func learnt(old, took float64, known bool) float64 {
	if known {
		return (old + took) / 2
	}
	return took
}

// judgeRate compares what the rate should have done with what it did.
func (c *Corrector) judgeRate(now, behind, rate float64) {
	if c.last == nil || c.probe == nil {
		return
	}
	c.probe.expected += (c.last.rate/rate - 1) * (now - c.last.now)
	if math.Abs(c.probe.expected) < rateProof {
		return
	}
	if (c.probe.error-behind)/c.probe.expected < 0.25 {
		c.rateFails = true
	}
	c.probe = nil
}

func (c *Corrector) forget() { c.last, c.probe = nil, nil }

// share returns the relative change of the rate for an error.
func share(behind float64) float64 {
	most := gentleShare
	if math.Abs(behind) > firmAbove {
		most = firmShare
	}
	return math.Round(min(max(behind/errorDecay, -most), most)/rateStep) * rateStep
}
