package worker

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/devstack/stacktest"
)

// The workflow as it was when it was started, a change of it that breaks what runs, and one that does not.
func formerly(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	if err := workflow.ExecuteActivity(ctx, "Send").Get(ctx, nil); err != nil {
		return err
	}
	return workflow.Sleep(ctx, time.Hour)
}

func broken(ctx workflow.Context) error {
	return workflow.Sleep(ctx, time.Hour)
}

func versioned(ctx workflow.Context) error {
	if workflow.GetVersion(ctx, "without-send", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return formerly(ctx)
	}
	return broken(ctx)
}

// TestCheckHistories: before a rollout the program says which running workflows it could not continue.
func TestCheckHistories(t *testing.T) {
	c := dialTemporal(t, stacktest.TemporalAddress())
	queue, name := "histories-"+uuid.NewString(), "Histories"+uuid.NewString()
	w := worker.New(c, queue, worker.Options{})
	registerWorkflow(w, name, formerly)
	w.RegisterActivityWithOptions(func(context.Context) error { return nil }, activity.RegisterOptions{Name: "Send"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	var ids []string
	for range 3 {
		id := "histories/" + uuid.NewString()
		ids = append(ids, id)
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: queue}, name)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.TerminateWorkflow(context.Background(), run.GetID(), "", "the test is over") })
	}
	check := func(fn any) Histories {
		t.Helper()
		var found Histories
		require.EventuallyWithT(t, func(collect *assert.CollectT) { // the list of workflows comes a moment later
			var err error
			found, err = checkHistories(t.Context(), c, "default", []string{queue},
				func(string) map[string]any { return map[string]any{name: fn} })
			assert.NoError(collect, err)
			assert.Equal(collect, 3, found.Replayed[name])
			asleep := true
			for _, id := range ids {
				described, err := c.DescribeWorkflowExecution(t.Context(), id, "")
				assert.NoError(collect, err)
				asleep = asleep && described.GetWorkflowExecutionInfo().GetHistoryLength() >= 11
			}
			assert.True(collect, asleep, "each has sent and sleeps")
		}, patience, 100*time.Millisecond)
		return found
	}
	require.Empty(t, check(formerly).Broken)
	require.Empty(t, check(versioned).Broken)
	found := check(broken)
	require.Len(t, found.Broken, 3)
	for _, id := range ids {
		require.ErrorContains(t, found.Broken[id], "TMPRL1100", "nondeterminism")
	}
	require.Empty(t, found.Left)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := checkHistories(
		ended, c, "default", []string{queue}, func(string) map[string]any { return map[string]any{name: broken} },
	)
	require.ErrorContains(t, err, "context canceled", "an error is not a result")
}
