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
)

// EmailKinds lists all kinds of emails.
func EmailKinds() []EmailKind {
	return []EmailKind{
		EmailWelcome, EmailWelcomeReminder, EmailVerification, EmailReset, EmailAddressChanged, EmailRoomInvitation,
		EmailInvitationReminder,
		EmailActivityReport, EmailPasswordChanged,
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
	EmailCancelled EmailState = "cancelled" // by an admin, or because it has no recipient or nothing to say any more
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
	WaitsUntil time.Time // zero unless it waits because its recipient has had too many emails
}

// Ended reports whether no attempt to send the email will follow.
func (m Email) Ended() bool { return m.State != EmailQueued && m.State != EmailSending }

// EmailReason is why an email was not sent, or not yet; empty for an email that was sent.
type EmailReason string

const (
	ReasonAddressRejected   EmailReason = "address_rejected" // the server takes no email for the address
	ReasonMailboxFull       EmailReason = "mailbox_full"
	ReasonMessageRejected   EmailReason = "message_rejected"   // the server refuses the content
	ReasonServerUnreachable EmailReason = "server_unreachable" // the server is away, or refuses this service
	ReasonUnconfirmed       EmailReason = "unconfirmed"        // the server may have it, and did not say so
	ReasonExpired           EmailReason = "expired"            // no attempt was made in time
	ReasonCancelled         EmailReason = "cancelled"          // by an admin, or it had no recipient or nothing to say
	ReasonOptedOut          EmailReason = "opted_out"          // by the address, which its sender must not learn
)

// Delivery is the state of the email that delivers something, such as an invitation.
type Delivery struct {
	State  EmailState // empty if clean-up has removed the email
	Reason EmailReason
}

// ForSender returns the delivery as the person who requested the email sees it: if the address has opted out, the email
// looks sent.
func (d Delivery) ForSender() Delivery {
	if d.State == EmailCancelled && d.Reason != ReasonCancelled || d.State == EmailSent {
		return Delivery{State: EmailSent}
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
	AttemptOpen        EmailOutcome = "open" // in progress, or its process ended within the last hour
	AttemptSent        EmailOutcome = "sent"
	AttemptTemporary   EmailOutcome = "temporary"   // another attempt follows
	AttemptLater       EmailOutcome = "later"       // another attempt follows, but not soon
	AttemptUnreachable EmailOutcome = "unreachable" // no conversation, or an incomplete one
	AttemptAmbiguous   EmailOutcome = "ambiguous"   // the server may have the email
	AttemptPermanent   EmailOutcome = "permanent"   // refused for good
	AttemptCancelled   EmailOutcome = "cancelled"   // the email had no recipient or nothing to say any more
	AttemptLost        EmailOutcome = "lost"        // its process ended; the server may have the email
)

// EmailFilter selects emails. Empty fields select all.
type EmailFilter struct {
	Kind   EmailKind
	State  EmailState
	UserID string
}

// EmailPause says whether an admin has paused the sending of emails.
type EmailPause struct {
	PausedAt time.Time // zero while emails are sent
	Waiting  int       // emails that are still to be sent, paused or not
}

// Errors of the operations of admins on emails.
var (
	ErrEmailEnded = &Error{Kind: KindConflict, Code: "email_ended",
		Message: "The email is not waiting to be sent any more."}
	ErrEmailOpen = &Error{Kind: KindConflict, Code: "email_not_ended",
		Message: "The email is still to be sent; cancel it first."}
)
