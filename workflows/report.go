package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/workflows/job"
)

// scheduledStart is the time at which a schedule meant to start the workflow. In a backfill it lies in the past.
var scheduledStart = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")

// ActivityReport stores the report of the latest period that was over at in.At, or else at the scheduled time, and
// sends it to the recipients in the settings. It makes no report twice, and sends no recipient the same report twice.
func ActivityReport(ctx workflow.Context, in job.ReportInput) (job.ReportResult, error) {
	at := in.At
	if at.IsZero() {
		var scheduled bool
		if at, scheduled = workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledStart); !scheduled {
			at = workflow.GetInfo(ctx).WorkflowStartTime
		}
	}
	if err := runTally(ctx); err != nil {
		return job.ReportResult{}, err
	}
	create := job.CreateReportInput{Every: in.Every}
	create.From, create.To = in.Every.Last(at)
	var result job.ReportResult
	err := run(ctx, stepOptions, "Store the report", job.ActivityCreateReport, create, &result.ReportID)
	if err != nil {
		return result, err
	}
	emails := job.QueueReportEmailsInput{ReportID: result.ReportID}
	err = run(ctx, stepOptions, "Queue the emails", job.ActivityQueueReportEmails, emails, &result.Emails)
	return result, err
}
