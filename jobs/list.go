package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

const (
	// callTimeout limits one call of Temporal.
	callTimeout = 5 * time.Second
	// parallel is the number of jobs that are asked for at a time.
	parallel = 8
)

// Jobs gives access to the workflows of one namespace.
type Jobs struct {
	client     client.Client
	namespace  string
	readPauses ReadPauses
}

// ReadPauses returns the queues that an admin has paused, as store.Store's QueuePauses does.
type ReadPauses func(context.Context) (map[string]watchparty.QueuePause, error)

// New returns the jobs of a namespace.
func New(c client.Client, namespace string, pauses ReadPauses) *Jobs {
	return &Jobs{client: c, namespace: namespace, readPauses: pauses}
}

// List is Select with the phases of the jobs that run.
func (j *Jobs) List(ctx context.Context, f Filter, limit int, page []byte) ([]Job, []byte, error) {
	found, next, err := j.Select(ctx, f, limit, page)
	if err != nil {
		return nil, nil, err
	}
	queues, err := j.snapshotQueues(ctx)
	if err != nil {
		return nil, nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i := range found {
		if found[i].State != Running {
			continue
		}
		g.Go(func() error {
			d, err := j.describe(ctx, found[i].WorkflowID, found[i].RunID, queues)
			if errors.Is(err, watchparty.ErrNotFound) {
				return nil // it went meanwhile: the list says so with its next page
			}
			if err == nil {
				found[i] = d.Job
			}
			return err
		})
	}
	return found, next, g.Wait()
}

// Select returns a page of jobs without phases, and the token of the next one: nil on the last page. Those that run
// come first, then those that ended last.
func (j *Jobs) Select(ctx context.Context, f Filter, limit int, page []byte) ([]Job, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := j.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: int32(limit), NextPageToken: page, Query: f.query(), //nolint:gosec // a page is small
	})
	if err != nil {
		return nil, nil, domainError("list", err)
	}
	found := make([]Job, 0, len(answer.GetExecutions()))
	for _, e := range answer.GetExecutions() {
		found = append(found, newJob(e))
	}
	if len(answer.GetNextPageToken()) == 0 {
		return found, nil, nil
	}
	return found, answer.GetNextPageToken(), nil
}

// Count returns the number of jobs that a filter selects.
func (j *Jobs) Count(ctx context.Context, f Filter) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := j.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: f.query()})
	if err != nil {
		return 0, domainError("count", err)
	}
	return answer.GetCount(), nil
}

// CountFailed returns the number of jobs that failed in each span of time. A span begins at its time and lasts until
// the next one; the last one lasts until now. Jobs older than the namespace's retention are not counted.
func (j *Jobs) CountFailed(ctx context.Context, begins []time.Time) ([]int64, error) {
	counts := make([]int64, len(begins))
	if len(begins) == 0 {
		return counts, nil
	}
	all, err := j.Count(ctx, Filter{State: Failed, EndedFrom: begins[0]})
	if err != nil || all == 0 {
		return counts, err // mostly none has failed, and one count is enough
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, begin := range begins {
		span := Filter{State: Failed, EndedFrom: begin}
		if i+1 < len(begins) {
			span.EndedTo = begins[i+1]
		}
		g.Go(func() error {
			var err error
			counts[i], err = j.Count(ctx, span)
			return err
		})
	}
	return counts, g.Wait()
}

// Counts returns the number of jobs by kind and state.
func (j *Jobs) Counts(ctx context.Context, f Filter) (map[string]map[State]int64, error) {
	kinds := job.WorkflowTypes()
	if f.Kind != "" {
		kinds = []string{f.Kind}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows := make([]map[State]int64, len(kinds))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, kind := range kinds {
		g.Go(func() error {
			of := f
			of.Kind = kind
			var err error
			rows[i], err = j.countByState(ctx, of)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	counts := map[string]map[State]int64{}
	for i, kind := range kinds {
		counts[kind] = rows[i]
	}
	return counts, nil
}

func (j *Jobs) countByState(ctx context.Context, f Filter) (map[State]int64, error) {
	answer, err := j.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Query: f.query() + " GROUP BY ExecutionStatus",
	})
	if err != nil {
		return nil, domainError("count", err)
	}
	counts := map[State]int64{}
	for _, group := range answer.GetGroups() {
		var name string
		if len(group.GetGroupValues()) == 0 ||
			converter.GetDefaultDataConverter().FromPayload(group.GetGroupValues()[0], &name) != nil {
			continue
		}
		status, err := enums.WorkflowExecutionStatusFromString(name)
		if err == nil {
			counts[stateOf(status)] += group.GetCount()
		}
	}
	return counts, nil
}

func newJob(e *workflowpb.WorkflowExecutionInfo) Job {
	j := Job{
		WorkflowID: e.GetExecution().GetWorkflowId(), RunID: e.GetExecution().GetRunId(), Kind: e.GetType().GetName(),
		Queue: e.GetTaskQueue(), State: stateOf(e.GetStatus()), StartedAt: e.GetStartTime().AsTime(),
		Events: e.GetHistoryLength(),
	}
	if e.GetCloseTime() != nil {
		j.EndedAt = e.GetCloseTime().AsTime()
	}
	j.UserID = attribute(e.GetSearchAttributes(), job.AttributeUser)
	j.RoomID = attribute(e.GetSearchAttributes(), job.AttributeRoom)
	return j
}

func attribute(all *commonpb.SearchAttributes, name string) (value string) {
	if payload := all.GetIndexedFields()[name]; payload != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(payload, &value) // empty if it has another type
	}
	return value
}

// domainError turns an error of Temporal into ErrNotFound, ErrJobsNotSearchable or ErrTemporalDown.
func domainError(operation string, err error) error {
	var (
		missing *serviceerror.NotFound
		invalid *serviceerror.InvalidArgument
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		return watchparty.ErrNotFound
	case errors.As(err, &invalid):
		return fmt.Errorf("jobs: %s: %w", operation, errors.Join(watchparty.ErrJobsNotSearchable, err))
	}
	if errors.Is(err, context.Canceled) && status.Code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("jobs: %s: %w", operation, err)
	}
	return fmt.Errorf("jobs: %s: %w", operation, errors.Join(watchparty.ErrTemporalDown, err))
}
