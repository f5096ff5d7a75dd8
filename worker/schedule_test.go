package worker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

func deleteSchedule(t *testing.T, c client.Client) {
	t.Helper()
	err := c.ScheduleClient().GetHandle(t.Context(), CleanupSchedule).Delete(t.Context())
	var missing *serviceerror.NotFound
	if err != nil {
		require.ErrorAs(t, err, &missing)
	}
}

func describe(t *testing.T, c client.Client) client.Schedule {
	t.Helper()
	description, err := c.ScheduleClient().GetHandle(t.Context(), CleanupSchedule).Describe(t.Context())
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

func at(cron string) config.Cleanup { return config.Cleanup{Schedule: cron} }

func TestSchedule(t *testing.T) {
	c := dial(t, stacktest.TemporalAddress())
	deleteSchedule(t, c)

	require.NoError(t, keepCleanup(t.Context(), c, at("0 4 * * *")))
	made := describe(t, c)
	requireDaily(t, 4, 0, made)
	require.Equal(t, enums.SCHEDULE_OVERLAP_POLICY_SKIP, made.Policy.Overlap)
	require.Equal(t, 12*time.Hour, made.Policy.CatchupWindow)
	action, ok := made.Action.(*client.ScheduleWorkflowAction)
	require.True(t, ok)
	require.Equal(t, "cleanup/scheduled", action.ID)
	require.Equal(t, job.Cleanup, action.Workflow)
	require.Equal(t, job.QueueMaintenance, action.TaskQueue)
	require.Equal(t, 12*time.Hour, action.WorkflowExecutionTimeout)
	require.Len(t, action.Args, 1)
	require.False(t, made.State.Paused)

	handle := c.ScheduleClient().GetHandle(t.Context(), CleanupSchedule)
	require.NoError(t, handle.Pause(t.Context(), client.SchedulePauseOptions{Note: "the disks are being changed"}))
	require.NoError(t, keepCleanup(t.Context(), c, at("30 5 * * *")))
	updated := describe(t, c)
	requireDaily(t, 5, 30, updated)
	require.True(t, updated.State.Paused)
	require.Equal(t, "the disks are being changed", updated.State.Note)
	require.Equal(t, made.Policy, updated.Policy)

	require.NoError(t, handle.Unpause(t.Context(), client.ScheduleUnpauseOptions{}))
	require.NoError(t, keepCleanup(t.Context(), c, at("30 5 * * *")))
	require.False(t, describe(t, c).State.Paused)
}

func TestScheduleByManyWorkersAtOnce(t *testing.T) {
	d := Deps{Config: settings(), Log: slog.New(slog.DiscardHandler), Client: dial(t, stacktest.TemporalAddress())}
	d.Config.Cleanup = at("0 4 * * *")
	deleteSchedule(t, d.Client)
	for range 2 { // first they make it, then they update it
		g, ctx := errgroup.WithContext(t.Context())
		for range 8 {
			g.Go(func() error { return keepSchedules(ctx, d) })
		}
		require.NoError(t, g.Wait())
		requireDaily(t, 4, 0, describe(t, d.Client))
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
