package playback

import (
	"time"

	"github.com/watchparty/watchparty"
)

// Event is something that happens to a room's playback: a Command, or one of the types below.
type Event interface{ event() }

// Tick says that time has passed. It ends an overdue wait or an item that is over, or starts a scheduled item.
type Tick struct{}

// Reported says that the members have changed: a member has come or gone, is ready, has reached the end, or has
// reported the duration.
type Reported struct{}

// Stalled says that a member's player has had nothing to play for two seconds. The store clears the member's readiness
// before it applies the event.
type Stalled struct{ ConnID string }

// Deserted says that nobody was connected for DesertedAfter. Since is the time until which people were connected.
type Deserted struct{ Since time.Time }

// Archived says that the room was archived.
type Archived struct{}

// Removed says that an item was removed from the room. It changes the state only if that item plays.
type Removed struct{ ItemID string }

// Voted says that enough people voted to skip the item of an epoch.
type Voted struct{ Epoch int64 }

// Scheduled says that an item is to start at an instant. The item is loaded and rests until then. The event is refused
// with ErrBusy while something plays.
type Scheduled struct {
	Item       Item
	PositionMS int64
	StartsAt   time.Time
	By         string
}

// Unscheduled says that the item of Scheduled no longer starts by itself. The item stays loaded.
type Unscheduled struct{ By string }

// Begun says that the instant has come at which an item starts. It was not Scheduled, since something else was playing.
type Begun struct {
	Item       Item
	PositionMS int64
	StartsAt   time.Time
}

// ClockSet says that Postgres' clock has jumped. A state that was made before the jump, at the given revision, is moved
// along.
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

// Room has the data of the room that Apply needs besides the state.
type Room struct {
	Members []Member
	Policy  watchparty.WaitPolicy
	Next    Item // the first of the queue; the zero value if it is empty
	Default Item // what Play plays if nothing is loaded and the queue is empty; the zero value for nothing
}

// Effects says what the caller has to do besides storing the state.
type Effects struct {
	Changed  bool // the state has a new revision
	Unmoved  bool // the command changes nothing but the revision
	Replayed bool // the command was applied before, and changes nothing
	// Revision is the answer to a command: the revision after it was applied for the first time.
	Revision int64
	Finished string // the ID of the item that is no longer played; empty if there is none
	Started  string // the ID of the item that is played from now on: it leaves the queue
	// Stopped is the ConnID of the member that has made the room wait. SetAside is the ConnID of a member that has done so
	// too often, and for which the room does not wait for StableFor. Both may be empty.
	Stopped, SetAside string
}
