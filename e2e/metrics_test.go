package e2e

import (
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/stacktest"
)

// scrapeMetrics returns the names of the metrics that a process serves.
func scrapeMetrics(t require.TestingT, address string) map[string]bool {
	response, err := httpClient.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	names := map[string]bool{}
	for line := range strings.Lines(string(body)) {
		if name := regexp.MustCompile(`^[a-z_]+`).FindString(line); name != "" {
			names[name] = true
		}
	}
	return names
}

// usedMetrics are the names of metrics in a file.
func usedMetrics(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	names := map[string]bool{}
	for _, name := range regexp.MustCompile(`\b(watchparty|temporal|process|go)_[a-z_]+`).FindAllString(string(content), -1) {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// TestMetricsOfRules: the running system serves all metrics that the alerts, the dashboard and autoscalers use, even
// before the first failure.
func TestMetricsOfRules(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	addresses := map[string]string{"api": stacktest.FreeAddress(t), "worker": stacktest.FreeAddress(t)}
	environ := s.environ
	s.environ = append(slices.Clone(environ), "METRICS_ADDR="+addresses["api"], "METRICS_PPROF=true")
	api := s.startAPI(t)
	s.environ = append(slices.Clone(environ), "METRICS_ADDR="+addresses["worker"])
	worker := s.startWorker(t)
	require.Equal(t, 201, s.client.post(t, "/auth/register", map[string]any{
		"username": "ada", "email": "ada@party.example", "password": "correct horse battery staple",
	}).status)
	used := append(
		usedMetrics(t, "../deploy/monitoring/alerts.yml"),
		usedMetrics(t, "../deploy/monitoring/dashboard.json")...)
	used = append(used, usedMetrics(t, "../deploy/kubernetes/components/prometheus/prometheus-adapter.yaml")...)
	require.Greater(t, len(used), 40)
	eventually(t, func(c *assert.CollectT) {
		names := scrapeMetrics(c, addresses["api"])
		maps.Copy(names, scrapeMetrics(c, addresses["worker"]))
		for _, name := range used {
			assert.True(c, names[name], name)
		}
	}, "every metric that rules and panels use is served")

	// Metrics of both processes are checked in both.
	for part, address := range addresses {
		names := scrapeMetrics(t, address)
		for _, name := range []string{
			"watchparty_work_up", "watchparty_outbox_wait_seconds_count", "watchparty_postgres_pool_connections_used",
			"watchparty_redis_pool_connections", "watchparty_cache_hits_total", "temporal_request_total", "go_goroutines",
		} {
			require.True(t, names[name], "%s in the %s", name, part)
		}
	}

	// Profiles are served where the setting says so.
	for part, want := range map[string]int{"api": 200, "worker": 404} {
		response, err := httpClient.Get("http://" + addresses[part] + "/debug/pprof/goroutine?debug=1")
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want, response.StatusCode, part)
	}
	require.Equal(t, 0, api.stop(t))
	require.Equal(t, 0, worker.stop(t))
}
