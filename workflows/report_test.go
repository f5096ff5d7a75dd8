package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestActivityReport(t *testing.T) {
	week := job.ReportInput{Every: watchparty.ReportWeek}
	lastWeek := job.CreateReportInput{Every: watchparty.ReportWeek, From: "2026-02-23", To: "2026-03-01"}
	monday := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)

	t.Run("tallies, reports and queues the emails", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.SetStartTime(monday)
		inOrder(w,
			w.tallies(nil).Once(),
			w.expect(job.ActivityCreateReport, lastWeek, subjectID, nil).Once(),
			w.expect(job.ActivityQueueReportEmails, job.QueueReportEmailsInput{ReportID: subjectID}, 2, nil).Once())
		result, err := run[job.ReportResult](w, workflows.ActivityReport, week)
		require.NoError(t, err)
		require.Equal(t, job.ReportResult{ReportID: subjectID, Emails: 2}, result)
	})

	t.Run("is of the period before its scheduled time, however late it runs", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.SetStartTime(monday.AddDate(0, 3, 0))
		scheduled := temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")
		require.NoError(t, w.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(scheduled.ValueSet(monday))))
		w.tallies(nil).Once()
		w.expect(job.ActivityCreateReport, lastWeek, subjectID, nil).Once()
		w.expect(job.ActivityQueueReportEmails, job.QueueReportEmailsInput{ReportID: subjectID}, 0, nil).Once()
		_, err := run[job.ReportResult](w, workflows.ActivityReport, week)
		require.NoError(t, err)
	})

	t.Run("is of the period that was over at the time that it is given", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.SetStartTime(monday.AddDate(0, 3, 0))
		w.tallies(nil).Once()
		w.expect(job.ActivityCreateReport, lastWeek, subjectID, nil).Once()
		w.expect(job.ActivityQueueReportEmails, job.QueueReportEmailsInput{ReportID: subjectID}, 0, nil).Once()
		missing := job.ReportInput{Every: watchparty.ReportWeek, At: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
		_, err := run[job.ReportResult](w, workflows.ActivityReport, missing)
		require.NoError(t, err)
	})

	t.Run("waits for the database", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.SetStartTime(monday)
		w.tallies(nil).Once()
		w.expect(job.ActivityCreateReport, lastWeek, "", errAway).Times(20)
		w.expect(job.ActivityCreateReport, lastWeek, subjectID, nil).Once()
		w.expect(job.ActivityQueueReportEmails, job.QueueReportEmailsInput{ReportID: subjectID}, 0, nil).Once()
		_, err := run[job.ReportResult](w, workflows.ActivityReport, week)
		require.NoError(t, err)
	})

	t.Run("fails for what is not kept any more", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.SetStartTime(monday)
		w.tallies(nil).Once()
		w.expect(job.ActivityCreateReport, lastWeek, "",
			temporal.NewNonRetryableApplicationError("gone", job.ErrorPeriodGone, nil)).
			Once()
		_, err := run[job.ReportResult](w, workflows.ActivityReport, week)
		var failed *temporal.ApplicationError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, job.ErrorPeriodGone, failed.Type())
	})
}

func TestCleanupGoesOnWithoutATally(t *testing.T) {
	w := newWorkflowFixture(t)
	in := job.CleanupInput{RunID: runID, Policies: []watchparty.Policy{watchparty.PolicyRooms}}
	inOrder(
		w,
		w.expect(job.ActivityBeginCleanup, in, job.BeginCleanupResult{Policies: in.Policies, Thresholds: thresholds}, nil).
			Once(),
		w.tallies(errors.New("canceling statement")).Times(10),
		w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyRooms), nil).Once(),
		w.expect(job.ActivityFinishCleanup, job.FinishCleanupInput{RunID: runID}, job.CleanupResult{RunID: runID}, nil).
			Once(),
	)
	_, err := cleanup(w, in)
	require.NoError(t, err)
}
