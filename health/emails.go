package health

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
)

// maxEmailAge is the age of an email that should have been sent from which emails are late.
const maxEmailAge = 15 * time.Minute

// EmailCheck checks that emails are sent.
type EmailCheck struct {
	Read  func(context.Context) (store.Workload, error) // store.Store's Workload
	Probe func(context.Context) error                   // mail.Sender's

	sent atomic.Pointer[time.Time] // when the last email was, as far as the database has said
}

// LastSuccess returns when the SMTP server last took an email; zero if that is not known.
func (c *EmailCheck) LastSuccess() time.Time {
	if at := c.sent.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// Run checks that the SMTP server takes a session of this service, and that no email has waited for long. It returns
// Paused while an admin has paused emails.
func (c *EmailCheck) Run(ctx context.Context) error {
	work, err := c.Read(ctx)
	if err != nil {
		return err
	}
	c.sent.Store(&work.LastEmail)
	if work.EmailsPaused {
		return Paused{}
	}
	if err := c.Probe(ctx); err != nil {
		return Trouble{What: refusal(err), Err: err}
	}
	for _, backlog := range work.Emails {
		if backlog.Oldest > maxEmailAge {
			return Trouble{What: "late"}
		}
	}
	return nil
}

// refusal says what the server did, in its code and our words: its own text is for operators.
func refusal(err error) string {
	if errors.Is(err, mail.ErrSenderUTF8) {
		return "not able to take the sender MAIL_FROM"
	}
	var refused *mail.SendError
	if !errors.As(err, &refused) || refused.Code == 0 {
		return unreachable
	}
	return fmt.Sprintf("refusing this service with %d at %s", refused.Code, refused.Step)
}
