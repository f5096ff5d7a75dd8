package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/health"
)

func TestHealthOfTheAPI(t *testing.T) {
	t.Parallel()
	status := http.StatusNoContent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/api/health/ready", r.URL.Path)
		w.WriteHeader(status)
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	check := func(addr string) error { return checkAPI(t.Context(), config.HTTP{Addr: addr}) }
	for _, addr := range []string{
		":" + port, "127.0.0.1:" + port, "0.0.0.0:" + port, "[::]:" + port, "localhost:" + port,
	} {
		require.NoError(t, check(addr), addr)
	}
	require.ErrorContains(t, check("127.0.0.1:1"), "does not answer")
	require.Error(t, check("5000"))
	status = http.StatusServiceUnavailable
	require.ErrorContains(t, check(":"+port), "not ready: it answers 503")
}

func TestHealthOfAWorker(t *testing.T) {
	t.Parallel()
	environ := []string{"TEMPORAL_ADDRESS=" + stacktest.TemporalAddress()}
	queue := "health-" + uuid.NewString()
	check := func(namespace string) error {
		return checkWorker(t.Context(), config.Temporal{Namespace: namespace},
			append(environ, "TEMPORAL_NAMESPACE="+namespace), []string{queue})
	}
	require.ErrorContains(t, check("default"), "no worker on ")
	var missing health.Trouble
	err := check("nowhere-" + queue)
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "namespace is missing", missing.What)
	require.ErrorContains(t, err, "TEMPORAL_NAMESPACE")
	lost, err := dialTemporal(append(environ, "TEMPORAL_NAMESPACE=nowhere-"+queue), slog.New(slog.DiscardHandler),
		func(*client.Options) {})
	require.NoError(t, err)
	defer lost.Close()
	requireAway(t, lost)

	c, err := dialTemporal(environ, slog.New(slog.DiscardHandler), func(*client.Options) {})
	require.NoError(t, err)
	defer c.Close()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(func(workflow.Context) error { return nil })
	require.NoError(t, w.Start())
	defer w.Stop()
	require.EventuallyWithT(t, func(collect *assert.CollectT) { assert.NoError(collect, check("default")) },
		2*time.Minute, 20*time.Millisecond)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(
		t, checkWorker(ctx, config.Temporal{Namespace: "default"}, []string{"TEMPORAL_ADDRESS=127.0.0.1:1"}, nil),
	)
}

// clock is a Temporal whose clock differs from this machine's, and which others poll now and the machine "gone" has not
// polled for the time since.
type clock struct {
	client.Client
	ahead, since time.Duration
}

func (c clock) DescribeTaskQueue(
	ctx context.Context, queue string, kind enums.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	described, err := c.Client.DescribeTaskQueue(ctx, queue, kind)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if strings.HasPrefix(queue, "health-") {
		described.Pollers = append(described.Pollers, &taskqueue.PollerInfo{
			Identity: "7@gone@", LastAccessTime: timestamppb.New(now.Add(-c.since)),
		})
	} else {
		described.Pollers = append(described.Pollers, &taskqueue.PollerInfo{
			Identity: "7@other@", LastAccessTime: timestamppb.New(now),
		})
	}
	for _, p := range described.Pollers {
		p.LastAccessTime = timestamppb.New(p.GetLastAccessTime().AsTime().Add(c.ahead))
	}
	return described, nil
}

// TestHealthOfAWorkerOnAnotherClock: a machine's wrong clock makes no worker there ready or unready.
func TestHealthOfAWorkerOnAnotherClock(t *testing.T) {
	t.Parallel()
	c, err := dialTemporal([]string{"TEMPORAL_ADDRESS=" + stacktest.TemporalAddress()},
		slog.New(slog.DiscardHandler), func(*client.Options) {})
	require.NoError(t, err)
	defer c.Close()
	queue := "health-" + uuid.NewString()
	for _, ahead := range []time.Duration{-time.Hour, -20 * time.Minute, -2 * time.Minute, 0, 20 * time.Minute} {
		require.NoError(t, checkPolls(t.Context(), clock{c, ahead, time.Second}, "gone", []string{queue}), ahead)
		for _, since := range []time.Duration{2 * time.Minute, 4 * time.Minute} {
			err := checkPolls(t.Context(), clock{c, ahead, since}, "gone", []string{queue})
			require.ErrorContains(t, err, "no worker on gone polls", ahead)
		}
		require.Error(t, checkPolls(t.Context(), clock{c, ahead, time.Second}, "other", []string{queue}), ahead)
	}
}

func TestHealthCommand(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"", "redis", "api now", "worker --queue x", "worker email"} {
		p := program{args: strings.Fields(args), stdout: io.Discard, stderr: io.Discard}
		require.ErrorIs(t, p.health(t.Context()), errUsage, args)
	}
}
