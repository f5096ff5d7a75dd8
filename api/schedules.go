package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	temporal "go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// Schedules gives access to the schedules in Temporal. Only operations for admins use it.
type Schedules interface {
	GetHandle(ctx context.Context, id string) temporal.ScheduleHandle
}

const (
	// scheduleWait limits the wait for one answer of Temporal.
	scheduleWait = 5 * time.Second
	// maxBackfill is the longest period of one backfill.
	maxBackfill = 31 * 24 * time.Hour
)

// ListSchedules lists the schedules that exist.
func (s *Server) ListSchedules(
	ctx context.Context,
	_ contract.ListSchedulesRequestObject,
) (contract.ListSchedulesResponseObject, error) {
	list := contract.ListSchedules200JSONResponse{Data: []contract.Schedule{}}
	for _, id := range job.ScheduleIDs() {
		schedule, err := s.schedule(ctx, id)
		if errors.Is(err, watchparty.ErrNotFound) {
			continue // no worker has created it yet
		}
		if err != nil {
			return nil, err
		}
		list.Data = append(list.Data, schedule)
	}
	return list, nil
}

// PauseSchedule pauses a schedule.
func (s *Server) PauseSchedule(
	ctx context.Context,
	r contract.PauseScheduleRequestObject,
) (contract.PauseScheduleResponseObject, error) {
	schedule, err := s.change(
		ctx,
		r.ScheduleID,
		watchparty.AuditSchedulePaused,
		nil,
		func(ctx context.Context, h temporal.ScheduleHandle) error {
			return h.Pause(ctx, temporal.SchedulePauseOptions{Note: watchparty.AdminNoteOf(ctx)})
		},
	)
	return contract.PauseSchedule200JSONResponse{Data: schedule}, err
}

// ResumeSchedule resumes a schedule.
func (s *Server) ResumeSchedule(
	ctx context.Context,
	r contract.ResumeScheduleRequestObject,
) (contract.ResumeScheduleResponseObject, error) {
	schedule, err := s.change(
		ctx,
		r.ScheduleID,
		watchparty.AuditScheduleResumed,
		nil,
		func(ctx context.Context, h temporal.ScheduleHandle) error {
			return h.Unpause(ctx, temporal.ScheduleUnpauseOptions{Note: watchparty.AdminNoteOf(ctx)})
		},
	)
	return contract.ResumeSchedule200JSONResponse{Data: schedule}, err
}

// TriggerSchedule starts a run of a schedule now, unless one is in progress.
func (s *Server) TriggerSchedule(
	ctx context.Context,
	r contract.TriggerScheduleRequestObject,
) (contract.TriggerScheduleResponseObject, error) {
	schedule, err := s.change(
		ctx,
		r.ScheduleID,
		watchparty.AuditScheduleTriggered,
		nil,
		func(ctx context.Context, h temporal.ScheduleHandle) error {
			return h.Trigger(ctx, temporal.ScheduleTriggerOptions{Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP})
		},
	)
	return contract.TriggerSchedule200JSONResponse{Data: schedule}, err
}

// BackfillSchedule starts the runs of a period, one after the other.
func (s *Server) BackfillSchedule(
	ctx context.Context,
	r contract.BackfillScheduleRequestObject,
) (contract.BackfillScheduleResponseObject, error) {
	start, end := r.Body.Start.UTC(), r.Body.End.UTC()
	if !start.Before(end) || end.Sub(start) > maxBackfill || end.After(store.Now()) {
		return nil, watchparty.Invalid(
			watchparty.FieldError{
				Field:   "end",
				Code:    "range",
				Message: "must be at most 31 days after start, and not in the future",
			},
		)
	}
	details := map[string]any{"start": start, "end": end}
	schedule, err := s.change(
		ctx,
		r.ScheduleID,
		watchparty.AuditScheduleBackfilled,
		details,
		func(ctx context.Context, h temporal.ScheduleHandle) error {
			return h.Backfill(ctx, temporal.ScheduleBackfillOptions{
				Backfill: []temporal.ScheduleBackfill{{Start: start, End: end, Overlap: enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL}},
			})
		},
	)
	return contract.BackfillSchedule200JSONResponse{Data: schedule}, err
}

// change applies an admin's act to a schedule. The act is audited first.
func (s *Server) change(
	ctx context.Context,
	id string,
	action watchparty.AuditAction,
	details map[string]any,
	do func(context.Context, temporal.ScheduleHandle) error,
) (contract.Schedule, error) {
	who := caller(ctx)
	if !slices.Contains(job.ScheduleIDs(), id) {
		return contract.Schedule{}, watchparty.ErrNotFound
	}
	err := s.store.AuditSchedule(ctx, who.UserID, id, action, details, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, scheduleWait)
		defer cancel()
		return temporalError(do(ctx, s.schedules.GetHandle(ctx, id)))
	})
	if err != nil {
		return contract.Schedule{}, err
	}
	return s.schedule(ctx, id)
}

func (s *Server) schedule(ctx context.Context, id string) (contract.Schedule, error) {
	ctx, cancel := context.WithTimeout(ctx, scheduleWait)
	defer cancel()
	found, err := s.schedules.GetHandle(ctx, id).Describe(ctx)
	if err != nil {
		return contract.Schedule{}, temporalError(err)
	}
	out := contract.Schedule{
		ID: id, Paused: found.Schedule.State.Paused, Note: found.Schedule.State.Note,
		RecentRuns: []contract.ScheduledRun{}, NextRuns: convert(found.Info.NextActionTimes, time.Time.UTC),
	}
	for _, run := range slices.Backward(found.Info.RecentActions) {
		r := contract.ScheduledRun{ScheduledAt: run.ScheduleTime.UTC(), StartedAt: run.ActualTime.UTC()}
		if started := run.StartWorkflowResult; started != nil {
			r.WorkflowID, r.RunID = &started.WorkflowID, &started.FirstExecutionRunID
			r.TemporalURL = pointer(s.temporalURL(started.WorkflowID))
		}
		out.RecentRuns = append(out.RecentRuns, r)
	}
	return out, nil
}

// temporalError distinguishes a missing schedule from a Temporal that is down.
func temporalError(err error) error {
	var missing *serviceerror.NotFound
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		return watchparty.ErrNotFound
	default:
		return errors.Join(watchparty.ErrTemporalDown, err)
	}
}
