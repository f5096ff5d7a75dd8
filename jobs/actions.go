package jobs

import (
	"context"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/google/uuid"

	"github.com/watchparty/watchparty"
)

// Cancel asks a running job to end in good order. It returns ErrJobEnded for one that has ended.
func (j *Jobs) Cancel(ctx context.Context, workflowID, runID string) error {
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := j.client.CancelWorkflow(limited, workflowID, runID); err != nil {
		return notFoundIsEnded(domainError("cancel", err))
	}
	// Temporal accepts the request for a job that has ended, too, and drops it.
	d, err := j.Get(ctx, workflowID, runID)
	if err != nil || d.State == Running {
		return notFoundIsEnded(err)
	}
	for _, e := range d.Timeline {
		if e.Type == "cancel_requested" && d.State != Terminated {
			return nil
		}
	}
	return watchparty.ErrJobEnded
}

// Terminate ends a running job at once, without its own tidying up. It returns ErrJobEnded for one that has ended.
func (j *Jobs) Terminate(ctx context.Context, workflowID, runID, reason string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return notFoundIsEnded(domainError("terminate", j.client.TerminateWorkflow(ctx, workflowID, runID, reason)))
}

// notFoundIsEnded returns ErrJobEnded for ErrNotFound: the caller has just seen the job.
func notFoundIsEnded(err error) error {
	if errors.Is(err, watchparty.ErrNotFound) {
		return watchparty.ErrJobEnded
	}
	return err
}

// TryNow starts the next attempt of all steps that wait for a retry, and gives them all their attempts again. It skips
// steps of paused queues. It returns the number of steps.
func (j *Jobs) TryNow(ctx context.Context, d Detail) (int, error) {
	tried := 0
	for _, s := range d.Steps {
		if !s.AwaitsRetry() || s.QueuePaused {
			continue
		}
		if err := j.resetStep(ctx, d.Job, s.ID); err != nil {
			return tried, err
		}
		tried++
	}
	return tried, nil
}

func (j *Jobs) resetStep(ctx context.Context, of Job, step string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := j.client.WorkflowService().ResetActivity(ctx, &workflowservice.ResetActivityRequest{
		Namespace: j.namespace, Execution: execution(of.WorkflowID, of.RunID),
		Activity: &workflowservice.ResetActivityRequest_Id{Id: step},
	})
	return notFoundIsEnded(domainError("try now", err))
}

// Reset runs a job again from its last good point. It repeats the step that failed, or at which the job ended, and
// keeps what was done before. It returns the new run.
func (j *Jobs) Reset(ctx context.Context, workflowID, runID, reason string) (newRun string, err error) {
	events, truncated, err := j.history(ctx, workflowID, runID)
	if err != nil {
		return "", err
	}
	point := lastGoodPoint(events)
	if point == 0 || truncated {
		return "", watchparty.ErrNothingToRetry
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := j.client.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: j.namespace, WorkflowExecution: execution(workflowID, runID), Reason: reason,
		WorkflowTaskFinishEventId: point, RequestId: uuid.NewString(),
	})
	return answer.GetRunId(), domainError("reset", err)
}

// lastGoodPoint returns the workflow task that a job is reset to: the one that scheduled the last step which failed, or
// else the last one that completed. It is 0 if no task completed.
func lastGoodPoint(events []*historypb.HistoryEvent) int64 {
	var point int64
	by := map[int64]int64{} // by the event of a step: the workflow task that scheduled it
	failed := func(scheduled int64) { point = by[scheduled] }
	for _, e := range events {
		switch e.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			point = e.GetEventId()
		case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			by[e.GetEventId()] = e.GetActivityTaskScheduledEventAttributes().GetWorkflowTaskCompletedEventId()
		}
	}
	// Of the failed steps only the last counts: the workflow went on after the others.
	for i := len(events) - 1; i >= 0; i-- {
		switch e := events[i]; e.GetEventType() {
		case enums.EVENT_TYPE_ACTIVITY_TASK_FAILED:
			failed(e.GetActivityTaskFailedEventAttributes().GetScheduledEventId())
			return point
		case enums.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
			failed(e.GetActivityTaskTimedOutEventAttributes().GetScheduledEventId())
			return point
		case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
			return point
		}
	}
	return point
}

func execution(workflowID, runID string) *commonpb.WorkflowExecution {
	return &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: runID}
}
