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

const deliveryID = "01900000-0000-7000-8000-000000000006"

var toWebhook = job.WebhookInput{DeliveryID: deliveryID, Round: 1}

func TestWebhookDelivery(t *testing.T) {
	later := temporal.NewApplicationErrorWithOptions("not taken: status", job.ErrorWebhookRefused,
		temporal.ApplicationErrorOptions{NextRetryDelay: 20 * time.Hour})
	t.Run("tries as long as the activity says, with its pauses", func(t *testing.T) {
		w := newWorkflowFixture(t)
		done := job.WebhookResult{State: watchparty.WebhookFailed, Attempts: 4}
		w.expect(job.ActivityDeliverWebhook, toWebhook, job.WebhookResult{}, later).Times(3)
		w.expect(job.ActivityDeliverWebhook, toWebhook, done, nil).Once()
		result, err := run[job.WebhookResult](w, workflows.WebhookDelivery, toWebhook)
		require.NoError(t, err, "a receiver that fails is no failure of ours")
		require.Equal(t, done, result)
		require.GreaterOrEqual(t, w.Now().Sub(w.started), 60*time.Hour)
	})
	t.Run("is patient with the database", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivityDeliverWebhook, toWebhook, job.WebhookResult{}, errAway).Times(60)
		w.expect(job.ActivityDeliverWebhook, toWebhook, job.WebhookResult{State: watchparty.WebhookDelivered}, nil).Once()
		_, err := run[job.WebhookResult](w, workflows.WebhookDelivery, toWebhook)
		require.NoError(t, err)
		require.Less(t, w.Now().Sub(w.started), 2*time.Hour)
	})
	t.Run("notes that it was cancelled", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivityDeliverWebhook, toWebhook, job.WebhookResult{}, activity.ErrResultPending)
		w.expect(job.ActivityCancelDelivery, toWebhook, job.WebhookResult{State: watchparty.WebhookCancelled}, nil).Once()
		w.RegisterDelayedCallback(w.CancelWorkflow, time.Hour)
		_, err := run[job.WebhookResult](w, workflows.WebhookDelivery, toWebhook)
		require.True(t, temporal.IsCanceledError(err), err)
	})
}

// TestWebhookPauses: three days in all.
func TestWebhookPauses(t *testing.T) {
	var all time.Duration
	for _, pause := range job.WebhookPauses() {
		all += pause
	}
	require.InDelta(t, 72, all.Hours(), 1)
}
