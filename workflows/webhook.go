package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/workflows/job"
)

// WebhookDelivery delivers a message to a webhook. The activity decides when the next attempt is made and when the
// delivery has ended. The delivery's row has each attempt. The workflow succeeds even if the delivery is given up: a
// broken receiver is not an error of this service.
func WebhookDelivery(ctx workflow.Context, in job.WebhookInput) (job.WebhookResult, error) {
	var result job.WebhookResult
	deliver := with(ctx, webhookOptions, "Send the message")
	err := workflow.ExecuteActivity(deliver, job.ActivityDeliverWebhook, in).Get(ctx, &result)
	if !temporal.IsCanceledError(err) {
		return result, err
	}
	ending, _ := workflow.NewDisconnectedContext(ctx)
	cancel := with(ending, stepOptions, "Mark the delivery as cancelled")
	if failed := workflow.ExecuteActivity(cancel, job.ActivityCancelDelivery, in).Get(ending, nil); failed != nil {
		return result, failed
	}
	return result, err
}
