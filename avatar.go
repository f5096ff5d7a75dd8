package watchparty

import "time"

// AvatarState is where an upload stands.
type AvatarState string

const (
	AvatarProcessing AvatarState = "processing"
	AvatarReady      AvatarState = "ready"
	AvatarFailed     AvatarState = "failed"
	// AvatarSuperseded: a newer upload or a deletion came first; nothing of this one is kept.
	AvatarSuperseded AvatarState = "superseded"
)

// Avatar is one upload by a user; versions count up from 1 for each user.
type Avatar struct {
	ID        string
	UserID    string
	Version   int
	State     AvatarState
	Reason    string // for the user, when failed
	CreatedAt time.Time
	UpdatedAt time.Time
}
