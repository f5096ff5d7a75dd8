package e2e

import (
	"flag"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	temporal "go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/workflows/job"
)

var closedJobs = flag.Int("jobs.closed", 50_000, "workflows that have ended in BenchmarkJobs")

// BenchmarkJobs lists and counts jobs while Temporal has many closed ones.
func BenchmarkJobs(b *testing.B) {
	const slowest = 250 // the bar of a page, in milliseconds
	s := newSystem(b)
	s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false")
	s.startAPI(b)
	admin, account := s.client.register(b, "olga", "Olga")
	s.grantAdmin(b, account.User.Email)
	s.closeJobs(b, *closedJobs)

	const rounds = 40
	report := func(name string, took []time.Duration, bound float64) {
		p95 := milliseconds(took, 95)
		b.ReportMetric(p95, name+"-p95-ms")
		if p95 > bound {
			b.Errorf("%s takes %.0f ms; %.0f are allowed", name, p95, bound)
		}
	}
	for _, ask := range []struct {
		name, path string
		bound      float64
	}{
		{"list", "/admin/jobs?limit=50", slowest},
		{"list-failed", "/admin/jobs?limit=50&state=failed", slowest},
		{"list-account", "/admin/jobs?limit=50&user_id=" + account.User.ID, slowest},
		{"list-day", "/admin/jobs?limit=50&kind=VerificationEmail&from=" +
			time.Now().Add(-24*time.Hour).UTC().Format(time.RFC3339), slowest},
		{"counts", "/admin/jobs/counts", math.Inf(1)}, // Temporal counts each kind by itself
		{"total", "/admin/jobs/counts?only_total=true", slowest},
		{"overview", "/admin/overview", slowest},
	} {
		report(ask.name, measure(b, rounds, func() { admin.requireFound(b, ask.path) }), ask.bound)
	}
	var pages []time.Duration
	cursor := ""
	for range rounds {
		var page map[string]any
		pages = append(
			pages,
			measure(b, 1, func() { page = admin.requireFound(b, "/admin/jobs?limit=50"+cursor).object(b) })...)
		next, ok := page["next_cursor"].(string)
		require.True(b, ok, "there are more pages")
		cursor = "&cursor=" + next
	}
	report("next-page", pages, slowest)
	b.ReportMetric(0, "ns/op")
}

// measure runs fn some times, and returns how long each took.
func measure(b *testing.B, rounds int, fn func()) (took []time.Duration) {
	b.Helper()
	for range rounds {
		began := time.Now()
		fn()
		took = append(took, time.Since(began))
	}
	return took
}

func (c client) requireFound(t testing.TB, path string) answer {
	t.Helper()
	got := c.get(t, path)
	require.Equal(t, http.StatusOK, got.status, "%s: %s", path, got.body)
	return got
}

// closeJobs has Temporal run n workflows of the product's kinds, about different accounts, that do nothing.
func (s *system) closeJobs(b *testing.B, n int) {
	b.Helper()
	c := dialTemporal(b, s.stack.TemporalAddress())
	const queue = "nothing"
	w := sdkworker.New(c, queue, sdkworker.Options{
		MaxConcurrentWorkflowTaskExecutionSize: 200, MaxConcurrentWorkflowTaskPollers: 20,
	})
	kinds := slices.DeleteFunc(job.WorkflowTypes(), func(kind string) bool { return !strings.Contains(kind, "Email") })
	for _, kind := range kinds {
		w.RegisterWorkflowWithOptions(func(workflow.Context) error { return nil }, workflow.RegisterOptions{Name: kind})
	}
	require.NoError(b, w.Start())
	b.Cleanup(w.Stop)
	var starting errgroup.Group
	starting.SetLimit(100)
	for i := range n {
		starting.Go(func() error {
			options := temporal.StartWorkflowOptions{
				ID: fmt.Sprint("closed/", i), TaskQueue: queue,
				TypedSearchAttributes: sdk.NewSearchAttributes(
					sdk.NewSearchAttributeKeyKeyword(job.AttributeUser).ValueSet(uuid.NewString())),
			}
			_, err := c.ExecuteWorkflow(b.Context(), options, kinds[i%len(kinds)])
			return err
		})
	}
	require.NoError(b, starting.Wait())
	require.Eventually(b, func() bool {
		count, err := c.CountWorkflow(b.Context(), &workflowservice.CountWorkflowExecutionsRequest{
			Query: "TaskQueue = '" + queue + "' AND ExecutionStatus = 'Completed'",
		})
		require.NoError(b, err)
		return count.GetCount() == int64(n)
	}, 40*time.Minute, time.Second)
}
