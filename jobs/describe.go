package jobs

import (
	"context"
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// maxText is the length of a failure that is shown, in characters.
const maxText = 300

// Get returns a job with its steps and its history. Without a run it is the workflow's latest run.
func (j *Jobs) Get(ctx context.Context, workflowID, runID string) (Detail, error) {
	queues, err := j.snapshotQueues(ctx)
	if err != nil {
		return Detail{}, err
	}
	d, err := j.describe(ctx, workflowID, runID, queues)
	if err != nil {
		return Detail{}, err
	}
	return d, j.addTimeline(ctx, &d)
}

// describe returns a job without its timeline.
func (j *Jobs) describe(ctx context.Context, workflowID, runID string, queues *queueSnapshot) (Detail, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := j.client.DescribeWorkflowExecution(ctx, workflowID, runID)
	if err != nil {
		return Detail{}, domainError("describe", err)
	}
	d := Detail{Job: newJob(answer.GetWorkflowExecutionInfo())}
	d.Queue = answer.GetExecutionConfig().GetTaskQueue().GetName()
	d.Summary = summaryOf(answer.GetExecutionConfig().GetUserMetadata())
	for _, a := range answer.GetPendingActivities() {
		d.Steps = append(d.Steps, newStep(a, queues.pauses))
	}
	if d.State == Running {
		err = d.addPhase(ctx, answer, queues)
	}
	return d, err
}

func newStep(a *workflowpb.PendingActivityInfo, pauses map[string]watchparty.QueuePause) Step {
	s := Step{
		ID:          a.GetActivityId(),
		Activity:    a.GetActivityType().GetName(),
		Queue:       a.GetActivityOptions().GetTaskQueue().GetName(),
		State:       stepStates[a.GetState()],
		Attempt:     int(a.GetAttempt()),
		MaxAttempts: int(a.GetMaximumAttempts()),
		LastFailure: failureText(a.GetLastFailure()),
		ScheduledAt: timeOf(a.GetScheduledTime()),
		StartedAt:   timeOf(a.GetLastStartedTime()),
		HeartbeatAt: timeOf(a.GetLastHeartbeatTime()),
		NextAt:      timeOf(a.GetNextAttemptScheduleTime()),
		DeadlineAt:  timeOf(a.GetExpirationTime()),
		Worker:      a.GetLastWorkerIdentity(),
	}
	if _, paused := pauses[s.Queue]; paused && s.State == "scheduled" {
		s.QueuePaused, s.NextAt = true, time.Time{}
	}
	return s
}

var stepStates = map[enums.PendingActivityState]string{
	enums.PENDING_ACTIVITY_STATE_SCHEDULED:        "scheduled",
	enums.PENDING_ACTIVITY_STATE_STARTED:          "started",
	enums.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED: "cancel_requested",
	enums.PENDING_ACTIVITY_STATE_PAUSED:           "paused",
	enums.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED:  "paused",
}

// addPhase says what a running job does, and for which worker it waits.
func (d *Detail) addPhase(
	ctx context.Context, answer *workflowservice.DescribeWorkflowExecutionResponse, queues *queueSnapshot,
) error {
	d.Phase = Waiting
	add := func(found Phase, queue string) {
		if found = worse(d.Phase, found); found == NoWorker && d.Phase != NoWorker {
			d.WaitsFor = "A worker of the queue " + queue
		}
		d.Phase = found
	}
	if task := answer.GetPendingWorkflowTask(); task != nil {
		waits := task.GetState() == enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
		due := task.GetScheduledTime().AsTime()
		lacks, err := queues.lacksWorker(ctx, d.Queue, enums.TASK_QUEUE_TYPE_WORKFLOW, waits, due)
		if err != nil {
			return err
		}
		switch {
		case lacks:
			add(NoWorker, d.Queue)
		case task.GetAttempt() >= stuckAttempts:
			add(Stuck, d.Queue)
		default:
			add(Working, d.Queue)
		}
	}
	for i, s := range d.Steps {
		found, err := stepPhase(ctx, s, answer.GetPendingActivities()[i].GetLastFailure(), queues)
		if err != nil {
			return err
		}
		add(found, s.Queue)
	}
	return nil
}

// phases lists the phases by urgency, the most urgent last.
var phases = []Phase{Waiting, Working, Retrying, Stuck, NoWorker}

// worse returns the more urgent one of two phases.
func worse(a, b Phase) Phase { return phases[max(slices.Index(phases, a), slices.Index(phases, b))] }

func stepPhase(ctx context.Context, s Step, last *failurepb.Failure, queues *queueSnapshot) (Phase, error) {
	if last.GetApplicationFailureInfo().GetType() == job.ErrorRecipientLimit || s.State == "paused" || s.QueuePaused {
		return Waiting, nil // until the recipient may have more emails, or an admin ends the pause
	}
	due := s.NextAt
	if due.IsZero() && s.Attempt <= 1 {
		due = s.ScheduledAt
	}
	lacks, err := queues.lacksWorker(ctx, s.Queue, enums.TASK_QUEUE_TYPE_ACTIVITY, s.State == "scheduled", due)
	switch {
	case err != nil:
		return "", err
	case lacks:
		return NoWorker, nil
	case s.Attempt >= stuckAttempts:
		return Stuck, nil
	case s.LastFailure != "":
		return Retrying, nil
	}
	return Working, nil
}

// failureText returns the message of the innermost failure.
func failureText(f *failurepb.Failure) string {
	if f == nil {
		return ""
	}
	text := f.GetMessage()
	for inner := f.GetCause(); inner != nil; inner = inner.GetCause() {
		if inner.GetMessage() != "" {
			text = inner.GetMessage()
		}
	}
	if text == "" && f.GetTimeoutFailureInfo() != nil {
		text = "timeout: " + f.GetTimeoutFailureInfo().GetTimeoutType().String()
	}
	return watchparty.ShownLine(text, maxText)
}

func summaryOf(m *sdkpb.UserMetadata) (text string) {
	if m.GetSummary() != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(m.GetSummary(), &text) // empty if it is no text
	}
	return watchparty.ShownLine(text, maxText)
}

func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil || t.GetSeconds() <= 0 {
		return time.Time{}
	}
	return t.AsTime()
}
