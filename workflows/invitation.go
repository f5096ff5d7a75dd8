package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// RoomInvitation lives as long as an invitation: it sends the invitation's email, sends a reminder a day before the
// invitation expires, and expires the invitation. An answer (a signal of job.InvitationAnswers) ends the workflow at
// any step. When the email cannot be delivered the workflow fails at once, so that operators see it; the invitation
// stays open until it expires, by store.EndOverdue.
func RoomInvitation(ctx workflow.Context, in job.RoomInvitationInput) (job.RoomInvitationResult, error) {
	var result job.RoomInvitationResult
	defer dropSignals(ctx, job.InvitationAnswers()...)
	unanswered, stop := workflow.WithCancel(ctx)
	expired, settle := workflow.NewFuture(ctx)
	workflow.Go(unanswered, func(ctx workflow.Context) { settle.Set(nil, awaitExpiry(ctx, in, &result)) })

	var answer watchparty.InvitationState
	end := workflow.NewSelector(ctx).AddFuture(expired, func(workflow.Future) {})
	for _, state := range job.InvitationAnswers() {
		end.AddReceive(workflow.GetSignalChannel(ctx, string(state)), func(workflow.ReceiveChannel, bool) { answer = state })
	}
	end.Select(ctx)
	stop()
	err := expired.Get(ctx, nil)
	if answer != "" {
		result.State, err = answer, nil
	}
	return result, err
}

// awaitExpiry sends the email and the reminder, and expires the invitation when its time is over.
func awaitExpiry(ctx workflow.Context, in job.RoomInvitationInput, result *job.RoomInvitationResult) error {
	workflow.SetCurrentDetails(ctx, "The email is on its way.")
	sent, err := sendEmail(ctx, emailOptions, job.EmailInput{EmailID: in.EmailID})
	if err != nil || in.ExpiresAt.IsZero() { // workflows of an earlier version only sent the email
		return err
	}
	if sent.State == watchparty.EmailSent {
		if err := remindBeforeExpiry(ctx, in, result); err != nil {
			return err
		}
	}
	workflow.SetCurrentDetails(ctx, "Open; waiting for an answer, no more reminders.")
	if err := wait(ctx, in.ExpiresAt.Sub(workflow.Now(ctx)), "Until the invitation expires"); err != nil {
		return err
	}
	var ended job.ExpireInvitationResult
	err = run(ctx, stepOptions, "Expire the invitation", job.ActivityExpireInvitation, in, &ended)
	result.State = ended.State
	return err
}

// remindBeforeExpiry waits until a day before the invitation expires and sends the reminder. It is not called when the
// first email was cancelled.
func remindBeforeExpiry(ctx workflow.Context, in job.RoomInvitationInput, result *job.RoomInvitationResult) error {
	workflow.SetCurrentDetails(ctx, "Open; waiting to send the reminder.")
	left := in.ExpiresAt.Sub(workflow.Now(ctx))
	if err := wait(ctx, left-watchparty.InvitationReminder, "Until the reminder"); err != nil {
		return err
	}
	var err error
	if result.Reminder, err = remind(ctx, job.EmailInput{EmailID: in.EmailID}); temporal.IsCanceledError(err) {
		return err // operators see any other failure in the row of the reminder's email
	}
	return nil
}
