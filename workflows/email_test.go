package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

var (
	welcome = job.EmailInput{EmailID: emailID}
	sent    = job.EmailResult{State: watchparty.EmailSent}
	nothing job.EmailResult
)

// aMail is sent as every other is.
func aMail(w *workflowFixture) (job.EmailResult, error) {
	return run[job.EmailResult](w, workflows.VerificationEmail, welcome)
}

// requireFailedAs wants a workflow that failed for good, with an error of that type.
func requireFailedAs(t *testing.T, err error, wantType string) {
	t.Helper()
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, wantType, failure.Type())
	require.True(t, failure.NonRetryable())
}

func TestAMail(t *testing.T) {
	t.Run("is sent", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, sent, nil).Once()
		result, err := aMail(w)
		require.NoError(t, err)
		require.Equal(t, job.EmailResult{State: watchparty.EmailSent}, result)
	})

	t.Run("is sent after temporary failures", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, nothing, temporal.NewApplicationError("temporary (code 451)", "temporary")).
			Times(3)
		w.expect(job.ActivitySendEmail, welcome, sent, nil).Once()
		result, err := aMail(w)
		require.NoError(t, err)
		require.Equal(t, watchparty.EmailSent, result.State)
		require.Equal(t, 35*time.Second, w.Now().Sub(w.started)) // 5 + 10 + 20
	})

	t.Run("waits as long as the server asks", func(t *testing.T) {
		w := newWorkflowFixture(t)
		later := temporal.NewApplicationErrorWithOptions("later (code 421)", "later",
			temporal.ApplicationErrorOptions{NextRetryDelay: 5 * time.Minute})
		w.expect(job.ActivitySendEmail, welcome, nothing, later).Once()
		w.expect(job.ActivitySendEmail, welcome, sent, nil).Once()
		_, err := aMail(w)
		require.NoError(t, err)
		require.Equal(t, 5*time.Minute, w.Now().Sub(w.started))
	})

	t.Run("that is rejected fails", func(t *testing.T) {
		w := newWorkflowFixture(t)
		rejected := temporal.NewNonRetryableApplicationError("permanent (code 550)", job.ErrorEmailRejected, nil)
		w.expect(job.ActivitySendEmail, welcome, nothing, rejected).Once()
		w.expect(job.ActivityFailEmail, welcome, nil).Once()
		_, err := aMail(w)
		requireFailedAs(t, err, job.ErrorEmailRejected)
	})

	t.Run("whose user is gone fails", func(t *testing.T) {
		w := newWorkflowFixture(t)
		gone := temporal.NewNonRetryableApplicationError("the row is gone", job.ErrorNotFound, nil)
		w.expect(job.ActivitySendEmail, welcome, nothing, gone).Once()
		w.expect(job.ActivityFailEmail, welcome, nil).Once()
		_, err := aMail(w)
		requireFailedAs(t, err, job.ErrorNotFound)
	})

	t.Run("expires after a day", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, nothing,
			temporal.NewApplicationError("unreachable (code 0)", "unreachable")).
			Times(150)
		w.expect(job.ActivityFailEmail, welcome, nil).Once()
		_, err := aMail(w)
		requireFailedAs(t, err, job.ErrorEmailExpired)
		require.InDelta(t, 24*time.Hour, w.Now().Sub(w.started), float64(30*time.Minute))
	})

	t.Run("has its failure noted however long the database is down", func(t *testing.T) {
		w := newWorkflowFixture(t)
		rejected := temporal.NewNonRetryableApplicationError("permanent (code 550)", job.ErrorEmailRejected, nil)
		w.expect(job.ActivitySendEmail, welcome, nothing, rejected).Once()
		w.expect(job.ActivityFailEmail, welcome, errAway).Times(30)
		w.expect(job.ActivityFailEmail, welcome, nil).Once()
		_, err := aMail(w)
		requireFailedAs(t, err, job.ErrorEmailRejected)
	})

	t.Run("can be cancelled", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, nothing, activity.ErrResultPending).Once()
		w.RegisterDelayedCallback(w.CancelWorkflow, time.Minute)
		_, err := aMail(w)
		require.True(t, temporal.IsCanceledError(err), "%v", err)
	})
}

func TestWelcomeEmail(t *testing.T) {
	reminder := job.EmailInput{EmailID: subjectID}
	welcomeEmail := func(w *workflowFixture) (job.EmailResult, error) {
		return run[job.EmailResult](w, workflows.WelcomeEmail, welcome)
	}

	t.Run("is followed by a reminder after three days", func(t *testing.T) {
		for _, state := range []watchparty.EmailState{watchparty.EmailSent, watchparty.EmailCancelled} {
			w := newWorkflowFixture(t)
			w.expect(job.ActivitySendEmail, welcome, sent, nil).Once()
			w.expect(job.ActivityQueueReminder, welcome, job.QueueReminderResult{EmailID: subjectID}, nil).Once()
			w.expect(job.ActivitySendEmail, reminder, job.EmailResult{State: state}, nil).Once()
			result, err := welcomeEmail(w)
			require.NoError(t, err)
			require.Equal(t, job.EmailResult{State: watchparty.EmailSent, Reminder: state}, result)
			require.Equal(t, 72*time.Hour, w.Now().Sub(w.started))
		}
	})
	t.Run("is followed by none once the address is confirmed", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, sent, nil).Once()
		w.RegisterDelayedCallback(func() { w.SignalWorkflow(job.SignalConfirmed, nil) }, time.Hour)
		result, err := welcomeEmail(w)
		require.NoError(t, err)
		require.Equal(t, sent, result)
		require.Equal(t, time.Hour, w.Now().Sub(w.started), "it does not wait any longer")
	})
	t.Run("whose address is confirmed before it is sent waits for nothing", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, sent, nil).After(time.Minute).Once()
		w.RegisterDelayedCallback(func() { w.SignalWorkflow(job.SignalConfirmed, nil) }, time.Second)
		result, err := welcomeEmail(w)
		require.NoError(t, err)
		require.Equal(t, sent, result)
		require.Less(t, w.Now().Sub(w.started), time.Hour)
	})
	t.Run("is followed by none that is of no use", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, sent, nil).Once()
		w.expect(job.ActivityQueueReminder, welcome, job.QueueReminderResult{}, nil).Once()
		result, err := welcomeEmail(w)
		require.NoError(t, err)
		require.Equal(t, sent, result)
	})
	t.Run("that was cancelled is followed by none", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, job.EmailResult{State: watchparty.EmailCancelled}, nil).Once()
		result, err := welcomeEmail(w)
		require.NoError(t, err)
		require.Equal(t, job.EmailResult{State: watchparty.EmailCancelled}, result)
	})
	rejected := temporal.NewNonRetryableApplicationError("permanent (code 550)", job.ErrorEmailRejected, nil)
	t.Run("that was rejected is followed by none", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, nothing, rejected).Once()
		w.expect(job.ActivityFailEmail, welcome, nil).Once()
		_, err := welcomeEmail(w)
		requireFailedAs(t, err, job.ErrorEmailRejected)
	})
	t.Run("fails with its reminder", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivitySendEmail, welcome, sent, nil).Once()
		w.expect(job.ActivityQueueReminder, welcome, job.QueueReminderResult{EmailID: subjectID}, nil).Once()
		w.expect(job.ActivitySendEmail, reminder, nothing, rejected).Once()
		w.expect(job.ActivityFailEmail, reminder, nil).Once()
		_, err := welcomeEmail(w)
		requireFailedAs(t, err, job.ErrorEmailRejected)
	})
}

// TestRemindersGoInBackground: a reminder does not inherit the priority of the email before it.
func TestRemindersGoInBackground(t *testing.T) {
	w := newWorkflowFixture(t)
	w.expect(job.ActivitySendEmail, welcome, sent, nil).Once()
	w.expect(job.ActivityQueueReminder, welcome, job.QueueReminderResult{EmailID: subjectID}, nil).Once()
	w.expect(job.ActivitySendEmail, job.EmailInput{EmailID: subjectID}, sent, nil).Once()
	_, err := run[job.EmailResult](w, workflows.WelcomeEmail, welcome)
	require.NoError(t, err)
	for _, name := range []string{job.ActivityQueueReminder, job.ActivitySendEmail} {
		require.Equal(t, int(watchparty.PriorityBackground), w.asked[name].Priority.PriorityKey, name)
	}

	w = newWorkflowFixture(t)
	w.expect(job.ActivitySendEmail, welcome, sent, nil).Once()
	_, err = aMail(w)
	require.NoError(t, err)
	require.Zero(t, w.asked[job.ActivitySendEmail].Priority, "any other email has its workflow's")
}

// TestEmails: an email that is of no use is not a failure, and each kind is retried for as long as it is of use.
func TestEmails(t *testing.T) {
	for name, c := range map[string]struct {
		workflow any
		patience time.Duration
		within   time.Duration
	}{
		job.WorkflowVerificationEmail:  {workflows.VerificationEmail, 24 * time.Hour, 30 * time.Minute},
		job.WorkflowEmailChangedNotice: {workflows.EmailChangedNotice, 24 * time.Hour, 30 * time.Minute},
		job.WorkflowResend:             {workflows.Resend, 24 * time.Hour, 30 * time.Minute},
		job.WorkflowPasswordResetEmail: {workflows.PasswordResetEmail, 30 * time.Minute, 2 * time.Minute},

		job.WorkflowPasswordChangedNotice: {workflows.PasswordChangedNotice, 24 * time.Hour, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			for _, state := range []watchparty.EmailState{watchparty.EmailSent, watchparty.EmailCancelled} {
				w := newWorkflowFixture(t)
				w.expect(job.ActivitySendEmail, welcome, job.EmailResult{State: state}, nil).Once()
				result, err := run[job.EmailResult](w, c.workflow, welcome)
				require.NoError(t, err)
				require.Equal(t, state, result.State)
			}
			w := newWorkflowFixture(t)
			w.expect(job.ActivitySendEmail, welcome, nothing,
				temporal.NewApplicationError("unreachable (code 0)", "unreachable"))
			w.expect(job.ActivityFailEmail, welcome, nil).Once()
			_, err := run[job.EmailResult](w, c.workflow, welcome)
			requireFailedAs(t, err, job.ErrorEmailExpired)
			require.InDelta(t, c.patience, w.Now().Sub(w.started), float64(c.within))
		})
	}
}
