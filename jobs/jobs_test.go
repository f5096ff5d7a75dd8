package jobs

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	activitypb "go.temporal.io/api/activity/v1"
	"go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

func activityNamed(name string) activity.RegisterOptions { return activity.RegisterOptions{Name: name} }

func TestIDs(t *testing.T) {
	t.Parallel()
	for _, run := range []string{"", "01993f7b-d7e8-79fa-bb0c-3d4e5f607182"} {
		workflowID, runID, err := DecodeID(EncodeID("welcome-email/1", run))
		require.NoError(t, err)
		require.Equal(t, []string{"welcome-email/1", run}, []string{workflowID, runID})
	}
	for _, id := range []string{
		"", "x", "####", EncodeID("", uuid.NewString()), "YQ", EncodeID("welcome-email/1", "run"),
		EncodeID("welcome-email/1", "urn:uuid:"+uuid.NewString()),
		EncodeID("welcome-email/1", uuid.NewString()+"\n"), EncodeID("welcome-email/1\n", uuid.NewString()),
	} {
		_, _, err := DecodeID(id)
		require.ErrorIs(t, err, watchparty.ErrNotFound, id)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	b := newJobsFixture(t)
	room := uuid.NewString()
	before := time.Now().Add(-time.Second)
	first := b.start(job.WorkflowRoomInvitation, room)
	second := b.start(job.WorkflowRoomInvitation, uuid.NewString())
	third := b.start(job.WorkflowCleanup, "")
	for name, c := range map[string]struct {
		filter Filter
		want   int
	}{
		"user":          {Filter{UserID: b.user}, 3},
		"room":          {Filter{RoomID: room}, 1},
		"kind":          {Filter{UserID: b.user, Kind: job.WorkflowCleanup}, 1},
		"state":         {Filter{UserID: b.user, State: Running}, 3},
		"another state": {Filter{UserID: b.user, State: Failed}, 0},
		"time":          {Filter{UserID: b.user, From: before, To: time.Now().Add(time.Minute)}, 3},
		"earlier":       {Filter{UserID: b.user, To: before}, 0},
		"queue":         {Filter{UserID: b.user, Queue: b.queue}, 3},
		"another queue": {Filter{UserID: b.user, Queue: job.TaskQueueEmail}, 0},
		"a quote":       {Filter{UserID: "x' OR WorkflowType = 'Cleanup"}, 0},
	} {
		b.awaitListed(c.filter, c.want)
		t.Log(name)
	}
	var found []string
	var page []byte
	for more := true; more; more = page != nil {
		rows, next, err := b.List(t.Context(), Filter{UserID: b.user}, 2, page)
		require.NoError(t, err)
		for _, j := range rows {
			require.Equal(t, []any{Running, Working, b.user, "A test", b.queue},
				[]any{j.State, j.Phase, j.UserID, j.Summary, j.Queue})
			found = append(found, j.WorkflowID)
		}
		page = next
	}
	require.ElementsMatch(t, []string{first, second, third}, found)
	counts, err := b.Counts(t.Context(), Filter{UserID: b.user})
	require.NoError(t, err)
	require.EqualValues(t, 2, counts[job.WorkflowRoomInvitation][Running])
	require.EqualValues(t, 1, counts[job.WorkflowCleanup][Running])
	require.Empty(t, counts[job.WorkflowResend])
}

// TestFailedJobs: a job that failed is counted in the span of time in which it did, whenever it began.
func TestFailedJobs(t *testing.T) {
	t.Parallel()
	b := newJobsFixtureAt(t, stacktest.New(t, devstack.Temporal).TemporalAddress())
	b.register()
	begin := time.Now().Add(-time.Hour)
	hour := []time.Time{begin, begin.Add(20 * time.Minute), begin.Add(40 * time.Minute)}
	none, err := b.CountFailed(t.Context(), hour)
	require.NoError(t, err)
	require.Equal(t, []int64{0, 0, 0}, none)

	b.work(map[string]any{
		job.WorkflowCleanup: func(workflow.Context, job.EmailInput) error { return errStep },
		job.WorkflowResend:  func(workflow.Context, job.EmailInput) error { return nil },
	}, func(context.Context) error { return nil })
	failed, completed := b.start(job.WorkflowCleanup, ""), b.start(job.WorkflowResend, "")
	b.awaitListed(Filter{WorkflowID: completed, State: Completed}, 1)
	b.awaitListed(Filter{WorkflowID: failed, State: Failed}, 1)
	ended := b.eventually(failed, func(d Detail) bool { return d.State == Failed }).EndedAt
	for name, c := range map[string]struct {
		begins []time.Time
		want   []int64
	}{
		"no span":            {nil, []int64{}},
		"the last one":       {hour, []int64{0, 0, 1}},
		"an earlier one":     {[]time.Time{begin, ended.Add(-time.Second), ended.Add(time.Second)}, []int64{0, 1, 0}},
		"after it has ended": {[]time.Time{ended.Add(time.Second)}, []int64{0}},
	} {
		counts, err := b.CountFailed(t.Context(), c.begins)
		require.NoError(t, err, name)
		require.Equal(t, c.want, counts, name)
	}
}

// TestStepThatIsTriedAgain: an operator sees why a step failed and when it is tried next, and brings that forward.
func TestStepThatIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newJobsFixture(t)
	var mended atomic.Bool
	b.work(map[string]any{job.WorkflowCleanup: oneStep(temporal.RetryPolicy{
		InitialInterval: time.Hour, MaximumInterval: time.Hour, BackoffCoefficient: 1,
	})}, func(context.Context) error {
		if mended.Load() {
			return nil
		}
		return errStep
	})
	id := b.start(job.WorkflowCleanup, "")
	d := b.eventually(id, func(d Detail) bool { return d.Phase == Retrying })
	require.Len(t, d.Steps, 1)
	step := d.Steps[0]
	require.Equal(t, []any{"Step", "scheduled", 2, 0, errStep.Error()},
		[]any{step.Activity, step.State, step.Attempt, step.MaxAttempts, step.LastFailure})
	require.WithinDuration(t, time.Now().Add(time.Hour), step.NextAt, 5*time.Minute)
	require.NotEmpty(t, step.Worker)

	resting := New(b.client, "default", func(context.Context) (map[string]watchparty.QueuePause, error) {
		return map[string]watchparty.QueuePause{b.queue: {PausedAt: time.Now()}}, nil
	})
	paused, err := resting.Get(t.Context(), id, "")
	require.NoError(t, err)
	require.Zero(t, paused.Steps[0].NextAt)
	tried, err := b.TryNow(t.Context(), paused)
	require.NoError(t, err)
	require.Zero(t, tried, "what waits for the end of a pause is left alone")

	mended.Store(true)
	tried, err = b.TryNow(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, 1, tried)
	d = b.eventually(id, func(d Detail) bool { return d.State == Completed })
	require.Empty(t, d.Phase)
	require.False(t, d.EndedAt.IsZero())
	var types []string
	for _, e := range d.Timeline {
		types = append(types, e.Type)
	}
	require.Equal(t, []string{"started", "step_scheduled", "step_started", "step_completed", "completed"}, types)
	require.Equal(t, "Step: The only step", d.Timeline[1].Detail)
}

// TestReset: a job that failed goes on from before the step that failed, and does not repeat what was done.
func TestReset(t *testing.T) {
	t.Parallel()
	b := newJobsFixture(t)
	var steps atomic.Int32
	var mended atomic.Bool
	flow := func(ctx workflow.Context, _ job.EmailInput) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
		})
		if err := workflow.ExecuteActivity(ctx, "Step").Get(ctx, nil); err != nil {
			return err
		}
		return workflow.ExecuteActivity(ctx, "Step").Get(ctx, nil)
	}
	b.work(map[string]any{job.WorkflowActivityReport: flow}, func(context.Context) error {
		if steps.Add(1) == 1 || mended.Load() {
			return nil
		}
		return errStep
	})
	id := b.start(job.WorkflowActivityReport, "")
	d := b.eventually(id, func(d Detail) bool { return d.State == Failed })
	require.Equal(t, errStep.Error(), d.Failure)
	require.EqualValues(t, 2, steps.Load())
	mended.Store(true)
	run, err := b.Reset(t.Context(), id, d.RunID, "a larger disk")
	require.NoError(t, err)
	require.NotEqual(t, d.RunID, run)
	b.eventually(id, func(d Detail) bool { return d.RunID == run && d.State == Completed })
	require.EqualValues(t, 3, steps.Load(), "the first step is not repeated")
}

func TestEnds(t *testing.T) {
	t.Parallel()
	b := newJobsFixture(t)
	id := b.start(job.WorkflowCleanup, "")
	d := b.eventually(id, func(d Detail) bool { return d.State == Running })
	require.NoError(t, b.Cancel(t.Context(), id, d.RunID))
	require.NoError(t, b.Terminate(t.Context(), id, d.RunID, "it hangs"))
	d = b.eventually(id, func(d Detail) bool { return d.State == Terminated })
	require.Equal(t, "it hangs", d.Failure)
	require.ErrorIs(t, b.Cancel(t.Context(), id, d.RunID), watchparty.ErrJobEnded)
	require.ErrorIs(t, b.Terminate(t.Context(), id, d.RunID, "again"), watchparty.ErrJobEnded)
	_, err := b.Reset(t.Context(), id, d.RunID, "nothing was done")
	require.ErrorIs(t, err, watchparty.ErrNothingToRetry)
	_, err = b.Get(t.Context(), "test/none", "")
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

// TestWaitingOnPurpose: a job that only waits for a time is not taken for one that is stuck.
func TestWaitingOnPurpose(t *testing.T) {
	t.Parallel()
	b := newJobsFixture(t)
	b.work(map[string]any{job.WorkflowWelcomeEmail: func(ctx workflow.Context, _ job.EmailInput) error {
		return workflow.NewTimerWithOptions(ctx, time.Hour, workflow.TimerOptions{Summary: "Until the reminder"}).
			Get(ctx, nil)
	}}, func(context.Context) error { return nil })
	id := b.start(job.WorkflowWelcomeEmail, "")
	d := b.eventually(id, func(d Detail) bool { return d.Phase == Waiting })
	require.Equal(t, "Until the reminder", d.WaitsFor)
	require.WithinDuration(t, time.Now().Add(time.Hour), d.WaitsUntil, 5*time.Minute)
}

// TestPausedQueues: a step on a queue that an admin has paused waits on purpose, and the job says for what. Others do
// not.
func TestPausedQueues(t *testing.T) {
	t.Parallel()
	// The Temporal is the test's own: what waits in the queues is counted in other tests.
	b := newJobsFixtureAt(t, stacktest.New(t, devstack.Temporal).TemporalAddress())
	b.register()
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
	b.Jobs = New(b.client, "default", s.QueuePauses)
	// A job for each queue: the workflow's kind is the queue's name.
	workflows, ids := map[string]any{}, map[string]string{}
	for _, queue := range job.AllTaskQueues() {
		workflows[queue] = func(ctx workflow.Context, _ job.EmailInput) error {
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
				TaskQueue: queue, StartToCloseTimeout: time.Minute,
			})
			return workflow.ExecuteActivity(ctx, "Step").Get(ctx, nil)
		}
	}
	b.work(workflows, func(context.Context) error { return nil })
	for queue := range workflows {
		ids[queue] = b.start(queue, "")
		b.eventually(ids[queue], func(d Detail) bool { return len(d.Steps) == 1 })
	}
	for _, paused := range job.ServableTaskQueues() {
		t.Run(paused, func(t *testing.T) {
			require.NoError(t, s.PauseQueue(t.Context(), admin.ID, paused))
			listed := map[string]Phase{}
			all, _, err := b.List(t.Context(), Filter{UserID: b.user}, 100, nil)
			require.NoError(t, err)
			for _, found := range all {
				listed[found.WorkflowID] = found.Phase
			}
			for queue, id := range ids {
				d, err := b.Get(t.Context(), id, "")
				require.NoError(t, err)
				if queue != paused {
					require.NotEqual(t, Waiting, d.Phase, queue)
					require.NotEqual(t, Waiting, listed[id], queue)
					continue
				}
				require.Equal(t, []any{Waiting, "The end of the pause of the queue " + paused, time.Time{}},
					[]any{d.Phase, d.WaitsFor, d.WaitsUntil}, queue)
				require.Equal(t, Waiting, listed[id], queue)
			}
			require.NoError(t, s.ResumeQueue(t.Context(), admin.ID, paused))
		})
	}
}

func TestPhases(t *testing.T) {
	t.Parallel()
	now := time.Now()
	ago := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(now.Add(-d)) }
	at := &queueSnapshot{
		at: now, pauses: map[string]watchparty.QueuePause{"resting": {PausedAt: now}},
		workers: map[pollers]bool{
			{"served", enums.TASK_QUEUE_TYPE_ACTIVITY}: true, {"served", enums.TASK_QUEUE_TYPE_WORKFLOW}: true,
			{"deserted", enums.TASK_QUEUE_TYPE_ACTIVITY}: false, {"deserted", enums.TASK_QUEUE_TYPE_WORKFLOW}: false,
		},
	}
	describe := func(queue string, a *workflowpb.PendingActivityInfo, task *workflowpb.PendingWorkflowTaskInfo) Detail {
		answer := &workflowservice.DescribeWorkflowExecutionResponse{PendingWorkflowTask: task}
		d := Detail{Job: Job{Queue: queue}}
		if a != nil {
			if a.GetActivityOptions() == nil {
				a.ActivityOptions = &activitypb.ActivityOptions{TaskQueue: &taskqueuepb.TaskQueue{Name: queue}}
			}
			answer.PendingActivities = append(answer.PendingActivities, a)
			d.Steps = append(d.Steps, newStep(a, at.pauses))
		}
		require.NoError(t, d.addPhase(t.Context(), answer, at))
		return d
	}
	on := func(queue string, a *workflowpb.PendingActivityInfo) *workflowpb.PendingActivityInfo {
		a.ActivityOptions = &activitypb.ActivityOptions{TaskQueue: &taskqueuepb.TaskQueue{Name: queue}}
		return a
	}
	const scheduled, started = enums.PENDING_ACTIVITY_STATE_SCHEDULED, enums.PENDING_ACTIVITY_STATE_STARTED
	failed := failureOf("mail server", "")
	for name, c := range map[string]struct {
		step *workflowpb.PendingActivityInfo
		task *workflowpb.PendingWorkflowTaskInfo
		want Phase
	}{
		"nothing to do": {nil, nil, Waiting},
		"a fresh task":  {nil, &workflowpb.PendingWorkflowTaskInfo{ScheduledTime: ago(0), State: enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED}, Working},
		"no worker decides": {nil, &workflowpb.PendingWorkflowTaskInfo{ScheduledTime: ago(time.Hour),
			State: enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED}, NoWorker},
		"a task that fails": {nil, &workflowpb.PendingWorkflowTaskInfo{ScheduledTime: ago(0), Attempt: 20}, Stuck},
		"a fresh step":      {&workflowpb.PendingActivityInfo{State: scheduled, Attempt: 1, ScheduledTime: ago(0)}, nil, Working},
		"no worker works": {&workflowpb.PendingActivityInfo{State: scheduled, Attempt: 1,
			ScheduledTime: ago(time.Hour)}, nil, NoWorker},
		"a long step": {&workflowpb.PendingActivityInfo{State: started, Attempt: 1, ScheduledTime: ago(time.Hour)}, nil, Working},
		"a second attempt": {&workflowpb.PendingActivityInfo{State: scheduled, Attempt: 2, ScheduledTime: ago(time.Hour),
			LastFailure: failed, NextAttemptScheduleTime: ago(-time.Minute)}, nil, Retrying},
		"an attempt that nobody begins": {&workflowpb.PendingActivityInfo{State: scheduled, Attempt: 2,
			ScheduledTime: ago(time.Hour), LastFailure: failed, NextAttemptScheduleTime: ago(time.Hour)}, nil, NoWorker},
		"a tenth attempt": {&workflowpb.PendingActivityInfo{State: scheduled, Attempt: 10, ScheduledTime: ago(time.Hour),
			LastFailure: failed, NextAttemptScheduleTime: ago(-time.Minute)}, nil, Stuck},
		"a recipient with too many emails": {&workflowpb.PendingActivityInfo{State: scheduled, Attempt: 12,
			ScheduledTime: ago(time.Hour), LastFailure: failureOf("too many", job.ErrorRecipientLimit),
			NextAttemptScheduleTime: ago(-time.Hour)}, nil, Waiting},
		"a step that is paused in Temporal": {&workflowpb.PendingActivityInfo{State: enums.PENDING_ACTIVITY_STATE_PAUSED,
			Attempt: 1, ScheduledTime: ago(time.Hour)}, nil, Waiting},
		"a step on a paused queue": {on("resting", &workflowpb.PendingActivityInfo{State: scheduled, Attempt: 1,
			ScheduledTime: ago(time.Hour)}), nil, Waiting},
		"a tenth attempt on a paused queue": {on("resting", &workflowpb.PendingActivityInfo{State: scheduled, Attempt: 10,
			ScheduledTime: ago(time.Hour), LastFailure: failed, NextAttemptScheduleTime: ago(time.Hour)}), nil, Waiting},
		"a step that a worker still ends in the pause": {on("resting", &workflowpb.PendingActivityInfo{State: started,
			Attempt: 1, ScheduledTime: ago(time.Hour)}), nil, Working},
		"a step on another queue": {on("other", &workflowpb.PendingActivityInfo{State: scheduled, Attempt: 1,
			ScheduledTime: ago(time.Hour)}), nil, NoWorker},
		"no worker decides about a step on a paused queue": {on("resting", &workflowpb.PendingActivityInfo{State: scheduled,
			Attempt: 1, ScheduledTime: ago(time.Hour)}), &workflowpb.PendingWorkflowTaskInfo{ScheduledTime: ago(time.Hour),
			State: enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED}, NoWorker},
	} {
		d := describe("served", c.step, c.task)
		require.Equal(t, c.want, d.Phase, name)
		require.Equal(t, c.want == NoWorker, d.WaitsFor != "", name)
	}

	// Whether a queue has a worker is known long before a task has waited for two minutes.
	task := &workflowpb.PendingWorkflowTaskInfo{
		ScheduledTime: ago(10 * time.Second), State: enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
	}
	step := func() *workflowpb.PendingActivityInfo {
		return &workflowpb.PendingActivityInfo{State: scheduled, Attempt: 1, ScheduledTime: ago(10 * time.Second)}
	}
	for queue, want := range map[string]Phase{"served": Working, "deserted": NoWorker} {
		for name, d := range map[string]Detail{
			"decision": describe(queue, nil, task), "step": describe(queue, step(), nil),
			"step elsewhere": describe("served", on(queue, step()), nil),
		} {
			require.Equal(t, want, d.Phase, "%s: %s", queue, name)
			if want == NoWorker {
				require.Equal(t, "A worker of the queue deserted", d.WaitsFor, name)
			}
		}
	}
	paused := describe("served", on("resting", &workflowpb.PendingActivityInfo{
		State: scheduled, Attempt: 2, NextAttemptScheduleTime: ago(time.Minute),
	}), nil)
	require.Zero(t, paused.Steps[0].NextAt, "nobody knows when the pause ends")
}

func failureOf(message, kind string) *failurepb.Failure {
	return &failurepb.Failure{Message: message, FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
		ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: kind},
	}}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	b := newJobsFixture(t)
	id := b.start(job.WorkflowCleanup, "")
	for range 2 {
		b.start(job.WorkflowCleanup, "")
	}
	d := b.eventually(id, func(d Detail) bool { return d.Phase == NoWorker })
	require.Equal(t, "A worker of the queue "+b.queue, d.WaitsFor)
	require.EventuallyWithT(t, func(c *assert.CollectT) { // Temporal's queues are a moment behind its lists
		q, err := b.Jobs.queue(t.Context(), b.queue)
		require.NoError(c, err)
		require.Equal(c, []any{int64(3), 0}, []any{q.Backlog, len(q.Workers)})
	}, patience, 100*time.Millisecond)
	b.work(map[string]any{job.WorkflowCleanup: oneStep(temporal.RetryPolicy{MaximumAttempts: 1})},
		func(context.Context) error { return nil })
	require.Eventually(t, func() bool {
		q, err := b.Jobs.queue(t.Context(), b.queue)
		return err == nil && q.Backlog == 0 && len(q.Workers) == 1 && q.Workers[0].Activities && q.Workers[0].Workflows
	}, patience, 100*time.Millisecond)
	all, err := b.Queues(t.Context())
	require.NoError(t, err)
	require.Len(t, all, len(job.AllTaskQueues()))
}

// TestTemporalAway: all answers say so.
func TestTemporalAway(t *testing.T) {
	t.Parallel()
	c, err := client.NewLazyClient(client.Options{
		HostPort: "127.0.0.1:1", Logger: temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	j := New(c, "default", noPauses)
	for name, call := range map[string]func() error{
		"list":      func() error { _, _, err := j.List(t.Context(), Filter{}, 1, nil); return err },
		"count":     func() error { _, err := j.Count(t.Context(), Filter{}); return err },
		"counts":    func() error { _, err := j.Counts(t.Context(), Filter{}); return err },
		"get":       func() error { _, err := j.Get(t.Context(), "x", ""); return err },
		"cancel":    func() error { return j.Cancel(t.Context(), "x", "") },
		"terminate": func() error { return j.Terminate(t.Context(), "x", "", "why") },
		"queues":    func() error { _, err := j.Queues(t.Context()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, call(), watchparty.ErrTemporalDown)
		})
	}
}
