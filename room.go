package watchparty

import (
	"slices"
	"time"
)

// Visibility says who can find and join a room.
type Visibility string

const (
	Public   Visibility = "public"   // listed, open to everyone
	Unlisted Visibility = "unlisted" // open to everyone who has its address
	Private  Visibility = "private"  // for its members; everyone else gets "not found"
)

// Room is a room in which people watch together.
type Room struct {
	ID           string
	Name         string
	Description  string
	Movie        RoomMovie // zero without one
	Host         Person    // zero if the account of an archived room's host is deleted
	Visibility   Visibility
	Capacity     int // maximal number of people in it, the host included
	Participants int
	Present      int           // number of participants who are present
	PresentUntil time.Time     // when the first of them counts as absent, unless seen again; zero if nobody is present
	SlowMode     time.Duration // time between two messages of one person; 0 without slow mode
	Access       RoomAccess
	QueueOrder   QueueOrder
	WaitPolicy   WaitPolicy
	NextParty    NextParty // zero without one
	NowPlaying   bool      // whether everyone may see what it plays; without effect while it is private
	ArchivedAt   time.Time // zero while open
	RetiredAt    time.Time // zero unless clean-up archived it
	ClosedAt     time.Time // zero unless an admin closed it; then it is archived, and its host cannot open it
	Version      int       // number of changes of the room's own properties
	CreatedAt    time.Time
	UpdatedAt    time.Time
	Rank         int       // in a search: the closest result has the lowest rank
	LastActiveAt time.Time // only set in lists that are sorted by it
}

// RoomMovie is what a room shows of its movie. The zero value is no movie.
type RoomMovie struct {
	ID             string
	Title          string
	Year           int
	RuntimeMinutes int
	PosterURL      string // empty without one
}

// Participant is a user in a room, or with a role in it.
type Participant struct {
	User       Person
	Role       Role
	MutedUntil time.Time // zero unless muted
	JoinedAt   time.Time // for a user who is not in the room: when their role began
	LastSeenAt time.Time // for a user who is not in the room: when their role began
	Away       bool      // has a role in the room and is not in it
}

// Present reports whether the participant was seen within PresentFor before now.
func (p Participant) Present(now time.Time) bool {
	return !p.Away && now.Sub(p.LastSeenAt) < PresentFor
}

// PresentFor is how long people count as present after they were last seen.
const PresentFor = 90 * time.Second

// Standing is the role and the ban of a user in a room.
type Standing struct {
	Role        Role // empty for a user without a role
	Banned      bool
	BannedUntil time.Time // zero for a ban without an end
}

// OwnStanding is a user's standing in a room, as that user sees it.
type OwnStanding struct {
	Role       Role       // Viewer for a user without another role
	Joined     bool       // whether the user is in it now
	MutedUntil time.Time  // zero unless a mute is in force
	Access     RoomAccess // the room's
}

// May reports whether the user may use a permission in the room now.
func (s OwnStanding) May(may Permission) bool {
	return s.Role.MayIn(s.Access, may) && (s.MutedUntil.IsZero() || mutedMay(may))
}

// Permissions returns the permissions of the user in the room now: those of the role, without those that a mute
// forbids.
func (s OwnStanding) Permissions() []Permission {
	return slices.DeleteFunc(Permissions(), func(may Permission) bool { return !s.May(may) })
}

// MyRoom is a room together with the user's role in it.
type MyRoom struct {
	Room   Room
	Role   Role
	Joined bool // whether the user is in it now
	// Unread is the number of messages of others after the one that the user marked as read, at most MaxUnread. All
	// messages count for a user who has marked none.
	Unread        int
	LastMessageAt time.Time // zero for a room without messages
}

// MaxUnread is the number up to which unread messages are counted.
const MaxUnread = 100

// ReadMarker says up to which message a user has read a room.
type ReadMarker struct {
	RoomID    string
	MessageID string
	ReadAt    time.Time
}

// MyRoomFilter selects among a user's rooms. The zero value selects all.
type MyRoomFilter struct {
	Role     Role
	Archived *bool
}

// RoomFilter selects among listed rooms. The zero value selects all.
type RoomFilter struct {
	Search    string // words, the last one by its beginning; the closest results come first
	MovieID   string
	Available bool // only rooms that are not full
}

// Limits of rooms.
const (
	MaxRoomName        = 100
	MaxRoomDescription = 1000
	MinCapacity        = 2
	MaxCapacity        = 1000
	DefaultCapacity    = 50
	MaxSlowMode        = time.Hour
)

// Errors of rooms.
var (
	ErrRoomFull     = &Error{Kind: KindConflict, Code: "room_full", Message: "The room is full."}
	ErrRoomArchived = &Error{Kind: KindConflict, Code: "room_archived", Message: "The room is archived."}
	ErrRoomClosed   = &Error{Kind: KindConflict, Code: "room_closed", Message: "An admin has closed the room."}
	ErrRoomHostless = &Error{Kind: KindConflict, Code: "room_without_host",
		Message: "The room has no host any more, so it cannot be reopened."}
	ErrNotRetired = &Error{Kind: KindConflict, Code: "room_not_retired",
		Message: "Clean-up has not archived the room."}
	ErrBanned         = &Error{Kind: KindForbidden, Code: "banned", Message: "You are banned from this room."}
	ErrNotParticipant = &Error{Kind: KindForbidden, Code: "not_participant", Message: "Join the room first."}
	ErrOwnRole        = &Error{Kind: KindConflict, Code: "own_role",
		Message: "Your own role changes when you hand the room over to someone else."}
	ErrNoNextHost = &Error{Kind: KindConflict, Code: "no_next_host",
		Message: "Nobody else is in the room who could become its host. Archive the room, or delete it."}
	ErrUnknownMovie = &Error{
		Kind:    KindInvalid,
		Code:    "unknown_movie",
		Message: "The movie does not exist, or it is archived.",
		Fields:  []FieldError{{Field: "movie_id", Code: "unknown", Message: "is not a movie of the catalogue"}},
	}
)

// NewRoom is a room to be opened.
type NewRoom struct {
	Name        string
	Description string
	MovieID     string
	Visibility  Visibility
	Capacity    int
}

// Normalise brings the texts into the form in which they are checked and stored, and fills in the defaults.
func (r *NewRoom) Normalise() {
	r.Name = normalLine(r.Name)
	r.Description = normalProse(r.Description)
	if r.Visibility == "" {
		r.Visibility = Public
	}
	if r.Capacity == 0 {
		r.Capacity = DefaultCapacity
	}
}

// Validate reports every field that is wrong.
func (r NewRoom) Validate() error {
	var v fields
	v.roomName(r.Name)
	v.roomDescription(r.Description)
	v.visibility(r.Visibility)
	v.capacity(r.Capacity)
	return v.err()
}

// RoomChange is a change of a room by its host. A nil field stays as it is.
type RoomChange struct {
	Name        *string
	Description *string
	MovieID     *string // empty for none
	Visibility  *Visibility
	Capacity    *int
	SlowMode    *time.Duration
	Control     *AccessLevel
	Queue       *AccessLevel
	QueueOrder  *QueueOrder
	WaitPolicy  *WaitPolicy
	NowPlaying  *bool
	Archived    *bool
}

// Normalise brings the texts into the form in which they are checked and stored.
func (c *RoomChange) Normalise() {
	c.Name = normalised(c.Name, normalLine)
	c.Description = normalised(c.Description, normalProse)
}

// Validate reports every field that is wrong.
func (c RoomChange) Validate() error {
	var v fields
	if c.Name != nil {
		v.roomName(*c.Name)
	}
	if c.Description != nil {
		v.roomDescription(*c.Description)
	}
	if c.Visibility != nil {
		v.visibility(*c.Visibility)
	}
	if c.Capacity != nil {
		v.capacity(*c.Capacity)
	}
	if c.SlowMode != nil {
		v.check(*c.SlowMode >= 0 && *c.SlowMode <= MaxSlowMode, "slow_mode_seconds", "range", "must be from 0 to 3600")
	}
	const circles = "must be host, moderators or everyone"
	v.check(c.Control == nil || c.Control.known(), "control", "enum", circles)
	v.check(c.Queue == nil || c.Queue.known(), "queue", "enum", circles)
	v.check(c.QueueOrder == nil || slices.Contains(QueueOrders(), *c.QueueOrder), "queue_order", "enum",
		"must be manual or votes")
	v.check(c.WaitPolicy == nil || slices.Contains(WaitPolicies(), *c.WaitPolicy), "wait_policy", "enum",
		"must be auto, everyone, host or nobody")
	return v.err()
}

func (v *fields) roomName(name string) {
	v.line("name", name, 1, MaxRoomName)
}

func (v *fields) roomDescription(description string) {
	v.prose("description", description, 0, MaxRoomDescription)
}

func (v *fields) visibility(visibility Visibility) {
	v.check(visibility == Public || visibility == Unlisted || visibility == Private, "visibility", "enum",
		"must be public, unlisted or private")
}

func (v *fields) capacity(capacity int) {
	v.check(capacity >= MinCapacity && capacity <= MaxCapacity, "capacity", "range", "must be from 2 to 1000")
}
