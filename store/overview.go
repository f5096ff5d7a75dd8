package store

import (
	"context"
	"fmt"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// lateAfter is how long work may be due before it is late.
const lateAfter = 5 * time.Minute

// Delays returns the work that is late. It reads only the database, so it works without Temporal. Work of a task queue
// that an admin has paused is not late.
func (s *Store) Delays(ctx context.Context) ([]watchparty.Delay, error) {
	var rows []struct {
		What   string     `bun:"what"`
		Count  int        `bun:"count"`
		Oldest *time.Time `bun:"oldest"`
	}
	paused := func(queue string) string {
		return "EXISTS (SELECT FROM queue_pauses WHERE queue = '" + queue + "' AND " + openPauses + ")"
	}
	err := s.db.NewRaw(`
		SELECT 'events' AS what, count(*) AS count, min(created_at) AS oldest FROM outbox
			WHERE state = 'pending' AND created_at < now() - ?0 * interval '1 s'
		UNION ALL SELECT 'emails', count(*), min(due) FROM (
			SELECT greatest(e.waits_until, e.next_attempt_at, e.updated_at) AS due FROM emails AS e
			WHERE `+unfinished+` AND NOT EXISTS (SELECT FROM outbox AS o WHERE o.workflow_id = e.workflow_id
				AND o.signal = '' AND o.state = 'pending')) AS d
			WHERE due < now() - ?0 * interval '1 s' AND NOT EXISTS (SELECT FROM mail_pauses WHERE `+openPauses+`)
		UNION ALL SELECT 'refused', count(*), min(created_at) FROM emails
			WHERE `+unfinished+` AND attempts > 10
		UNION ALL SELECT 'avatars', count(*), min(updated_at) FROM avatars
			WHERE state = 'processing' AND updated_at < now() - ?0 * interval '1 s' AND NOT `+
		paused(job.TaskQueueAvatar)+`
		UNION ALL SELECT 'runs', count(*), min(updated_at) FROM cleanup_runs
			WHERE state IN ('queued', 'running') AND updated_at < now() - ?0 * interval '1 s' AND NOT `+
		paused(job.TaskQueueMaintenance)+`
		UNION ALL SELECT 'webhooks', count(*), min(off_at) FROM webhooks
			WHERE deleted_at IS NULL AND off_reason IN ('failing', 'gone')
		UNION ALL SELECT 'deletions', count(*), min(deleted_at) FROM users
			WHERE deleted_at < now() - interval '1 h' AND NOT `+paused(job.TaskQueueMaintenance), lateAfter.Seconds()).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: delays: %w", err)
	}
	delays := []watchparty.Delay{}
	for _, r := range rows {
		if r.Count > 0 {
			delays = append(delays, watchparty.Delay{
				What: watchparty.DelayKind(r.What), Count: r.Count, OldestAt: valueOrZero(r.Oldest).UTC(),
			})
		}
	}
	return delays, nil
}

// Throughput counts what ended in each of n spans of time up to now, the oldest first.
func (s *Store) Throughput(ctx context.Context, span time.Duration, n int) ([]watchparty.Throughput, error) {
	var rows []struct {
		From              time.Time `bun:"from"`
		EmailsSent        int       `bun:"emails_sent"`
		EmailsFailed      int       `bun:"emails_failed"`
		AvatarsReady      int       `bun:"avatars_ready"`
		AvatarsFailed     int       `bun:"avatars_failed"`
		CleanupsCompleted int       `bun:"cleanups_completed"`
		CleanupsFailed    int       `bun:"cleanups_failed"`
		JobsStarted       int       `bun:"jobs_started"`
	}
	const start = "now() - ?1 * ?0 * interval '1 s'" // the planner knows its value, and so that an index is quicker
	err := s.db.NewRaw(`
		WITH ended AS (
			SELECT 'emails ' || state AS what, updated_at AS at FROM emails
				WHERE state IN ('sent', 'failed') AND updated_at > `+start+`
			UNION ALL SELECT 'avatars ready', published_at FROM avatars WHERE published_at > `+start+`
			UNION ALL SELECT 'avatars failed', updated_at FROM avatars WHERE state = 'failed' AND updated_at > `+start+`
			UNION ALL SELECT 'cleanups ' || state, finished_at FROM cleanup_runs
				WHERE state IN ('completed', 'failed') AND NOT dry_run AND finished_at > `+start+`
			UNION ALL SELECT 'jobs started', started_at FROM outbox
				WHERE state = 'started' AND signal = '' AND started_at > `+start+`
		), counted AS (
			SELECT width_bucket(extract(epoch FROM at - (`+start+`)), 0, ?1 * ?0, ?1) AS i,
				count(*) FILTER (WHERE what = 'emails sent') AS emails_sent,
				count(*) FILTER (WHERE what = 'emails failed') AS emails_failed,
				count(*) FILTER (WHERE what = 'avatars ready') AS avatars_ready,
				count(*) FILTER (WHERE what = 'avatars failed') AS avatars_failed,
				count(*) FILTER (WHERE what = 'cleanups completed') AS cleanups_completed,
				count(*) FILTER (WHERE what = 'cleanups failed') AS cleanups_failed,
				count(*) FILTER (WHERE what = 'jobs started') AS jobs_started
			FROM ended GROUP BY i
		)
		SELECT now() - (?1 + 1 - i) * ?0 * interval '1 s' AS "from", coalesce(emails_sent, 0) AS emails_sent,
			coalesce(emails_failed, 0) AS emails_failed, coalesce(avatars_ready, 0) AS avatars_ready,
			coalesce(avatars_failed, 0) AS avatars_failed, coalesce(cleanups_completed, 0) AS cleanups_completed,
			coalesce(cleanups_failed, 0) AS cleanups_failed, coalesce(jobs_started, 0) AS jobs_started
		FROM generate_series(1, ?1) AS i LEFT JOIN counted USING (i) ORDER BY i`,
		int(span.Seconds()), n).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: throughput: %w", err)
	}
	all := make([]watchparty.Throughput, 0, n)
	for _, r := range rows {
		all = append(all, watchparty.Throughput{
			From: r.From.UTC(), EmailsSent: r.EmailsSent, EmailsFailed: r.EmailsFailed, AvatarsReady: r.AvatarsReady,
			AvatarsFailed: r.AvatarsFailed, CleanupsCompleted: r.CleanupsCompleted, CleanupsFailed: r.CleanupsFailed,
			JobsStarted: r.JobsStarted,
		})
	}
	return all, nil
}
