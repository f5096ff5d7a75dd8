package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

const (
	// maxMissing is the number of missing reports of each kind that are made later: the latest ones.
	maxMissing = 12
	// reportGrace is the time that the schedule itself has to start a report.
	reportGrace = 10 * time.Minute
)

// startMissingReports starts the reports that are missing because an outage was longer than the window of the
// schedules, or because Temporal has lost its data. It tries until it has succeeded once, or ctx ends. Several workers
// may do so at the same time: a report's period is unique, so that each report is made once.
func startMissingReports(ctx context.Context, d Deps) {
	for _, r := range []struct {
		every    watchparty.ReportPeriod
		schedule string
		cron     string
	}{
		{watchparty.ReportWeek, job.ScheduleWeeklyReport, d.Config.Report.Weekly},
		{watchparty.ReportMonth, job.ScheduleMonthlyReport, d.Config.Report.Monthly},
	} {
		for r.cron != config.OffSchedule {
			err := startMissingReportsOf(ctx, d, r.every, r.schedule, r.cron)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return
			}
			d.Log.WarnContext(
				ctx, "missing reports not started; trying again", slog.String("every", string(r.every)), slog.Any("error", err),
			)
			select {
			case <-ctx.Done():
				return
			case <-time.After(retryStart):
			}
		}
	}
}

// startMissingReportsOf starts the missing reports of one schedule, unless operators have paused the schedule.
func startMissingReportsOf(
	ctx context.Context,
	d Deps,
	every watchparty.ReportPeriod,
	schedule, expression string,
) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	times, err := cron.ParseStandard(expression)
	if err != nil {
		return fmt.Errorf("worker: schedule %s: %w", schedule, err)
	}
	found, err := d.Client.ScheduleClient().GetHandle(ctx, schedule).Describe(ctx)
	if err != nil {
		return fmt.Errorf("worker: describe the schedule: %w", err)
	}
	if found.Schedule.State.Paused {
		return nil
	}
	due := func(end time.Time) time.Time { return times.Next(end.Add(-time.Second)).Add(reportGrace) }
	missing, err := d.Report.Store.MissingReports(ctx, every, due, maxMissing)
	if err != nil {
		return err
	}
	for _, period := range missing {
		if err := startReport(ctx, d, every, period); err != nil {
			return err
		}
	}
	return nil
}

// startReport starts a report, unless another worker has just started it.
func startReport(ctx context.Context, d Deps, every watchparty.ReportPeriod, period store.Period) error {
	in := job.ReportInput{Every: every, At: period.To.Add(1).Time()}
	_, err := d.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       job.MissingReportID(every, period.From),
		TaskQueue:                                job.TaskQueueMaintenance,
		WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            reportSummary(every),
	}, job.WorkflowActivityReport, in)
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &started) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("worker: start a missing report: %w", err)
	}
	d.Log.InfoContext(
		ctx, "missing report started", slog.String("every", string(every)), slog.String("from", string(period.From)),
	)
	return nil
}
