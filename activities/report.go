package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// midnightGrace is how long after midnight a day counts as over: transactions that began on the day may still commit.
const midnightGrace = time.Minute

// Report stores the daily figures and makes activity reports of them.
type Report struct {
	Store    *store.Store
	Settings config.Report
	Metrics  *Metrics
}

// Activities returns the methods by their activity types.
func (r *Report) Activities() map[string]any {
	return map[string]any{
		job.ActivityTally:             r.Tally,
		job.ActivityCreateReport:      r.CreateReport,
		job.ActivityQueueReportEmails: r.QueueReportEmails,
	}
}

// Tally stores the figures of every day that is over and has none yet. A repeated attempt continues after the last day
// that was stored.
func (r *Report) Tally(ctx context.Context) (job.TallyResult, error) {
	day, err := r.Store.UntalliedDay(ctx)
	if err != nil {
		return job.TallyResult{}, err
	}
	var done job.TallyResult
	for today := watchparty.DayOf(store.Now().Add(-midnightGrace)); day < today; day = day.Add(1) {
		if err := r.Store.TallyDay(ctx, day); err != nil {
			return job.TallyResult{}, err
		}
		done.Days++
		activity.RecordHeartbeat(ctx, done)
	}
	return done, nil
}

// CreateReport stores the report of a period and returns the report's ID. It fails as long as the period's last day has
// no figures, which is so for a minute after that day (midnightGrace).
func (r *Report) CreateReport(ctx context.Context, in job.CreateReportInput) (string, error) {
	if _, err := r.Tally(ctx); err != nil {
		return "", err
	}
	id, err := r.Store.CreateActivityReport(ctx, in.Every, in.From, in.To)
	if errors.Is(err, watchparty.ErrPeriodGone) {
		return "", temporal.NewNonRetryableApplicationError(err.Error(), job.ErrorPeriodGone, err)
	}
	if err == nil {
		r.Metrics.countReport()
	}
	return id, err
}

// QueueReportEmails queues an email to each recipient who has none of this report yet, and returns their number.
func (r *Report) QueueReportEmails(ctx context.Context, in job.QueueReportEmailsInput) (int, error) {
	recipients, err := r.Settings.Addresses()
	if err != nil {
		return 0, err
	}
	return r.Store.QueueReportEmails(ctx, in.ReportID, recipients)
}
