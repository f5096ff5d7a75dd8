package jobs

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"

	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

// TestBacklogs: what waits in each queue is a metric, and there is none while Temporal is down.
func TestBacklogs(t *testing.T) {
	t.Parallel()
	c, err := client.Dial(client.Options{
		HostPort: stacktest.TemporalAddress(), Logger: temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	j := New(c, "default", noPauses)
	before := gather(t, j)
	require.Len(t, before, len(job.AllTaskQueues()))
	for range 2 {
		options := client.StartWorkflowOptions{ID: uuid.NewString(), TaskQueue: job.TaskQueueAvatar}
		_, err := c.ExecuteWorkflow(t.Context(), options, job.WorkflowProcessAvatar)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { // Temporal counts once in a while
		after := gather(t, j)
		return after[job.TaskQueueAvatar] == before[job.TaskQueueAvatar]+2 &&
			after[job.TaskQueueEmail] == before[job.TaskQueueEmail]
	}, patience, 100*time.Millisecond)

	away, err := client.NewLazyClient(client.Options{
		HostPort: "127.0.0.1:1", Logger: temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(away.Close)
	require.Empty(t, gather(t, New(away, "default", noPauses)))
}

// gather returns the values of the metric by queue.
func gather(t *testing.T, j *Jobs) map[string]float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	j.RegisterMetrics(r, slog.New(slog.DiscardHandler))
	problems, err := testutil.GatherAndLint(r)
	require.NoError(t, err)
	require.Empty(t, problems)
	families, err := r.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		require.Equal(t, "queue_backlog", family.GetName())
		for _, metric := range family.GetMetric() {
			values[metric.GetLabel()[0].GetValue()] = metric.GetGauge().GetValue()
		}
	}
	return values
}
