package jobs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// maxTimeline is the number of events of a history that are read.
const maxTimeline = 500

// addTimeline reads the job's history, without the workflow's own tasks. It also says why the job failed, and for what
// it waits.
func (j *Jobs) addTimeline(ctx context.Context, d *Detail) error {
	events, truncated, err := j.history(ctx, d.WorkflowID, d.RunID)
	if err != nil {
		return err
	}
	d.Truncated = truncated
	scheduled := map[int64]string{} // by event: the step
	for _, e := range events {
		switch e.GetEventType() {
		case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			a := e.GetActivityTaskScheduledEventAttributes()
			scheduled[e.GetEventId()] = a.GetActivityType().GetName()
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
			d.Failure = failureText(e.GetWorkflowExecutionFailedEventAttributes().GetFailure())
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
			d.Failure = e.GetWorkflowExecutionTerminatedEventAttributes().GetReason()
		}
		if kind, detail := describeEvent(e, scheduled); kind != "" {
			d.Timeline = append(d.Timeline, Event{
				ID: e.GetEventId(), At: e.GetEventTime().AsTime(), Type: kind, Detail: detail,
			})
		}
	}
	if d.State == Running && d.Phase == Waiting {
		d.setWait(openTimers(events))
	}
	return nil
}

// setWait sets what a job waits for: the end of a pause, or else the timer that ends first.
func (d *Detail) setWait(timers map[int64]timer) {
	for _, s := range d.Steps {
		if s.QueuePaused {
			d.WaitsFor = "The end of the pause of the queue " + s.Queue
			return
		}
	}
	for _, t := range timers {
		if d.WaitsUntil.IsZero() || t.ends.Before(d.WaitsUntil) {
			d.WaitsFor, d.WaitsUntil = t.summary, t.ends
		}
	}
}

type timer struct {
	summary string
	ends    time.Time
}

// openTimers returns the timers that have started and not ended, by the event of their start.
func openTimers(events []*historypb.HistoryEvent) map[int64]timer {
	timers := map[int64]timer{}
	for _, e := range events {
		switch e.GetEventType() {
		case enums.EVENT_TYPE_TIMER_STARTED:
			a := e.GetTimerStartedEventAttributes()
			timers[e.GetEventId()] = timer{
				summary: summaryOf(e.GetUserMetadata()),
				ends:    e.GetEventTime().AsTime().Add(a.GetStartToFireTimeout().AsDuration()),
			}
		case enums.EVENT_TYPE_TIMER_FIRED:
			delete(timers, e.GetTimerFiredEventAttributes().GetStartedEventId())
		case enums.EVENT_TYPE_TIMER_CANCELED:
			delete(timers, e.GetTimerCanceledEventAttributes().GetStartedEventId())
		}
	}
	return timers
}

// history reads a history up to maxTimeline events.
func (j *Jobs) history(ctx context.Context, workflowID, runID string) ([]*historypb.HistoryEvent, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var events []*historypb.HistoryEvent
	all := j.client.GetWorkflowHistory(ctx, workflowID, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		e, err := all.Next()
		if err != nil {
			return nil, false, domainError("history", err)
		}
		if len(events) == maxTimeline {
			last, err := j.lastEvent(ctx, workflowID, runID)
			if last != nil {
				events = append(events, last)
			}
			return events, true, err
		}
		events = append(events, e)
	}
	return events, false, nil
}

// lastEvent returns the last event of a history, which says how a job has ended.
func (j *Jobs) lastEvent(ctx context.Context, workflowID, runID string) (*historypb.HistoryEvent, error) {
	answer, err := j.client.WorkflowService().GetWorkflowExecutionHistoryReverse(ctx,
		&workflowservice.GetWorkflowExecutionHistoryReverseRequest{
			Namespace: j.namespace, Execution: execution(workflowID, runID), MaximumPageSize: 1,
		})
	if err != nil || len(answer.GetHistory().GetEvents()) == 0 {
		return nil, domainError("history", err)
	}
	return answer.GetHistory().GetEvents()[0], nil
}

// describeEvent returns the type and the detail of an event. The type is empty for events that say nothing to an
// operator.
func describeEvent(e *historypb.HistoryEvent, scheduled map[int64]string) (kind, detail string) {
	text := summaryOf(e.GetUserMetadata())
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		return "started", e.GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		return "completed", ""
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		return "failed", failureText(e.GetWorkflowExecutionFailedEventAttributes().GetFailure())
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		return "timed_out", ""
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		return "cancelled", ""
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		return "terminated", e.GetWorkflowExecutionTerminatedEventAttributes().GetReason()
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
		return "cancel_requested", e.GetWorkflowExecutionCancelRequestedEventAttributes().GetCause()
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
		return "signalled", e.GetWorkflowExecutionSignaledEventAttributes().GetSignalName()
	case enums.EVENT_TYPE_WORKFLOW_TASK_FAILED:
		a := e.GetWorkflowTaskFailedEventAttributes()
		if a.GetCause() == enums.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW {
			return "reset", a.GetFailure().GetMessage()
		}
		return "workflow_task_failed", failureText(a.GetFailure())
	case enums.EVENT_TYPE_TIMER_STARTED:
		wait := e.GetTimerStartedEventAttributes().GetStartToFireTimeout().AsDuration().Round(time.Second)
		return "timer_started", strings.TrimSpace(text + " (" + wait.String() + ")")
	case enums.EVENT_TYPE_TIMER_FIRED:
		return "timer_fired", ""
	case enums.EVENT_TYPE_TIMER_CANCELED:
		return "timer_cancelled", ""
	}
	return describeStep(e, text, scheduled)
}

func describeStep(e *historypb.HistoryEvent, text string, scheduled map[int64]string) (kind, detail string) {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		name := e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
		if text != "" {
			name += ": " + text
		}
		return "step_scheduled", name
	case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		a := e.GetActivityTaskStartedEventAttributes()
		detail = fmt.Sprintf("%s, attempt %d", scheduled[a.GetScheduledEventId()], a.GetAttempt())
		if failure := failureText(a.GetLastFailure()); failure != "" {
			detail += "; before: " + failure
		}
		return "step_started", detail
	case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		return "step_completed", scheduled[e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId()]
	case enums.EVENT_TYPE_ACTIVITY_TASK_FAILED:
		a := e.GetActivityTaskFailedEventAttributes()
		return "step_failed", scheduled[a.GetScheduledEventId()] + ": " + failureText(a.GetFailure())
	case enums.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		a := e.GetActivityTaskTimedOutEventAttributes()
		return "step_timed_out", scheduled[a.GetScheduledEventId()] + ": " + failureText(a.GetFailure())
	case enums.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
		return "step_cancelled", scheduled[e.GetActivityTaskCanceledEventAttributes().GetScheduledEventId()]
	}
	return "", ""
}
