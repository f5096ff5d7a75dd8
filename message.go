package watchparty

import "time"

// Message is one thing said in a room's chat. Its body is plain text, stored as sent.
type Message struct {
	ID        string
	RoomID    string
	UserID    string // empty when its author's account is gone
	Username  string
	Body      string
	CreatedAt time.Time
}

// MaxMessage is a message's longest body in characters.
const MaxMessage = 2000

// ValidateMessage checks a message's body.
func ValidateMessage(body string) error {
	var v fields
	v.length("body", body, 1, MaxMessage)
	v.visible("body", body)
	v.text("body", body)
	return v.err()
}
