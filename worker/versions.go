package worker

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/workflows/job"
)

// deploymentOptions makes a worker a version of its deployment, if the settings say so.
func deploymentOptions(c config.Worker) worker.DeploymentOptions {
	if c.Deployment == "" {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: c.Deployment, BuildID: c.BuildID},
		DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
	}
}

// versioningBehavior says what becomes of a running workflow at a rollout. Most are pinned: the version that has
// started them ends them, within a day. Those that wait for days go on with the new version, so that the old one can be
// stopped; their changes need workflow.GetVersion.
func versioningBehavior(name string) workflow.VersioningBehavior {
	switch name {
	case job.WorkflowWelcomeEmail, job.WorkflowRoomInvitation, job.WorkflowWebhookDelivery, job.WorkflowScheduledParty:
		return workflow.VersioningBehaviorAutoUpgrade
	}
	return workflow.VersioningBehaviorUnspecified // the worker's default
}
