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

var welcome = job.EmailInput{EmailID: emailID}

func welcomeEmail(w *world) (job.EmailResult, error) {
	return run[job.EmailResult](w, workflows.WelcomeEmail, welcome)
}

// requireFailedAs wants a workflow that failed for good, with an error of that type.
func requireFailedAs(t *testing.T, err error, wantType string) {
	t.Helper()
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, wantType, failure.Type())
	require.True(t, failure.NonRetryable())
}

func TestWelcomeEmail(t *testing.T) {
	t.Run("is sent", func(t *testing.T) {
		w := newWorld(t)
		w.expect(job.SendMail, welcome, nil).Once()
		result, err := welcomeEmail(w)
		require.NoError(t, err)
		require.Equal(t, job.EmailResult{State: watchparty.MailSent}, result)
	})

	t.Run("is sent after temporary failures", func(t *testing.T) {
		w := newWorld(t)
		w.expect(job.SendMail, welcome, temporal.NewApplicationError("temporary (code 451)", "temporary")).Times(3)
		w.expect(job.SendMail, welcome, nil).Once()
		result, err := welcomeEmail(w)
		require.NoError(t, err)
		require.Equal(t, watchparty.MailSent, result.State)
		require.Equal(t, 35*time.Second, w.Now().Sub(w.started)) // 5 + 10 + 20
	})

	t.Run("waits as long as the server asks", func(t *testing.T) {
		w := newWorld(t)
		later := temporal.NewApplicationErrorWithOptions("later (code 421)", "later",
			temporal.ApplicationErrorOptions{NextRetryDelay: 5 * time.Minute})
		w.expect(job.SendMail, welcome, later).Once()
		w.expect(job.SendMail, welcome, nil).Once()
		_, err := welcomeEmail(w)
		require.NoError(t, err)
		require.Equal(t, 5*time.Minute, w.Now().Sub(w.started))
	})

	t.Run("that is rejected fails", func(t *testing.T) {
		w := newWorld(t)
		rejected := temporal.NewNonRetryableApplicationError("permanent (code 550)", job.ErrorMailRejected, nil)
		w.expect(job.SendMail, welcome, rejected).Once()
		w.expect(job.FailMail, welcome, nil).Once()
		_, err := welcomeEmail(w)
		requireFailedAs(t, err, job.ErrorMailRejected)
	})

	t.Run("whose user is gone fails", func(t *testing.T) {
		w := newWorld(t)
		gone := temporal.NewNonRetryableApplicationError("the row is gone", job.ErrorNotFound, nil)
		w.expect(job.SendMail, welcome, gone).Once()
		w.expect(job.FailMail, welcome, nil).Once()
		_, err := welcomeEmail(w)
		requireFailedAs(t, err, job.ErrorNotFound)
	})

	t.Run("expires after a day", func(t *testing.T) {
		w := newWorld(t)
		w.expect(job.SendMail, welcome, temporal.NewApplicationError("unreachable (code 0)", "unreachable")).Times(150)
		w.expect(job.FailMail, welcome, nil).Once()
		_, err := welcomeEmail(w)
		requireFailedAs(t, err, job.ErrorMailExpired)
		require.InDelta(t, 24*time.Hour, w.Now().Sub(w.started), float64(30*time.Minute))
	})

	t.Run("has its failure noted however long the database is away", func(t *testing.T) {
		w := newWorld(t)
		rejected := temporal.NewNonRetryableApplicationError("permanent (code 550)", job.ErrorMailRejected, nil)
		w.expect(job.SendMail, welcome, rejected).Once()
		w.expect(job.FailMail, welcome, errAway).Times(30)
		w.expect(job.FailMail, welcome, nil).Once()
		_, err := welcomeEmail(w)
		requireFailedAs(t, err, job.ErrorMailRejected)
	})

	t.Run("can be cancelled", func(t *testing.T) {
		w := newWorld(t)
		w.expect(job.SendMail, welcome, activity.ErrResultPending).Once()
		w.RegisterDelayedCallback(w.CancelWorkflow, time.Minute)
		_, err := welcomeEmail(w)
		require.True(t, temporal.IsCanceledError(err), "%v", err)
	})
}
