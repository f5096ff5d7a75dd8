package check

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/require"
)

// TestBacklogForAutoscalers: what prometheus-adapter asks for is the backlog of one queue, once, however many processes
// report it.
func TestBacklogForAutoscalers(t *testing.T) {
	content, err := os.ReadFile("../../kubernetes/components/prometheus/prometheus-adapter.yaml")
	require.NoError(t, err)
	found := regexp.MustCompile(`metricsQuery: '(.+)'`).FindStringSubmatch(string(content))
	require.Len(t, found, 2)
	query := new(strings.Builder)
	require.NoError(
		t,
		template.Must(template.New("query").Delims("<<", ">>").Parse(found[1])).Execute(query, map[string]string{
			"Series": "watchparty_queue_backlog", "LabelMatchers": `queue="avatar",namespace="watchparty"`, "GroupBy": "",
		}),
	)
	storage := promqltest.LoadedStorage(t, `load 1m
  watchparty_queue_backlog{queue="avatar", namespace="watchparty", pod="api-1"} 7x9
  watchparty_queue_backlog{queue="avatar", namespace="watchparty", pod="api-2"} 8x9
  watchparty_queue_backlog{queue="email", namespace="watchparty", pod="api-1"} 90x9
  watchparty_queue_backlog{queue="avatar", namespace="other", pod="api-1"} 900x9`)
	t.Cleanup(func() { _ = storage.Close() })
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	asked, err := engine.NewInstantQuery(t.Context(), storage, nil, query.String(), time.Unix(300, 0))
	require.NoError(t, err)
	t.Cleanup(asked.Close)
	result, err := asked.Exec(t.Context()).Vector()
	require.NoError(t, err)
	require.Len(t, result, 1)
	require.InDelta(t, 8, result[0].F, 0)
	require.Equal(t, "avatar", result[0].Metric.Get("queue"))
}
