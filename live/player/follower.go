package player

import "math"

// States of an Anchor.
const (
	Idle    = "idle"
	Waiting = "waiting"
	Playing = "playing"
	Paused  = "paused"
)

// Anchor is where a room's playback is: from At on it moves at Rate, if it plays.
type Anchor struct {
	State    string  `json:"state"`
	Position float64 `json:"position_ms"`
	At       float64 `json:"at_ms"` // the server's time
	Rate     float64 `json:"rate"`
	Duration float64 `json:"duration_ms"`  // 0 when it is not known
	StartsAt float64 `json:"starts_at_ms"` // when it starts by itself; 0 unless it does
}

// maxEarly is the time in milliseconds after StartsAt during which a player may play without the server's confirmation
// of the start.
const maxEarly = 60_000.0

// Due returns the anchor as it is from StartsAt on: a player that waits for the room to say so would be late.
func (a Anchor) Due(time float64) Anchor {
	if a.State == Paused && a.StartsAt > 0 && time >= a.StartsAt-lookAhead && time < a.StartsAt+maxEarly {
		a.State, a.At = Playing, a.StartsAt
	}
	return a
}

// lookAhead is the time in milliseconds before its start at which a player prepares for it.
const lookAhead = 2_000.0

// PositionAt returns the position at a time of the server.
func (a Anchor) PositionAt(time float64) float64 {
	position := a.Position
	if a.State == Playing {
		position += max(time-a.At, 0) * a.Rate
	}
	return min(max(position, 0), a.end())
}

func (a Anchor) end() float64 {
	if a.Duration == 0 {
		return math.Inf(1)
	}
	return a.Duration
}

// Media is a player.
type Media interface {
	Position() float64
	IsPaused() bool
	IsReady() bool  // it could play on from where it is: it has data, and does not seek
	IsMoving() bool // it was told to play, and has done so since its last seek
	Seek(position float64)
	SetRate(rate float64)
	Play()
	Pause()
}

// Following says how well a player follows.
type Following struct {
	Target   float64 // where the room is
	Error    float64 // how far the player is behind (positive) or ahead, while both move; else NaN
	GaveUp   bool
	IsReady  bool    // the player shows the room's position, and could play on
	NextTick float64 // in how long the next tick should be, where it matters, since the player starts then; else 0
}

// Times and positions are in milliseconds.
const (
	exactEnough = 1.0   // a resting player is moved if its error is larger
	lateStart   = 120.0 // a player that would start later than this is sent ahead of the room first
	tooLate     = 400.0 // a player that was sent ahead and is later than this is sent once more
)

// Follower makes a player do what the room does. It gives no commands, and knows nothing of networks.
type Follower struct {
	media     Media
	corrector *Corrector
	anchor    *Anchor
	aligned   bool
	prepared  bool
}

// NewFollower returns one that has no state yet.
func NewFollower(media Media) *Follower { return &Follower{media: media, corrector: NewCorrector()} }

// Set takes a newer state of the room.
func (f *Follower) Set(anchor Anchor) {
	former := f.anchor
	f.anchor = &anchor
	if former != nil {
		same := anchor
		same.Duration = former.Duration
		if same == *former {
			return
		}
	}
	f.Retry()
}

// Retry begins anew: the player has another source, or the user asks to catch up.
func (f *Follower) Retry() {
	f.corrector.Reset()
	f.aligned, f.prepared = false, false
}

// Tick compares and acts, at a time of the client and of the server. It may be called at any time, however rarely. It
// returns false when there is nothing to follow.
func (f *Follower) Tick(now, serverTime float64) (Following, bool) {
	if f.anchor == nil || f.anchor.State == Idle {
		f.stop()
		return Following{}, false
	}
	if f.media.IsReady() {
		f.corrector.Arrived(now)
	}
	anchor := f.anchor.Due(serverTime)
	target := anchor.PositionAt(serverTime)
	wait := anchor.At - f.corrector.StartTime() - serverTime
	if anchor.State == Playing && wait <= 0 {
		return f.move(anchor, target, now, serverTime), true
	}
	f.stop()
	f.align(target, now)
	if anchor.State != Playing {
		wait = 0
	}
	return f.standing(target, wait), true
}

func (f *Follower) standing(target, wait float64) Following {
	return Following{Target: target, Error: math.NaN(), IsReady: f.media.IsReady(), NextTick: wait}
}

func (f *Follower) stop() {
	if !f.media.IsPaused() {
		f.media.Pause()
	}
}

// align seeks once for each anchor: players that miss by a little are not sent seeking again and again.
func (f *Follower) align(target, now float64) {
	if f.aligned {
		return
	}
	f.aligned = true
	if math.Abs(target-f.media.Position()) > exactEnough {
		f.media.Seek(target)
		f.corrector.Seeking(now)
	}
}

func (f *Follower) move(anchor Anchor, target, now, serverTime float64) Following {
	ends := target >= anchor.end()
	if f.media.IsPaused() {
		wait := 0.0
		if !ends {
			wait = f.start(anchor, target, now, serverTime)
		}
		return f.standing(target, wait)
	}
	moving := f.media.IsMoving() && !ends
	actual := f.media.Position()
	c := f.corrector.Next(Observation{Now: now, Target: target, Actual: actual, Rate: anchor.Rate, Moving: moving})
	f.media.SetRate(c.Rate)
	if c.Seek != nil {
		f.media.Seek(*c.Seek)
	}
	following := Following{Target: target, Error: math.NaN(), GaveUp: c.GaveUp, IsReady: f.media.IsReady()}
	if moving {
		following.Error = target - actual
	}
	return following
}

// start starts the player so that it is where the room is. A player that is elsewhere is first sent ahead of the room,
// and waits there until the room comes: how long its seek takes then matters little. It returns how long to wait, or 0.
func (f *Follower) start(anchor Anchor, target, now, serverTime float64) float64 {
	early := max(anchor.At-serverTime, 0)
	behind := (target-f.media.Position())/anchor.Rate - early
	if isFar := behind < -tooLate || behind+f.corrector.StartTime() > lateStart; isFar && !f.prepared {
		f.prepared = true
		f.media.Seek(target + f.corrector.Lead()*anchor.Rate)
		f.corrector.Seeking(now)
		return 0
	}
	if !f.media.IsReady() {
		return 0
	}
	if wait := -behind - f.corrector.StartTime(); wait > 0 {
		return wait
	}
	f.media.SetRate(anchor.Rate)
	if behind > tooLate {
		f.media.Seek(f.corrector.Aim(target, anchor.Rate))
	} else {
		f.corrector.Starting(behind)
	}
	f.media.Play()
	return 0
}
