package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/workflows/job"
)

// scheduledStart is when a schedule meant to start the workflow. A backfill's lies in the past.
var scheduledStart = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")

// ActivityReport stores the report of the latest period that was over at its scheduled time, or at the one that it is
// given, and mails it to those whom the settings name. A report that is stored already is not made again, and nobody
// gets its mail twice.
func ActivityReport(ctx workflow.Context, in job.ReportInput) (job.ReportResult, error) {
	at := in.At
	if at.IsZero() {
		var scheduled bool
		if at, scheduled = workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledStart); !scheduled {
			at = workflow.GetInfo(ctx).WorkflowStartTime
		}
	}
	if err := workflow.ExecuteActivity(with(ctx, cleaning, "Tally the days"), job.ActivityTally).Get(ctx, nil); err != nil {
		return job.ReportResult{}, err
	}
	create := job.CreateReportInput{Every: in.Every}
	create.From, create.To = in.Every.Last(at)
	var result job.ReportResult
	err := workflow.ExecuteActivity(with(ctx, patient, "Store the report"), job.ActivityCreateReport, create).Get(ctx, &result.ReportID)
	if err != nil {
		return result, err
	}
	queue := job.QueueReportEmailsInput{ReportID: result.ReportID}
	err = workflow.ExecuteActivity(with(ctx, patient, "Queue the mails"), job.ActivityQueueReportEmails, queue).Get(ctx, &result.Emails)
	return result, err
}
