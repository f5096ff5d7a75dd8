package health

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{HostPort: address, Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

func whatIsWrong(t require.TestingT, err error) string {
	var trouble Trouble
	require.ErrorAs(t, err, &trouble)
	return trouble.What
}

// startWorker polls a queue for workflows and activities until the test ends.
func startWorker(t *testing.T, c client.Client, queue string, options worker.Options) {
	t.Helper()
	w := worker.New(c, queue, options)
	w.RegisterWorkflow(func(workflow.Context) error { return nil })
	w.RegisterActivity(func(context.Context) error { return nil })
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

// pausesOf returns a reader of the pauses of these queues.
func pausesOf(queues ...string) func(context.Context) (map[string]watchparty.QueuePause, error) {
	pauses := map[string]watchparty.QueuePause{}
	for _, queue := range queues {
		pauses[queue] = watchparty.QueuePause{PausedAt: time.Now()}
	}
	return func(context.Context) (map[string]watchparty.QueuePause, error) { return pauses, nil }
}

// TestPausedQueues: a pause of a queue excuses exactly the activities of that queue, and is no fault.
func TestPausedQueues(t *testing.T) {
	t.Parallel()
	s, err := store.Open(config.Database{URL: stacktest.MigratedURL(t), MaxConns: 4, StatementTimeout: time.Minute},
		auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	registration := watchparty.Registration{Username: "root", Email: "root@watchparty.test"}
	admin, err := s.CreateUser(t.Context(), registration, "hash")
	require.NoError(t, err)
	_, err = s.DB().NewRaw("UPDATE users SET email_verified_at = now()").Exec(t.Context())
	require.NoError(t, err)
	_, err = s.GrantAdmin(t.Context(), admin.Email)
	require.NoError(t, err)
	c := dial(t, stacktest.New(t, devstack.Temporal).TemporalAddress())
	startWorker(t, c, job.TaskQueueAvatarSteps, worker.Options{})
	for _, queue := range job.ServableTaskQueues() { // as while all are paused
		startWorker(t, c, queue, worker.Options{LocalActivityWorkerOnly: true})
	}
	var all []string
	for _, queue := range job.ServableTaskQueues() {
		all = append(all, queue+" (activities)")
	}
	// A busy Temporal may not answer in the time that a look has.
	requireState := func(t *testing.T, state string, ok bool) {
		t.Helper()
		require.EventuallyWithT(t, func(collect *assert.CollectT) {
			checker := NewChecker(silent(), Check{Part: Workers, Run: func(ctx context.Context) error {
				return CheckWorkers(ctx, c, s.QueuePauses)
			}})
			found := checker.Look(t.Context())[0]
			assert.Equal(collect, state, found.State)
			assert.Equal(collect, ok, found.OK())
		}, patience, 50*time.Millisecond)
	}
	requireState(t, "no worker for "+strings.Join(all, ", "), false)
	for _, queue := range job.ServableTaskQueues() {
		t.Run(queue, func(t *testing.T) {
			require.NoError(t, s.PauseQueue(t.Context(), admin.ID, queue))
			others := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == queue+" (activities)" })
			requireState(t, "no worker for "+strings.Join(others, ", "), false)
			require.NoError(t, s.ResumeQueue(t.Context(), admin.ID, queue))
		})
	}
	for _, queue := range job.ServableTaskQueues() {
		require.NoError(t, s.PauseQueue(t.Context(), admin.ID, queue))
	}
	requireState(t, "paused by an admin: "+strings.Join(job.ServableTaskQueues(), ", "), true)
}

// never says that no admin has paused a schedule.
func never(context.Context, string, time.Time) ([]watchparty.SchedulePause, error) { return nil, nil }

// TestSkippedRuns: a run that was due and that Temporal has skipped is found until the next one, unless it was due
// during a pause. Here the former run does not end, since no worker is there.
func TestSkippedRuns(t *testing.T) {
	t.Parallel()
	c := dial(t, stacktest.New(t, devstack.Temporal).TemporalAddress())
	for _, id := range job.ScheduleIDs() {
		every := 365 * 24 * time.Hour
		if id == job.ScheduleCleanup {
			every = time.Second
		}
		_, err := c.ScheduleClient().Create(t.Context(), client.ScheduleOptions{
			ID: id, Spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}},
			Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP,
			Action:  &client.ScheduleWorkflowAction{ID: id, Workflow: job.WorkflowCleanup, TaskQueue: "nobody"},
		})
		require.NoError(t, err)
	}
	check := func(pauses SchedulePauses) error {
		return scheduleCheck{c, "default", pauses, time.Now(), 5 * time.Second}.run(t.Context())
	}
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		assert.Equal(collect, "cleanup has skipped a run", whatIsWrong(collect, check(never)))
	}, patience, 100*time.Millisecond)
	pausedFor := func(pauses ...watchparty.SchedulePause) SchedulePauses {
		return func(_ context.Context, schedule string, since time.Time) ([]watchparty.SchedulePause, error) {
			require.WithinDuration(t, time.Now(), since, 5*time.Minute)
			if schedule == job.ScheduleCleanup {
				return pauses, nil
			}
			return nil, nil
		}
	}
	long, moment := time.Now().Add(-time.Hour), time.Now()
	for name, pauses := range map[string][]watchparty.SchedulePause{
		"it has been paused until now": {{PausedAt: long, EndedAt: moment.Add(time.Minute)}},
		"its queue is paused":          {{Queue: true, PausedAt: long}},
		"it was paused again":          {{PausedAt: long, EndedAt: moment}, {PausedAt: moment}},
	} {
		require.NoError(t, check(pausedFor(pauses...)), name)
	}
	for name, pauses := range map[string][]watchparty.SchedulePause{
		"it was paused after that":  {{PausedAt: moment, EndedAt: moment.Add(time.Second)}},
		"its queue is paused now":   {{Queue: true, PausedAt: moment}},
		"it was paused before that": {{PausedAt: long, EndedAt: long.Add(time.Minute)}},
	} {
		require.Equal(t, "cleanup has skipped a run", whatIsWrong(t, check(pausedFor(pauses...))), name)
	}

	away := func(context.Context, string, time.Time) ([]watchparty.SchedulePause, error) {
		return nil, watchparty.ErrBusy
	}
	require.NoError(t, check(func(context.Context, string, time.Time) ([]watchparty.SchedulePause, error) {
		return nil, fmt.Errorf("store: schedule's pauses: %w", driver.ErrBadConn)
	}), "without the database nobody knows whether it was paused")
	failed := errors.New("column does not exist")
	require.ErrorIs(t, check(func(context.Context, string, time.Time) ([]watchparty.SchedulePause, error) {
		return nil, failed
	}), failed)
	cleanup := c.ScheduleClient().GetHandle(t.Context(), job.ScheduleCleanup)
	require.NoError(t, cleanup.Pause(t.Context(), client.SchedulePauseOptions{}))
	require.EventuallyWithT(t, func(collect *assert.CollectT) { // Temporal shows a change a moment later
		assert.Equal(
			collect, Paused{What: []string{job.ScheduleCleanup}}, check(pausedFor(watchparty.SchedulePause{PausedAt: moment})),
		)
	}, patience, 50*time.Millisecond)
	require.NoError(t, check(pausedFor(watchparty.SchedulePause{Queue: true, PausedAt: moment})), "its setting is off")
	require.NoError(t, check(away), "nobody knows by whom")
	require.NoError(t, c.ScheduleClient().GetHandle(t.Context(), job.ScheduleWeeklyReport).Delete(t.Context()))
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		assert.Equal(collect, "activity-report-weekly is missing", whatIsWrong(collect, check(away)),
			"Temporal's answers count")
	}, patience, 50*time.Millisecond)
	require.Equal(t, "activity-report-weekly is missing",
		whatIsWrong(t, check(pausedFor(watchparty.SchedulePause{PausedAt: moment}))), "a fault is more than a pause")
}

// TestTemporal follows a server from without workers and schedules to one that is away.
func TestTemporal(t *testing.T) {
	stack := stacktest.New(t, devstack.Temporal)
	network := badnet.New(t, stack.TemporalAddress())
	c := dial(t, network.Addr())
	ctx := t.Context()

	require.NoError(t, CheckNamespace(ctx, c, "default"))
	require.Equal(t, "namespace is missing", whatIsWrong(t, CheckNamespace(ctx, c, "nowhere")))

	// Without workers Temporal answers, and no work is done.
	require.Equal(t, "no worker for avatar-steps, email, avatar, maintenance, webhooks",
		whatIsWrong(t, CheckWorkers(ctx, c, pausesOf())))
	require.Equal(t, "no worker for avatar-steps, email, avatar, maintenance, webhooks",
		whatIsWrong(t, CheckWorkers(ctx, c, pausesOf(job.ServableTaskQueues()...))), "workflows are never paused")
	for _, queue := range append(job.ServableTaskQueues(), job.TaskQueueAvatarSteps) {
		if queue != job.TaskQueueEmail {
			startWorker(t, c, queue, worker.Options{})
		}
	}
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		var trouble Trouble
		if assert.ErrorAs(collect, CheckWorkers(ctx, c, pausesOf()), &trouble) {
			assert.Equal(collect, "no worker for email", trouble.What)
		}
	}, patience, 50*time.Millisecond)
	startWorker(t, c, job.TaskQueueEmail, worker.Options{})
	require.EventuallyWithT(
		t,
		func(collect *assert.CollectT) { assert.NoError(collect, CheckWorkers(ctx, c, pausesOf())) },
		patience,
		50*time.Millisecond,
	)

	schedules := c.ScheduleClient()
	require.Equal(t, 3, strings.Count(whatIsWrong(t, CheckSchedules(ctx, c, "default", never, time.Now())), "is missing"))
	for _, id := range job.ScheduleIDs() {
		_, err := schedules.Create(ctx, client.ScheduleOptions{
			ID: id, Spec: client.ScheduleSpec{CronExpressions: []string{"0 4 * * *"}},
			Action: &client.ScheduleWorkflowAction{ID: id, Workflow: job.WorkflowCleanup, TaskQueue: job.TaskQueueMaintenance},
		})
		require.NoError(t, err)
	}
	require.NoError(t, CheckSchedules(ctx, c, "default", never, time.Now()))
	require.Contains(
		t,
		whatIsWrong(t, CheckSchedules(ctx, c, "default", never, time.Now().Add(25*time.Hour))),
		"cleanup is late",
		"tomorrow, the next run would still be that of today",
	)
	require.NoError(
		t, schedules.GetHandle(ctx, job.ScheduleCleanup).Pause(ctx, client.SchedulePauseOptions{Note: "a hold"}),
	)
	require.EventuallyWithT(t, func(collect *assert.CollectT) { // Temporal shows a change a moment later
		tomorrow := CheckSchedules(ctx, c, "default", never, time.Now().Add(25*time.Hour))
		assert.NotContains(collect, whatIsWrong(collect, tomorrow), "cleanup is", "a pause is as somebody wants it")
	}, patience, 50*time.Millisecond)
	require.NoError(t, schedules.GetHandle(ctx, job.ScheduleWeeklyReport).Delete(ctx))
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		assert.Equal(collect, "activity-report-weekly is missing",
			whatIsWrong(collect, CheckSchedules(ctx, c, "default", never, time.Now())))
	}, patience, 50*time.Millisecond)

	for _, fault := range []badnet.Mode{badnet.Cut, badnet.Swallow} {
		network.Set(fault)
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		for _, err := range []error{
			CheckNamespace(short, c, "default"), CheckWorkers(short, c, pausesOf()), CheckSchedules(short, c, "default", never, time.Now()),
		} {
			require.Error(t, err)
			require.False(t, errors.As(err, new(Trouble)), "a server that is away is unreachable: %v", err)
		}
		cancel()
	}
	network.Set(badnet.Pass)
	require.EventuallyWithT(
		t,
		func(collect *assert.CollectT) { assert.NoError(collect, CheckWorkers(ctx, c, pausesOf())) },
		patience,
		50*time.Millisecond,
	)
}
