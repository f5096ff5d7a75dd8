package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/watchparty/watchparty/workflows/job"
)

// startTimeout bounds one call. It has to be well under the lease, for a batch is started in several rounds.
const startTimeout = 5 * time.Second

// ErrAway says that Temporal could not be asked, or would answer every event in the same way.
var ErrAway = errors.New("temporal is down")

func isAway(err error) bool { return errors.Is(err, ErrAway) }

// Temporal starts events' workflows, and sends their signals, through c. A signal that comes before the start starts
// the workflow, so that the order of the two does not matter.
func Temporal(c client.Client) StartFunc {
	return func(ctx context.Context, e job.Event) error {
		ctx, cancel := context.WithTimeout(ctx, startTimeout)
		defer cancel()
		options := client.StartWorkflowOptions{
			ID:                    e.WorkflowID,
			TaskQueue:             e.TaskQueue,
			WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			StaticSummary:         e.Summary,
			Priority:              sdk.Priority{PriorityKey: int(e.Priority)},
			TypedSearchAttributes: attributes(e),
		}
		err := send(ctx, c, options, e)
		var unknown *serviceerror.InvalidArgument
		if errors.As(err, &unknown) && options.TypedSearchAttributes.Size() > 0 {
			// The namespace does not have them yet (jobs.Register). The work does not wait for that.
			options.TypedSearchAttributes = sdk.SearchAttributes{}
			err = send(ctx, c, options, e)
		}
		return classify(err)
	}
}

func send(ctx context.Context, c client.Client, options client.StartWorkflowOptions, e job.Event) (err error) {
	if e.Signal == "" {
		_, err = c.ExecuteWorkflow(ctx, options, e.Workflow, e.Input)
	} else {
		_, err = c.SignalWithStartWorkflow(ctx, e.WorkflowID, e.Signal, nil, options, e.Workflow, e.Input)
	}
	return err
}

var (
	userKey = sdk.NewSearchAttributeKeyKeyword(job.AttributeUser)
	roomKey = sdk.NewSearchAttributeKeyKeyword(job.AttributeRoom)
)

func attributes(e job.Event) sdk.SearchAttributes {
	var all []sdk.SearchAttributeUpdate
	if e.UserID != "" {
		all = append(all, userKey.ValueSet(e.UserID))
	}
	if e.RoomID != "" {
		all = append(all, roomKey.ValueSet(e.RoomID))
	}
	return sdk.NewSearchAttributes(all...)
}

// faultsOfAll are the codes with which Temporal refuses this service rather than one event: it is down or busy, has no
// such namespace, refuses the key or the certificate, moves or deletes the namespace, or the server is no Temporal. No
// start of a workflow has them for other reasons.
var faultsOfAll = []codes.Code{
	codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted, codes.NotFound,
	codes.Unauthenticated, codes.PermissionDenied, codes.FailedPrecondition, codes.Unimplemented,
}

// classify tells an answer to one event from the absence of Temporal. The SDK retries by itself while Temporal is down,
// so that usually shows as a deadline. Whatever else fails postpones only its own event, so that one which Temporal
// cannot digest does not hold up the others.
func classify(err error) error {
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if err == nil || errors.As(err, &started) {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	if slices.Contains(faultsOfAll, status.Code(asStatus(err))) {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// asStatus unwraps the API's typed errors to their gRPC status.
func asStatus(err error) error {
	var typed serviceerror.ServiceError
	if errors.As(err, &typed) {
		return typed.Status().Err()
	}
	return err
}
