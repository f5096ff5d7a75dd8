package telemetry

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"

	"github.com/watchparty/watchparty/logging"
)

// ActivityIDs is an interceptor for Temporal's client that adds the IDs of the workflow to what activities log.
type ActivityIDs struct{ interceptor.InterceptorBase }

// InterceptActivity is part of interceptor.WorkerInterceptor.
func (*ActivityIDs) InterceptActivity(
	_ context.Context, next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	return &activityIDs{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type activityIDs struct {
	interceptor.ActivityInboundInterceptorBase
}

// ExecuteActivity runs the activity.
func (a *activityIDs) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	execution := activity.GetInfo(ctx).WorkflowExecution
	return a.Next.ExecuteActivity(logging.WithIDs(ctx, logging.IDs{Workflow: execution.ID, Run: execution.RunID}), in)
}
