package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/workflows/job"
)

// WebhookDelivery delivers a message to a webhook. The activity says when it is tried next, and when it has ended; the
// message's row has each attempt. A delivery that was given up is no failure of the workflow: the receiver's is not
// ours, and the row tells it.
func WebhookDelivery(ctx workflow.Context, in job.WebhookInput) (job.WebhookResult, error) {
	var result job.WebhookResult
	deliver := with(ctx, delivering, "Send the message")
	err := workflow.ExecuteActivity(deliver, job.ActivityDeliverWebhook, in).Get(ctx, &result)
	if !temporal.IsCanceledError(err) {
		return result, err
	}
	ending, _ := workflow.NewDisconnectedContext(ctx)
	cancel := with(ending, patient, "Note that it was cancelled")
	if failed := workflow.ExecuteActivity(cancel, job.ActivityCancelDelivery, in).Get(ending, nil); failed != nil {
		return result, failed
	}
	return result, err
}
