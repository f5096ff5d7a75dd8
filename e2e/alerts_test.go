package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"image/color"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/driver/pgdriver"
	"go.temporal.io/api/serviceerror"
	temporal "go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/deploy/monitoring"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/health"
	live "github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/mail/smtptest"
	"github.com/watchparty/watchparty/workflows/job"
)

// TestRunbook: the runbook has an entry for each alert, with all that an operator needs, and leads from each part of
// /health to one.
func TestRunbook(t *testing.T) {
	content, err := os.ReadFile("../docs/runbook.md")
	require.NoError(t, err)
	entries := map[string]string{}
	for _, section := range strings.Split(string(content), "\n### ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		entries[title] = body
	}
	alerts := alertNames()
	require.Len(t, alerts, len(entries), "each entry is that of an alert")
	for _, alert := range alerts {
		entry := entries[alert]
		for _, question := range []string{"**Users see:**", "**By itself:**", "**Do:**", "**Check after:**"} {
			require.Contains(t, entry, question, alert)
		}
	}
	for _, part := range health.Parts() {
		lead := regexp.MustCompile("(?m)^\\| `" + part + "` \\| .*\\[(\\w+)\\]\\(#(\\w+)\\)").
			FindStringSubmatch(string(content))
		require.NotNil(t, lead, part)
		require.Equal(t, alertOf[part], lead[1])
		require.Equal(t, strings.ToLower(lead[1]), lead[2])
	}
}

// alertNames are the names of all alerts.
func alertNames() (names []string) {
	for _, alert := range regexp.MustCompile(`alert: (\w+)`).FindAllSubmatch(monitoring.Alerts, -1) {
		names = append(names, string(alert[1]))
	}
	return names
}

// alertOf is the alert on each part of /health.
var alertOf = map[string]string{
	health.Database: "WatchPartyDatabaseAway", health.Redis: "WatchPartyRedisAway",
	health.Temporal: "WatchPartyTemporalAway", health.Workers: "WatchPartyWorkersMissing",
	health.Schedules: "WatchPartyScheduleLate", health.Bucket: "WatchPartyBucketAway",
	health.Emails: "WatchPartyEmailsNotSent",
}

// partPatience is how long a fault may take to be seen: a worker that has gone counts for 90 seconds, and the answer
// about emails for half a minute.
const partPatience = 4 * time.Minute

// watch is a system whose health and metrics are read as an operator would.
type watch struct {
	*system

	metrics string // the address of the API's metrics
	worker  string // that of the worker's
}

// requireMetrics waits until one of the processes serves a line for each pattern: what an alert is made of.
func (w watch) requireMetrics(t *testing.T, patterns ...string) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		lines := w.scrape(c) + scrapeText(c, w.worker)
		for _, pattern := range patterns {
			assert.Regexp(c, "(?m)^"+pattern, lines)
		}
	}, strings.Join(patterns, ", "))
}

// requireState waits for the state of a part, in /health and in the metric that the alert is made of.
func (w watch) requireState(t *testing.T, part, state string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { w.checkState(c, part, state) },
		partPatience, 250*time.Millisecond, "%s is %s", part, state)
}

// checkState looks at the state of a part once.
func (w watch) checkState(c *assert.CollectT, part, state string) {
	up := 0
	if state == health.Connected {
		up = 1
	}
	found := w.client.get(c, "/health").data(c)
	assert.Regexp(c, "^"+state+"$", found[part])
	listed := slices.ContainsFunc(found["degraded"].([]any), func(d any) bool {
		degraded := d.(map[string]any)
		return degraded["part"] == part && degraded["effect"] == health.Effect(part)
	})
	assert.Equal(c, state != health.Connected, listed)
	assert.Contains(c, w.scrape(c), fmt.Sprintf("watchparty_health_part_up{part=%q} %d\n", part, up))
}

func (w watch) scrape(t require.TestingT) string { return scrapeText(t, w.metrics) }

func scrapeText(t require.TestingT, address string) string {
	response, err := httpClient.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

// execute changes the database as an accident would.
func (w watch) execute(t *testing.T, statement string) {
	t.Helper()
	_, err := w.store.DB().ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

// loseTable locks the table of rooms: reads are slow, and then refused. The statement in the runbook finds who holds
// the lock, and with that session's end all is well.
func (w watch) loseTable(t *testing.T, admin client) {
	t.Helper()
	other := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(w.stack.DatabaseURL())))
	t.Cleanup(func() { _ = other.Close() })
	lock := func() *sql.Tx {
		tx, err := other.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), "LOCK TABLE rooms IN ACCESS EXCLUSIVE MODE")
		require.NoError(t, err)
		return tx
	}
	const room = "/rooms/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4"
	held := lock()
	slow := make(chan answer, 1)
	go func() {
		var current attempt
		defer close(slow)
		slow <- w.client.get(&current, room)
	}()
	eventually(t, func(c *assert.CollectT) {
		if len(slow) > 0 {
			return // a statement waits two seconds at most, which may be over on a busy machine
		}
		var waiting int
		err := other.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "+
			"AND now() - query_start > interval '1.1 s'").Scan(&waiting)
		require.NoError(c, err)
		require.Equal(c, 1, waiting)
	}, "a read waits")
	require.NoError(t, held.Rollback())
	require.Contains(t, []int{http.StatusNotFound, http.StatusServiceUnavailable}, (<-slow).status)
	w.requireMetrics(
		t,
		`watchparty_http_request_duration_seconds_bucket\{method="GET",route="/api/rooms/:room_id",.*le="1"\} 0$`,
	)

	held = lock()
	reading := startTraffic(t, 100, func(t require.TestingT, n int) answer {
		return w.client.get(t, fmt.Sprintf("/rooms/01993f6e-5b7a-7c3d-9e21-%012d", n))
	})
	writing := startTraffic(t, 50, func(t require.TestingT, _ int) answer {
		return admin.do(t, http.MethodPatch, room, map[string]any{"name": "Another name"})
	})
	w.requireMetrics(t, `watchparty_cache_refused_total [1-9]`, `watchparty_postgres_pool_refused_total [1-9]`)
	require.Equal(t, http.StatusOK, admin.get(t, "/movies").status, "other parts of the API work")
	sessions, err := other.QueryContext(t.Context(), runbookStatement(t, "WatchPartyDatabaseConnectionsExhausted"))
	require.NoError(t, err)
	defer func() { _ = sessions.Close() }()
	holder := 0
	for sessions.Next() {
		var pid int
		var state, query sql.NullString
		var rest any
		require.NoError(t, sessions.Scan(&pid, &state, &rest, &rest, &query))
		if state.String == "idle in transaction" && strings.HasPrefix(query.String, "LOCK TABLE rooms") {
			holder = pid
		}
	}
	require.NoError(t, sessions.Err())
	require.NotZero(t, holder)
	_, err = other.ExecContext(t.Context(), "SELECT pg_terminate_backend($1)", holder)
	require.NoError(t, err)
	require.Error(t, held.Commit())
	reading.await(t, http.StatusNotFound, 50)
	writing.await(t, http.StatusNotFound, 50)
	reading.requireBounded(t, http.StatusNotFound)
	writing.requireBounded(t, http.StatusNotFound)
}

// runbookStatement returns the SQL statement in an entry of the runbook.
func runbookStatement(t *testing.T, entry string) string {
	t.Helper()
	runbook, err := os.ReadFile("../docs/runbook.md")
	require.NoError(t, err)
	_, text, found := strings.Cut(string(runbook), "\n### "+entry+"\n")
	require.True(t, found, entry)
	text, _, _ = strings.Cut(text, "\n### ")
	statement := regexp.MustCompile("(?s)```sql\n(.*?)```").FindStringSubmatch(text)
	require.NotNil(t, statement, entry)
	return statement[1]
}

// holdLease starts the API while a transaction of another database does not end. The statement in the runbook finds
// it, and with its end the process uses the cache.
func (w watch) holdLease(t *testing.T) {
	t.Helper()
	another, err := url.Parse(w.stack.DatabaseURL())
	require.NoError(t, err)
	another.Path = "/postgres"
	other := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(another.String())))
	t.Cleanup(func() { _ = other.Close() })
	tx, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "SELECT pg_current_xact_id()")
	require.NoError(t, err)

	api := w.startAPI(t)
	eventually(t, func(c *assert.CollectT) {
		require.Contains(c, api.out.String(), "lease of the cache waits for transactions that do not end")
	}, "the log has the reason")
	require.Contains(t, w.scrape(t), "watchparty_cache_lease_held 0\n")
	var oldest, database, transaction string
	var rest any
	err = other.QueryRowContext(t.Context(), runbookStatement(t, "WatchPartyCacheUnused")).
		Scan(&oldest, &database, &transaction, &rest, &rest, &rest)
	require.NoError(t, err)
	require.Equal(t, "postgres", database)
	require.Contains(t, api.out.String(), `"transactions":[`+transaction+"]")
	_, err = other.ExecContext(t.Context(), "SELECT pg_terminate_backend($1::int)", oldest)
	require.NoError(t, err)
	require.Error(t, tx.Commit())
	eventually(t, func(c *assert.CollectT) {
		require.Contains(c, w.scrape(c), "watchparty_cache_lease_held 1\n")
	}, "the process has a lease")
}

// stopReading has somebody in a room who reads nothing any more. The server closes that connection, and only that one.
func (w watch) stopReading(t *testing.T, admin client) {
	t.Helper()
	opened := admin.post(t, "/rooms", map[string]any{"name": "A busy room"})
	require.Equal(t, http.StatusCreated, opened.status, "%s", opened.body)
	room := opened.data(t)["id"].(string)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return conn, err
	}}
	connect := func(o live.Options) *live.Client {
		o.API, o.RoomID, o.Token = admin.base, room, admin.token
		c, err := live.Connect(t.Context(), o)
		require.NoError(t, err)
		t.Cleanup(c.Close)
		return c
	}
	connect(live.Options{Buffer: 1, HTTP: &http.Client{Transport: transport}})
	reads := connect(live.Options{})
	go func() {
		for range reads.Messages() {
		}
	}()
	long := strings.Repeat("🎬", 2000)
	talking := startTraffic(t, 100, func(t require.TestingT, _ int) answer {
		return admin.post(t, "/chat/messages", map[string]any{"room_id": room, "body": long})
	})
	w.requireMetrics(t, `watchparty_live_slow_consumers_total 1$`, `watchparty_live_connections 1$`)
	talking.requireBounded(t, http.StatusCreated)
}

// TestRunbookEntries stops each part in turn in the running system, and checks what the runbook says: what users see,
// and what recovers by itself. Other faults show in the metrics that their alerts are made of. It waits for minutes, so
// that it is in the first file of the folder: Go begins with the first test of those that run in parallel.
func TestRunbookEntries(t *testing.T) {
	t.Parallel()
	w := watch{system: newSystem(t), metrics: stacktest.FreeAddress(t), worker: stacktest.FreeAddress(t)}
	w.environ = append(w.environ, "WEBHOOK_PRIVATE_NETWORKS=127.0.0.0/8", "RATE_LIMIT_ENABLED=false")
	environ := w.environ
	w.environ = append(slices.Clone(environ), "METRICS_ADDR="+w.metrics)
	api := w.startAPI(t)
	apiEnviron := w.environ
	w.environ = append(slices.Clone(environ), "METRICS_ADDR="+w.worker)
	worker := w.startWorker(t)
	caused := map[string]bool{}
	cause := func(alerts ...string) {
		for _, alert := range alerts {
			caused[alert] = true
		}
	}
	requireDown := func(t *testing.T, address string) {
		t.Helper()
		_, err := httpClient.Get("http://" + address + "/metrics") //nolint:bodyclose // nobody answers
		require.Error(t, err, "Prometheus finds nothing there, and up is 0")
	}
	people := 0
	register := func(t *testing.T) string {
		t.Helper()
		people++
		name := fmt.Sprintf("user%02d", people)
		w.client.register(t, name, "Somebody")
		return name + "@people.example"
	}
	requireEmail := func(t *testing.T, address string) {
		t.Helper()
		eventually(t, func(c *assert.CollectT) {
			assert.Equal(c, 1, readInbox(c, w.stack.InboxURL()).counted()[address])
		}, "the email has come")
	}
	requireAllConnected := func(t *testing.T) {
		t.Helper()
		for _, part := range health.Parts() {
			w.requireState(t, part, health.Connected)
		}
	}
	requireAllConnected(t)
	admin, account := w.client.register(t, "olga", "Olga")
	w.grantAdmin(t, account.User.Email)
	startWorker := func() *process { return w.startWorker(t) } // until the end of all
	lastRun := func(t require.TestingT) map[string]any {
		runs := admin.get(t, "/admin/cleanup/runs?limit=1").list(t)
		if len(runs) == 0 {
			return nil
		}
		return runs[0].(map[string]any)
	}
	cleanUp := func(t *testing.T) { // as the schedule does: not while a run is in progress
		t.Helper()
		before := lastRun(t)["id"]
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			if lastRun(c)["id"] == before { // a run that began after the last look may have ended
				admin.post(c, "/admin/schedules/cleanup/trigger", nil)
			}
			assert.NotEqual(c, before, lastRun(c)["id"])
		}, longWait, 2*time.Second)
	}

	t.Run("reports of abuse, webhooks and clean-up", func(t *testing.T) {
		register(t)
		reported := admin.post(t, "/abuse-reports", map[string]any{"kind": "spam", "username": "user01"})
		require.Equal(t, http.StatusCreated, reported.status, "%s", reported.body)
		_, err := w.store.DB().ExecContext(t.Context(), "UPDATE abuse_reports SET created_at = now() - interval '3 d'")
		require.NoError(t, err)
		gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusGone)
		}))
		t.Cleanup(gone.Close)
		hook := admin.post(t, "/admin/webhooks", map[string]any{"url": gone.URL, "kinds": []string{"room.opened"}})
		require.Equal(t, http.StatusCreated, hook.status, "%s", hook.body)
		tested := admin.post(t, "/admin/webhooks/"+hook.data(t)["id"].(string)+"/test", nil)
		require.Equal(t, http.StatusOK, tested.status, "%s", tested.body)
		cleanUp(t)
		w.requireMetrics(t, `watchparty_work_oldest_age_seconds\{work="abuse_reports"\} 259\d\d\d`,
			`watchparty_webhooks_switched_off_total\{reason="gone"\} 1$`,
			`watchparty_cleanup_last_end_timestamp_seconds [1-9]`, `watchparty_cleanup_paused_until_timestamp_seconds 0$`)
		paused := admin.post(t, "/admin/queues/maintenance/pause?note=as+a+test", nil)
		require.Equal(t, http.StatusOK, paused.status, "%s", paused.body)
		w.requireMetrics(t, `watchparty_cleanup_paused_until_timestamp_seconds [1-9]`)
		cause("WatchPartyAbuseReportsWait", "WatchPartyWebhookOff", "WatchPartyCleanupStale")
		resumed := admin.post(t, "/admin/queues/maintenance/resume", nil)
		require.Equal(t, http.StatusOK, resumed.status, "%s", resumed.body)
	})
	t.Run("a policy of the clean-up that fails", func(t *testing.T) { // "the clean-up that failed" sees its end
		opened := admin.post(t, "/rooms", map[string]any{"name": "A quiet room"})
		require.Equal(t, http.StatusCreated, opened.status, "%s", opened.body)
		w.execute(t, "UPDATE participants SET last_seen_at = now() - interval '1 year'")
		w.execute(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'the index is damaged'; END $$`)
		w.execute(t, "CREATE TRIGGER refuse BEFORE DELETE ON participants EXECUTE FUNCTION refuse()")
		cleanUp(t)
	})
	t.Run("a lock that is held", func(t *testing.T) {
		w.loseTable(t, admin)
		cause("WatchPartyAPISlow", "WatchPartyCacheRefusesLoads", "WatchPartyDatabaseConnectionsExhausted")
	})
	t.Run("a client that does not read", func(t *testing.T) {
		w.stopReading(t, admin)
		cause("WatchPartyLiveSlowConsumers")
	})
	t.Run("work that Temporal or the workers refuse", func(t *testing.T) {
		tooLong := strings.Repeat("x", 2000)
		_, err := w.store.DB().ExecContext(t.Context(), `INSERT INTO outbox (id, workflow_id, workflow, task_queue, input)
			VALUES (gen_random_uuid(), ?, 'WelcomeEmail', 'email', '{}')`, tooLong)
		require.NoError(t, err)
		c := dialTemporal(t, w.stack.TemporalAddress())
		unknown, err := c.ExecuteWorkflow(t.Context(), temporal.StartWorkflowOptions{TaskQueue: job.TaskQueueMaintenance},
			"OfANewerVersion")
		require.NoError(t, err)
		w.requireMetrics(t, `watchparty_outbox_refused_total [1-9]`,
			`temporal_workflow_task_execution_failed_total\{.*\} [1-9]`)
		cause("WatchPartyOutboxRefused", "WatchPartyWorkflowTasksFail")
		require.NoError(t, c.TerminateWorkflow(t.Context(), unknown.GetID(), "", "as the runbook says"))
		_, err = w.store.DB().ExecContext(t.Context(), "DELETE FROM outbox WHERE workflow_id = ?", tooLong)
		require.NoError(t, err)
	})
	t.Run(health.Redis, func(t *testing.T) {
		require.NoError(t, w.stack.Kill(devstack.Redis))
		w.requireState(t, health.Redis, "unreachable")
		require.Equal(t, http.StatusOK, w.client.get(t, "/movies").status)
		requireEmail(t, register(t))
		require.NoError(t, w.stack.Restart(t.Context(), devstack.Redis))
		requireAllConnected(t)
	})
	t.Run(health.Temporal, func(t *testing.T) {
		require.NoError(t, w.stack.Stop(devstack.Temporal))
		for _, part := range []string{health.Temporal, health.Workers, health.Schedules} {
			w.requireState(t, part, "unreachable")
		}
		require.Equal(t, http.StatusOK, w.client.get(t, "/movies").status)
		address := register(t)
		require.Equal(t, http.StatusAccepted, admin.putAvatar(t, photo(t, color.White)).status)
		w.requireMetrics(t, `watchparty_work_waiting\{work="outbox"\} [1-9]`,
			`watchparty_work_oldest_age_seconds\{work="outbox"\} [1-9]`,
			`watchparty_work_oldest_age_seconds\{work="avatars"\} [1-9]`)
		cause("WatchPartyOutboxStuck", "WatchPartyAvatarsStuck")
		require.NoError(t, w.stack.Restart(t.Context(), devstack.Temporal))
		requireAllConnected(t)
		requireEmail(t, address)
		w.requireMetrics(t, `watchparty_work_waiting\{work="avatars"\} 0$`)
	})
	t.Run(health.Emails, func(t *testing.T) {
		require.NoError(t, w.stack.Stop(devstack.Inbox))
		w.requireState(t, health.Emails, "unreachable")
		require.NotNil(t, w.client.get(t, "/health").data(t)["emails_sent_at"], "emails were sent before")
		address := register(t)
		require.NoError(t, w.stack.Restart(t.Context(), devstack.Inbox))
		requireAllConnected(t)
		requireEmail(t, address)
	})
	t.Run(health.Bucket, func(t *testing.T) {
		require.NoError(t, os.Rename(w.files, w.files+"-away"))
		w.requireState(t, health.Bucket, "folder is missing")
		require.Equal(t, http.StatusOK, w.client.get(t, "/movies").status)
		require.NoError(t, os.Rename(w.files+"-away", w.files))
		requireAllConnected(t)
	})
	t.Run(health.Schedules, func(t *testing.T) {
		schedules := dialTemporal(t, w.stack.TemporalAddress()).ScheduleClient()
		// A worker makes it again within a minute, maybe before anybody has looked: then it is deleted again.
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			var missing *serviceerror.NotFound
			err := schedules.GetHandle(t.Context(), job.ScheduleCleanup).Delete(t.Context())
			if !errors.As(err, &missing) {
				require.NoError(c, err)
			}
			w.checkState(c, health.Schedules, "cleanup is missing")
		}, partPatience, 250*time.Millisecond)
		requireAllConnected(t)
	})
	t.Run(health.Database, func(t *testing.T) {
		require.NoError(t, w.stack.Stop(devstack.Postgres))
		w.requireState(t, health.Database, "unreachable")
		for _, path := range []string{"/health", "/health/ready"} {
			eventually(t, func(c *assert.CollectT) {
				require.Equal(c, http.StatusServiceUnavailable, w.client.get(c, path).status)
			}, path)
		}
		require.Equal(t, http.StatusNoContent, w.client.get(t, "/health/live").status)
		w.requireMetrics(t, `watchparty_work_up 0$`,
			`watchparty_http_request_duration_seconds_count\{.*status="503".*\} [1-9]`)
		cause("WatchPartyMetricsIncomplete", "WatchPartyAPIErrors")
		require.NoError(t, w.stack.Restart(t.Context(), devstack.Postgres))
		requireAllConnected(t)
		requireEmail(t, register(t))
	})
	t.Run(health.Workers, func(t *testing.T) {
		workerEnviron := w.environ
		w.environ = append(slices.Clone(environ), "METRICS_ADDR="+stacktest.FreeAddress(t))
		second := w.startWorker(t)
		require.Equal(t, 0, worker.stop(t))
		requireDown(t, w.worker)
		requireEmail(t, register(t))
		cause("WatchPartyInstanceDown")
		require.Equal(t, 0, second.stop(t))

		refuses := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{"RCPT": "550 5.1.1 unknown user"}})
		refusing := *w.system
		refusing.environ = append(
			slices.Clone(workerEnviron),
			"SMTP_HOST="+refuses.Host,
			"SMTP_PORT="+strconv.Itoa(refuses.Port),
		)
		refused := refusing.startWorker(t)
		rejected := register(t)
		for range 5 {
			register(t)
		}
		w.requireMetrics(t, `watchparty_emails_ended_total\{.*state="failed".*\} [6-9]$`)
		failed := admin.get(t, "/admin/emails?state=failed&limit=100").list(t)
		require.Len(t, failed, 6)
		for _, email := range failed {
			require.Equal(t, "address_rejected", email.(map[string]any)["reason"])
		}
		require.Equal(t, 0, refused.stop(t))

		address := register(t)
		w.requireState(t, health.Workers, "no worker for .*email.*maintenance.*")
		cause("WatchPartyWorkersDown")
		w.environ = workerEnviron
		startWorker()
		requireAllConnected(t)
		requireEmail(t, address)
		for _, email := range failed {
			resent := admin.post(t, "/admin/emails/"+email.(map[string]any)["id"].(string)+"/resend", nil)
			require.Equal(t, http.StatusCreated, resent.status, "%s", resent.body)
		}
		requireEmail(t, rejected)
		cause("WatchPartyEmailsGivenUp")
	})
	t.Run("the clean-up that failed", func(t *testing.T) {
		require.EventuallyWithT(t, func(c *assert.CollectT) { // after ten attempts
			assert.Equal(c, "failed", lastRun(c)["state"])
		}, partPatience, time.Second)
		w.requireMetrics(t, `watchparty_cleanup_last_failed_policies 1$`)
		require.Contains(t, lastRun(t)["errors"], string(watchparty.PolicyParticipants))
		require.Len(t, lastRun(t)["errors"], 1, "the other policies were applied")
		w.execute(t, "DROP TRIGGER refuse ON participants")
		cleanUp(t)
		w.requireMetrics(t, `watchparty_cleanup_last_failed_policies 0$`)
		eventually(t, func(c *assert.CollectT) { require.Equal(c, "completed", lastRun(c)["state"]) }, "it has completed")
		cause("WatchPartyCleanupFailed")
	})
	t.Run("the API", func(t *testing.T) {
		require.Equal(t, 0, api.stop(t))
		requireDown(t, w.metrics)
		cause("WatchPartyAPIDown")
		w.environ = apiEnviron
		w.holdLease(t)
		cause("WatchPartyCacheUnused")
		requireAllConnected(t)
	})
	t.Run("all alerts", func(t *testing.T) {
		for _, part := range health.Parts() {
			cause(alertOf[part])
		}
		for _, alert := range alertNames() {
			require.True(t, caused[alert], "%s is not tried here", alert)
		}
	})
}
