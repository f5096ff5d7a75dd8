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
)

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
	WorkflowID string
	CreatedAt  time.Time
	SentAt     time.Time
}
