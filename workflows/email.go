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

// WelcomeEmail sends the email that welcomes a new account, and a reminder if the account's address is not confirmed
// three days later. The signal job.SignalConfirmed ends the wait.
func WelcomeEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	defer dropSignals(ctx, job.SignalConfirmed)
	result, err := sendEmail(ctx, emailOptions, in)
	if err != nil || result.State != watchparty.EmailSent {
		return result, err
	}
	switch workflow.GetVersion(ctx, "reminder", workflow.DefaultVersion, 2) {
	case workflow.DefaultVersion:
		return result, nil
	case 1:
		err = wait(ctx, watchparty.WelcomeReminderAfter, "Until the reminder")
	default:
		var confirmed bool
		if confirmed, err = awaitConfirmation(ctx, watchparty.WelcomeReminderAfter); confirmed {
			return result, nil
		}
	}
	if err != nil {
		return result, err
	}
	result.Reminder, err = remind(ctx, in)
	return result, err
}

// awaitConfirmation waits until the account's address is confirmed, or d is over. It reports which came first.
func awaitConfirmation(ctx workflow.Context, d time.Duration) (confirmed bool, err error) {
	timed, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(timed, d, workflow.TimerOptions{Summary: "Until the reminder"})
	workflow.NewSelector(ctx).
		AddReceive(workflow.GetSignalChannel(ctx, job.SignalConfirmed), func(workflow.ReceiveChannel, bool) {
			confirmed = true
		}).
		AddFuture(timer, func(f workflow.Future) { err = f.Get(ctx, nil) }).
		Select(ctx)
	return confirmed, err
}

// remind sends the reminder that belongs to an email, unless it is of no use any more. The reminder has the lowest
// priority, whatever the priority of the workflow.
func remind(ctx workflow.Context, in job.EmailInput) (watchparty.EmailState, error) {
	var reminder job.QueueReminderResult
	err := run(ctx, withLowPriority(stepOptions), "Queue the reminder if it is still needed",
		job.ActivityQueueReminder, in, &reminder)
	if err != nil || reminder.EmailID == "" {
		return "", err
	}
	sent, err := sendEmail(ctx, withLowPriority(emailOptions), job.EmailInput(reminder))
	if err != nil {
		return watchparty.EmailFailed, err
	}
	return sent.State, nil
}

// dropSignals consumes the signals that have no effect any more: Temporal's SDK warns of workflows that end with
// signals which they have not consumed.
func dropSignals[T ~string](ctx workflow.Context, names ...T) {
	for _, name := range names {
		dropped := true
		for signals := workflow.GetSignalChannel(ctx, string(name)); dropped; {
			dropped = signals.ReceiveAsync(nil)
		}
	}
}

func wait(ctx workflow.Context, d time.Duration, summary string) error {
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
}

// VerificationEmail sends the link that confirms an address.
func VerificationEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, emailOptions, in)
}

// PasswordResetEmail sends the link that sets a new password. It cancels the email if no account has the address.
func PasswordResetEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, resetEmailOptions, in)
}

// PasswordChangedNotice tells an account's address that its password was changed.
func PasswordChangedNotice(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, emailOptions, in)
}

// EmailChangedNotice tells a former address that it was replaced.
func EmailChangedNotice(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, emailOptions, in)
}

// Resend sends the copy of an email that an admin sends again.
func Resend(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, emailOptions, in)
}

// ReportEmail sends an activity report to one recipient.
func ReportEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, emailOptions, in)
}

// sendEmail sends an email. When it cannot be delivered the workflow fails, so that operators see it; the email's row
// has the reason.
func sendEmail(ctx workflow.Context, options workflow.ActivityOptions, in job.EmailInput) (job.EmailResult, error) {
	var result job.EmailResult
	err := run(ctx, options, "Hand the email to the SMTP server", job.ActivitySendEmail, in, &result)
	if err == nil {
		result.State = cmp.Or(result.State, watchparty.EmailSent) // workers of an earlier version return no state
		return result, nil
	}
	if temporal.IsCanceledError(err) {
		return job.EmailResult{}, err
	}
	if failed := run(ctx, stepOptions, "Mark the email as failed", job.ActivityFailEmail, in, nil); failed != nil {
		return job.EmailResult{}, failed
	}
	var final *temporal.ApplicationError
	if errors.As(err, &final) && final.NonRetryable() {
		return job.EmailResult{}, err
	}
	return job.EmailResult{}, temporal.NewNonRetryableApplicationError(
		"no attempt reached the server", job.ErrorEmailExpired, err,
	)
}
