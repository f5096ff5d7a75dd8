package watchparty

import "time"

// Message is a message in a room's chat. Its body is plain text, stored as sent.
type Message struct {
	ID        string
	RoomID    string
	Author    Person // zero if the account is deleted
	Body      string
	ReplyTo   *Quote // nil unless it answers another message
	CreatedAt time.Time
	EditedAt  time.Time // zero unless edited
	DeletedAt time.Time // zero unless deleted; the body is empty then
	ChangedAt time.Time // when it was last edited or deleted; only set in lists of changes
}

// Quote is a message that another one answers. Its excerpt is empty if the message is deleted.
type Quote struct {
	ID      string
	Author  Person // zero if the account is deleted
	Excerpt string
}

// Limits of messages.
const (
	MaxMessage = 2000 // characters
	MaxExcerpt = 140  // characters
	// EditWindow is how long an author can edit a message.
	EditWindow = 15 * time.Minute
)

// Errors of messages.
var (
	ErrMuted    = &Error{Kind: KindForbidden, Code: "muted", Message: "You are muted in this room."}
	ErrSlowMode = &Error{
		Kind:    KindLimited,
		Code:    "slow_mode",
		Message: "The room is in slow mode. Try again in a moment.",
	}
	ErrEditWindowOver = &Error{Kind: KindForbidden, Code: "edit_window_over",
		Message: "A message can be edited for 15 minutes."}
	ErrUnknownMessage = &Error{Kind: KindInvalid, Code: "unknown_message", Message: "The message is not in this room."}
)

// UnknownMessage is ErrUnknownMessage for the message that a field of the request names.
func UnknownMessage(field string) error {
	e := *ErrUnknownMessage
	e.Fields = []FieldError{{Field: field, Code: "unknown", Message: "is not a message of this room"}}
	return &e
}

// TooSoon is ErrSlowMode for a person who can post again after wait.
func TooSoon(wait time.Duration) error {
	e := *ErrSlowMode
	e.RetryAfter = wait
	return &e
}

// NewMessage is a message to be posted.
type NewMessage struct {
	RoomID    string
	Body      string
	ReplyToID string // empty unless it answers another message
}

// ValidateMessage checks a message's body.
func ValidateMessage(body string) error {
	var v fields
	v.prose("body", body, 1, MaxMessage)
	return v.err()
}
