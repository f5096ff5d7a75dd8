package watchparty

import "time"

// EmailKind says what an email is about.
type EmailKind string

const (
	EmailWelcome        EmailKind = "welcome"            // to a new account, with the link that confirms its address
	EmailVerification   EmailKind = "email_verification" // the link that confirms an address, to that address
	EmailReset          EmailKind = "password_reset"     // the link that sets a new password
	EmailAddressChanged EmailKind = "email_changed"      // to the address that was replaced
	EmailRoomInvitation EmailKind = "room_invitation"    // to an address that may have no account

	EmailWelcomeReminder    EmailKind = "welcome_reminder" // once more the link that confirms the first address
	EmailInvitationReminder EmailKind = "room_invitation_reminder"

	EmailPasswordChanged EmailKind = "password_changed" // to the account's address, after each change and reset

	EmailActivityReport EmailKind = "activity_report" // to the recipients in the settings
	EmailPartyReminder  EmailKind = "party_reminder"  // to those who answered that they come
	EmailPartyChanged   EmailKind = "party_changed"
	EmailPartyCancelled EmailKind = "party_cancelled"
)

// EmailKinds lists all kinds of emails.
func EmailKinds() []EmailKind {
	return []EmailKind{
		EmailWelcome, EmailWelcomeReminder, EmailVerification, EmailReset, EmailAddressChanged, EmailRoomInvitation,
		EmailInvitationReminder,
		EmailActivityReport, EmailPasswordChanged, EmailPartyReminder, EmailPartyChanged, EmailPartyCancelled,
	}
}

// WelcomeReminderAfter is the time from the welcome email to its one reminder, if the address is not confirmed by then.
const WelcomeReminderAfter = 3 * 24 * time.Hour

// EmailState is how far an email has come.
type EmailState string

const (
	EmailQueued    EmailState = "queued"
	EmailSending   EmailState = "sending"
	EmailSent      EmailState = "sent"
	EmailFailed    EmailState = "failed"
	EmailCancelled EmailState = "cancelled" // see CancelReasons
)

// Email is the record of one email. It holds no address: the worker looks it up when it sends the email.
type Email struct {
	ID         string
	Kind       EmailKind
	SubjectID  string // ID of what it is about
	UserID     string // empty without an account, and when the account is deleted
	State      EmailState
	Attempts   int
	LastAnswer string // the mail server's, without addresses
	Reason     EmailReason
	WorkflowID string
	ResendOf   string // the email that an admin sent again by this one
	CreatedAt  time.Time
	UpdatedAt  time.Time
	SentAt     time.Time

	// WaitsFor and WaitsUntil say what the email waits for. Both are empty after its end and during an attempt.
	WaitsFor   EmailWait
	WaitsUntil time.Time // the next attempt; zero if it is not known
	// DeadlineAt is about when the email is given up if the server still does not take it. It is zero until an attempt
	// has failed.
	DeadlineAt time.Time

	// Only admins see the rest.

	RoomID    string // the room of an invitation, if the invitation is still there
	Recipient Person // zero without an account, and when the account is deleted
}

// EmailWait is what an email waits for.
type EmailWait string

const (
	WaitRecipientLimit EmailWait = "recipient_limit" // until its recipient may have more emails
	WaitPause          EmailWait = "pause"           // until an admin resumes emails
	WaitRelay          EmailWait = "relay"           // until Temporal has its event
	WaitRetry          EmailWait = "retry"           // until the next attempt, since the server did not take it
	WaitWorker         EmailWait = "worker"          // for a worker: an attempt is due
)

// Ended reports whether no attempt to send the email will follow.
func (m Email) Ended() bool { return m.State != EmailQueued && m.State != EmailSending }

// EmailReason is why an email was not sent, or not yet; empty for an email that was sent.
type EmailReason string

const (
	ReasonAddressRejected   EmailReason = "address_rejected" // the server takes no email for the address
	ReasonMailboxFull       EmailReason = "mailbox_full"
	ReasonMessageRejected   EmailReason = "message_rejected"   // the server refuses the content
	ReasonServerUnreachable EmailReason = "server_unreachable" // the server is down, or refuses this service
	ReasonUnconfirmed       EmailReason = "unconfirmed"        // the server may have it, but its answer was lost
	ReasonExpired           EmailReason = "expired"            // no attempt was made in time
)

// Reasons of cancelled emails. Rows of former versions have ReasonCancelled for most of them.
const (
	ReasonCancelled        EmailReason = "cancelled"         // an admin cancelled it
	ReasonNoAccount        EmailReason = "no_account"        // no account has the address, or it was deleted
	ReasonSuspended        EmailReason = "account_suspended" // the recipient's account is suspended
	ReasonAlreadyConfirmed EmailReason = "already_confirmed" // the address is confirmed already
	ReasonAddressTaken     EmailReason = "address_taken"     // another account has the address now
	ReasonLinkEnded        EmailReason = "link_ended"        // the link was used, replaced, or is too old
	ReasonInvitationEnded  EmailReason = "invitation_ended"  // the invitation was answered, revoked or removed, or expired
	ReasonMayNotInvite     EmailReason = "may_not_invite"    // the inviter is no longer allowed to invite
	ReasonRoomEnded        EmailReason = "room_ended"        // the room was archived, closed, or removed
	ReasonNotRecipient     EmailReason = "not_a_recipient"   // the address no longer receives reports
	ReasonPartyChanged     EmailReason = "party_changed"     // the party was moved since
	ReasonPartyEnded       EmailReason = "party_ended"       // the party has started, or was cancelled
	ReasonNotGuest         EmailReason = "not_a_guest"       // the recipient does not come, or may not see the party
	ReasonOptedOut         EmailReason = "opted_out"         // the address has opted out, which the sender must not learn
)

// CancelReasons are the reasons of cancelled emails.
func CancelReasons() []EmailReason {
	return []EmailReason{
		ReasonCancelled, ReasonNoAccount, ReasonSuspended, ReasonAlreadyConfirmed, ReasonAddressTaken, ReasonLinkEnded,
		ReasonInvitationEnded, ReasonMayNotInvite, ReasonRoomEnded, ReasonNotRecipient, ReasonPartyChanged,
		ReasonPartyEnded, ReasonNotGuest, ReasonOptedOut,
	}
}

// Delivery is the state of the email that delivers something, such as an invitation.
type Delivery struct {
	State  EmailState // empty if clean-up has removed the email
	Reason EmailReason
}

// ForSender returns the delivery as the person who requested the email sees it: if the address has opted out, the email
// looks sent. It does not say why an email was cancelled, because the reason may be about the recipient's account.
func (d Delivery) ForSender() Delivery {
	switch {
	case d.State == EmailSent, d.State == EmailCancelled && d.Reason == ReasonOptedOut:
		return Delivery{State: EmailSent}
	case d.State == EmailCancelled:
		return Delivery{State: EmailCancelled, Reason: ReasonCancelled}
	}
	return d
}

// EmailAttempt is one attempt to hand an email to the server.
type EmailAttempt struct {
	Number    int
	Outcome   EmailOutcome
	Answer    string // the mail server's, without addresses
	StartedAt time.Time
	EndedAt   time.Time // zero while it is open
}

// EmailOutcome is the outcome of an attempt.
type EmailOutcome string

const (
	EmailOutcomeOpen        EmailOutcome = "open" // in progress, or its process ended within the last hour
	EmailOutcomeSent        EmailOutcome = "sent"
	EmailOutcomeTemporary   EmailOutcome = "temporary"   // another attempt follows
	EmailOutcomeLater       EmailOutcome = "later"       // another attempt follows, but not soon
	EmailOutcomeUnreachable EmailOutcome = "unreachable" // no conversation, or an incomplete one
	EmailOutcomeAmbiguous   EmailOutcome = "ambiguous"   // the server may have the email
	EmailOutcomePermanent   EmailOutcome = "permanent"   // refused for good
	EmailOutcomeCancelled   EmailOutcome = "cancelled"   // the email had no recipient or nothing to say any more
	EmailOutcomeLost        EmailOutcome = "lost"        // its process ended; the server may have the email
)

// EmailFilter selects emails. Empty fields select all.
type EmailFilter struct {
	Kind         EmailKind
	State        EmailState
	Reason       EmailReason
	UserID       string
	RoomID       string
	InvitationID string
	Address      string    // as it is typed; only emails to it
	From, To     time.Time // when it was queued: From and later, before To
}

// EmailPause says whether an admin has paused the sending of emails.
type EmailPause struct {
	PausedAt time.Time // zero while emails are sent
	Waiting  int       // emails that are still to be sent, paused or not
}

// Errors of the operations of admins on emails.
var (
	ErrEmailEnded = &Error{Kind: KindConflict, Code: "email_ended",
		Message: "The email was already sent, failed or cancelled."}
	ErrEmailOpen = &Error{Kind: KindConflict, Code: "email_not_ended",
		Message: "The email is waiting to be sent. Cancel it first."}
)
