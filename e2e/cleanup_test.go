package e2e

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	temporal "go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
)

// kind is what one policy is about: how many rows there are, and what makes ?1 of them of the moment ?0. ?2 is a user
// and ?3 a room that is in use.
type kind struct{ count, insert string }

var kinds = map[watchparty.Policy]kind{
	watchparty.PolicyParticipants: {
		"SELECT count(*) FROM participants", `WITH made AS (
			INSERT INTO users (id, username, email, display_name, password_hash)
			SELECT id, 'u' || right(id::text, 20), id || '@people.example', '', '' FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?1)) AS ids
			RETURNING id)
		INSERT INTO participants (room_id, user_id, last_seen_at) SELECT ?3, id, ?0 FROM made`,
	},
	watchparty.PolicyMessages: {
		"SELECT count(*) FROM messages AS m JOIN rooms AS r ON r.id = m.room_id WHERE r.deleted_at IS NULL",
		"INSERT INTO messages (id, room_id, user_id, body, created_at) SELECT gen_random_uuid(), ?3, ?2, 'x', ?0 " +
			"FROM generate_series(1, ?1)",
	},
	watchparty.PolicyRooms: {
		"SELECT count(*) FROM rooms WHERE archived_at IS NULL",
		`INSERT INTO rooms (id, name, host_id, visibility, capacity, updated_at, last_active_at)
			SELECT gen_random_uuid(), '', ?2, 'public', 2, ?0, ?0 FROM generate_series(1, ?1)`,
	},
	watchparty.PolicyArchived: {
		"SELECT count(*) FROM rooms", `WITH made AS (
			INSERT INTO rooms (id, name, visibility, capacity, archived_at, deleted_at)
			SELECT gen_random_uuid(), '', 'public', 2, ?0, ?0 FROM generate_series(1, ?1) RETURNING id)
		INSERT INTO messages (id, room_id, body) SELECT gen_random_uuid(), made.id, 'x' FROM made CROSS JOIN generate_series(1, 3)`,
	},
	watchparty.PolicyTokens: {
		"SELECT (SELECT count(*) FROM email_verifications) + (SELECT count(*) FROM password_resets)", `WITH made AS (
			INSERT INTO email_verifications (id, user_id, email, expires_at) SELECT gen_random_uuid(), ?2, 'x@y', ?0 FROM generate_series(1, ?1 / 2))
		INSERT INTO password_resets (id, expires_at) SELECT gen_random_uuid(), ?0 FROM generate_series(1, ?1 - ?1 / 2)`,
	},
	watchparty.PolicySessions: {
		"SELECT count(*) FROM sessions", `INSERT INTO sessions (id, family_id, user_id, token_hash, expires_at)
			SELECT id, id, ?2, id::text::bytea, ?0 FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?1)) AS ids`,
	},
	watchparty.PolicyInvitations: {
		"SELECT count(*) FROM invitations", `INSERT INTO invitations (id, room_id, email, state, expires_at, updated_at)
			SELECT id, ?3, id, 'declined', now(), ?0 FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?1)) AS ids`,
	},
	watchparty.PolicyParties: {
		"SELECT count(*) FROM parties",
		`INSERT INTO parties (id, room_id, starts_at, time_zone, state, ended_at)
			SELECT gen_random_uuid(), ?3, ?0, 'UTC', 'started', ?0 FROM generate_series(1, ?1)`,
	},
	watchparty.PolicyKeys: {
		"SELECT count(*) FROM idempotency_keys",
		`INSERT INTO idempotency_keys (id, key_hash, fingerprint, resource_id, expires_at)
			SELECT id, id::text::bytea, '', id, ?0 FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?1)) AS ids`,
	},
	watchparty.PolicyReports: {
		"SELECT count(*) FROM abuse_reports",
		`INSERT INTO abuse_reports (id, kind, target_kind, target_id, state, outcome, resolved_at)
			SELECT id, 'spam', 'user', id, 'resolved', 'acted', ?0 FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?1)) AS ids`,
	},
	watchparty.PolicyEmails: {
		"SELECT count(*) FROM emails", `INSERT INTO emails (id, kind, subject_id, state, workflow_id, updated_at)
			SELECT id, 'welcome', id, 'failed', '', ?0 FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?1)) AS ids`,
	},
	watchparty.PolicyActivity: {
		"SELECT count(*) FROM stays WHERE room_id = '01890000-0000-7000-8000-00000000dead'",
		`INSERT INTO stays (room_id, user_id, started_at, ended_at)
			SELECT '01890000-0000-7000-8000-00000000dead', ?2, ?0, ?0 FROM generate_series(1, ?1)`,
	},
	watchparty.PolicyOutbox: {
		"SELECT count(*) FROM outbox WHERE workflow = 'none'",
		`INSERT INTO outbox (id, workflow_id, workflow, task_queue, input, state, started_at)
			SELECT id, id, 'none', '', '{}', 'started', ?0 FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?1)) AS ids`,
	},
}

// cleanupScene is a system with much to clean up.
type cleanupScene struct {
	*system
	t        *testing.T // processes end with it
	temporal temporal.Client
	admin    client
	adminID  string
	roomID   string
	ages     map[watchparty.Policy]time.Duration
	worker   *process
}

func newCleanupScene(t *testing.T) *cleanupScene {
	t.Helper()
	a := &cleanupScene{system: newSystem(t), t: t}
	a.environ = append(a.environ, "CLEANUP_BATCH_PAUSE=300ms", "RATE_LIMIT_ENABLED=false")
	cfg, err := config.Load(a.environ)
	require.NoError(t, err)
	a.ages = cfg.Cleanup.Ages()
	a.startAPI(t)
	a.worker = a.startWorker(a.t)
	a.temporal = dialTemporal(t, a.stack.TemporalAddress())
	admin, account := a.client.register(t, "ruth", "Ruth")
	a.grantAdmin(t, account.User.Email)
	a.admin, a.adminID = admin, account.User.ID
	a.roomID = admin.post(t, "/rooms", map[string]any{"name": "in use"}).data(t)["id"].(string)
	a.awaitIdle(t)
	return a
}

// fill makes rows on both sides of each policy's threshold, an hour away, and returns how many are beyond.
func (a *cleanupScene) fill(t *testing.T) map[watchparty.Policy]int {
	t.Helper()
	old := map[watchparty.Policy]int{}
	for policy, k := range kinds {
		old[policy] = 25
		if policy == watchparty.PolicyMessages {
			old[policy] = 3500 // four batches, so that a run can be stopped between two
		}
		threshold := time.Now().Add(-a.ages[policy])
		for moment, n := range map[time.Time]int{threshold.Add(-time.Hour): old[policy], threshold.Add(time.Hour): 7} {
			_, err := a.store.DB().NewRaw(k.insert, moment, n, a.adminID, a.roomID).Exec(t.Context())
			require.NoError(t, err, policy)
		}
	}
	return old
}

func (a *cleanupScene) count(t *testing.T) map[watchparty.Policy]int {
	t.Helper()
	counts := map[watchparty.Policy]int{}
	for policy, k := range kinds {
		var n int
		require.NoError(t, a.store.DB().NewRaw(k.count).Scan(t.Context(), &n), policy)
		counts[policy] = n
	}
	return counts
}

// run is a clean-up run as the API shows it.
type run struct {
	State  string                    `json:"state"`
	Counts map[watchparty.Policy]int `json:"counts"`
}

func (a *cleanupScene) run(t require.TestingT, id string) run {
	var answer struct{ Data run }
	got := a.admin.get(t, "/admin/cleanup/runs/"+id)
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	got.decode(t, &answer)
	return answer.Data
}

// stopAt lets sessions come as far as the trigger and no further, until they are let go. A session that waits is
// refused after lockTimeout, and tries again: arrived returns soon after the beginning of a wait.
func (a *cleanupScene) stopAt(t *testing.T, trigger string) (arrived, release func()) {
	t.Helper()
	conn, err := a.store.DB().Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	execute := func(statement string) {
		t.Helper()
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	execute("SELECT pg_advisory_lock(6)")
	execute(`CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_advisory_xact_lock_shared(6); RETURN NEW; END'`)
	execute("CREATE " + trigger + " EXECUTE FUNCTION wait()")
	arrived = func() {
		t.Helper()
		eventually(t, func(c *assert.CollectT) {
			var waiting int
			require.NoError(
				c,
				a.store.DB().
					NewRaw("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "+
						"AND waitstart > clock_timestamp() - make_interval(secs => ?)", lockTimeout.Seconds()/2).
					Scan(t.Context(), &waiting),
			)
			require.Equal(c, 1, waiting)
		}, "the worker is there")
	}
	return arrived, func() {
		t.Helper()
		execute("SELECT pg_advisory_unlock(6)")
		execute("DROP FUNCTION wait CASCADE")
		require.NoError(t, conn.Close())
	}
}

// killWorker ends the worker and tells Temporal what it would find out by itself: that the attempt is over, when no
// heartbeat has come for 30 s, and that the workflow's next task is for another worker.
func (a *cleanupScene) killWorker(t *testing.T, runID string) {
	t.Helper()
	a.worker.kill()
	id := "cleanup/" + runID
	pending := a.pending(t, id)
	require.Equal(t, enums.PENDING_ACTIVITY_STATE_STARTED, pending.GetState())
	_, err := a.temporal.WorkflowService().ResetStickyTaskQueue(t.Context(), &workflowservice.ResetStickyTaskQueueRequest{
		Namespace: temporal.DefaultNamespace, Execution: &common.WorkflowExecution{WorkflowId: id},
	})
	require.NoError(t, err)
	require.NoError(
		t,
		a.temporal.CompleteActivityByID(t.Context(), temporal.DefaultNamespace, id, "", pending.GetActivityId(), nil,
			errors.New("the worker was killed")),
	)
}

// pending is the activity that the run is at.
func (a *cleanupScene) pending(t *testing.T, id string) *workflow.PendingActivityInfo {
	t.Helper()
	described, err := a.temporal.DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err)
	require.Len(t, described.GetPendingActivities(), 1)
	return described.GetPendingActivities()[0]
}

// requireCompleted waits for the run's end and compares what it says with the rows that went.
func (a *cleanupScene) requireCompleted(t *testing.T, id string, before, went map[watchparty.Policy]int) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) { require.Equal(c, "completed", a.run(c, id).State) }, "the run has completed")
	after := a.count(t)
	for policy := range before {
		require.Equal(t, went[policy], before[policy]-after[policy], "rows of %s that went", policy)
	}
	counts := a.run(t, id).Counts
	reports := a.admin.get(t, "/admin/reports").list(t)
	var stored []any
	for _, report := range reports {
		if report := report.(map[string]any); report["run_id"] == id {
			stored = append(stored, report["data"].(map[string]any)["counts"])
		}
	}
	require.Len(t, stored, 1)
	for policy, n := range counts {
		require.EqualValues(t, n, stored[0].(map[string]any)[string(policy)], policy)
	}
}

// TestWorkerKilledInCleanup: whenever the worker dies, the run completes, what it counts is what went, and nothing that
// is younger than its policy's age goes.
func TestWorkerKilledInCleanup(t *testing.T) {
	t.Parallel()
	a := newCleanupScene(t)
	everything := map[string]any{
		"policies": slices.DeleteFunc(watchparty.Policies(), func(p watchparty.Policy) bool { return kinds[p].count == "" }),
	}

	t.Run("in the middle", func(t *testing.T) {
		old := a.fill(t)
		before := a.count(t)
		arrived, release := a.stopAt(t, `TRIGGER wait BEFORE UPDATE OF counts ON cleanup_runs FOR EACH ROW
			WHEN (NEW.policy = 'old_messages' AND (OLD.counts->>'old_messages')::integer > 0)`)
		id := startCleanup(t, a.admin, everything)
		arrived()
		a.killWorker(t, id)
		done := a.run(t, id).Counts[watchparty.PolicyMessages]
		require.Positive(t, done)
		require.Less(t, done, old[watchparty.PolicyMessages])
		release()
		a.worker = a.startWorker(a.t)
		a.requireCompleted(t, id, before, old)
		require.Equal(t, old, a.run(t, id).Counts)
	})

	t.Run("several times, between the rows, their count and the commit", func(t *testing.T) {
		old := a.fill(t)
		before := a.count(t)
		triggers := []string{
			"TRIGGER wait AFTER DELETE ON messages FOR EACH STATEMENT",
			"TRIGGER wait BEFORE UPDATE OF counts ON cleanup_runs FOR EACH ROW WHEN (NEW.policy = 'old_messages')",
			"TRIGGER wait AFTER DELETE ON sessions FOR EACH STATEMENT",
			`CONSTRAINT TRIGGER wait AFTER UPDATE OF counts ON cleanup_runs DEFERRABLE INITIALLY DEFERRED
				FOR EACH ROW WHEN (NEW.policy = 'ended_invitations')`,
		}
		arrived, release := a.stopAt(t, triggers[0])
		id := startCleanup(t, a.admin, everything)
		for _, next := range append(triggers[1:], "") {
			arrived()
			a.killWorker(t, id)
			release()
			if next != "" { // before a worker can come past it
				arrived, release = a.stopAt(t, next)
			}
			a.worker = a.startWorker(a.t)
		}
		a.requireCompleted(t, id, before, old)
		require.Equal(t, old, a.run(t, id).Counts)
	})

	t.Run("while it rehearses", func(t *testing.T) {
		old := a.fill(t)
		before := a.count(t)
		everything["dry_run"] = true
		arrived, release := a.stopAt(
			t, "TRIGGER wait BEFORE UPDATE OF counts ON cleanup_runs FOR EACH ROW WHEN (NEW.policy = 'old_messages')",
		)
		id := startCleanup(t, a.admin, everything)
		arrived()
		a.killWorker(t, id)
		release()
		a.worker = a.startWorker(a.t)
		a.requireCompleted(t, id, before, map[watchparty.Policy]int{})
		require.Equal(t, old, a.run(t, id).Counts)
	})
}
