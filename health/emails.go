package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
)

// maxEmailAge is the age of an email that should have been sent from which emails are late.
const maxEmailAge = 15 * time.Minute

// CheckEmails checks that emails are sent: nobody has paused them, the SMTP server takes a session of this service, and
// none has waited for long. probe is mail.Sender's.
func CheckEmails(
	ctx context.Context, read func(context.Context) (store.Work, error), probe func(context.Context) error,
) error {
	work, err := read(ctx)
	if err != nil {
		return err
	}
	if work.EmailsPaused {
		return Trouble{What: PausedByAdmin}
	}
	if err := probe(ctx); err != nil {
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
	var refused *mail.SendError
	if !errors.As(err, &refused) || refused.Code == 0 {
		return unreachable
	}
	return fmt.Sprintf("refusing this service with %d at %s", refused.Code, refused.Step)
}
