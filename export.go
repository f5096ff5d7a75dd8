package watchparty

import "time"

// What follows is stored about an account and has no other use than its export.

// EndedSession is a sign-in that may have ended.
type EndedSession struct {
	Session
	EndedAt time.Time // zero while it is in force
}

// AddressProof is an address that an account has been asked to confirm.
type AddressProof struct {
	ID        string
	Email     string
	Former    string // the address that it replaced; empty without one
	CreatedAt time.Time
	UsedAt    time.Time // zero unless the link was used, or made void
	ExpiresAt time.Time
}

// ResetRequest is a link that was to set a new password.
type ResetRequest struct {
	ID        string
	CreatedAt time.Time
	UsedAt    time.Time // zero unless the link was used, or made void
	ExpiresAt time.Time
}

// Membership is a standing in a room that lasts, whether its owner is there or not.
type Membership struct {
	RoomID    string
	Role      Role
	CreatedAt time.Time
}

// Presence is being in a room.
type Presence struct {
	RoomID       string
	CreatedAt    time.Time // when it began
	LastSeenAt   time.Time
	PresentSince time.Time // without having been away for longer than PresentFor
}

// QueueVote is a vote for an item of a queue.
type QueueVote struct {
	RoomID    string
	ItemID    string
	CreatedAt time.Time
}

// Stay is a time in which an account was seen in a room.
type Stay struct {
	ID        int64
	RoomID    string
	StartedAt time.Time
	EndedAt   time.Time
}

// ExportedAct is a line of a room's log as the account that did it, or that it was done to, takes it along.
type ExportedAct struct {
	ID        string
	RoomID    string
	Action    RoomAction
	TargetID  string // to whom the account did it; empty for what was done to the account
	Details   map[string]any
	CreatedAt time.Time
}
