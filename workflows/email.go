package workflows

import (
	"cmp"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// WelcomeEmail sends the mail that greets a new account, and a reminder if its address is not confirmed some days
// later.
func WelcomeEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	result, err := sendEmail(ctx, mailing, in)
	if err != nil || result.State != watchparty.MailSent {
		return result, err
	}
	if workflow.GetVersion(ctx, "reminder", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return result, nil
	}
	if err := wait(ctx, watchparty.WelcomeReminderAfter, "Until the reminder"); err != nil {
		return result, err
	}
	result.Reminder, err = remind(ctx, in)
	return result, err
}

// remind sends the mail that follows one, unless it is of no use any more. Nobody waits for it, whatever the workflow's
// own priority is.
func remind(ctx workflow.Context, in job.EmailInput) (watchparty.MailState, error) {
	var reminder job.QueueReminderResult
	err := workflow.ExecuteActivity(with(ctx, inBackground(patient), "See whether a reminder is of use"), job.ActivityQueueReminder, in).Get(ctx, &reminder)
	if err != nil || reminder.EmailID == "" {
		return "", err
	}
	sent, err := sendEmail(ctx, inBackground(mailing), job.EmailInput(reminder))
	if err != nil {
		return watchparty.MailFailed, err
	}
	return sent.State, nil
}

func wait(ctx workflow.Context, d time.Duration, summary string) error {
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
}

// VerificationEmail sends the link that confirms an address.
func VerificationEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, mailing, in)
}

// PasswordResetEmail sends the link that sets a new password. For an address that nobody has the mail is cancelled.
func PasswordResetEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, resetMailing, in)
}

// PasswordChangedNotice tells an account's address that its password was changed.
func PasswordChangedNotice(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, mailing, in)
}

// EmailChangedNotice tells a former address that it was replaced.
func EmailChangedNotice(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, mailing, in)
}

// Resend sends a mail that an admin sends again. It ends as the first one does.
func Resend(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, mailing, in)
}

// ReportEmail sends an activity report to one recipient.
func ReportEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, mailing, in)
}

// sendEmail fails, so that operators see it, when the mail cannot be delivered; the mail's row says why.
func sendEmail(ctx workflow.Context, options workflow.ActivityOptions, in job.EmailInput) (job.EmailResult, error) {
	var result job.EmailResult
	err := workflow.ExecuteActivity(with(ctx, options, "Hand the mail to the SMTP server"), job.ActivitySendEmail, in).Get(ctx, &result)
	if err == nil {
		result.State = cmp.Or(result.State, watchparty.MailSent) // a worker of an earlier version says nothing
		return result, nil
	}
	if temporal.IsCanceledError(err) {
		return job.EmailResult{}, err
	}
	if failed := workflow.ExecuteActivity(with(ctx, patient, "Note that it failed"), job.ActivityFailEmail, in).Get(ctx, nil); failed != nil {
		return job.EmailResult{}, failed
	}
	var final *temporal.ApplicationError
	if errors.As(err, &final) && final.NonRetryable() {
		return job.EmailResult{}, err
	}
	return job.EmailResult{}, temporal.NewNonRetryableApplicationError("no attempt reached the server", job.ErrorEmailExpired, err)
}
