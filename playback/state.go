package playback

import (
	"math"
	"time"
)

// Status is the status of playback.
type Status string

const (
	Idle    Status = "idle"    // there is no item
	Waiting Status = "waiting" // it rests until people are ready, at most until WaitUntil
	Playing Status = "playing" // it moves on from At
	Paused  Status = "paused"
)

// Wait says what the room waits for.
type Wait string

const (
	WaitLoad     Wait = "load"
	WaitSeek     Wait = "seek"
	WaitRebuffer Wait = "rebuffer"
)

// Cause says what has caused a state.
type Cause string

const (
	CauseNone        Cause = ""            // nothing has happened yet
	CausePlay        Cause = "play"        // a command
	CausePause       Cause = "pause"       // a command
	CauseSeek        Cause = "seek"        // a command
	CauseRate        Cause = "rate"        // a command
	CauseLoad        Cause = "load"        // a command
	CauseSkip        Cause = "skip"        // a command
	CauseStop        Cause = "stop"        // a command
	CauseReady       Cause = "ready"       // everybody for whom the room waited is ready
	CauseDeadline    Cause = "deadline"    // the wait reached its deadline
	CauseRebuffer    Cause = "rebuffer"    // somebody's player has run dry
	CauseEnded       Cause = "ended"       // the item was over
	CauseVoted       Cause = "voted"       // enough people voted to skip
	CauseRemoved     Cause = "removed"     // the item was removed
	CauseDeserted    Cause = "deserted"    // nobody was connected for DesertedAfter
	CauseArchived    Cause = "archived"    // the room was archived
	CauseScheduled   Cause = "scheduled"   // an item was loaded to start at StartsAt
	CauseUnscheduled Cause = "unscheduled" // the scheduled start was taken back
	CauseStarted     Cause = "started"     // StartsAt came
	CauseDuration    Cause = "duration"    // the item's duration was learnt
	CauseClock       Cause = "clock"       // Postgres' clock was set
)

// Limits.
const (
	// MaxPositionMS is the highest position of an item of unknown duration: 100 hours, the limit for movies.
	MaxPositionMS = 100 * 60 * 60 * 1000
	MinRate       = 0.25
	MaxRate       = 4.0
	// MaxRecent is the number of commands that a room keeps to recognise repeated ones.
	MaxRecent = 32
	// PauseTolerance is how far from the computed position the position of a person who pauses may be.
	PauseTolerance = time.Second
)

// Times. A wait for a load takes at most LoadDeadline, and so on.
const (
	LoadDeadline     = 20 * time.Second
	SeekDeadline     = 8 * time.Second
	RebufferDeadline = 8 * time.Second
	// EndGrace is how long after the end the next item starts at the latest.
	EndGrace = 2 * time.Second
	// EarlyEnd is the time before the expected end from which on reports of the end count.
	EarlyEnd = 30 * time.Second
	// DesertedAfter is the time without any connection after which playback pauses.
	DesertedAfter = time.Minute
	// LateStart is how late a scheduled start may be noticed to be in time nevertheless: meanwhile players have started by
	// their own clocks. Nobody wants to miss more of the beginning.
	LateStart = time.Minute
)

// State is the playback of a room. Times are UTC, to the microsecond.
type State struct {
	RoomID     string
	Status     Status
	Item       Item // the zero value when idle
	PositionMS int64
	At         time.Time
	Rate       float64
	Revision   int64
	Epoch      int64
	Cue        int64
	Resume     bool      // whether playback continues after a wait
	WaitFor    Wait      // empty unless waiting
	WaitUntil  time.Time // zero unless waiting
	EndsAt     time.Time // zero unless playing an item whose duration is known
	StartsAt   time.Time // zero unless a start is scheduled
	By         string    // the ID of the user whose command made this state; empty otherwise
	Cause      Cause
	Recent     []Applied // the latest commands, the oldest first, at most MaxRecent
	Forgotten  int64     // the revision after the latest command that is no longer in Recent; 0 for none
	UpdatedAt  time.Time // when Revision rose
}

// New is the state of a room that has never played anything.
func New(roomID string) State { return State{RoomID: roomID, Status: Idle, Rate: 1} }

// Item has the data of an item that Apply needs. NewItem makes one.
type Item struct {
	ID         string
	RuntimeMS  int64 // as the catalogue has it, to the minute; 0 when nobody knows it
	DurationMS int64 // of the stream; 0 when nobody knows it
	// CatalogueMS is the duration of the stream as the catalogue has it; 0 when the catalogue has none. DurationMS differs
	// from it if players have reported another one.
	CatalogueMS int64
	// Exact says that DurationMS was measured. Otherwise it is an estimate that is a little too long: RuntimeMS and
	// RuntimeSlack.
	Exact bool
}

// RuntimeSlack is added to the runtime, which is in whole minutes, to estimate the duration of an item until it is
// known.
const RuntimeSlack = time.Minute

// NewItem is an item with the runtime of the catalogue and its measured duration; 0 for unknown.
func NewItem(id string, runtimeMS, durationMS int64) Item {
	item := Item{
		ID: id, RuntimeMS: runtimeMS, DurationMS: durationMS, CatalogueMS: durationMS, Exact: durationMS > 0,
	}
	if !item.Exact && runtimeMS > 0 {
		item.DurationMS = min(runtimeMS+RuntimeSlack.Milliseconds(), MaxPositionMS)
	}
	return item
}

// Renewed returns the state with the item's times as the catalogue has them now. Without a change of the catalogue
// since the item was loaded, the state stays as it is: a duration that players have reported is kept. The room keeps
// its place, within the item. The revision stays, since all processes compute the same state from the same row and
// movie.
func (s State) Renewed(now Item) State {
	if s.Item.ID == "" || s.Item.ID != now.ID ||
		s.Item.RuntimeMS == now.RuntimeMS && s.Item.CatalogueMS == now.CatalogueMS {
		return s
	}
	if s.Item.CatalogueMS == now.CatalogueMS && s.Item.Exact { // only the runtime is another one
		now.DurationMS, now.Exact = s.Item.DurationMS, true
	}
	s.Item = now
	s.PositionMS = s.clamp(s.PositionMS)
	s.EndsAt = s.end()
	return s
}

// end returns when the item is over; zero unless it plays and its duration is known.
func (s State) end() time.Time {
	if s.Status != Playing || s.Item.DurationMS == 0 {
		return time.Time{}
	}
	left := float64(s.Item.DurationMS-s.PositionMS) / s.Rate
	return s.At.Add(time.Duration(left * float64(time.Millisecond))).Truncate(time.Microsecond)
}

// Applied is a command that was applied.
type Applied struct {
	ID       string `json:"id"`
	Revision int64  `json:"revision"` // after it
	Digest   string `json:"digest"`   // of its content
}

// Position returns the position of playback at an instant, in milliseconds.
func (s State) Position(at time.Time) int64 {
	if s.Status != Playing || !at.After(s.At) {
		return s.PositionMS
	}
	moved := float64(at.Sub(s.At)) / float64(time.Millisecond) * s.Rate
	return s.clamp(s.PositionMS + int64(math.Min(moved, MaxPositionMS)))
}

// clamp returns the closest position within the item.
func (s State) clamp(positionMS int64) int64 { return min(max(positionMS, 0), s.lastMS()) }

// lastMS returns the highest position of the item.
func (s State) lastMS() int64 {
	if s.Item.DurationMS > 0 {
		return s.Item.DurationMS
	}
	return MaxPositionMS
}

// Due is the instant at which a Tick is to be applied next; zero for never.
func (s State) Due() time.Time {
	due := s.WaitUntil
	if !s.EndsAt.IsZero() {
		due = earlier(due, s.EndsAt.Add(EndGrace))
	}
	return earlier(due, s.StartsAt)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
