package worker

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

// TestRollout changes a workflow while it runs: what the former version has started ends as that version meant it, what
// is started afterwards is the new version's, and going back is one step.
func TestRollout(t *testing.T) {
	c := dialTemporal(t, stacktest.TemporalAddress())
	queue, name, deploymentName := "rollout-"+uuid.NewString(), "Rollout"+uuid.NewString(), "watchparty-"+uuid.NewString()
	handle := c.WorkerDeploymentClient().GetHandle(deploymentName)
	start := func(build string) {
		t.Helper()
		w := worker.New(c, queue, worker.Options{
			DeploymentOptions: deploymentOptions(config.Worker{Deployment: deploymentName, BuildID: build}),
		})
		// A change that no replay would survive: one version waits for a signal first, the other does not.
		registerWorkflow(w, name, func(ctx workflow.Context) (string, error) {
			if build == "one" {
				workflow.GetSignalChannel(ctx, "go").Receive(ctx, nil)
			}
			return build, workflow.Sleep(ctx, time.Millisecond)
		})
		require.NoError(t, w.Start())
		t.Cleanup(w.Stop)
	}
	makeCurrent := func(build string) {
		t.Helper()
		require.EventuallyWithT(t, func(collect *assert.CollectT) { // once Temporal has heard of the version
			_, err := handle.SetCurrentVersion(t.Context(), client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
			assert.NoError(collect, err)
		}, patience, 200*time.Millisecond)
	}
	execute := func() client.WorkflowRun {
		t.Helper()
		run, err := c.ExecuteWorkflow(
			t.Context(), client.StartWorkflowOptions{ID: "rollout/" + uuid.NewString(), TaskQueue: queue}, name,
		)
		require.NoError(t, err)
		return run
	}
	result := func(run client.WorkflowRun) (build string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		require.NoError(t, run.Get(ctx, &build))
		return build
	}

	start("one")
	makeCurrent("one")
	running := execute()
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		described, err := c.DescribeWorkflowExecution(t.Context(), running.GetID(), "")
		assert.NoError(collect, err)
		assert.GreaterOrEqual(collect, described.GetWorkflowExecutionInfo().GetHistoryLength(), int64(4), "it waits")
	}, patience, 50*time.Millisecond)

	start("two")
	makeCurrent("two")
	require.Equal(t, "two", result(execute()))
	require.NoError(t, c.SignalWorkflow(t.Context(), running.GetID(), "", "go", nil))
	require.Equal(t, "one", result(running), "the former version ends what it has started")

	makeCurrent("one")
	again := execute()
	require.NoError(t, c.SignalWorkflow(t.Context(), again.GetID(), "", "go", nil))
	require.Equal(t, "one", result(again), "a rollout can be taken back")
}

func TestBehaviorOfLongWorkflows(t *testing.T) {
	for _, queue := range job.ServableTaskQueues() {
		for name := range workflowsOf(queue) {
			want := workflow.VersioningBehaviorUnspecified
			if slices.Contains(
				[]string{
					job.WorkflowWelcomeEmail, job.WorkflowRoomInvitation, job.WorkflowWebhookDelivery, job.WorkflowScheduledParty,
				},
				name,
			) { // they wait for days
				want = workflow.VersioningBehaviorAutoUpgrade
			}
			require.Equal(t, want, versioningBehavior(name), name)
		}
	}
	require.False(t, deploymentOptions(config.Worker{}).UseVersioning, "off unless set")
}
