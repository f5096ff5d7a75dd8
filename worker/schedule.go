package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/workflows/job"
)

// After an outage a schedule starts what it would have started within its window. A clean-up makes up for those before
// it; each report is of a period of its own, so that they follow one another.
const (
	cleanupWindow = 12 * time.Hour
	reportWindow  = 30 * 24 * time.Hour
)

const (
	scheduleJitter   = time.Minute
	executionTimeout = 12 * time.Hour
)

// schedule is one that is to be there.
type schedule struct {
	id       string
	cron     string // or config.OffSchedule
	action   client.ScheduleWorkflowAction
	policies client.SchedulePolicies
}

func schedules(c config.Config) []schedule {
	report := func(id, cron string, every watchparty.ReportPeriod) schedule {
		return schedule{id: id, cron: cron, action: client.ScheduleWorkflowAction{
			ID: "activity-report/" + string(every), Workflow: job.ActivityReport, Args: []any{job.ReportInput{Every: every}},
			StaticSummary: reportSummary(every),
		}, policies: client.SchedulePolicies{Overlap: enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL, CatchupWindow: reportWindow}}
	}
	return []schedule{
		{id: job.CleanupSchedule, cron: c.Cleanup.Schedule, action: client.ScheduleWorkflowAction{
			ID: "cleanup/scheduled", Workflow: job.Cleanup, Args: []any{job.CleanupInput{}}, StaticSummary: "Clean-up by schedule",
		}, policies: client.SchedulePolicies{Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: cleanupWindow}},
		report(job.WeeklyReportSchedule, c.Report.Weekly, watchparty.ReportWeek),
		report(job.MonthlyReportSchedule, c.Report.Monthly, watchparty.ReportMonth),
	}
}

// keepSchedules makes the schedules, brings them up to the settings, or removes them. Whether one is paused is the
// operators' to say and stays as it is. Any number of workers may do this at once.
func keepSchedules(ctx context.Context, d Deps) error {
	for _, s := range schedules(d.Config) {
		for {
			err := s.keep(ctx, d.Client.ScheduleClient())
			if err == nil {
				break
			}
			d.Log.WarnContext(ctx, "schedule not kept; trying again", slog.String("schedule", s.id), slog.Any("error", err))
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(retryStart):
			}
		}
	}
	return nil
}

func (s schedule) keep(ctx context.Context, c client.ScheduleClient) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if s.cron == config.OffSchedule {
		return s.remove(ctx, c)
	}
	spec := client.ScheduleSpec{CronExpressions: []string{s.cron}, Jitter: scheduleJitter}
	action := s.action
	action.TaskQueue, action.WorkflowExecutionTimeout = job.QueueMaintenance, executionTimeout
	_, err := c.Create(ctx, client.ScheduleOptions{
		ID: s.id, Spec: spec, Action: &action, Overlap: s.policies.Overlap, CatchupWindow: s.policies.CatchupWindow,
	})
	if err == nil {
		return nil
	}
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return fmt.Errorf("worker: make the schedule: %w", err)
	}
	err = c.GetHandle(ctx, s.id).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			schedule := in.Description.Schedule
			schedule.Spec, schedule.Action = &spec, &action
			schedule.Policy = &s.policies
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	})
	if err != nil {
		return fmt.Errorf("worker: update the schedule: %w", err)
	}
	return nil
}

func reportSummary(every watchparty.ReportPeriod) string {
	return "Activity report of a " + string(every)
}

func (s schedule) remove(ctx context.Context, c client.ScheduleClient) error {
	err := c.GetHandle(ctx, s.id).Delete(ctx)
	var missing *serviceerror.NotFound
	if err != nil && !errors.As(err, &missing) {
		return fmt.Errorf("worker: remove the schedule: %w", err)
	}
	return nil
}
