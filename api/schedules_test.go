package api

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	temporal "go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty/workflows/job"
)

// clock stands for the one schedule that Temporal keeps; e2e tests ask a real one.
type clock struct {
	temporal.ScheduleHandle // what is not asked for

	mu          sync.Mutex
	description temporal.ScheduleDescription
	triggered   int
	backfills   []temporal.ScheduleBackfill
	err         error  // of every answer
	asked       func() // called before an act, unless it is nil
}

func (c *clock) GetHandle(_ context.Context, id string) temporal.ScheduleHandle {
	if id != job.ScheduleCleanup {
		return missing{}
	}
	return c
}

// missing is a schedule that no worker has made yet.
type missing struct{ temporal.ScheduleHandle }

func (missing) Describe(context.Context) (*temporal.ScheduleDescription, error) {
	return nil, serviceerror.NewNotFound("no such schedule")
}

func (c *clock) locked(f func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		f()
	}
	return c.err
}

func (c *clock) Describe(context.Context) (*temporal.ScheduleDescription, error) {
	found := &temporal.ScheduleDescription{}
	err := c.locked(func() {
		*found = c.description
		state := temporal.ScheduleState{}
		if c.description.Schedule.State != nil {
			state = *c.description.Schedule.State
		}
		found.Schedule.State = &state
	})
	return found, err
}

// act is locked for what changes something.
func (c *clock) act(f func()) error {
	if c.asked != nil {
		c.asked()
	}
	return c.locked(f)
}

func (c *clock) pause(paused bool, note string) error {
	return c.act(func() { c.description.Schedule.State = &temporal.ScheduleState{Paused: paused, Note: note} })
}

func (c *clock) Pause(_ context.Context, o temporal.SchedulePauseOptions) error {
	return c.pause(true, o.Note)
}

func (c *clock) Unpause(_ context.Context, o temporal.ScheduleUnpauseOptions) error {
	return c.pause(false, o.Note)
}

func (c *clock) Trigger(context.Context, temporal.ScheduleTriggerOptions) error {
	return c.act(func() { c.triggered++ })
}

func (c *clock) Backfill(_ context.Context, o temporal.ScheduleBackfillOptions) error {
	return c.act(func() { c.backfills = append(c.backfills, o.Backfill...) })
}

func withClock(c *clock) func(*settings) { return func(s *settings) { s.schedules = c } }

func TestSchedules(t *testing.T) {
	t.Parallel()
	c := &clock{}
	at := time.Now().UTC().Truncate(time.Second).Add(-20 * time.Minute)
	c.description.Info.RecentActions = []temporal.ScheduleActionResult{
		{
			ScheduleTime: at,
			ActualTime:   at.Add(7 * time.Second),
			StartWorkflowResult: &temporal.ScheduleWorkflowExecution{
				WorkflowID:          "cleanup/scheduled-1",
				FirstExecutionRunID: "r1",
			},
		},
		{ScheduleTime: at.Add(10 * time.Minute), ActualTime: at.Add(10 * time.Minute)},
	}
	c.description.Info.NextActionTimes = []time.Time{at.Add(30 * time.Minute).Local()}
	b := setup(t, withClock(c))
	root := b.admin(t, "root")
	act := func(what string, body any) answer {
		return b.do(t, "POST", "/admin/schedules/cleanup/"+what, root.token, body)
	}

	list := b.do(t, "GET", "/admin/schedules", root.token, nil).list()
	require.Len(t, list, 1)
	require.Equal(t, "cleanup", list[0]["id"])
	require.Equal(t, []any{at.Add(30 * time.Minute).Format(time.RFC3339)}, list[0]["next_runs"])
	recent := list[0]["recent_runs"].([]any)
	require.Equal(
		t, at.Add(10*time.Minute).Format(time.RFC3339), recent[0].(map[string]any)["scheduled_at"], "the latest first",
	)
	require.Equal(t, "cleanup/scheduled-1", recent[1].(map[string]any)["workflow_id"])
	require.Contains(t, recent[1].(map[string]any)["temporal_url"], "cleanup%2Fscheduled-1")

	paused := act("pause"+because("new disks"), nil).data()
	require.Equal(t, []any{true, "new disks"}, []any{paused["paused"], paused["note"]})
	require.Equal(t, false, act("resume"+because("done"), nil).data()["paused"])
	require.Equal(t, 200, act("trigger", nil).status)
	require.Equal(t, 1, c.triggered)
	require.Equal(
		t, 200, act("backfill", map[string]any{"start": "2026-01-01T00:00:00+01:00", "end": "2026-01-31T23:00:00Z"}).status,
		"31 days to the hour",
	)
	require.Equal(t, time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC), c.backfills[0].Start)
	for _, bad := range [][2]string{
		{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"}, {"2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"},
		{"2026-01-01T00:00:00Z", "2026-02-01T00:00:01Z"}, {time.Now().Format(time.RFC3339), "2999-01-01T00:00:00Z"},
	} {
		act("backfill", map[string]any{"start": bad[0], "end": bad[1]}).requireProblem(t, 400, "invalid_request")
	}
	act("pause"+because(""), nil).requireProblem(t, 400, "invalid_request")
	b.do(t, "POST", "/admin/schedules/other/trigger", root.token, nil).requireProblem(t, 404, "not_found")

	var acts []any
	for _, entry := range b.do(t, "GET", "/admin/audit", root.token, nil).list() {
		if entry["target_kind"] == "schedule" {
			acts = append(acts, entry["action"])
			require.Equal(t, "cleanup", entry["details"].(map[string]any)["schedule"])
		}
	}
	require.Equal(t, []any{"schedule_backfilled", "schedule_triggered", "schedule_resumed", "schedule_paused"}, acts)
}

func TestSchedulesWithoutTemporal(t *testing.T) {
	t.Parallel()
	c := &clock{}
	b := setup(t, withClock(c))
	root := b.admin(t, "root")
	outcomes := func() (all []any) {
		for _, entry := range b.do(t, "GET", "/admin/audit?action=schedule_triggered", root.token, nil).list() {
			all = append(all, entry["outcome"])
		}
		b.exec(t, "DELETE FROM audit WHERE action = 'schedule_triggered'")
		return all
	}
	for name, err := range map[string]error{
		"refused": errors.New("dial tcp: connection refused"), "slow": context.DeadlineExceeded,
	} {
		c.err = err
		b.do(t, "GET", "/admin/schedules", root.token, nil).requireProblem(t, 503, "unavailable")
		b.do(t, "POST", "/admin/schedules/cleanup/trigger", root.token, nil).requireProblem(t, 503, "unavailable")
		require.Equal(t, []any{"unknown"}, outcomes(), name)
	}
	c.err = serviceerror.NewNotFound("no such schedule")
	require.Empty(t, b.do(t, "GET", "/admin/schedules", root.token, nil).list(), "no worker has made it yet")
	b.do(t, "POST", "/admin/schedules/cleanup/trigger", root.token, nil).requireProblem(t, 404, "not_found")
	require.Equal(t, []any{"failed"}, outcomes())
}

// TestSchedulesAreAuditedBefore: no act on a schedule goes unrecorded, whenever the process ends; one that cannot be
// recorded is not carried out.
func TestSchedulesAreAuditedBefore(t *testing.T) {
	t.Parallel()
	c := &clock{}
	b := setup(t, withClock(c))
	root := b.admin(t, "root")
	outcomeOf := func(action string) (outcome string) {
		err := b.store.DB().
			NewRaw("SELECT coalesce(max(outcome), 'none') FROM audit WHERE action = ?", action).
			Scan(context.Background(), &outcome)
		if err != nil {
			return err.Error()
		}
		return outcome
	}
	acts := map[string]struct {
		action string
		body   any
	}{
		"pause" + because("new disks"): {"schedule_paused", nil},
		"resume" + because("done"):     {"schedule_resumed", nil},
		"trigger":                      {"schedule_triggered", nil},
		"backfill": {
			"schedule_backfilled",
			map[string]any{"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"},
		},
	}
	for what, act := range acts {
		var meanwhile string
		c.asked = func() { meanwhile = outcomeOf(act.action) }
		require.Equal(t, 200, b.do(t, "POST", "/admin/schedules/cleanup/"+what, root.token, act.body).status)
		require.Equal(t, []string{"pending", "done"}, []string{meanwhile, outcomeOf(act.action)}, what)
	}
	listed := func() (all []any) {
		for _, entry := range b.do(t, "GET", "/admin/audit?action=schedule_paused", root.token, nil).list() {
			all = append(all, entry["outcome"])
		}
		return all
	}
	b.exec(t, "UPDATE audit SET outcome = 'pending', updated_at = now() WHERE action = 'schedule_paused'")
	require.Equal(t, []any{"pending"}, listed())
	b.exec(t, "UPDATE audit SET updated_at = now() - interval '61 s' WHERE action = 'schedule_paused'")
	require.Equal(t, []any{"unknown"}, listed(), "its process has ended")

	b.exec(t, "ALTER TABLE audit ADD CONSTRAINT audit_full CHECK (false) NOT VALID")
	for what, act := range acts {
		c.asked = func() { require.Fail(t, "carried out without a record", what) }
		require.Equal(t, 500, b.do(t, "POST", "/admin/schedules/cleanup/"+what, root.token, act.body).status)
	}
}
