package store

import (
	"context"
	"fmt"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// maxCounted is the largest count in a Workload, so that a large backlog does not make it slow.
const maxCounted = 100_000

// Backlog is what waits of one kind of work.
type Backlog struct {
	Waiting int           // maxCounted means that or more
	Oldest  time.Duration // the age of the oldest; zero if nothing waits, or an admin has paused its queue
}

// Workload has the backlogs of background work and the times of the latest regular work.
type Workload struct {
	Outbox Backlog // events that Temporal does not have yet
	// Emails are those to be sent, by kind. Deferred counts those that wait on purpose, because their recipient has had
	// too many; Oldest leaves them out.
	Emails       map[watchparty.EmailKind]Backlog
	Deferred     int
	EmailsPaused bool
	LastEmail    time.Time // when the SMTP server last took an email; zero if unknown
	Avatars      Backlog   // uploads that are not published yet
	Cleanups     Backlog   // runs that have not ended
	// LastCleanup is when the last run by the schedule ended, and FailedPolicies are the policies that failed in it.
	LastCleanup    time.Time
	FailedPolicies int
	// CleanupPausedUntil is when the latest pause of the scheduled clean-up by an admin ended: now while it lasts, zero if
	// there was none.
	CleanupPausedUntil time.Time
	LastReports        map[watchparty.ReportPeriod]time.Time // when the latest activity report was made, by period
	AbuseReports       Backlog                               // reports of abuse that no admin has resolved
}

// Workload reads all of it with statements that are quick however large the tables are.
func (s *Store) Workload(ctx context.Context) (Workload, error) {
	w := Workload{Emails: map[watchparty.EmailKind]Backlog{}, LastReports: map[watchparty.ReportPeriod]time.Time{}}
	for _, read := range []func(context.Context, *Workload) error{s.readBacklogs, s.readEmails, s.readLatestRuns} {
		if err := read(ctx, &w); err != nil {
			return Workload{}, fmt.Errorf("store: workload: %w", err)
		}
	}
	pauses, err := s.QueuePauses(ctx)
	if err != nil {
		return Workload{}, err
	}
	w.zeroPausedAges(pauses)
	w.CleanupPausedUntil, err = s.SchedulePausedUntil(ctx, job.ScheduleCleanup)
	return w, err
}

// zeroPausedAges leaves out the ages of what waits on purpose, since an admin has paused its queue.
func (w *Workload) zeroPausedAges(pauses map[string]watchparty.QueuePause) {
	for queue, backlog := range map[string]*Backlog{
		job.TaskQueueAvatar: &w.Avatars, job.TaskQueueMaintenance: &w.Cleanups,
	} {
		if _, paused := pauses[queue]; paused {
			backlog.Oldest = 0
		}
	}
	if _, w.EmailsPaused = pauses[job.TaskQueueEmail]; w.EmailsPaused {
		for kind, backlog := range w.Emails {
			w.Emails[kind] = Backlog{Waiting: backlog.Waiting}
		}
	}
}

type backlogRow struct {
	Kind    string  `bun:"kind"`
	Waiting int     `bun:"waiting"`
	Seconds float64 `bun:"seconds"`
}

func (r backlogRow) backlog() Backlog {
	return Backlog{Waiting: r.Waiting, Oldest: time.Duration(max(r.Seconds, 0) * float64(time.Second))}
}

func (s *Store) readBacklogs(ctx context.Context, w *Workload) error {
	var rows []backlogRow
	const counted = `count(*) AS waiting, coalesce(extract(epoch FROM now() - min(created_at)), 0) AS seconds FROM `
	err := s.db.NewRaw(`
		SELECT 'outbox' AS kind, `+counted+` (SELECT created_at FROM outbox WHERE state = 'pending'
			ORDER BY priority, available_at LIMIT ?0) AS o
		UNION ALL SELECT 'avatars', `+counted+` (SELECT created_at FROM avatars WHERE state = 'processing'
			ORDER BY updated_at LIMIT ?0) AS a
		UNION ALL SELECT 'cleanups', `+counted+` (SELECT created_at FROM cleanup_runs WHERE state IN ('queued', 'running')
			ORDER BY updated_at LIMIT ?0) AS c
		UNION ALL SELECT 'abuse', `+counted+` (SELECT created_at FROM abuse_reports WHERE state = 'open'
			ORDER BY id LIMIT ?0) AS r`, maxCounted).Scan(ctx, &rows)
	into := map[string]*Backlog{
		"outbox": &w.Outbox, "avatars": &w.Avatars, "cleanups": &w.Cleanups, "abuse": &w.AbuseReports,
	}
	for _, row := range rows {
		*into[row.Kind] = row.backlog()
	}
	return err
}

func (s *Store) readEmails(ctx context.Context, w *Workload) error {
	var rows []struct {
		backlogRow
		Deferred int `bun:"deferred"`
	}
	err := s.db.NewRaw(`
		SELECT kind, count(*) AS waiting, count(*) FILTER (WHERE waits_until > now()) AS deferred,
			coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE waits_until IS NULL OR waits_until <= now())), 0)
				AS seconds
		FROM (SELECT kind, created_at, waits_until FROM emails WHERE `+unfinished+` ORDER BY updated_at LIMIT ?) AS e
		GROUP BY kind`, maxCounted).Scan(ctx, &rows)
	if err != nil {
		return err
	}
	for _, row := range rows {
		w.Emails[watchparty.EmailKind(row.Kind)] = row.backlog()
		w.Deferred += row.Deferred
	}
	var sent *time.Time
	err = s.db.NewRaw("SELECT max(sent_at) FROM emails WHERE state = 'sent'").Scan(ctx, &sent)
	w.LastEmail = valueOrZero(sent).UTC()
	return err
}

// maxLatest is how many of the latest rows are looked at.
const maxLatest = 1000

func (s *Store) readLatestRuns(ctx context.Context, w *Workload) error {
	var last struct {
		FinishedAt *time.Time `bun:"finished_at"`
		Failed     int        `bun:"failed"`
	}
	err := s.db.NewRaw(`
		SELECT max(finished_at) AS finished_at, coalesce((array_agg(failed ORDER BY finished_at DESC))[1], 0) AS failed
		FROM (SELECT finished_at, (SELECT count(*) FROM jsonb_object_keys(errors)) AS failed FROM cleanup_runs
			WHERE trigger = 'schedule' AND state IN ('completed', 'failed') ORDER BY created_at DESC, id DESC LIMIT ?) AS c`,
		maxLatest).Scan(ctx, &last)
	if err != nil {
		return err
	}
	w.LastCleanup, w.FailedPolicies = valueOrZero(last.FinishedAt).UTC(), last.Failed
	var reports []struct {
		Week bool      `bun:"week"`
		At   time.Time `bun:"at"`
	}
	err = s.db.NewRaw(`
		SELECT week, max(created_at) AS at FROM (SELECT period_end - period_start <= interval '8 days' AS week, created_at
			FROM reports WHERE kind = ? ORDER BY id DESC LIMIT ?) AS r GROUP BY week`,
		watchparty.ActivityReportKind, maxLatest).Scan(ctx, &reports)
	for _, report := range reports {
		period := watchparty.ReportMonth
		if report.Week {
			period = watchparty.ReportWeek
		}
		w.LastReports[period] = report.At.UTC()
	}
	return err
}
