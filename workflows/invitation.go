package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// RoomInvitation is an invitation's life. It is brought, and remembered a day before its end; it ends with an answer,
// at any time and whatever is under way, or with its time. It fails as a mail does when it cannot be delivered, so that
// operators see it at once; the invitation itself stays open until its time is over, which store.EndOverdue sees to.
func RoomInvitation(ctx workflow.Context, in job.RoomInvitationInput) (job.RoomInvitationResult, error) {
	var result job.RoomInvitationResult
	unanswered, stop := workflow.WithCancel(ctx)
	lived, settle := workflow.NewFuture(ctx)
	workflow.Go(unanswered, func(ctx workflow.Context) { settle.Set(nil, awaitExpiry(ctx, in, &result)) })

	var answer watchparty.InvitationState
	end := workflow.NewSelector(ctx).AddFuture(lived, func(workflow.Future) {})
	for _, state := range job.InvitationAnswers() {
		end.AddReceive(workflow.GetSignalChannel(ctx, string(state)), func(workflow.ReceiveChannel, bool) { answer = state })
	}
	end.Select(ctx)
	stop()
	err := lived.Get(ctx, nil)
	if answer != "" {
		result.State, err = answer, nil
	}
	return result, err
}

// awaitExpiry is the life of an invitation that nobody answers.
func awaitExpiry(ctx workflow.Context, in job.RoomInvitationInput, result *job.RoomInvitationResult) error {
	mail := job.EmailInput{EmailID: in.EmailID}
	workflow.SetCurrentDetails(ctx, "The mail is on its way.")
	sent, err := sendEmail(ctx, mailing, mail)
	if err != nil || in.ExpiresAt.IsZero() { // an earlier version only sent the mail
		return err
	}
	if sent.State == watchparty.MailSent {
		if err := remindBeforeEnd(ctx, in, result); err != nil {
			return err
		}
	}
	workflow.SetCurrentDetails(ctx, "Open; the time for a reminder is over.")
	if err := wait(ctx, in.ExpiresAt.Sub(workflow.Now(ctx)), "Until the invitation's end"); err != nil {
		return err
	}
	var ended job.ExpireInvitationResult
	err = workflow.ExecuteActivity(with(ctx, patient, "End the invitation"), job.ActivityExpireInvitation, in).Get(ctx, &ended)
	result.State = ended.State
	return err
}

// remindBeforeEnd is not for a mail that was cancelled: whoever was not asked is not reminded.
func remindBeforeEnd(ctx workflow.Context, in job.RoomInvitationInput, result *job.RoomInvitationResult) error {
	workflow.SetCurrentDetails(ctx, "Open; the reminder is to come.")
	untilEnd := in.ExpiresAt.Sub(workflow.Now(ctx))
	if err := wait(ctx, untilEnd-watchparty.InvitationReminder, "Until the reminder"); err != nil {
		return err
	}
	var err error
	if result.Reminder, err = remind(ctx, job.EmailInput{EmailID: in.EmailID}); temporal.IsCanceledError(err) {
		return err // any other failure is the reminder's, which operators see in the mail's row
	}
	return nil
}
