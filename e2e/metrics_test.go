package e2e

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/watchparty/watchparty/deploy/monitoring"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

// series are the series that processes serve: their labels, by the name of the metric.
type series map[string][]map[string]string

var (
	metricLine = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? \S+$`)
	metricPair = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// scrape adds the series that a process serves.
func (s series) scrape(t require.TestingT, address string) series {
	response, err := httpClient.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for line := range strings.Lines(string(body)) {
		metric := metricLine.FindStringSubmatch(strings.TrimSpace(line))
		if metric == nil {
			continue
		}
		labels := map[string]string{}
		for _, pair := range metricPair.FindAllStringSubmatch(metric[2], -1) {
			labels[pair[1]] = pair[2]
		}
		s[metric[1]] = append(s[metric[1]], labels)
	}
	return s
}

// scrapeMetrics returns the names of the metrics that a process serves.
func scrapeMetrics(t require.TestingT, address string) map[string]bool {
	names := map[string]bool{}
	for name := range (series{}).scrape(t, address) {
		names[name] = true
	}
	return names
}

// expressions returns the queries in a file of rules or a dashboard.
func expressions(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var file any
	require.NoError(t, yaml.Unmarshal(content, &file)) // JSON is YAML, too
	found := queriesIn(file)
	require.NotEmpty(t, found, path)
	return found
}

func queriesIn(node any) (found []string) {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			found = append(found, queriesIn(item)...)
		}
	case map[string]any:
		for key, item := range node {
			if query, ok := item.(string); ok && (key == "expr" || key == "seriesQuery") {
				found = append(found, query)
			}
			found = append(found, queriesIn(item)...)
		}
	}
	return found
}

// selector is a metric in a query, with the labels that it has to have.
type selector struct {
	metric   string
	matchers [][]string // name, operator, value
}

var (
	metricSelector = regexp.MustCompile(`\b(up|(?:watchparty|temporal|process|go)_[a-z_]+)\b(?:\{([^}]*)\})?`)
	labelMatcher   = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	grouping       = regexp.MustCompile(`\bby \(([^)]*)\)`)
)

func selectorsIn(query string) (found []selector) {
	for _, match := range metricSelector.FindAllStringSubmatch(query, -1) {
		s := selector{metric: match[1]}
		for _, matcher := range labelMatcher.FindAllStringSubmatch(match[2], -1) {
			s.matchers = append(s.matchers, matcher[1:])
		}
		found = append(found, s)
	}
	return found
}

// fromOutside are the labels that Prometheus adds, with the values that its settings give them; nil for any.
func fromOutside(t *testing.T) map[string][]string {
	t.Helper()
	var jobs []string
	for _, job := range regexp.MustCompile(`job_name: (\S+)`).FindAllStringSubmatch(monitoring.Settings, -1) {
		jobs = append(jobs, job[1])
	}
	require.NotEmpty(t, jobs)
	return map[string][]string{"job": jobs, "instance": nil, "namespace": nil}
}

// onlyInTrouble are labels that a healthy system does not have, or not with this value. The second one is that of
// failures in Temporal's SDK.
var onlyInTrouble = map[string]string{"status": "503", "activity_type": job.ActivitySendEmail}

// matches reports whether a value of a label fits a matcher.
func matches(operator, want, value string) bool {
	equal := value == want
	if strings.HasSuffix(operator, "~") {
		equal = regexp.MustCompile("^(?:" + want + ")$").MatchString(value)
	}
	return equal != strings.HasPrefix(operator, "!")
}

// requireServed wants a series of the selector's metric for each of its matchers.
func (s selector) requireServed(t assert.TestingT, query string, served series, outside map[string][]string) {
	if s.metric != "up" { // Prometheus makes it
		assert.NotEmpty(t, served[s.metric], "%s of %s", s.metric, query)
	}
	for _, matcher := range s.matchers {
		name, operator, want := matcher[0], matcher[1], matcher[2]
		values, added := outside[name]
		for _, labels := range served[s.metric] {
			if value, ok := labels[name]; ok {
				values = append(values, value)
			}
		}
		if trouble, ok := onlyInTrouble[name]; ok && len(values) > 0 {
			values = append(values, trouble)
		}
		if added && len(values) == 0 {
			continue
		}
		assert.True(t, slices.ContainsFunc(values, func(value string) bool { return matches(operator, want, value) }),
			"no %s has %s%s%q, as in %s", s.metric, name, operator, want, query)
	}
}

// requireGroups wants each label by which a query groups to be on a metric of the query.
func requireGroups(t assert.TestingT, query string, served series, outside map[string][]string) {
	for _, by := range grouping.FindAllStringSubmatch(query, -1) {
		for _, label := range strings.Split(by[1], ", ") {
			_, added := outside[label]
			_, trouble := onlyInTrouble[label]
			found := added || trouble
			for _, s := range selectorsIn(query) {
				found = found || slices.ContainsFunc(served[s.metric], func(labels map[string]string) bool {
					_, ok := labels[label]
					return ok
				})
			}
			assert.True(t, found, "no metric has the label %s, as in %s", label, query)
		}
	}
}

// TestMetricsOfRules: the running system serves all metrics that the alerts, the dashboard and autoscalers use, with
// the labels and values of labels that they select, even before the first failure.
func TestMetricsOfRules(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	addresses := map[string]string{"api": stacktest.FreeAddress(t), "worker": stacktest.FreeAddress(t)}
	environ := s.environ
	s.environ = append(slices.Clone(environ), "METRICS_ADDR="+addresses["api"], "METRICS_PPROF=true")
	api := s.startAPI(t)
	s.environ = append(slices.Clone(environ), "METRICS_ADDR="+addresses["worker"])
	worker := s.startWorker(t)
	s.client.register(t, "ada", "Ada")
	var queries []string
	for _, path := range []string{
		"monitoring/alerts.yml", "monitoring/dashboard.json", "kubernetes/components/prometheus/prometheus-adapter.yaml",
	} {
		queries = append(queries, expressions(t, "../deploy/"+path)...)
	}
	require.Greater(t, len(queries), 60)
	outside := fromOutside(t)
	eventually(t, func(c *assert.CollectT) {
		served := (series{}).scrape(c, addresses["api"]).scrape(c, addresses["worker"])
		for _, query := range queries {
			for _, s := range selectorsIn(query) {
				s.requireServed(c, query, served, outside)
			}
			requireGroups(c, query, served, outside)
		}
	}, "every series that rules and panels select is served")

	// Metrics of both processes are checked in both.
	for part, address := range addresses {
		eventually(t, func(c *assert.CollectT) {
			names := scrapeMetrics(c, address)
			for _, name := range []string{
				"watchparty_work_up", "watchparty_outbox_wait_seconds_count", "watchparty_postgres_pool_connections_used",
				"watchparty_redis_pool_connections", "watchparty_cache_hits_total", "temporal_request_total", "go_goroutines",
			} {
				require.True(c, names[name], "%s in the %s", name, part)
			}
		}, part)
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
