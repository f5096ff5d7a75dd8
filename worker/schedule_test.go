package worker

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

func deleteSchedule(t *testing.T, c client.Client, id string) {
	t.Helper()
	require.NoError(t, schedule{id: id, cron: config.OffSchedule}.keep(t.Context(), c.ScheduleClient()))
}

func describe(t *testing.T, c client.Client, id string) client.Schedule {
	t.Helper()
	description, err := c.ScheduleClient().GetHandle(t.Context(), id).Describe(t.Context())
	require.NoError(t, err)
	return description.Schedule
}

// requireDaily wants a schedule that fires once a day.
func requireDaily(t *testing.T, hour, minute int, s client.Schedule) {
	t.Helper()
	require.Len(t, s.Spec.Calendars, 1)
	require.Equal(t, []int{hour}, starts(s.Spec.Calendars[0].Hour))
	require.Equal(t, []int{minute}, starts(s.Spec.Calendars[0].Minute))
	require.Empty(t, s.Spec.Intervals)
	require.Equal(t, time.Minute, s.Spec.Jitter)
}

func starts(ranges []client.ScheduleRange) (all []int) {
	for _, r := range ranges {
		all = append(all, r.Start)
	}
	return all
}

// plan finds a schedule as the settings want it.
func plan(t *testing.T, id, cron string) schedule {
	t.Helper()
	c := settings()
	c.Cleanup.Schedule, c.Report.Weekly, c.Report.Monthly = cron, cron, cron
	all := schedules(c)
	require.Equal(t, job.Schedules(), []string{all[0].id, all[1].id, all[2].id})
	return all[slices.Index(job.Schedules(), id)]
}

func TestSchedules(t *testing.T) {
	c := dial(t, stacktest.TemporalAddress())
	for _, want := range []struct {
		id, workflowID, workflow, arguments string
		window                              time.Duration
		overlap                             enums.ScheduleOverlapPolicy
	}{
		{"cleanup", "cleanup/scheduled", job.Cleanup, "{}", 12 * time.Hour, enums.SCHEDULE_OVERLAP_POLICY_SKIP},
		{"activity-report-weekly", "activity-report/week", job.ActivityReport, `{"every":"week"}`, 30 * 24 * time.Hour, enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL},
		{"activity-report-monthly", "activity-report/month", job.ActivityReport, `{"every":"month"}`, 30 * 24 * time.Hour, enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL},
	} {
		t.Run(want.id, func(t *testing.T) {
			deleteSchedule(t, c, want.id)
			require.NoError(t, plan(t, want.id, "0 4 * * *").keep(t.Context(), c.ScheduleClient()))
			made := describe(t, c, want.id)
			requireDaily(t, 4, 0, made)
			require.Equal(t, want.overlap, made.Policy.Overlap)
			require.Equal(t, want.window, made.Policy.CatchupWindow)
			require.False(t, made.Policy.PauseOnFailure)
			action, ok := made.Action.(*client.ScheduleWorkflowAction)
			require.True(t, ok)
			require.Equal(t, want.workflowID, action.ID)
			require.Equal(t, want.workflow, action.Workflow)
			require.Equal(t, job.QueueMaintenance, action.TaskQueue)
			require.Equal(t, 12*time.Hour, action.WorkflowExecutionTimeout)
			require.Len(t, action.Args, 1)
			require.JSONEq(t, want.arguments, string(action.Args[0].(*common.Payload).Data))
			require.False(t, made.State.Paused)

			handle := c.ScheduleClient().GetHandle(t.Context(), want.id)
			require.NoError(t, handle.Pause(t.Context(), client.SchedulePauseOptions{Note: "the disks are being changed"}))
			require.NoError(t, plan(t, want.id, "30 5 * * *").keep(t.Context(), c.ScheduleClient()))
			updated := describe(t, c, want.id)
			requireDaily(t, 5, 30, updated)
			require.True(t, updated.State.Paused)
			require.Equal(t, "the disks are being changed", updated.State.Note)
			require.Equal(t, made.Policy, updated.Policy)

			require.NoError(t, handle.Unpause(t.Context(), client.ScheduleUnpauseOptions{}))
			require.NoError(t, plan(t, want.id, "30 5 * * *").keep(t.Context(), c.ScheduleClient()))
			require.False(t, describe(t, c, want.id).State.Paused)

			for range 2 {
				require.NoError(t, plan(t, want.id, config.OffSchedule).keep(t.Context(), c.ScheduleClient()))
				_, err := handle.Describe(t.Context())
				var missing *serviceerror.NotFound
				require.ErrorAs(t, err, &missing)
			}
		})
	}
}

func TestSchedulesByManyWorkersAtOnce(t *testing.T) {
	d := Deps{Config: settings(), Log: slog.New(slog.DiscardHandler), Client: dial(t, stacktest.TemporalAddress())}
	d.Config.Cleanup.Schedule, d.Config.Report.Weekly, d.Config.Report.Monthly = "0 4 * * *", "0 4 * * *", "0 4 * * *"
	for _, id := range job.Schedules() {
		deleteSchedule(t, d.Client, id)
	}
	for range 2 { // first they make them, then they update them
		g, ctx := errgroup.WithContext(t.Context())
		for range 8 {
			g.Go(func() error { return keepSchedules(ctx, d) })
		}
		require.NoError(t, g.Wait())
		for _, id := range job.Schedules() {
			requireDaily(t, 4, 0, describe(t, d.Client, id))
		}
	}
}

// A schedule that Temporal refuses is tried again, until the worker is told to stop.
func TestScheduleThatIsRefused(t *testing.T) {
	log := &signals{}
	d := Deps{Config: settings(), Log: slog.New(log), Client: dial(t, stacktest.TemporalAddress())}
	d.Config.Cleanup.Schedule = "never"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	kept := make(chan error, 1)
	go func() { kept <- keepSchedules(ctx, d) }()
	log.wait(t, "schedule not kept; trying again")
	cancel()
	require.ErrorIs(t, <-kept, context.Canceled)
}
