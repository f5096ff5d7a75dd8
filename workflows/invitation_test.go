package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

const day = 24 * time.Hour

var (
	inviting  = job.EmailInput{EmailID: emailID}
	reminding = job.EmailInput{EmailID: subjectID}
)

// invitation runs one that is open for a week.
func invitation(w *workflowFixture) (job.RoomInvitationResult, error) {
	return run[job.RoomInvitationResult](w, workflows.RoomInvitation, week(w))
}

func week(w *workflowFixture) job.RoomInvitationInput {
	return job.RoomInvitationInput{InvitationID: inviteID, EmailID: emailID, ExpiresAt: w.Now().Add(7 * day).UTC()}
}

func (w *workflowFixture) answerAfter(d time.Duration, answer watchparty.InvitationState) {
	w.RegisterDelayedCallback(func() { w.SignalWorkflow(string(answer), nil) }, d)
}

func (w *workflowFixture) expectReminder(answers ...any) {
	w.expect(job.ActivityQueueReminder, inviting, answers...).Once()
}

func TestRoomInvitation(t *testing.T) {
	t.Run("is brought, remembered a day before its end, and expires", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, inviting, sent, nil).Once()
		w.expectReminder(job.QueueReminderResult{EmailID: subjectID}, nil)
		w.expect(job.ActivitySendEmail, reminding, sent, nil).Once()
		w.expect(job.ActivityExpireInvitation, week(w), job.ExpireInvitationResult{State: watchparty.InvitationExpired}, nil).
			Once()
		w.RegisterDelayedCallback(func() { w.AssertActivityNotCalled(t, job.ActivityQueueReminder) }, 6*day-time.Second)
		w.RegisterDelayedCallback(
			func() { w.AssertActivityCalled(t, job.ActivityQueueReminder, mock.Anything, inviting) }, 6*day+time.Second,
		)
		result, err := invitation(w)
		require.NoError(t, err)
		require.Equal(
			t, job.RoomInvitationResult{State: watchparty.InvitationExpired, Reminder: watchparty.EmailSent}, result,
		)
		require.Equal(t, 7*day, w.Now().Sub(w.started))
	})

	for _, answer := range job.InvitationAnswers() {
		t.Run(string(answer)+" at once", func(t *testing.T) {
			w := newWorkflowFixture(t)
			w.expect(job.ActivitySendEmail, inviting, sent, nil).Once()
			w.answerAfter(time.Minute, answer)
			result, err := invitation(w)
			require.NoError(t, err)
			require.Equal(t, job.RoomInvitationResult{State: answer}, result)
			require.Equal(t, time.Minute, w.Now().Sub(w.started))
		})
		t.Run(string(answer)+" after the reminder", func(t *testing.T) {
			w := newWorkflowFixture(t)
			w.expect(job.ActivitySendEmail, inviting, sent, nil).Once()
			w.expectReminder(job.QueueReminderResult{EmailID: subjectID}, nil)
			w.expect(job.ActivitySendEmail, reminding, sent, nil).Once()
			w.answerAfter(6*day+time.Hour, answer)
			result, err := invitation(w)
			require.NoError(t, err)
			require.Equal(t, job.RoomInvitationResult{State: answer, Reminder: watchparty.EmailSent}, result)
			require.Equal(t, 6*day+time.Hour, w.Now().Sub(w.started))
		})
	}

	t.Run("is over when it is revoked while its email is tried", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, inviting, nothing, activity.ErrResultPending).Once()
		w.answerAfter(time.Minute, watchparty.InvitationRevoked)
		result, err := invitation(w)
		require.NoError(t, err)
		require.Equal(t, watchparty.InvitationRevoked, result.State)
		require.Equal(t, time.Minute, w.Now().Sub(w.started))
	})

	t.Run("was answered before it was started", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.answerAfter(0, watchparty.InvitationRevoked)
		result, err := invitation(w)
		require.NoError(t, err)
		require.Equal(t, job.RoomInvitationResult{State: watchparty.InvitationRevoked}, result)
	})

	t.Run("whose email was cancelled is not reminded, and expires", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, inviting, job.EmailResult{State: watchparty.EmailCancelled}, nil).Once()
		w.expect(job.ActivityExpireInvitation, week(w), job.ExpireInvitationResult{State: watchparty.InvitationExpired}, nil).
			Once()
		result, err := invitation(w)
		require.NoError(t, err)
		require.Equal(t, job.RoomInvitationResult{State: watchparty.InvitationExpired}, result)
		require.Equal(t, 7*day, w.Now().Sub(w.started))
	})

	t.Run("that an earlier version asked for only brings the email", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, inviting, sent, nil).Once()
		result, err := run[job.RoomInvitationResult](
			w, workflows.RoomInvitation, job.RoomInvitationInput{InvitationID: inviteID, EmailID: emailID},
		)
		require.NoError(t, err)
		require.Equal(t, job.RoomInvitationResult{}, result)
	})

	t.Run("needs no reminder that is of no use", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, inviting, sent, nil).Once()
		w.expectReminder(job.QueueReminderResult{}, nil)
		w.expect(job.ActivityExpireInvitation, week(w), job.ExpireInvitationResult{State: watchparty.InvitationAccepted},
			nil).
			Once()
		result, err := invitation(w)
		require.NoError(t, err)
		require.Equal(t, job.RoomInvitationResult{State: watchparty.InvitationAccepted}, result)
	})

	rejected := temporal.NewNonRetryableApplicationError("permanent (code 550)", job.ErrorEmailRejected, nil)
	t.Run("outlives a reminder that is rejected", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, inviting, sent, nil).Once()
		w.expectReminder(job.QueueReminderResult{EmailID: subjectID}, nil)
		w.expect(job.ActivitySendEmail, reminding, nothing, rejected).Once()
		w.expect(job.ActivityFailEmail, reminding, nil).Once()
		w.expect(job.ActivityExpireInvitation, week(w), job.ExpireInvitationResult{State: watchparty.InvitationExpired}, nil).
			Once()
		result, err := invitation(w)
		require.NoError(t, err)
		require.Equal(
			t, job.RoomInvitationResult{State: watchparty.InvitationExpired, Reminder: watchparty.EmailFailed}, result,
		)
	})

	t.Run("that cannot be delivered fails", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, inviting, nothing, rejected).Once()
		w.expect(job.ActivityFailEmail, inviting, nil).Once()
		_, err := invitation(w)
		requireFailedAs(t, err, job.ErrorEmailRejected)
	})

	t.Run("can be cancelled", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, inviting, nothing, activity.ErrResultPending).Once()
		w.RegisterDelayedCallback(w.CancelWorkflow, time.Minute)
		_, err := invitation(w)
		require.True(t, temporal.IsCanceledError(err), "%v", err)
	})
}
