package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/workflows/job"
)

// CleanupSchedule is the ID of the nightly clean-up's schedule.
const CleanupSchedule = "cleanup"

const (
	catchupWindow    = 12 * time.Hour
	scheduleJitter   = time.Minute
	executionTimeout = 12 * time.Hour
)

// keepSchedules makes the schedules or brings them up to the settings. Whether one is paused is the operators' to say
// and stays as it is. Any number of workers may do this at once.
func keepSchedules(ctx context.Context, d Deps) error {
	for {
		err := keepCleanup(ctx, d.Client, d.Config.Cleanup)
		if err == nil {
			return nil
		}
		d.Log.WarnContext(ctx, "schedule not kept; trying again", slog.Any("error", err))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryStart):
		}
	}
}

func keepCleanup(ctx context.Context, c client.Client, settings config.Cleanup) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	spec := client.ScheduleSpec{CronExpressions: []string{settings.Schedule}, Jitter: scheduleJitter}
	action := &client.ScheduleWorkflowAction{
		ID: "cleanup/scheduled", Workflow: job.Cleanup, TaskQueue: job.QueueMaintenance,
		Args: []any{job.CleanupInput{}}, WorkflowExecutionTimeout: executionTimeout, StaticSummary: "Clean-up by schedule",
	}
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: CleanupSchedule, Spec: spec, Action: action,
		Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: catchupWindow,
	})
	if err == nil {
		return nil
	}
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return fmt.Errorf("worker: make the schedule: %w", err)
	}
	err = c.ScheduleClient().GetHandle(ctx, CleanupSchedule).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			schedule := in.Description.Schedule
			schedule.Spec, schedule.Action = &spec, action
			schedule.Policy = &client.SchedulePolicies{Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: catchupWindow}
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	})
	if err != nil {
		return fmt.Errorf("worker: update the schedule: %w", err)
	}
	return nil
}
