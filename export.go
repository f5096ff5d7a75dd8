package watchparty

import "time"

// The types in this file appear only in the export of an account's data.

// ExportedSession is a sign-in, which may have ended.
type ExportedSession struct {
	Session
	EndedAt time.Time // zero while it is in force
}

// ExportedAddress is an address that an account was asked to confirm.
type ExportedAddress struct {
	ID        string
	Email     string
	Former    string // the address that it replaced; empty without one
	CreatedAt time.Time
	UsedAt    time.Time // zero unless the link was used or made void
	ExpiresAt time.Time
}

// ExportedReset is a requested password reset.
type ExportedReset struct {
	ID        string
	CreatedAt time.Time
	UsedAt    time.Time // zero unless the link was used or made void
	ExpiresAt time.Time
}

// Membership is a role in a room, which lasts whether or not the user is there.
type Membership struct {
	RoomID    string
	Role      Role
	CreatedAt time.Time
}

// Presence says that a user is in a room now.
type Presence struct {
	RoomID       string
	CreatedAt    time.Time // when it began
	LastSeenAt   time.Time
	PresentSince time.Time // since when there was no gap longer than PresentFor
}

// QueueVote is a vote for an item of a queue.
type QueueVote struct {
	RoomID    string
	ItemID    string
	CreatedAt time.Time
}

// ExportedPartyAnswer is a user's answer to a party.
type ExportedPartyAnswer struct {
	PartyID   string
	RoomID    string
	Answer    PartyAnswer
	CreatedAt time.Time
}

// Stay is a time in which an account was seen in a room.
type Stay struct {
	ID        int64
	RoomID    string
	StartedAt time.Time
	EndedAt   time.Time
}

// ExportedAct is an entry of a room's log, for the account that did it or that it was done to.
type ExportedAct struct {
	ID        string
	RoomID    string
	Action    RoomAction
	TargetID  string // to whom the account did it; empty for an act on the account
	Details   map[string]any
	CreatedAt time.Time
}
