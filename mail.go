package watchparty

import "time"

// MailKind says what a mail is about.
type MailKind string

const (
	MailWelcome        MailKind = "welcome"            // to a new account, with the link that confirms its address
	MailVerification   MailKind = "email_verification" // the link that confirms an address, to that address
	MailReset          MailKind = "password_reset"     // the link that sets a new password
	MailEmailChanged   MailKind = "email_changed"      // to the address that was replaced
	MailRoomInvitation MailKind = "room_invitation"    // to an address that may have no account

	MailWelcomeReminder    MailKind = "welcome_reminder" // once more the link that confirms the first address
	MailInvitationReminder MailKind = "room_invitation_reminder"

	MailPasswordChanged MailKind = "password_changed" // to the account's address, after each change and reset

	MailActivityReport MailKind = "activity_report" // to those whom the settings name
)

// MailKinds are all of them.
func MailKinds() []MailKind {
	return []MailKind{
		MailWelcome, MailWelcomeReminder, MailVerification, MailReset, MailEmailChanged, MailRoomInvitation, MailInvitationReminder,
		MailActivityReport, MailPasswordChanged,
	}
}

// WelcomeReminderAfter is how long after the welcome an unconfirmed address is reminded, once.
const WelcomeReminderAfter = 3 * 24 * time.Hour

// MailState is where a mail stands.
type MailState string

const (
	MailQueued    MailState = "queued"
	MailSending   MailState = "sending"
	MailSent      MailState = "sent"
	MailFailed    MailState = "failed"
	MailCancelled MailState = "cancelled" // there was nobody to send it to any more, or nothing to say
)

// Mail is one mail's life. It holds no address: that is found at the time of sending.
type Mail struct {
	ID         string
	Kind       MailKind
	SubjectID  string // what it is about
	UserID     string // empty when there is none, or none any more
	State      MailState
	Attempts   int
	LastAnswer string // the server's, without addresses
	Reason     MailReason
	WorkflowID string
	ResendOf   string // the mail that an admin sent again by it
	CreatedAt  time.Time
	UpdatedAt  time.Time
	SentAt     time.Time
	WaitsUntil time.Time // zero unless it waits because its recipient has had too many
}

// Ended reports whether nothing more is done about it.
func (m Mail) Ended() bool { return m.State != MailQueued && m.State != MailSending }

// MailReason is why a mail was not sent, or has yet to be; empty for one that was.
type MailReason string

const (
	ReasonAddressRejected   MailReason = "address_rejected" // the server knows no such address, or takes no mail for it
	ReasonMailboxFull       MailReason = "mailbox_full"
	ReasonMessageRejected   MailReason = "message_rejected"   // the server refuses what is in it
	ReasonServerUnreachable MailReason = "server_unreachable" // the server was away, refused this service, or took too long
	ReasonUnconfirmed       MailReason = "unconfirmed"        // the server may have it and has not said so
	ReasonExpired           MailReason = "expired"            // no attempt was made in time
	ReasonCancelled         MailReason = "cancelled"          // by an admin, or there was nobody to send it to, or nothing to say
	ReasonOptedOut          MailReason = "opted_out"          // by the address, which whoever asked for the mail must not learn
)

// Delivery is how far a mail has come.
type Delivery struct {
	State  MailState // empty when it is not kept any more
	Reason MailReason
}

// ForSender is what whoever asked for the mail may know: to them a mail that its address did not want looks as if it
// was sent.
func (d Delivery) ForSender() Delivery {
	if d.State == MailCancelled && d.Reason != ReasonCancelled || d.State == MailSent {
		return Delivery{State: MailSent}
	}
	return d
}

// MailAttempt is one attempt to hand a mail to the server.
type MailAttempt struct {
	Number    int
	Outcome   MailOutcome
	Answer    string // the server's, without addresses
	StartedAt time.Time
	EndedAt   time.Time // zero while it is open
}

// MailOutcome is what became of an attempt.
type MailOutcome string

const (
	AttemptOpen        MailOutcome = "open" // it lasts, or its process ended in the middle within the last hour
	AttemptSent        MailOutcome = "sent"
	AttemptTemporary   MailOutcome = "temporary"   // to be tried again
	AttemptLater       MailOutcome = "later"       // to be tried again, but not soon
	AttemptUnreachable MailOutcome = "unreachable" // no conversation, or none to the end
	AttemptAmbiguous   MailOutcome = "ambiguous"   // the server may have the mail
	AttemptPermanent   MailOutcome = "permanent"   // refused for good
	AttemptCancelled   MailOutcome = "cancelled"   // there was nobody to send it to any more, or nothing to say
	AttemptLost        MailOutcome = "lost"        // its process ended in the middle; the server may have the mail
)

// MailFilter chooses mails; what is empty chooses all.
type MailFilter struct {
	Kind   MailKind
	State  MailState
	UserID string
}

// MailPause says whether mails wait until an admin lets them go on.
type MailPause struct {
	PausedAt time.Time // zero while mails are sent
	Waiting  int       // mails that are still to be sent, paused or not
}

// Errors of what admins do with mails.
var (
	ErrMailEnded = &Error{Kind: KindConflict, Code: "mail_ended", Message: "The email is not waiting to be sent any more."}
	ErrMailOpen  = &Error{Kind: KindConflict, Code: "mail_not_ended", Message: "The email is still to be sent; cancel it first."}
)
