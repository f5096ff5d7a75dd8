package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// WelcomeEmail sends the mail that greets a new account. It fails, so that operators see it, when the mail cannot be
// delivered; the mail's row says why.
func WelcomeEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	err := workflow.ExecuteActivity(with(ctx, mailing, "Hand the mail to the SMTP server"), job.SendMail, in).Get(ctx, nil)
	if err == nil {
		return job.EmailResult{State: watchparty.MailSent}, nil
	}
	if temporal.IsCanceledError(err) {
		return job.EmailResult{}, err
	}
	if failed := workflow.ExecuteActivity(with(ctx, patient, "Note that it failed"), job.FailMail, in).Get(ctx, nil); failed != nil {
		return job.EmailResult{}, failed
	}
	var final *temporal.ApplicationError
	if errors.As(err, &final) && final.NonRetryable() {
		return job.EmailResult{}, err
	}
	return job.EmailResult{}, temporal.NewNonRetryableApplicationError("no attempt reached the server", job.ErrorMailExpired, err)
}
