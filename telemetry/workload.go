package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/store"
)

const (
	// workloadAge is how long the counts of a scrape are used for other scrapes.
	workloadAge = 5 * time.Second
	// workloadTimeout is how long a scrape waits for the database.
	workloadTimeout = 2 * time.Second
)

// workload collects what waits, from Postgres. While the database is down its metrics are missing, and work_up is 0.
type workload struct {
	read func(context.Context) (store.Workload, error)
	log  *slog.Logger

	mu     sync.Mutex
	at     time.Time
	latest store.Workload
	err    error

	up, waiting, oldest, emails, emailAge, deferred, paused, sent, cleanup, pausedUntil, failed, report *prometheus.Desc
}

// RegisterWorkload registers what background work waits, and when regular work was last done. Every process reports the
// same.
func RegisterWorkload(r prometheus.Registerer, log *slog.Logger, read func(context.Context) (store.Workload, error)) {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	r.MustRegister(&workload{
		read: read,
		log:  logging.Sparse(log, slog.LevelWarn),
		up:   describe("work_up", "1 if Postgres could say what work waits, else 0."),
		waiting: describe("work_waiting", "What waits, up to 100000: events of the outbox that Temporal does not have, "+
			"uploaded avatars, clean-up runs, and reports of abuse.", "work"),
		oldest: describe("work_oldest_age_seconds", "The age of the oldest of it; 0 if nothing waits, or an admin has "+
			"paused its queue.", "work"),
		emails: describe("emails_waiting", "Emails that are still to be sent, by kind, up to 100000.", "kind"),
		emailAge: describe(
			"emails_oldest_age_seconds", "The age of the oldest of them that does not wait on purpose.", "kind",
		),
		deferred: describe("emails_deferred", "Emails that wait on purpose, since their recipient has had too many."),
		paused:   describe("emails_paused", "1 while an admin has paused emails, else 0."),
		sent:     describe("emails_last_sent_timestamp_seconds", "When the SMTP server last took an email; 0 if never."),
		cleanup: describe("cleanup_last_end_timestamp_seconds",
			"When the last clean-up by the schedule ended; 0 if none has."),
		pausedUntil: describe(
			"cleanup_paused_until_timestamp_seconds",
			"When the latest pause of it by an admin ended, or of "+
				"its queue: now while one lasts, 0 if there was none.",
		),
		failed: describe("cleanup_last_failed_policies", "Policies that failed in it."),
		report: describe("report_last_timestamp_seconds",
			"When the latest activity report was made, by period; 0 if none was.", "period"),
	})
}

// Describe implements prometheus.Collector.
func (w *workload) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		w.up, w.waiting, w.oldest, w.emails, w.emailAge, w.deferred, w.paused, w.sent, w.cleanup, w.pausedUntil, w.failed,
		w.report,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (w *workload) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	now, err := w.current()
	if err != nil {
		gauge(w.up, 0)
		return
	}
	gauge(w.up, 1)
	for name, backlog := range map[string]store.Backlog{
		"outbox": now.Outbox, "avatars": now.Avatars, "cleanups": now.Cleanups, "abuse_reports": now.AbuseReports,
	} {
		gauge(w.waiting, float64(backlog.Waiting), name)
		gauge(w.oldest, backlog.Oldest.Seconds(), name)
	}
	for _, kind := range watchparty.EmailKinds() {
		gauge(w.emails, float64(now.Emails[kind].Waiting), string(kind))
		gauge(w.emailAge, now.Emails[kind].Oldest.Seconds(), string(kind))
	}
	gauge(w.deferred, float64(now.Deferred))
	gauge(w.paused, boolean(now.EmailsPaused))
	gauge(w.sent, timestamp(now.LastEmail))
	gauge(w.cleanup, timestamp(now.LastCleanup))
	gauge(w.pausedUntil, timestamp(now.CleanupPausedUntil))
	gauge(w.failed, float64(now.FailedPolicies))
	for _, period := range []watchparty.ReportPeriod{watchparty.ReportWeek, watchparty.ReportMonth} {
		gauge(w.report, timestamp(now.LastReports[period]), string(period))
	}
}

// current reads once for all scrapes of a short time.
func (w *workload) current() (store.Workload, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.at) < workloadAge {
		return w.latest, w.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), workloadTimeout)
	defer cancel()
	w.latest, w.err = w.read(ctx)
	w.at = time.Now()
	if w.err != nil {
		w.log.WarnContext(ctx, "metrics of work cannot be read", slog.Any("error", w.err))
	}
	return w.latest, w.err
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// timestamp is 0 for the zero time.
func timestamp(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
