package playback

import "time"

// Event is something that happens to a room's playback: a Command, or one of the types below.
type Event interface{ event() }

// Tick is that time has passed. It ends the wait that is overdue, the item that is over, and starts what is scheduled.
type Tick struct{}

// Reported is that the members have changed: one has come or gone, is ready, has ended, or has told the duration.
type Reported struct{}

// Stalled is that the player of a member has had nothing to play for two seconds. The member's readiness is taken back
// before the event is applied.
type Stalled struct{ ConnID string }

// Deserted is that nobody was connected for DesertedAfter, and that people were connected until Since.
type Deserted struct{ Since time.Time }

// Archived is that the room was archived.
type Archived struct{}

// Removed is that an item was removed from the room. It changes something if the item is the one that plays.
type Removed struct{ ItemID string }

// Voted is that enough people voted to skip the item of an epoch.
type Voted struct{ Epoch int64 }

// Scheduled is that an item is to start at an instant. It is loaded, and rests until then. It is refused with ErrBusy
// while something plays.
type Scheduled struct {
	Item       Item
	PositionMS int64
	StartsAt   time.Time
	By         string
}

// Unscheduled is that what was Scheduled does not start by itself any more. It stays loaded.
type Unscheduled struct{ By string }

// Begun is that the instant has come at which an item starts that could not be loaded before: something else was played.
type Begun struct {
	Item       Item
	PositionMS int64
	StartsAt   time.Time
}

// ClockSet is that Postgres' clock has jumped: everything that was anchored before, at a revision, moves along.
type ClockSet struct {
	Step     time.Duration
	Revision int64
}

func (Command) event()     {}
func (Tick) event()        {}
func (Reported) event()    {}
func (Stalled) event()     {}
func (Deserted) event()    {}
func (Archived) event()    {}
func (Removed) event()     {}
func (Voted) event()       {}
func (Scheduled) event()   {}
func (Unscheduled) event() {}
func (Begun) event()       {}
func (ClockSet) event()    {}

// Room is what the machine has to know of the room besides the state.
type Room struct {
	Members []Member
	Policy  Policy
	Next    Item // the first of the queue; the zero value if it is empty
	Default Item // what Play plays if nothing is loaded and the queue is empty; the zero value for nothing
}

// Effects are what is to be done besides storing the state.
type Effects struct {
	Changed  bool // the state has a new revision
	Unmoved  bool // the command has asked for what was so already: only the revision is new
	Replayed bool // the command was applied before, and changes nothing
	// Revision is the answer to a command: the one after it was applied, at first.
	Revision int64
	Finished string // the ID of the item that is no longer played; empty if there is none
	Started  string // the ID of the item that is played from now on: it leaves the queue
	// Stopped is the ConnID of the member that has made the room wait, and SetAside of one that is set aside for StableFor
	// because it did so too often. Both are empty otherwise.
	Stopped, SetAside string
}
