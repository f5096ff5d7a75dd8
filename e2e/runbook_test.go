package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/health"
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
	rules, err := os.ReadFile("../deploy/monitoring/alerts.yml")
	require.NoError(t, err)
	alerts := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1)
	require.Len(t, alerts, len(entries), "each entry is that of an alert")
	for _, alert := range alerts {
		entry := entries[alert[1]]
		for _, question := range []string{"**Users see:**", "**By itself:**", "**Do:**", "**Check after:**"} {
			require.Contains(t, entry, question, alert[1])
		}
	}
	for _, part := range health.Parts() {
		lead := regexp.MustCompile("(?m)^\\| `" + part + "` \\| .*\\[(\\w+)\\]\\(#(\\w+)\\)").
			FindStringSubmatch(string(content))
		require.NotNil(t, lead, part)
		require.Contains(t, entries, lead[1])
		require.Equal(t, strings.ToLower(lead[1]), lead[2])
	}
}

// partPatience is how long a fault may take to be seen: a worker that has gone counts for 90 seconds, and the answer
// about emails for half a minute.
const partPatience = 4 * time.Minute

// watch is a system whose health and metrics are read as an operator would.
type watch struct {
	*system

	metrics string
}

// requireState waits for the state of a part, in /health and in the metric that the alert is made of.
func (w watch) requireState(t *testing.T, part, state string) {
	t.Helper()
	up := 0
	if state == health.Connected {
		up = 1
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		found := w.client.get(c, "/health").data(c)
		assert.Regexp(c, "^"+state+"$", found[part])
		listed := slices.ContainsFunc(found["degraded"].([]any), func(d any) bool {
			degraded := d.(map[string]any)
			return degraded["part"] == part && degraded["effect"] == health.Effect(part)
		})
		assert.Equal(c, state != health.Connected, listed)
		assert.Contains(c, w.scrape(c), fmt.Sprintf("watchparty_health_part_up{part=%q} %d\n", part, up))
	}, partPatience, 250*time.Millisecond, "%s is %s", part, state)
}

func (w watch) scrape(t require.TestingT) string {
	response, err := httpClient.Get("http://" + w.metrics + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

// TestRunbookEntries stops each part in turn in the running system, and checks what the runbook says: what users see,
// and what recovers by itself.
func TestRunbookEntries(t *testing.T) {
	t.Parallel()
	w := watch{system: newSystem(t), metrics: stacktest.FreeAddress(t)}
	environ := w.environ
	w.environ = append(slices.Clone(environ), "METRICS_ADDR="+w.metrics)
	w.startAPI(t)
	w.environ = environ
	worker := w.startWorker(t)
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
			assert.Equal(c, 1, inbox(c, w.stack.InboxURL()).counted()[address])
		}, "the email has come")
	}
	requireAllConnected := func(t *testing.T) {
		t.Helper()
		for _, part := range health.Parts() {
			w.requireState(t, part, health.Connected)
		}
	}
	requireAllConnected(t)

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
		eventually(t, func(c *assert.CollectT) {
			assert.Regexp(c, `watchparty_work_waiting\{work="outbox"\} [1-9]`, w.scrape(c))
			assert.Regexp(c, `watchparty_work_oldest_age_seconds\{work="outbox"\} [1-9]`, w.scrape(c))
		}, "the outbox waits, which WatchPartyOutboxStuck is made of")
		require.NoError(t, w.stack.Restart(t.Context(), devstack.Temporal))
		requireAllConnected(t)
		requireEmail(t, address)
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
		c := dialTemporal(t, w.stack.TemporalAddress())
		require.NoError(t, c.ScheduleClient().GetHandle(t.Context(), job.ScheduleCleanup).Delete(t.Context()))
		w.requireState(t, health.Schedules, "cleanup is missing")
		requireAllConnected(t) // a worker makes it again within a minute
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
		eventually(t, func(c *assert.CollectT) { assert.Contains(c, w.scrape(c), "watchparty_work_up 0\n") },
			"work is unknown")
		require.NoError(t, w.stack.Restart(t.Context(), devstack.Postgres))
		requireAllConnected(t)
		requireEmail(t, register(t))
	})
	t.Run(health.Workers, func(t *testing.T) {
		require.Equal(t, 0, worker.stop(t))
		address := register(t)
		w.requireState(t, health.Workers, "no worker for .*email.*maintenance.*")
		w.startWorker(t)
		requireAllConnected(t)
		requireEmail(t, address)
	})
}
