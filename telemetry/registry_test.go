package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
)

func scrape(t *testing.T, r *Registry, path string, profiles bool) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler(profiles).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func TestProfilesAreOffUnlessSet(t *testing.T) {
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/heap"} {
		require.Equal(t, http.StatusNotFound, scrape(t, NewRegistry(), path, false).Code, path)
		require.Equal(t, http.StatusOK, scrape(t, NewRegistry(), path, true).Code, path)
	}
}

// TestLive: what asks whether the process is alive reads nothing from its servers.
func TestLive(t *testing.T) {
	r := NewRegistry()
	RegisterWorkload(r.Own(), slog.New(slog.DiscardHandler), func(context.Context) (store.Workload, error) {
		require.Fail(t, "the database is asked")
		return store.Workload{}, nil
	})
	require.Equal(t, http.StatusNoContent, scrape(t, r, "/live", false).Code)
}

func TestWorkMetrics(t *testing.T) {
	var (
		answer store.Workload
		fault  error
		reads  int
	)
	open := func() *Registry {
		r := NewRegistry()
		RegisterWorkload(r.Own(), slog.New(slog.DiscardHandler), func(ctx context.Context) (store.Workload, error) {
			_, limited := ctx.Deadline()
			require.True(t, limited)
			reads++
			return answer, fault
		})
		return r
	}
	sent := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	answer = store.Workload{
		Outbox:    store.Backlog{Waiting: 3, Oldest: 90 * time.Second},
		Emails:    map[watchparty.EmailKind]store.Backlog{watchparty.EmailReset: {Waiting: 2, Oldest: time.Minute}},
		LastEmail: sent, EmailsPaused: true,
	}
	r := open()
	for range 3 {
		body := scrape(t, r, "/metrics", false).Body.String()
		for _, line := range []string{
			"watchparty_work_up 1", `watchparty_work_waiting{work="outbox"} 3`,
			`watchparty_work_oldest_age_seconds{work="outbox"} 90`, `watchparty_work_waiting{work="avatars"} 0`,
			`watchparty_emails_waiting{kind="password_reset"} 2`, `watchparty_emails_waiting{kind="welcome"} 0`,
			"watchparty_emails_paused 1", "watchparty_emails_last_sent_timestamp_seconds 1.772424e+09",
			"watchparty_cleanup_last_end_timestamp_seconds 0",
		} {
			require.Contains(t, body, line+"\n")
		}
	}
	require.Equal(t, 1, reads, "scrapes of a short time share one look")
	problems, err := testutil.GatherAndLint(r.Gather())
	require.NoError(t, err)
	require.Empty(t, problems)

	fault = errors.New("away")
	body := scrape(t, open(), "/metrics", false).Body.String()
	require.Contains(t, body, "watchparty_work_up 0\n")
	require.NotContains(t, body, "watchparty_work_waiting", "unknown is not 0")
	require.Contains(t, body, "go_goroutines")
}

// The labels of the SDK's metrics have names of a list; a fault in that must not fill Prometheus.
func TestTemporalSeriesAreLimited(t *testing.T) {
	r := NewRegistry()
	handler, end, err := r.Temporal()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, end(context.Background())) })
	for i := range 3 * maxTemporalSeries {
		handler.WithTags(map[string]string{"operation": time.Duration(i).String()}).Counter("temporal_request").Inc(1)
	}
	handler.Timer("temporal_request_latency").Record(20 * time.Millisecond)
	families, err := r.Gather().Gather()
	require.NoError(t, err)
	found := map[string]int{}
	for _, family := range families {
		found[family.GetName()] = len(family.GetMetric())
	}
	require.LessOrEqual(t, found["temporal_request_total"], maxTemporalSeries)
	require.Greater(t, found["temporal_request_total"], maxTemporalSeries/2)
	require.Contains(
		t,
		scrape(t, r, "/metrics", false).Body.String(),
		`temporal_request_latency_seconds_bucket{le="0.025"} 1`,
	)
}
