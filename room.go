package watchparty

import (
	"slices"
	"time"
)

// Visibility says who can find and enter a room.
type Visibility string

const (
	Public   Visibility = "public"   // listed, open to all
	Unlisted Visibility = "unlisted" // open to whoever has its address
	Private  Visibility = "private"  // for those in it; to all others it does not exist
)

// Room is where people watch together.
type Room struct {
	ID           string
	Name         string
	Description  string
	MovieID      string // empty without one
	HostID       string // empty when the account of an archived room's host is gone
	HostUsername string
	Visibility   Visibility
	Capacity     int // everyone in it, the host too
	Participants int
	SlowMode     time.Duration // between two messages of one person; 0 without
	Sharing      Sharing
	QueueOrder   QueueOrder
	WaitPolicy   WaitPolicy
	ArchivedAt   time.Time // zero while open
	RetiredAt    time.Time // zero unless clean-up archived it
	ClosedAt     time.Time // zero unless an admin closed it; then it is archived, and its host cannot open it
	Version      int       // counts the changes of the room's own properties
	CreatedAt    time.Time
	UpdatedAt    time.Time
	Rank         int       // among the results of a search: the closest has the lowest
	LastActiveAt time.Time // set in lists that are sorted by it only
	Present      int       // how many people are present; set in lists that are sorted by it only
}

// Participant is a user in a room.
type Participant struct {
	UserID      string
	Username    string
	DisplayName string
	Role        Role
	MutedUntil  time.Time // zero unless muted
	JoinedAt    time.Time // of who is not in the room: when their role there began
	LastSeenAt  time.Time // the same
	Away        bool      // has a role in the room and is not in it
}

// Present reports whether they were in the room just before now.
func (p Participant) Present(now time.Time) bool {
	return !p.Away && now.Sub(p.LastSeenAt) < PresentFor
}

// PresentFor is how long someone counts as present after they were last seen.
const PresentFor = 90 * time.Second

// Standing is what someone is to a room.
type Standing struct {
	Role        Role // empty for who is nothing to it yet
	Banned      bool
	BannedUntil time.Time // zero for a ban that does not end
}

// Place is a user's own view of a room.
type Place struct {
	Role       Role      // Viewer for whoever is nothing else
	Joined     bool      // in it now
	MutedUntil time.Time // zero unless a mute is in force
	Sharing    Sharing   // the room's
}

// May reports whether the user may use a permission in the room now.
func (p Place) May(may Permission) bool {
	return p.Role.MayIn(p.Sharing, may) && (p.MutedUntil.IsZero() || mutedMay(may))
}

// Permissions are what the user may do in the room now: what the role allows there, without what a mute forbids.
func (p Place) Permissions() []Permission {
	return slices.DeleteFunc(Permissions(), func(may Permission) bool { return !p.May(may) })
}

// MyRoom is a room together with what its user is to it.
type MyRoom struct {
	Room   Room
	Role   Role
	Joined bool // in it now
	// Unread is how many messages of others came after the one that the user marked as read, at most MaxUnread. All count
	// for a user who has marked none.
	Unread        int
	LastMessageAt time.Time // zero for a room without messages
}

// MaxUnread is up to where unread messages are counted.
const MaxUnread = 100

// ReadMarker says up to which message a user has read a room.
type ReadMarker struct {
	RoomID    string
	MessageID string
	ReadAt    time.Time
}

// MyRoomFilter chooses among a user's rooms; the zero value takes all.
type MyRoomFilter struct {
	Role     Role
	Archived *bool
}

// RoomFilter chooses among listed rooms; the zero value takes all.
type RoomFilter struct {
	Search    string // words, the last one by its beginning; the closest come first
	MovieID   string
	Available bool // only those that have a place left
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
		Message: "The room has no host any more, so it cannot be opened."}
	ErrNotRetired = &Error{Kind: KindConflict, Code: "room_not_retired",
		Message: "Clean-up has not archived the room, or the room has no host any more."}
	ErrBanned         = &Error{Kind: KindForbidden, Code: "banned", Message: "You are banned from this room."}
	ErrNotParticipant = &Error{Kind: KindForbidden, Code: "not_participant", Message: "Join the room first."}
	ErrOwnRole        = &Error{Kind: KindConflict, Code: "own_role",
		Message: "Your own role changes when you hand the room over to someone else."}
	ErrUnknownReadMessage = &Error{
		Kind:    KindInvalid,
		Code:    "unknown_message",
		Message: "There is no such message in this room.",
		Fields:  []FieldError{{Field: "message_id", Code: "unknown", Message: "names no message of this room"}},
	}
	ErrUnknownMovie = &Error{Kind: KindInvalid, Code: "unknown_movie", Message: "There is no such movie.",
		Fields: []FieldError{{Field: "movie_id", Code: "unknown", Message: "names no movie"}}}
)

// NewRoom is what a room is opened with.
type NewRoom struct {
	Name        string
	Description string
	MovieID     string
	Visibility  Visibility
	Capacity    int
}

// Normalise trims the texts and fills in the defaults.
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

// RoomChange holds what a host may change; nil leaves a property as it is.
type RoomChange struct {
	Name        *string
	Description *string
	MovieID     *string // empty for none
	Visibility  *Visibility
	Capacity    *int
	SlowMode    *time.Duration
	Control     *Circle
	Queue       *Circle
	QueueOrder  *QueueOrder
	WaitPolicy  *WaitPolicy
	Archived    *bool
}

// Normalise trims the texts.
func (c *RoomChange) Normalise() {
	if c.Name != nil {
		name := normalLine(*c.Name)
		c.Name = &name
	}
	if c.Description != nil {
		description := normalProse(*c.Description)
		c.Description = &description
	}
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
