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
	err := run(ctx, webhookOptions, "Send the message", job.ActivityDeliverWebhook, in, &result)
	if !temporal.IsCanceledError(err) {
		return result, err
	}
	ending, _ := workflow.NewDisconnectedContext(ctx)
	failed := run(ending, stepOptions, "Mark the delivery as cancelled", job.ActivityCancelDelivery, in, nil)
	if failed != nil {
		return result, failed
	}
	return result, err
}
