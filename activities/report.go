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

// midnightGrace is for transactions that began on the day before and have yet to commit.
const midnightGrace = time.Minute

// Report tallies what happens and reports it.
type Report struct {
	Store    *store.Store
	Settings config.Report
}

// TallyActivity stores the figures of every day that is over and has none. An attempt goes on where the one before it
// ended.
func (r *Report) TallyActivity(ctx context.Context) (job.TallyResult, error) {
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

// CreateActivityReport stores the report of a period and returns its ID. It fails until the period's last day is
// tallied, which in the minute after it is not so yet.
func (r *Report) CreateActivityReport(ctx context.Context, in job.CreateReportInput) (string, error) {
	if _, err := r.TallyActivity(ctx); err != nil {
		return "", err
	}
	id, err := r.Store.CreateActivityReport(ctx, in.Every, in.From, in.To)
	if errors.Is(err, watchparty.ErrPeriodGone) {
		return "", temporal.NewNonRetryableApplicationError(err.Error(), job.ErrorPeriodGone, err)
	}
	return id, err
}

// QueueReportMails promises the report's mails and returns how many are new.
func (r *Report) QueueReportMails(ctx context.Context, in job.QueueReportEmailsInput) (int, error) {
	recipients, err := r.Settings.Addresses()
	if err != nil {
		return 0, err
	}
	return r.Store.QueueReportMails(ctx, in.ReportID, recipients)
}
