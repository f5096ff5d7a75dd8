package worker

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

// workflowsOf are the workflows of a task queue, by their types.
func workflowsOf(queue string) map[string]any {
	switch queue {
	case job.TaskQueueEmail:
		return map[string]any{
			job.WorkflowWelcomeEmail:          workflows.WelcomeEmail,
			job.WorkflowVerificationEmail:     workflows.VerificationEmail,
			job.WorkflowPasswordResetEmail:    workflows.PasswordResetEmail,
			job.WorkflowPasswordChangedNotice: workflows.PasswordChangedNotice,
			job.WorkflowEmailChangedNotice:    workflows.EmailChangedNotice,
			job.WorkflowRoomInvitation:        workflows.RoomInvitation,
			job.WorkflowResend:                workflows.Resend,
			job.WorkflowReportEmail:           workflows.ReportEmail,
			job.WorkflowScheduledParty:        workflows.ScheduledParty,
			job.WorkflowPartyEmail:            workflows.PartyEmail,
		}
	case job.TaskQueueAvatar:
		return map[string]any{job.WorkflowProcessAvatar: workflows.ProcessAvatar}
	case job.TaskQueueMaintenance:
		return map[string]any{
			job.WorkflowCleanup:        workflows.Cleanup,
			job.WorkflowDeleteAccount:  workflows.DeleteAccount,
			job.WorkflowActivityReport: workflows.ActivityReport,
		}
	case job.TaskQueueWebhooks:
		return map[string]any{job.WorkflowWebhookDelivery: workflows.WebhookDelivery}
	}
	return nil
}

func registerWorkflows(r worker.WorkflowRegistry, queue string) {
	for name, fn := range workflowsOf(queue) {
		registerWorkflow(r, name, fn)
	}
}

func registerWorkflow(r worker.WorkflowRegistry, name string, fn any) {
	r.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name, VersioningBehavior: versioningBehavior(name)})
}
