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
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// maxText is the length of a failure that is shown, in characters.
const maxText = 300

// Get returns a job with its steps and its history. Without a run it is the workflow's latest run.
func (j *Jobs) Get(ctx context.Context, workflowID, runID string) (Detail, error) {
	pauses, err := j.readPauses(ctx)
	if err != nil {
		return Detail{}, err
	}
	d, err := j.describe(ctx, workflowID, runID, pauses)
	if err != nil {
		return Detail{}, err
	}
	return d, j.addTimeline(ctx, &d)
}

// describe returns a job without its timeline.
func (j *Jobs) describe(
	ctx context.Context, workflowID, runID string, pauses map[string]watchparty.QueuePause,
) (Detail, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	answer, err := j.client.DescribeWorkflowExecution(ctx, workflowID, runID)
	if err != nil {
		return Detail{}, problem("describe", err)
	}
	d := Detail{Job: newJob(answer.GetWorkflowExecutionInfo())}
	d.Queue = answer.GetExecutionConfig().GetTaskQueue().GetName()
	d.Summary = summary(answer.GetExecutionConfig().GetUserMetadata())
	for _, a := range answer.GetPendingActivities() {
		d.Steps = append(d.Steps, newStep(a, pauses))
	}
	if d.State == Running {
		d.Phase = phase(answer, d.Steps, store.Now())
	}
	return d, nil
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
		ScheduledAt: at(a.GetScheduledTime()),
		StartedAt:   at(a.GetLastStartedTime()),
		HeartbeatAt: at(a.GetLastHeartbeatTime()),
		NextAt:      at(a.GetNextAttemptScheduleTime()),
		DeadlineAt:  at(a.GetExpirationTime()),
		Worker:      a.GetLastWorkerIdentity(),
	}
	_, paused := pauses[s.Queue]
	s.QueuePaused = paused && s.State == "scheduled"
	return s
}

var stepStates = map[enums.PendingActivityState]string{
	enums.PENDING_ACTIVITY_STATE_SCHEDULED:        "scheduled",
	enums.PENDING_ACTIVITY_STATE_STARTED:          "started",
	enums.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED: "cancel_requested",
	enums.PENDING_ACTIVITY_STATE_PAUSED:           "paused",
	enums.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED:  "paused",
}

// phase returns what a running job does.
func phase(d *workflowservice.DescribeWorkflowExecutionResponse, steps []Step, now time.Time) Phase {
	found := Waiting
	if task := d.GetPendingWorkflowTask(); task != nil {
		found = Working
		due := task.GetScheduledTime().AsTime()
		if task.GetState() == enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED && now.Sub(due) > stuckAfter ||
			task.GetAttempt() >= stuckAttempts {
			return Stuck
		}
	}
	for i, s := range steps {
		found = worse(found, stepPhase(s, d.GetPendingActivities()[i].GetLastFailure(), now))
	}
	return found
}

// phases are in the order in which an operator has to see them, the most urgent last.
var phases = []Phase{Waiting, Working, Retrying, Stuck}

// worse returns the more urgent one of two phases.
func worse(a, b Phase) Phase { return phases[max(slices.Index(phases, a), slices.Index(phases, b))] }

func stepPhase(s Step, last *failurepb.Failure, now time.Time) Phase {
	if last.GetApplicationFailureInfo().GetType() == job.ErrorRecipientLimit {
		return Waiting // until the recipient may have more emails
	}
	due := s.NextAt
	if due.IsZero() {
		due = s.ScheduledAt
	}
	switch {
	case s.State == "paused", s.QueuePaused:
		return Waiting
	case s.Attempt >= stuckAttempts:
		return Stuck
	case s.State == "scheduled" && s.Attempt <= 1 && now.Sub(due) > stuckAfter,
		s.State == "scheduled" && !s.NextAt.IsZero() && now.Sub(s.NextAt) > stuckAfter:
		return Stuck
	case s.LastFailure != "":
		return Retrying
	}
	return Working
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

func summary(m *sdkpb.UserMetadata) (text string) {
	if m.GetSummary() != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(m.GetSummary(), &text) // empty if it is no text
	}
	return watchparty.ShownLine(text, maxText)
}

func at(t *timestamppb.Timestamp) time.Time {
	if t == nil || t.GetSeconds() <= 0 {
		return time.Time{}
	}
	return t.AsTime()
}
