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

// Delays returns the work that should have made progress and has not, by what the database knows: it needs no Temporal.
// Work of queues that an admin has paused waits on purpose.
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
				What: watchparty.DelayKind(r.What), Count: r.Count, OldestAt: value(r.Oldest).UTC(),
			})
		}
	}
	return delays, nil
}

// Throughput counts what ended in each of n spans of time up to now, the oldest first.
func (s *Store) Throughput(ctx context.Context, span time.Duration, n int) ([]watchparty.Throughput, error) {
	var rows []struct {
		From   time.Time `bun:"from"`
		Sent   int       `bun:"sent"`
		Failed int       `bun:"failed"`
		Jobs   int       `bun:"jobs"`
	}
	err := s.db.NewRaw(`
		WITH spans AS (
			SELECT now() - (?1 - i) * ?0 * interval '1 s' AS t FROM generate_series(0, ?1 - 1) AS i
		), ended AS (
			SELECT width_bucket(extract(epoch FROM updated_at - (now() - ?1 * ?0 * interval '1 s')), 0, ?1 * ?0, ?1) AS b,
				count(*) FILTER (WHERE state = 'sent') AS sent, count(*) FILTER (WHERE state = 'failed') AS failed
			FROM emails WHERE state IN ('sent', 'failed') AND updated_at > now() - ?1 * ?0 * interval '1 s' GROUP BY b
		), started AS (
			SELECT width_bucket(extract(epoch FROM started_at - (now() - ?1 * ?0 * interval '1 s')), 0, ?1 * ?0, ?1) AS b,
				count(*) AS jobs
			FROM outbox WHERE state = 'started' AND signal = '' AND started_at > now() - ?1 * ?0 * interval '1 s' GROUP BY b
		)
		SELECT t AS "from", coalesce(sent, 0) AS sent, coalesce(failed, 0) AS failed, coalesce(jobs, 0) AS jobs
		FROM (SELECT t, row_number() OVER (ORDER BY t) AS b FROM spans) AS s
			LEFT JOIN ended USING (b) LEFT JOIN started USING (b) ORDER BY t`, int(span.Seconds()), n).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: throughput: %w", err)
	}
	all := make([]watchparty.Throughput, 0, n)
	for _, r := range rows {
		all = append(all, watchparty.Throughput{
			From: r.From.UTC(), EmailsSent: r.Sent, EmailsFailed: r.Failed, JobsStarted: r.Jobs,
		})
	}
	return all, nil
}
