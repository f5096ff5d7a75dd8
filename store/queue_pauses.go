package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// QueuePauses returns the pauses that last, by queue.
func (s *Store) QueuePauses(ctx context.Context) (map[string]watchparty.QueuePause, error) {
	var rows []struct {
		Queue     string    `bun:"queue"`
		Note      string    `bun:"note"`
		CreatedAt time.Time `bun:"created_at"`
	}
	err := s.db.NewRaw(`
		SELECT queue, note, created_at FROM queue_pauses WHERE `+openPauses+`
		UNION ALL SELECT ?, coalesce((
			SELECT details->>'note' FROM audit WHERE target_id = mail_pauses.id AND action = 'queue_paused' LIMIT 1
		), ''), created_at FROM mail_pauses WHERE `+openPauses, job.TaskQueueEmail).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: queue pauses: %w", err)
	}
	pauses := map[string]watchparty.QueuePause{}
	for _, r := range rows {
		pauses[r.Queue] = watchparty.QueuePause{Note: r.Note, PausedAt: r.CreatedAt.UTC()}
	}
	return pauses, nil
}

// QueuePaused reports whether workers leave the activities of a queue alone.
func (s *Store) QueuePaused(ctx context.Context, queue string) (bool, error) {
	if queue == job.TaskQueueEmail {
		return s.EmailsPaused(ctx)
	}
	var paused bool
	err := s.db.NewRaw("SELECT EXISTS (SELECT FROM queue_pauses WHERE queue = ? AND "+openPauses+")", queue).
		Scan(ctx, &paused)
	if err != nil {
		return false, fmt.Errorf("store: queue paused: %w", err)
	}
	return paused, nil
}

// PauseQueue keeps workers from taking activities of a queue. While it is paused already, it changes nothing.
func (s *Store) PauseQueue(ctx context.Context, adminID, queue string) error {
	if queue == job.TaskQueueEmail {
		return s.PauseEmails(ctx, adminID)
	}
	return s.changePause(ctx, adminID, watchparty.AuditQueuePaused, queue,
		"INSERT INTO queue_pauses (id, queue, note) VALUES (?, ?, ?) "+
			"ON CONFLICT (queue) WHERE "+openPauses+" DO NOTHING RETURNING id", newID(), queue, watchparty.AdminNoteOf(ctx))
}

// ResumeQueue lets workers take the activities of a queue again. While it is not paused, it changes nothing.
func (s *Store) ResumeQueue(ctx context.Context, adminID, queue string) error {
	if queue == job.TaskQueueEmail {
		return s.ResumeEmails(ctx, adminID)
	}
	return s.changePause(ctx, adminID, watchparty.AuditQueueResumed, queue,
		"UPDATE queue_pauses SET resumed_at = now(), updated_at = now() WHERE queue = ? AND "+openPauses+" RETURNING id",
		queue)
}

// PauseEmails makes emails wait. While they wait already, it changes nothing.
func (s *Store) PauseEmails(ctx context.Context, adminID string) error {
	return s.changePause(ctx, adminID, watchparty.AuditQueuePaused, job.TaskQueueEmail,
		"INSERT INTO mail_pauses (id) VALUES (?) ON CONFLICT ((true)) WHERE "+openPauses+" DO NOTHING RETURNING id", newID())
}

// ResumeEmails lets emails go on. While they are not paused, it changes nothing.
func (s *Store) ResumeEmails(ctx context.Context, adminID string) error {
	return s.changePause(ctx, adminID, watchparty.AuditQueueResumed, job.TaskQueueEmail,
		"UPDATE mail_pauses SET resumed_at = now(), updated_at = now() WHERE "+openPauses+" RETURNING id")
}

// changePause audits a change of the queue's pause, whose ID the statement returns.
func (s *Store) changePause(
	ctx context.Context, adminID string, action watchparty.AuditAction, queue, change string, args ...any,
) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		var changed []string
		if err := tx.NewRaw(change, args...).Scan(ctx, &changed); err != nil {
			return err
		}
		for _, id := range changed {
			err := audit(ctx, tx, adminID, action, watchparty.AuditQueuePause, id, map[string]any{"queue": queue})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: %s: %w", action, err)
	}
	return nil
}
