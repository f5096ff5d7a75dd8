package worker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

func deleteSchedule(t *testing.T, c client.Client, id string) {
	t.Helper()
	err := c.ScheduleClient().GetHandle(t.Context(), id).Delete(t.Context())
	var missing *serviceerror.NotFound
	if !errors.As(err, &missing) {
		require.NoError(t, err)
	}
}

// notPaused says that no admin has paused any schedule.
func notPaused(context.Context, string) (string, bool, error) { return "", false, nil }

// applySchedule gives Temporal a schedule, and waits until Temporal shows it, which is a moment after Temporal has
// accepted it. A change in between would be undone.
func applySchedule(t *testing.T, c client.Client, s schedule) {
	t.Helper()
	require.EventuallyWithT(t, func(collect *assert.CollectT) { // a busy Temporal may answer too late
		_, err := s.upsert(t.Context(), c.ScheduleClient(), notPaused)
		assert.NoError(collect, err)
	}, patience, 20*time.Millisecond)
	awaitSettings(t, c, s)
}

// awaitSettings waits until Temporal shows a schedule with these settings.
func awaitSettings(t *testing.T, c client.Client, s schedule) {
	t.Helper()
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		found, err := c.ScheduleClient().GetHandle(t.Context(), s.id).Describe(t.Context())
		if assert.NoError(collect, err) {
			assert.Equal(collect, s.settings, settingsOf(found.Schedule))
		}
	}, patience, 20*time.Millisecond)
}

// awaitState waits until Temporal shows whether a schedule is paused, with this note.
func awaitState(t *testing.T, handle client.ScheduleHandle, paused bool, note string) {
	t.Helper()
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		found, err := handle.Describe(t.Context())
		if assert.NoError(collect, err) {
			state := found.Schedule.State
			assert.Equal(collect, []any{paused, note}, []any{state.Paused, state.Note})
		}
	}, patience, 20*time.Millisecond)
}

// describeSchedule asks until Temporal answers, which may be too busy.
func describeSchedule(t *testing.T, c client.Client, id string) client.Schedule {
	t.Helper()
	var description *client.ScheduleDescription
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		var err error
		description, err = c.ScheduleClient().GetHandle(t.Context(), id).Describe(t.Context())
		require.NoError(collect, err)
	}, patience, 10*time.Millisecond)
	return description.Schedule
}

// requireDaily wants a schedule that fires once a day.
func requireDaily(t *testing.T, hour, minute int, s client.Schedule) {
	t.Helper()
	require.Len(t, s.Spec.Calendars, 1)
	require.Equal(t, []int{hour}, rangeStarts(s.Spec.Calendars[0].Hour))
	require.Equal(t, []int{minute}, rangeStarts(s.Spec.Calendars[0].Minute))
	require.Empty(t, s.Spec.Intervals)
	require.Equal(t, time.Minute, s.Spec.Jitter)
}

func rangeStarts(ranges []client.ScheduleRange) (all []int) {
	for _, r := range ranges {
		all = append(all, r.Start)
	}
	return all
}

// findSchedule finds a schedule as the settings want it.
func findSchedule(t *testing.T, id, cron string) schedule {
	t.Helper()
	c := testConfig()
	c.Cleanup.Schedule, c.Report.Weekly, c.Report.Monthly = cron, cron, cron
	all := schedules(c)
	require.Equal(t, job.ScheduleIDs(), []string{all[0].id, all[1].id, all[2].id})
	return all[slices.Index(job.ScheduleIDs(), id)]
}

func TestSchedules(t *testing.T) {
	c := dialTemporal(t, stacktest.TemporalAddress())
	for _, want := range []struct {
		id, workflowID, workflow, arguments string
		window                              time.Duration
		overlap                             enums.ScheduleOverlapPolicy
	}{
		{"cleanup", "cleanup/scheduled", job.WorkflowCleanup, "{}", 12 * time.Hour, enums.SCHEDULE_OVERLAP_POLICY_SKIP},
		{"activity-report-weekly", "activity-report/week", job.WorkflowActivityReport, `{"every":"week"}`,
			30 * 24 * time.Hour, enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL},
		{"activity-report-monthly", "activity-report/month", job.WorkflowActivityReport, `{"every":"month"}`,
			30 * 24 * time.Hour, enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL},
	} {
		t.Run(want.id, func(t *testing.T) {
			deleteSchedule(t, c, want.id)
			applySchedule(t, c, findSchedule(t, want.id, "0 4 * * *"))
			made := describeSchedule(t, c, want.id)
			requireDaily(t, 4, 0, made)
			require.Equal(t, want.overlap, made.Policy.Overlap)
			require.Equal(t, want.window, made.Policy.CatchupWindow)
			require.False(t, made.Policy.PauseOnFailure)
			action, ok := made.Action.(*client.ScheduleWorkflowAction)
			require.True(t, ok)
			require.Equal(t, want.workflowID, action.ID)
			require.Equal(t, want.workflow, action.Workflow)
			require.Equal(t, job.TaskQueueMaintenance, action.TaskQueue)
			require.Zero(t, action.WorkflowExecutionTimeout, "a pause may last for any time")
			require.Zero(t, action.WorkflowRunTimeout)
			require.Len(t, action.Args, 1)
			require.JSONEq(t, want.arguments, string(action.Args[0].(*common.Payload).Data))
			require.False(t, made.State.Paused)

			handle := c.ScheduleClient().GetHandle(t.Context(), want.id)
			require.NoError(t, handle.Pause(t.Context(), client.SchedulePauseOptions{Note: "the disks are being changed"}))
			awaitState(t, handle, true, "the disks are being changed")
			applySchedule(t, c, findSchedule(t, want.id, "30 5 * * *"))
			updated := describeSchedule(t, c, want.id)
			requireDaily(t, 5, 30, updated)
			require.True(t, updated.State.Paused)
			require.Equal(t, "the disks are being changed", updated.State.Note)
			require.Equal(t, made.Policy, updated.Policy)

			require.NoError(t, handle.Unpause(t.Context(), client.ScheduleUnpauseOptions{Note: "they are there"}))
			awaitState(t, handle, false, "they are there")
			applySchedule(t, c, findSchedule(t, want.id, "30 5 * * *"))
			require.False(t, describeSchedule(t, c, want.id).State.Paused)

		})
	}
}

// TestScheduleThatIsOff: off pauses a schedule with a note, and what an admin has paused stays paused whatever the
// setting becomes.
func TestScheduleThatIsOff(t *testing.T) {
	c := dialTemporal(t, stacktest.TemporalAddress())
	const hold = "legal hold"
	for _, id := range job.ScheduleIDs() {
		handle := c.ScheduleClient().GetHandle(t.Context(), id)
		on, off := findSchedule(t, id, "0 4 * * *"), findSchedule(t, id, config.OffSchedule)
		for _, test := range []struct {
			name   string
			steps  []any // schedules that workers keep, and what an admin does
			paused bool
			note   string
		}{
			{"off", []any{off}, true, off.offNote()},
			{"off twice", []any{off, off}, true, off.offNote()},
			{"on, off", []any{on, off}, true, off.offNote()},
			{"on, off, on", []any{on, off, on}, false, ""},
			{"off, on", []any{off, on}, false, ""},
			{"on, paused, off", []any{on, "pause", off}, true, hold},
			{"on, paused, off, on", []any{on, "pause", off, on}, true, hold},
			{"off, paused, on", []any{off, "pause", on}, true, hold},
			{"off, paused, on, off, on", []any{off, "pause", on, off, on}, true, hold},
			{"on, paused, off, resumed, on", []any{on, "pause", off, "resume", on}, false, "over"},
			{"off, resumed, off", []any{off, "resume", off}, true, off.offNote()},
		} {
			t.Run(id+": "+test.name, func(t *testing.T) {
				deleteSchedule(t, c, id)
				for _, step := range test.steps {
					switch step := step.(type) {
					case schedule:
						applySchedule(t, c, step)
					case string:
						if step == "pause" {
							require.NoError(t, handle.Pause(t.Context(), client.SchedulePauseOptions{Note: hold}))
							awaitState(t, handle, true, hold)
							continue
						}
						require.NoError(t, handle.Unpause(t.Context(), client.ScheduleUnpauseOptions{Note: "over"}))
						awaitState(t, handle, false, "over")
					}
				}
				awaitState(t, handle, test.paused, test.note)
			})
		}
	}
}

// TestAdminsPauseOutlivesTheSchedule: Temporal has lost it, or a former version has deleted it.
func TestAdminsPauseOutlivesTheSchedule(t *testing.T) {
	p := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	admin := p.createAdmin()
	handle := p.client.ScheduleClient().GetHandle(t.Context(), job.ScheduleCleanup)
	act := func(action watchparty.AuditAction, note string, act func(context.Context) error) {
		t.Helper()
		err := p.store.AuditSchedule(t.Context(), admin.ID, job.ScheduleCleanup, action, map[string]any{"note": note}, act)
		require.NoError(t, err)
	}
	lose := func() client.Schedule {
		t.Helper()
		deleteSchedule(t, p.client, job.ScheduleCleanup)
		require.NoError(t, keepSchedules(t.Context(), p.Deps))
		return describeSchedule(t, p.client, job.ScheduleCleanup)
	}
	require.False(t, lose().State.Paused)
	act(watchparty.AuditSchedulePaused, "legal hold", func(ctx context.Context) error {
		return handle.Pause(ctx, client.SchedulePauseOptions{Note: "legal hold"})
	})
	for _, cron := range []string{"0 4 * * *", config.OffSchedule, "0 5 * * *"} {
		p.Config.Cleanup.Schedule = cron
		made := lose()
		require.True(t, made.State.Paused, cron)
		require.Equal(t, "legal hold", made.State.Note)
	}
	refused := errors.New("refused")
	err := p.store.AuditSchedule(t.Context(), admin.ID, job.ScheduleCleanup, watchparty.AuditScheduleResumed, nil,
		func(context.Context) error { return refused })
	require.ErrorIs(t, err, refused)
	require.True(t, lose().State.Paused, "a resumption that failed is none")
	act(watchparty.AuditScheduleResumed, "over", func(ctx context.Context) error {
		return handle.Unpause(ctx, client.ScheduleUnpauseOptions{Note: "over"})
	})
	require.False(t, lose().State.Paused)

	// Whatever has undone the pause, workers that run renew it.
	act(watchparty.AuditSchedulePaused, "legal hold", func(context.Context) error { return nil })
	watch := func() {
		for _, s := range schedules(p.Config) {
			require.EventuallyWithT(t, func(c *assert.CollectT) { // Temporal may be too busy
				require.NoError(c, watchSchedule(t.Context(), p.Deps, s))
			}, patience, 10*time.Millisecond)
		}
	}
	watch()
	awaitState(t, handle, true, "legal hold")
	act(watchparty.AuditScheduleResumed, "over", func(context.Context) error { return nil })

	// While it is lost, a worker that runs makes it again.
	deleteSchedule(t, p.client, job.ScheduleCleanup)
	watch()
	require.False(t, describeSchedule(t, p.client, job.ScheduleCleanup).State.Paused)
}

// TestWorkersWithDifferentSettings: the one that takes over says so, and so does the other one.
func TestWorkersWithDifferentSettings(t *testing.T) {
	p := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	for _, id := range job.ScheduleIDs() {
		deleteSchedule(t, p.client, id)
	}
	newWorker := func(change func(*config.Config)) (Deps, *bytes.Buffer) {
		d, said := p.Deps, &bytes.Buffer{}
		d.Log = slog.New(slog.NewTextHandler(said, nil))
		change(&d.Config)
		return d, said
	}
	watch := func(d Deps) {
		t.Helper()
		for _, s := range schedules(d.Config) {
			require.EventuallyWithT(t, func(collect *assert.CollectT) { // a busy Temporal may answer too late
				assert.NoError(collect, watchSchedule(t.Context(), d, s))
			}, patience, 20*time.Millisecond)
		}
	}
	keepAll := func(d Deps) {
		t.Helper()
		require.NoError(t, keepSchedules(t.Context(), d))
		for _, s := range schedules(d.Config) {
			awaitSettings(t, d.Client, s)
		}
	}
	first, firstSaid := newWorker(func(*config.Config) {})
	keepAll(first)
	same, sameSaid := newWorker(func(*config.Config) {})
	keepAll(same)
	watch(first)
	watch(same)
	require.NotContains(t, firstSaid.String()+sameSaid.String(), "settings", "nothing but that Temporal is too busy")

	other, otherSaid := newWorker(func(c *config.Config) {
		c.Cleanup.MessageAge, c.Cleanup.Schedule, c.Report.Weekly = config.Off, "0 5 * * *", config.OffSchedule
	})
	keepAll(other)
	watch(other)
	watch(first)
	for _, change := range []string{
		"CLEANUP_MESSAGE_AGE: 1h0m0s in the schedule, off here",
		"CLEANUP_SCHEDULE: 0 4 * * * in the schedule, 0 5 * * * here",
		"REPORT_WEEKLY_SCHEDULE: 0 5 * * 1 in the schedule, off here",
	} {
		require.Contains(t, otherSaid.String(), change)
	}
	require.Equal(t, 2, strings.Count(otherSaid.String(), "schedule takes this worker's settings"))
	require.Equal(t, 2, strings.Count(firstSaid.String(), "schedule has another worker's settings"))
	require.Contains(t, firstSaid.String(), "CLEANUP_MESSAGE_AGE: off in the schedule, 1h0m0s here")
	require.NotContains(t, firstSaid.String(), "CLEANUP_BATCH_PAUSE")
}

func TestSchedulesByManyWorkersAtOnce(t *testing.T) {
	d := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort()).Deps
	d.Log = slog.New(slog.DiscardHandler)
	d.Config.Cleanup.Schedule, d.Config.Report.Weekly, d.Config.Report.Monthly = "0 4 * * *", "0 4 * * *", "0 4 * * *"
	for _, id := range job.ScheduleIDs() {
		deleteSchedule(t, d.Client, id)
	}
	for range 2 { // first they make them, then they update them
		g, ctx := errgroup.WithContext(t.Context())
		for range 8 {
			g.Go(func() error { return keepSchedules(ctx, d) })
		}
		require.NoError(t, g.Wait())
		for _, id := range job.ScheduleIDs() {
			requireDaily(t, 4, 0, describeSchedule(t, d.Client, id))
		}
	}
}

// A schedule that Temporal refuses is tried again, until the worker is told to stop.
func TestScheduleThatIsRefused(t *testing.T) {
	log := &signals{}
	d := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort()).Deps
	d.Log = slog.New(log)
	d.Config.Cleanup.Schedule = "never"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	kept := make(chan error, 1)
	go func() { kept <- keepSchedules(ctx, d) }()
	log.wait(t, "schedule not kept; trying again")
	cancel()
	require.ErrorIs(t, <-kept, context.Canceled)
}
