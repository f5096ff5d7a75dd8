package watchparty

import "time"

// MailKind says what a mail is about.
type MailKind string

// MailWelcome greets a new account.
const MailWelcome MailKind = "welcome"

// MailState is where a mail stands.
type MailState string

const (
	MailQueued  MailState = "queued"
	MailSending MailState = "sending"
	MailSent    MailState = "sent"
	MailFailed  MailState = "failed"
)

// Mail is one mail's life. It holds no address: the address is its user's at the time of sending.
type Mail struct {
	ID         string
	Kind       MailKind
	UserID     string
	State      MailState
	Attempts   int
	LastAnswer string // the server's, without addresses
	WorkflowID string
	CreatedAt  time.Time
	SentAt     time.Time
}
