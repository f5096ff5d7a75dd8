package worker

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// countReports returns the number of reports of a period.
func (p *workerFixture) countReports(every watchparty.ReportPeriod) (n int) {
	p.t.Helper()
	err := p.store.DB().
		NewRaw("SELECT count(*) FROM reports WHERE data->>'every' = ?", string(every)).
		Scan(p.t.Context(), &n)
	require.NoError(p.t, err)
	return n
}

func (p *workerFixture) countRows(table string) (n int) {
	p.t.Helper()
	require.NoError(p.t, p.store.DB().NewSelect().Table(table).ColumnExpr("count(*)").Scan(p.t.Context(), &n))
	return n
}

// TestMissingReportsAreMadeUpFor: after an outage, however long, workers that start at once make each report that is
// missing once.
func TestMissingReportsAreMadeUpFor(t *testing.T) {
	stacktest.AwayFromMidnight(t)
	p := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	p.Config.Report.Weekly, p.Config.Report.Monthly = "0 0 * * 1", "0 0 1 * *"
	for _, id := range job.ScheduleIDs() {
		deleteSchedule(t, p.client, id)
	}
	_, err := p.store.DB().ExecContext(t.Context(), "UPDATE activity_since SET day = day - 75")
	require.NoError(t, err)
	due := func(end time.Time) time.Time { return end.Add(reportGrace) }
	weeks, err := p.store.MissingReports(t.Context(), watchparty.ReportWeek, due, maxMissing)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(weeks), 10)
	months, err := p.store.MissingReports(t.Context(), watchparty.ReportMonth, due, maxMissing)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(months), 2)

	// The namespace is shared: a run that the workers leave behind would go on with another database, where its report
	// is not.
	t.Cleanup(func() {
		for every, periods := range map[watchparty.ReportPeriod][]store.Period{watchparty.ReportWeek: weeks, watchparty.ReportMonth: months} {
			for _, period := range periods {
				_ = p.client.TerminateWorkflow(
					context.Background(), job.MissingReportID(every, period.From), "", "the test is over",
				)
			}
		}
	})
	p.startWorker(t, job.TaskQueueMaintenance)
	p.startWorker(t, job.TaskQueueMaintenance)
	require.Eventually(t, func() bool {
		return p.countReports(watchparty.ReportWeek) == len(weeks) && p.countReports(watchparty.ReportMonth) == len(months) &&
			p.countRows("report_mails") == len(weeks)+len(months)
	}, patience, 50*time.Millisecond)
	startMissingReports(t.Context(), p.Deps)
	require.Equal(t, len(weeks)+len(months), p.countRows("reports"))
	require.Equal(t, len(weeks)+len(months), p.countRows("report_mails"), "each is mailed once to the one recipient")
}

// TestPausedReportsStayPaused: what operators have paused is not made up for.
func TestPausedReportsStayPaused(t *testing.T) {
	p := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	for _, id := range job.ScheduleIDs() {
		deleteSchedule(t, p.client, id)
	}
	require.NoError(t, keepSchedules(t.Context(), p.Deps))
	for _, id := range []string{job.ScheduleWeeklyReport, job.ScheduleMonthlyReport} {
		handle := p.client.ScheduleClient().GetHandle(t.Context(), id)
		require.NoError(t, handle.Pause(t.Context(), client.SchedulePauseOptions{Note: "for now"}))
		awaitState(t, handle, true, "for now")
	}
	_, err := p.store.DB().ExecContext(t.Context(), "UPDATE activity_since SET day = day - 75")
	require.NoError(t, err)
	startMissingReports(t.Context(), p.Deps)
	select {
	case <-p.channelOf("missing report started"):
		t.Fatal("a paused schedule's report was started")
	default:
	}
	for _, id := range job.ScheduleIDs() {
		deleteSchedule(t, p.client, id)
	}
}
