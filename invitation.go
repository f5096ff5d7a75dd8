package watchparty

import (
	"strings"
	"time"
)

// InvitationState is where an invitation stands.
type InvitationState string

const (
	InvitationOpen     InvitationState = "open"
	InvitationAccepted InvitationState = "accepted"
	InvitationDeclined InvitationState = "declined"
	InvitationRevoked  InvitationState = "revoked"
	InvitationExpired  InvitationState = "expired"
)

// Invitation invites an email address, which may have no account, to a room.
type Invitation struct {
	ID         string
	RoomID     string
	Email      string
	State      InvitationState
	Inviter    Person // zero if the account is deleted
	ExpiresAt  time.Time
	AnsweredAt time.Time // zero unless accepted or declined
	CreatedAt  time.Time
	Delivery   Delivery // of its email
}

// Limits of invitations.
const (
	InvitationTTL       = 7 * 24 * time.Hour
	InvitationReminder  = 24 * time.Hour // how long before its end the reminder is sent, if there is no answer
	MaxOpenInvitations  = 50             // to one room
	MaxDailyInvitations = 100            // by one account, within 24 hours
)

// Errors of invitations.
var (
	ErrEmailUnverified = &Error{Kind: KindForbidden, Code: "email_unverified",
		Message: "Confirm your own email address first: the link is in the email that came with your account."}
	ErrTooManyOpenInvitations = &Error{Kind: KindConflict, Code: "too_many_open_invitations",
		Message: "The room has too many open invitations.", Details: map[string]int{"most": MaxOpenInvitations}}
	ErrTooManyDailyInvitations = &Error{Kind: KindConflict, Code: "too_many_daily_invitations",
		Message: "You have sent too many invitations today.", Details: map[string]int{"most": MaxDailyInvitations}}
)

// NewInvitation is an invitation to be sent.
type NewInvitation struct {
	Email string
}

// Normalise removes white space around the address.
func (i *NewInvitation) Normalise() { i.Email = strings.TrimSpace(i.Email) }

// Validate reports every field that is wrong.
func (i NewInvitation) Validate() error {
	var v fields
	v.email("email", i.Email)
	return v.err()
}

// ReceivedInvitation is an open invitation as the invited person sees it. Its Room has only the ID, the name, the
// description, the movie, and the numbers of people who are in it and present.
type ReceivedInvitation struct {
	ID        string
	Room      Room
	Inviter   Person
	ExpiresAt time.Time
	CreatedAt time.Time
}
