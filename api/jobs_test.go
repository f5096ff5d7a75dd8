package api

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	temporalclient "go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

var attributesRegistered sync.Once

// dialTemporal connects to a Temporal without workers: jobs that are started stay as they are.
func dialTemporal(t testing.TB, address string) temporalclient.Client {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	c, err := temporalclient.NewLazyClient(
		temporalclient.Options{HostPort: address, Logger: temporallog.NewStructuredLogger(quiet)},
	)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	if address != awayTemporal {
		attributesRegistered.Do(func() { registerAttributes(t, c, quiet) })
	}
	return c
}

// registerAttributes registers the search attributes, and waits until workflows can begin with them.
func registerAttributes(t testing.TB, c temporalclient.Client, log *slog.Logger) {
	t.Helper()
	jobs.RegisterSearchAttributes(t.Context(), c, "default", log)
	options := temporalclient.StartWorkflowOptions{
		ID: "probe/" + uuid.NewString(), TaskQueue: "probe",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(job.AttributeUser).ValueSet("nobody"),
			temporal.NewSearchAttributeKeyKeyword(job.AttributeRoom).ValueSet("none"),
		),
	}
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		_, err := c.ExecuteWorkflow(t.Context(), options, "Probe")
		require.NoError(collect, err)
	}, time.Minute, 20*time.Millisecond)
}

const awayTemporal = "127.0.0.1:1"

func temporalAway(s *settings) { s.temporal = awayTemporal }

// startJob starts the workflow of an event, as the relay does. It is in Temporal's lists some time later.
func (b *bundle) startJob(t testing.TB, e job.Event) (id string) {
	t.Helper()
	require.NoError(t, outbox.Temporal(dialTemporal(t, stacktest.TemporalAddress()))(t.Context(), e))
	return jobs.EncodeID(e.WorkflowID, "")
}

// awaitListed waits until Temporal's lists have that many jobs about an account.
func (b *bundle) awaitListed(t testing.TB, about person, n int) {
	t.Helper()
	all := jobs.New(dialTemporal(t, stacktest.TemporalAddress()), "default", b.store.QueuePauses)
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		count, err := all.Count(t.Context(), jobs.Filter{UserID: about.id})
		require.NoError(collect, err)
		require.EqualValues(collect, n, count)
	}, time.Minute, 50*time.Millisecond)
}

// cleanupJob starts the job of a clean-up run.
func (b *bundle) cleanupJob(t testing.TB, admin person) (id, runID string) {
	t.Helper()
	run := b.do(t, "POST", "/admin/cleanup", admin.token, nil).data()["run_id"].(string)
	event := job.CleanupEvent(job.CleanupInput{RunID: run}).About(admin.id, "")
	return b.startJob(t, event), run
}

// requireAct wants the newest entry of the audit log to be this.
func (b *bundle) requireAct(t testing.TB, admin person, action, outcome, note string) map[string]any {
	t.Helper()
	entry := b.do(t, "GET", "/admin/audit?actor_id="+admin.id+"&limit=1", admin.token, nil).list()[0]
	details := entry["details"].(map[string]any)
	require.Equal(t, []any{action, outcome}, []any{entry["action"], entry["outcome"]})
	if note != "" {
		require.Equal(t, note, details["note"])
	}
	return details
}

func TestJobs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, ada := b.admin(t, "root"), b.user(t, "ada")
	email := b.welcomeEmail(t, ada)
	welcome := b.startJob(t, job.WelcomeEmailEvent(ada.id, email).About(ada.id, ""))
	cleanup, run := b.cleanupJob(t, root)
	b.awaitListed(t, ada, 1)
	b.awaitListed(t, root, 1)
	list := func(query string) []map[string]any {
		a := b.do(t, "GET", "/admin/jobs?"+query, root.token, nil)
		require.Equal(t, 200, a.status, a)
		return a.list()
	}

	t.Run("list", func(t *testing.T) {
		found := list("user_id=" + ada.id)
		require.Len(t, found, 1)
		require.Equal(t, []any{"welcome-email/" + ada.id, "WelcomeEmail", "running", "working", ada.id, nil},
			[]any{found[0]["workflow_id"], found[0]["kind"], found[0]["state"], found[0]["phase"], found[0]["user_id"],
				found[0]["steps"]})
		require.Equal(t, 200, b.do(t, "GET", "/admin/jobs/"+found[0]["id"].(string), root.token, nil).status)
		require.Empty(t, list("user_id="+ada.id+"&state=failed"))
		require.Len(t, list("user_id="+ada.id+"&queue=email"), 1)
		require.Empty(t, list("user_id="+ada.id+"&queue=maintenance"))
		counts := b.do(t, "GET", "/admin/jobs/counts?user_id="+root.id, root.token, nil).data()
		require.EqualValues(t, 1, counts["total"])
		for _, kind := range counts["kinds"].([]any) {
			if kind := kind.(map[string]any); kind["kind"] == "Cleanup" {
				require.Equal(t, map[string]any{"running": 1.}, kind["states"])
			}
		}
		total := b.do(t, "GET", "/admin/jobs/counts?only_total=true&queue=email&user_id="+ada.id, root.token, nil).data()
		require.Equal(t, map[string]any{"total": 1., "kinds": []any{}}, total)
		total = b.do(t, "GET", "/admin/jobs/counts?only_total=true&state=failed&user_id="+ada.id, root.token, nil).data()
		require.EqualValues(t, 0, total["total"])
		for _, query := range []string{
			"kind=Nonsense", "state=paused", "queue=avatar-steps", "user_id=1", "from=now", "cursor=x",
		} {
			require.Equal(t, 400, b.do(t, "GET", "/admin/jobs?"+query, root.token, nil).status, query)
		}
	})
	t.Run("pages", func(t *testing.T) {
		for range 2 {
			b.cleanupJob(t, ada.promoted(t, b))
		}
		b.awaitListed(t, ada, 3)
		seen := map[any]bool{}
		for query := "user_id=" + ada.id + "&limit=1"; query != ""; {
			a := b.do(t, "GET", "/admin/jobs?"+query, root.token, nil)
			require.Equal(t, 200, a.status, a)
			for _, j := range a.list() {
				seen[j["id"]] = true
			}
			query = ""
			if next, ok := a.body["next_cursor"].(string); ok {
				query = "user_id=" + ada.id + "&limit=1&cursor=" + next
				require.Equal(t, 400, b.do(t, "GET", "/admin/jobs?cursor="+next, root.token, nil).status, "of another list")
			}
		}
		require.Len(t, seen, 3)
	})
	t.Run("one", func(t *testing.T) {
		a := b.do(t, "GET", "/admin/jobs/"+welcome, root.token, nil)
		require.Equal(t, 200, a.status, a)
		require.Equal(t, "started", a.data()["timeline"].([]any)[0].(map[string]any)["kind"])
		require.Contains(t, a.data()["temporal_url"], "welcome-email%2F"+ada.id+"/")
		b.do(t, "GET", "/admin/jobs/"+jobs.EncodeID("cleanup/none", ""), root.token, nil).requireProblem(t, 404, "not_found")
		b.do(t, "GET", "/admin/jobs/nonsense", root.token, nil).requireProblem(t, 404, "not_found")
	})
	t.Run("not in Temporal", func(t *testing.T) {
		// It is in the outbox; then Temporal had it, and has removed it.
		waiting := b.do(t, "POST", "/admin/cleanup", root.token, nil).data()["run_id"].(string)
		id := jobs.EncodeID(job.CleanupID(waiting), "")
		requireAll := func(status int, code string) {
			b.do(t, "GET", "/admin/jobs/"+id, root.token, nil).requireProblem(t, status, code)
			for _, act := range []string{"cancel", "terminate", "retry"} {
				b.do(t, "POST", "/admin/jobs/"+id+"/"+act+because("it hangs"), root.token, nil).
					requireProblem(t, status, code)
			}
		}
		requireAll(409, "job_not_started")
		b.exec(t, "UPDATE outbox SET state = 'started' WHERE workflow_id = ?", job.CleanupID(waiting))
		requireAll(404, "job_expired")
	})
	t.Run("cancel", func(t *testing.T) {
		a := b.do(t, "POST", "/admin/jobs/"+welcome+"/cancel"+because("a test account"), root.token, nil)
		require.Equal(t, 200, a.status, a)
		details := b.requireAct(t, root, "job_cancelled", "done", "a test account")
		require.Equal(t, "welcome-email/"+ada.id, details["workflow_id"])
		stored := b.do(t, "GET", "/admin/emails/"+email, root.token, nil).data()
		require.Equal(t, []any{"cancelled", "cancelled"}, []any{stored["state"], stored["reason"]}, "its email goes with it")
	})
	t.Run("terminate", func(t *testing.T) {
		path := "/admin/jobs/" + cleanup + "/terminate"
		require.Equal(t, 400, b.do(t, "POST", path+because(" "), root.token, nil).status, "it needs a reason")
		a := b.do(t, "POST", path+because("it hangs"), root.token, nil)
		require.Equal(t, 200, a.status, a)
		require.Equal(t, []any{"terminated", "it hangs"}, []any{a.data()["state"], a.data()["failure"]})
		b.requireAct(t, root, "job_terminated", "done", "it hangs")
		require.Equal(t, "failed", b.do(t, "GET", "/admin/cleanup/runs/"+run, root.token, nil).data()["state"])
		for _, act := range []string{"cancel", "terminate"} {
			b.do(t, "POST", "/admin/jobs/"+cleanup+"/"+act+because("again"), root.token, nil).
				requireProblem(t, 409, "job_ended")
		}
		b.requireAct(t, root, "job_terminated", "done", "it hangs")
	})
	t.Run("retry", func(t *testing.T) {
		a := b.do(t, "POST", "/admin/jobs/"+cleanup+"/retry"+because("mended"), root.token, nil)
		require.Equal(t, 200, a.status, a)
		require.Equal(t, []any{"new_run", nil}, []any{a.data()["how"], a.data()["job"]})
		require.Equal(t, run, b.requireAct(t, root, "cleanup_started", "done", "mended")["again"])
		require.EqualValues(t, 1, value1[int](t, b, "SELECT count(*) FROM outbox WHERE workflow_id = ? AND state = 'pending'",
			a.data()["workflow_id"]))

		b.do(t, "POST", "/admin/jobs/"+b.startJob(t, job.AccountDeletionEvent(uuid.NewString()))+"/retry", root.token, nil).
			requireProblem(t, 409, "nothing_to_retry")
	})
	t.Run("retry an email", func(t *testing.T) {
		bob := b.user(t, "bob")
		emailID := b.welcomeEmail(t, bob)
		id := b.startJob(t, job.WelcomeEmailEvent(bob.id, emailID).About(bob.id, ""))
		a := b.do(t, "POST", "/admin/jobs/"+id+"/terminate"+because("the server was down"), root.token, nil)
		require.Equal(t, 200, a.status, a)
		a = b.do(t, "POST", "/admin/jobs/"+id+"/retry"+because("it is up"), root.token, nil)
		require.Equal(t, 200, a.status, a)
		require.Equal(t, "new_email", a.data()["how"])
		details := b.requireAct(t, root, "email_resent", "done", "it is up")
		require.Equal(t, emailID, details["resend_of"])
		b.exec(t, "UPDATE emails SET state = 'sent' WHERE id = ?", emailID)
		b.do(t, "POST", "/admin/jobs/"+id+"/retry", root.token, nil).requireProblem(t, 409, "nothing_to_retry")
	})
}

// TestRetryInAPause: a job whose step waits for the end of a pause is not tried, and nobody is told that it was.
func TestRetryInAPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	const step = "StepThatFails"
	deciding := uuid.NewString()
	c := dialTemporal(t, stacktest.TemporalAddress())
	workers := []worker.Worker{
		worker.New(c, deciding, worker.Options{}),
		worker.New(c, job.TaskQueueWebhooks, worker.Options{DisableWorkflowWorker: true}),
	}
	workers[0].RegisterWorkflowWithOptions(func(ctx workflow.Context, _ job.EmailInput) error {
		return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			TaskQueue: job.TaskQueueWebhooks, StartToCloseTimeout: time.Minute,
			RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Hour, MaximumInterval: time.Hour},
		}), step).Get(ctx, nil)
	}, workflow.RegisterOptions{Name: job.WorkflowCleanup})
	workers[1].RegisterActivityWithOptions(func(context.Context) error { return errors.New("no answer") },
		activity.RegisterOptions{Name: step})
	for _, w := range workers {
		require.NoError(t, w.Start())
		t.Cleanup(w.Stop)
	}
	id := b.startJob(t, job.Event{
		WorkflowID: "test/" + uuid.NewString(), Workflow: job.WorkflowCleanup, TaskQueue: deciding, Input: job.EmailInput{},
	})
	inPhase := func(phase string) {
		t.Helper()
		require.EventuallyWithT(t, func(collect *assert.CollectT) {
			found := b.do(t, "GET", "/admin/jobs/"+id, root.token, nil)
			require.Equal(collect, 200, found.status)
			require.Equal(collect, phase, found.data()["phase"])
		}, time.Minute, 50*time.Millisecond)
	}
	inPhase("retrying")
	b.do(t, "POST", "/admin/queues/webhooks/pause"+because("new disks"), root.token, nil)
	inPhase("waiting")
	b.do(t, "POST", "/admin/jobs/"+id+"/retry", root.token, nil).requireProblem(t, 409, "queue_paused")
	b.do(t, "POST", "/admin/queues/webhooks/resume", root.token, nil)
	a := b.do(t, "POST", "/admin/jobs/"+id+"/retry", root.token, nil)
	require.Equal(t, 200, a.status, a)
	require.Equal(t, "tried_now", a.data()["how"])
}

// promoted makes an account an admin.
func (p person) promoted(t testing.TB, b *bundle) person {
	t.Helper()
	b.exec(t, "UPDATE users SET is_admin = true, email_verified_at = now() WHERE id = ?", p.id)
	return p
}

// TestJobBatches: many jobs are counted first, and then ended together; each has its own entry in the audit log.
func TestJobBatches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	for range 3 {
		b.cleanupJob(t, root)
	}
	b.awaitListed(t, root, 3)
	act := func(note string, body map[string]any) answer {
		body["user_id"] = root.id
		return b.do(t, "POST", "/admin/job-batches"+because(note), root.token, body)
	}
	count := act("a test", map[string]any{"action": "terminate", "dry_run": true})
	require.Equal(t, 200, count.status, count)
	require.Equal(t, map[string]any{"id": nil, "matched": 3., "done": 0., "skipped": 0., "failed": 0., "left": 3.},
		count.data())
	others := act("a test", map[string]any{"action": "terminate", "dry_run": true, "queue": "email"})
	require.EqualValues(t, 0, others.data()["matched"])
	act("a test", map[string]any{"action": "terminate", "expected": 2}).requireProblem(t, 409, "jobs_changed")
	for _, wrong := range []map[string]any{
		{"action": "terminate", "expected": 3}, {"action": "cancel"}, {"action": "cancel", "state": "failed", "expected": 0},
		{"action": "explode", "dry_run": true},
	} {
		require.Equal(t, 400, act("", wrong).status, wrong)
	}
	require.EqualValues(t, 0, value1[int](t, b, "SELECT count(*) FROM audit WHERE action = 'job_terminated'"))
	done := act("a test", map[string]any{"action": "terminate", "expected": 3})
	require.Equal(t, 200, done.status, done)
	require.Equal(t, []any{3., 3., 0., 0., 0.}, []any{done.data()["matched"], done.data()["done"], done.data()["skipped"],
		done.data()["failed"], done.data()["left"]})
	require.EqualValues(t, 3, value1[int](t, b, "SELECT count(*) FROM audit WHERE action = 'job_terminated' "+
		"AND outcome = 'done' AND details->>'batch' = ?", done.data()["id"]))
	require.EqualValues(t, 3, value1[int](t, b, "SELECT count(*) FROM cleanup_runs WHERE state = 'failed'"))
}

func TestQueues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	queue := func(a answer, name string) map[string]any {
		t.Helper()
		require.Equal(t, 200, a.status, a)
		for _, q := range a.data()["queues"].([]any) {
			if q := q.(map[string]any); q["name"] == name {
				return q
			}
		}
		t.Fatal("no queue " + name)
		return nil
	}
	q := queue(b.do(t, "GET", "/admin/queues", root.token, nil), "maintenance")
	require.Equal(t, []any{true, nil, []any{}}, []any{q["pausable"], q["paused_at"], q["workers"]})
	require.NotNil(t, q["backlog"])
	for _, name := range []string{"maintenance", "avatar", "email"} {
		var since any
		for range 2 {
			q = queue(b.do(t, "POST", "/admin/queues/"+name+"/pause"+because("new disks"), root.token, nil), name)
			require.NotNil(t, q["paused_at"])
			require.Equal(t, "new disks", q["note"])
			require.True(t, since == nil || since == q["paused_at"], "the pause is the same")
			since = q["paused_at"]
		}
		b.requireAct(t, root, "queue_paused", "done", "new disks")
		for range 2 {
			q = queue(b.do(t, "POST", "/admin/queues/"+name+"/resume", root.token, nil), name)
			require.Nil(t, q["paused_at"])
		}
	}
	require.EqualValues(t, 6, value1[int](t, b, "SELECT count(*) FROM audit WHERE action LIKE '%ed' "+
		"AND target_kind LIKE '%pause'"), "what changes nothing is not written down")
	for _, act := range []string{"pause", "resume"} {
		b.do(t, "POST", "/admin/queues/avatar-steps/"+act, root.token, nil).requireProblem(t, 404, "not_found")
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	ada := b.user(t, "ada")
	b.exec(t, "DELETE FROM outbox WHERE workflow_id <> ?", job.WelcomeEmailID(ada.id))
	b.exec(t, "UPDATE outbox SET attempts = 3, last_error = 'no', available_at = now() + interval '1 h'")
	a := b.do(t, "GET", "/admin/outbox", root.token, nil)
	require.Equal(t, 200, a.status, a)
	summary := a.data()
	require.Equal(t, []any{1., 0., "no"}, []any{summary["waiting"], summary["abandoned"], summary["last_error"]})
	event := b.do(t, "GET", "/admin/outbox/events", root.token, nil).list()[0]
	require.Equal(t, []any{"WelcomeEmail", "pending", 3., "no"},
		[]any{event["kind"], event["state"], event["attempts"], event["last_error"]})
	path := "/admin/outbox/events/" + event["id"].(string) + "/requeue"

	a = b.do(t, "POST", path+because("mended"), root.token, nil)
	require.Equal(t, 200, a.status, a)
	require.Equal(t, []any{"pending", 0.}, []any{a.data()["state"], a.data()["attempts"]})
	b.requireAct(t, root, "event_requeued", "done", "mended")
	require.True(t, value1[bool](t, b, "SELECT available_at <= now() FROM outbox"))

	b.exec(t, "UPDATE outbox SET state = 'abandoned'")
	require.Empty(t, b.do(t, "GET", "/admin/outbox/events", root.token, nil).list())
	require.Len(t, b.do(t, "GET", "/admin/outbox/events?state=abandoned", root.token, nil).list(), 1)
	b.exec(t, "UPDATE outbox SET created_at = now() - interval '40 d'")
	require.Equal(t, 200, b.do(t, "POST", path, root.token, nil).status)
	_, err := b.store.EndOverdue(t.Context())
	require.NoError(t, err)
	require.Equal(t, "pending", value1[string](t, b, "SELECT state FROM outbox"), "it is not abandoned again at once")

	b.exec(t, "UPDATE outbox SET state = 'started'")
	b.do(t, "POST", path, root.token, nil).requireProblem(t, 409, "event_started")
	b.do(t, "POST", "/admin/outbox/events/"+unknownID+"/requeue", root.token, nil).requireProblem(t, 404, "not_found")
}

// TestOverview: work that waits on purpose is not late, and late work is named.
func TestOverview(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, ada := b.admin(t, "root"), b.user(t, "ada")
	overview := func() map[string]any {
		a := b.do(t, "GET", "/admin/overview", root.token, nil)
		require.Equal(t, 200, a.status, a)
		return a.data()
	}
	late := func() (found []any) {
		for _, d := range overview()["late"].([]any) {
			found = append(found, d.(map[string]any)["what"])
		}
		return found
	}
	o := overview()
	require.Equal(t, []any{"connected", 2., nil}, []any{o["temporal"], o["emails_waiting"], o["emails_paused_at"]})
	require.Empty(t, o["late"])
	require.Len(t, o["last_hour"], 12)
	require.Len(t, o["last_week"], 7)
	require.NotNil(t, o["jobs_running"])
	require.NotNil(t, o["jobs_failed_last_day"])
	for _, series := range []string{"last_hour", "last_week"} {
		for _, span := range o[series].([]any) {
			require.NotNil(t, span.(map[string]any)["jobs_failed"], "Temporal has counted them")
		}
	}
	b.exec(t, "UPDATE outbox SET created_at = now() - interval '10 min'")
	require.Equal(t, []any{"events"}, late())
	b.exec(t, "UPDATE outbox SET state = 'started', started_at = now()")
	require.Empty(t, late())
	emailID := b.welcomeEmail(t, ada)
	b.exec(t, "UPDATE emails SET updated_at = now() - interval '10 min'")
	require.Equal(t, []any{"emails"}, late())
	b.exec(t, "UPDATE emails SET next_attempt_at = now() + interval '10 min', attempts = 11")
	require.Equal(t, []any{"refused"}, late())
	b.exec(t, "UPDATE emails SET next_attempt_at = NULL, attempts = 1, waits_until = now() + interval '1 h'")
	require.Empty(t, late(), "the recipient has had too many")
	b.exec(t, "UPDATE emails SET waits_until = NULL")
	require.NoError(t, b.store.PauseEmails(t.Context(), root.id))
	require.Empty(t, late(), "an admin has paused emails")
	b.exec(t, "UPDATE emails SET state = 'sent', updated_at = now()")
	b.exec(t, "UPDATE emails SET state = 'failed', updated_at = now() - interval '2 d' WHERE id = ?", emailID)
	o = overview()
	last := func(series string, at int) map[string]any { return o[series].([]any)[at].(map[string]any) }
	require.Equal(t, []any{1., 0., 2.}, []any{last("last_hour", 11)["emails_sent"], last("last_hour", 11)["emails_failed"],
		last("last_hour", 11)["jobs_started"]})
	require.Equal(t, []any{1., 1.}, []any{last("last_week", 6)["emails_sent"], last("last_week", 4)["emails_failed"]})
	b.exec(t, "INSERT INTO avatars (id, user_id, version, state, updated_at) "+
		"VALUES (gen_random_uuid(), ?, 1, 'processing', now() - interval '10 min')", ada.id)
	require.Equal(t, []any{"avatars"}, late())
	require.NoError(t, b.store.PauseQueue(t.Context(), root.id, "avatar"))
	require.Empty(t, late())
}

// TestOperationsWithoutTemporal: operations on the database work, and the others answer that Temporal is down.
func TestOperationsWithoutTemporal(t *testing.T) {
	t.Parallel()
	b := setup(t, temporalAway)
	root := b.admin(t, "root")
	ada := b.user(t, "ada")
	emailID := b.welcomeEmail(t, ada)
	id := jobs.EncodeID(job.WelcomeEmailID(ada.id), "")
	for _, path := range []string{"/admin/jobs", "/admin/jobs/counts", "/admin/jobs/" + id} {
		b.do(t, "GET", path, root.token, nil).requireProblem(t, 503, "unavailable")
	}
	b.do(t, "POST", "/admin/job-batches", root.token, map[string]any{"action": "cancel", "dry_run": true}).
		requireProblem(t, 503, "unavailable")
	a := b.do(t, "GET", "/admin/overview", root.token, nil)
	require.Equal(t, 200, a.status, a)
	require.Equal(
		t, []any{"down", nil, 2.}, []any{a.data()["temporal"], a.data()["jobs_running"], a.data()["emails_waiting"]},
	)
	for _, series := range []string{"last_hour", "last_week"} {
		for _, span := range a.data()[series].([]any) {
			require.Contains(t, span, "jobs_failed")
			require.Nil(t, span.(map[string]any)["jobs_failed"], "only Temporal knows")
		}
	}
	a = b.do(t, "POST", "/admin/queues/avatar/pause", root.token, nil)
	require.Equal(t, 200, a.status, a)
	require.Equal(t, "down", a.data()["temporal"])
	for _, path := range []string{"/admin/outbox", "/admin/outbox/events"} {
		require.Equal(t, 200, b.do(t, "GET", path, root.token, nil).status)
	}
	require.Equal(t, "relay", b.do(t, "GET", "/admin/emails/"+emailID, root.token, nil).data()["waits_for"])

	act := store.JobAct{Action: watchparty.AuditJobCancelled, WorkflowID: job.WelcomeEmailID(ada.id)}
	err := b.store.AuditJob(t.Context(), root.id, act, func(ctx context.Context) error {
		return b.server.jobs.Cancel(ctx, act.WorkflowID, "")
	})
	require.ErrorIs(t, err, watchparty.ErrTemporalDown)
	b.requireAct(t, root, "job_cancelled", "unknown", "")
}

func TestPolicyAges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	list := b.do(t, "GET", "/admin/cleanup/policies", b.admin(t, "root").token, nil).list()
	require.Len(t, list, len(watchparty.Policies()))
	for _, p := range list {
		switch p["policy"] {
		case "unverified_accounts":
			require.Equal(t, []any{false, nil, "CLEANUP_UNVERIFIED_AGE"}, []any{p["enabled"], p["age_seconds"], p["setting"]})
		case "old_messages":
			require.Equal(t, []any{true, 7776000., "CLEANUP_MESSAGE_AGE"}, []any{p["enabled"], p["age_seconds"], p["setting"]})
		}
		require.NotEmpty(t, p["setting"], p["policy"])
	}
}
