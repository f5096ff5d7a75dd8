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

	EmailActivityReport EmailKind = "activity_report" // to those whom the settings name
)

// EmailKinds are all of them.
func EmailKinds() []EmailKind {
	return []EmailKind{
		EmailWelcome, EmailWelcomeReminder, EmailVerification, EmailReset, EmailAddressChanged, EmailRoomInvitation,
		EmailInvitationReminder,
		EmailActivityReport, EmailPasswordChanged,
	}
}

// WelcomeReminderAfter is how long after the welcome an unconfirmed address is reminded, once.
const WelcomeReminderAfter = 3 * 24 * time.Hour

// EmailState is where an email stands.
type EmailState string

const (
	EmailQueued    EmailState = "queued"
	EmailSending   EmailState = "sending"
	EmailSent      EmailState = "sent"
	EmailFailed    EmailState = "failed"
	EmailCancelled EmailState = "cancelled" // there was nobody to send it to any more, or nothing to say
)

// Email is one email's life. It holds no address: that is found at the time of sending.
type Email struct {
	ID         string
	Kind       EmailKind
	SubjectID  string // what it is about
	UserID     string // empty when there is none, or none any more
	State      EmailState
	Attempts   int
	LastAnswer string // the server's, without addresses
	Reason     EmailReason
	WorkflowID string
	ResendOf   string // the email that an admin sent again by it
	CreatedAt  time.Time
	UpdatedAt  time.Time
	SentAt     time.Time
	WaitsUntil time.Time // zero unless it waits because its recipient has had too many
}

// Ended reports whether nothing more is done about it.
func (m Email) Ended() bool { return m.State != EmailQueued && m.State != EmailSending }

// EmailReason is why an email was not sent, or has yet to be; empty for one that was.
type EmailReason string

const (
	ReasonAddressRejected   EmailReason = "address_rejected" // the server knows no such address, or takes no email for it
	ReasonMailboxFull       EmailReason = "mailbox_full"
	ReasonMessageRejected   EmailReason = "message_rejected"   // the server refuses what is in it
	ReasonServerUnreachable EmailReason = "server_unreachable" // the server was away, refused this service, or took too long
	ReasonUnconfirmed       EmailReason = "unconfirmed"        // the server may have it and has not said so
	ReasonExpired           EmailReason = "expired"            // no attempt was made in time
	ReasonCancelled         EmailReason = "cancelled"          // by an admin, or there was nobody to send it to, or nothing to say
	ReasonOptedOut          EmailReason = "opted_out"          // by the address, which whoever asked for the email must not learn
)

// Delivery is how far an email has come.
type Delivery struct {
	State  EmailState // empty when it is not kept any more
	Reason EmailReason
}

// ForSender is what whoever asked for the email may know: to them an email that its address did not want looks as if it
// was sent.
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
	Answer    string // the server's, without addresses
	StartedAt time.Time
	EndedAt   time.Time // zero while it is open
}

// EmailOutcome is what became of an attempt.
type EmailOutcome string

const (
	AttemptOpen        EmailOutcome = "open" // it lasts, or its process ended in the middle within the last hour
	AttemptSent        EmailOutcome = "sent"
	AttemptTemporary   EmailOutcome = "temporary"   // to be tried again
	AttemptLater       EmailOutcome = "later"       // to be tried again, but not soon
	AttemptUnreachable EmailOutcome = "unreachable" // no conversation, or none to the end
	AttemptAmbiguous   EmailOutcome = "ambiguous"   // the server may have the email
	AttemptPermanent   EmailOutcome = "permanent"   // refused for good
	AttemptCancelled   EmailOutcome = "cancelled"   // there was nobody to send it to any more, or nothing to say
	AttemptLost        EmailOutcome = "lost"        // its process ended in the middle; the server may have the email
)

// EmailFilter chooses emails; what is empty chooses all.
type EmailFilter struct {
	Kind   EmailKind
	State  EmailState
	UserID string
}

// EmailPause says whether emails wait until an admin lets them go on.
type EmailPause struct {
	PausedAt time.Time // zero while emails are sent
	Waiting  int       // emails that are still to be sent, paused or not
}

// Errors of what admins do with emails.
var (
	ErrEmailEnded = &Error{Kind: KindConflict, Code: "mail_ended",
		Message: "The email is not waiting to be sent any more."}
	ErrEmailOpen = &Error{Kind: KindConflict, Code: "mail_not_ended",
		Message: "The email is still to be sent; cancel it first."}
)
