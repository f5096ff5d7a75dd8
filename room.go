package watchparty

import (
	"strings"
	"time"
)

// Visibility says who can find and enter a room.
type Visibility string

const (
	Public   Visibility = "public"   // listed, open to all
	Unlisted Visibility = "unlisted" // open to whoever has its address
	Private  Visibility = "private"  // for those in it; to all others it does not exist
)

// Role is what a participant may do in a room.
type Role string

const (
	Host   Role = "host"
	Viewer Role = "viewer"
)

// Room is where people watch together.
type Room struct {
	ID           string
	Name         string
	Description  string
	MovieID      string // empty without one
	HostID       string
	HostUsername string
	Visibility   Visibility
	Capacity     int // everyone in it, the host too
	Participants int
	ArchivedAt   time.Time // zero while open
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Participant is a user in a room.
type Participant struct {
	UserID      string
	Username    string
	DisplayName string
	Role        Role
	JoinedAt    time.Time
	LastSeenAt  time.Time
}

// Limits of rooms.
const (
	MaxRoomName        = 100
	MaxRoomDescription = 1000
	MinCapacity        = 2
	MaxCapacity        = 1000
	DefaultCapacity    = 50
)

// Errors of rooms.
var (
	ErrRoomFull       = &Error{Kind: KindConflict, Code: "room_full", Message: "The room is full."}
	ErrRoomArchived   = &Error{Kind: KindConflict, Code: "room_archived", Message: "The room is archived."}
	ErrNotParticipant = &Error{Kind: KindForbidden, Code: "not_participant", Message: "Join the room first."}
	ErrUnknownMovie   = &Error{Kind: KindInvalid, Code: "unknown_movie", Message: "There is no such movie.",
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
	r.Name = strings.TrimSpace(r.Name)
	r.Description = strings.TrimSpace(r.Description)
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
	v.length("name", r.Name, 1, MaxRoomName)
	v.visible("name", r.Name)
	v.line("name", r.Name)
	v.length("description", r.Description, 0, MaxRoomDescription)
	v.text("description", r.Description)
	v.check(r.Visibility == Public || r.Visibility == Unlisted || r.Visibility == Private, "visibility", "enum", "must be public, unlisted or private")
	v.check(r.Capacity >= MinCapacity && r.Capacity <= MaxCapacity, "capacity", "range", "must be from 2 to 1000")
	return v.err()
}
