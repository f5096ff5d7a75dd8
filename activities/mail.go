package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

const (
	// laterDelay is how long to leave a server alone that asks for it (421, 4.7.x): as long as the longest pause of the
	// retry policy, so that all attempts together take a day for such a server too.
	laterDelay = 10 * time.Minute
	// maxAmbiguous is how often a server may take a mail without saying so before it is not tried again.
	maxAmbiguous = 4
)

// Mail sends mails.
type Mail struct {
	Store     *store.Store
	Sender    *mail.Sender
	PublicURL string
}

// SendMail hands a mail to the SMTP server. Its row is the dedup key: one that has ended is not sent again, and every
// attempt carries the same Message-ID.
func (m *Mail) SendMail(ctx context.Context, in job.EmailInput) error {
	open, err := m.Store.BeginMail(ctx, in.EmailID)
	if err != nil {
		return err
	}
	if !open {
		_, err := m.Store.Mail(ctx, in.EmailID)
		return missing(err)
	}
	message, err := m.compose(ctx, in.EmailID)
	if err != nil {
		return missing(err)
	}
	if err := m.Sender.Send(ctx, message); err != nil {
		return m.refused(ctx, in.EmailID, err)
	}
	// The server has it: that has to be noted even if this worker is told to stop now.
	return m.Store.SentMail(context.WithoutCancel(ctx), in.EmailID)
}

// compose loads what the mail is about and renders it.
func (m *Mail) compose(ctx context.Context, id string) (mail.Message, error) {
	row, err := m.Store.Mail(ctx, id)
	if err != nil {
		return mail.Message{}, err
	}
	if row.UserID == "" { // the user was deleted, the mail's row stays
		return mail.Message{}, fmt.Errorf("activities: the mail's user: %w", watchparty.ErrNotFound)
	}
	user, err := m.Store.User(ctx, row.UserID)
	if err != nil {
		return mail.Message{}, err
	}
	var content mail.Content
	switch row.Kind {
	case watchparty.MailWelcome:
		content, err = mail.Welcome(mail.WelcomeData{DisplayName: user.DisplayName, Username: user.Username, PublicURL: m.PublicURL})
	default:
		err = fmt.Errorf("activities: unknown kind of mail %q", row.Kind)
	}
	return mail.Message{ID: id, To: user.Email, ToName: user.DisplayName, Content: content}, err
}

// refused stores the server's answer and says what to do about it. The answer stays out of the error, which ends up in
// the workflow's history.
func (m *Mail) refused(ctx context.Context, id string, err error) error {
	var refused *mail.SendError
	if !errors.As(err, &refused) {
		return err
	}
	answer := refused.Answer
	if refused.Code != 0 {
		answer = fmt.Sprintf("%d %s", refused.Code, answer)
	}
	ambiguous, err := m.Store.NoteMail(context.WithoutCancel(ctx), id, answer, refused.Kind == mail.Ambiguous)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s (code %d)", refused.Kind, refused.Code)
	switch {
	case refused.Kind == mail.Permanent,
		refused.Kind == mail.Ambiguous && ambiguous >= maxAmbiguous:
		return temporal.NewNonRetryableApplicationError(text, job.ErrorMailRejected, nil)
	case refused.Kind == mail.Later:
		return temporal.NewApplicationErrorWithOptions(text, string(refused.Kind), temporal.ApplicationErrorOptions{NextRetryDelay: laterDelay})
	default:
		return temporal.NewApplicationError(text, string(refused.Kind))
	}
}

// FailMail notes that a mail will not be sent. The server's last answer stays.
func (m *Mail) FailMail(ctx context.Context, in job.EmailInput) error {
	return m.Store.FailMail(ctx, in.EmailID)
}

// missing makes the absence of a row final.
func missing(err error) error {
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		return temporal.NewNonRetryableApplicationError("the row is gone", job.ErrorNotFound, nil)
	}
	return err
}
