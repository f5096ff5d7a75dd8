package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type emailAttemptRow struct {
	bun.BaseModel `bun:"table:email_attempts,alias:a"`

	Number    int        `bun:"number"`
	Outcome   string     `bun:"outcome"`
	Answer    string     `bun:"answer"`
	EndedAt   *time.Time `bun:"ended_at"`
	CreatedAt time.Time  `bun:"created_at"`
}

func (r emailAttemptRow) attempt() watchparty.EmailAttempt {
	return watchparty.EmailAttempt{
		Number: r.Number, Outcome: watchparty.EmailOutcome(r.Outcome), Answer: r.Answer,
		StartedAt: r.CreatedAt.UTC(), EndedAt: value(r.EndedAt).UTC(),
	}
}

// Emails lists emails, newest first.
func (s *Store) Emails(ctx context.Context, f watchparty.EmailFilter, p Page) ([]watchparty.Email, error) {
	var rows []emailRow
	q := s.db.NewSelect().Model(&rows)
	if f.Kind != "" {
		q = q.Where("e.kind = ?", string(f.Kind))
	}
	if f.State != "" {
		q = q.Where("e.state = ?", string(f.State))
	}
	if f.UserID != "" {
		q = q.Where("e.user_id = ?", f.UserID)
	}
	if err := p.of(q, descending, "e.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: emails: %w", err)
	}
	return mapRows(rows, emailRow.email), nil
}

// EmailAttempts lists all attempts at an email, the first one first: no more than the retry policy allows.
func (s *Store) EmailAttempts(ctx context.Context, id string) ([]watchparty.EmailAttempt, error) {
	var rows []emailAttemptRow
	if err := s.db.NewSelect().Model(&rows).Where("email_id = ?", id).Order("number").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: email's attempts: %w", err)
	}
	return mapRows(rows, emailAttemptRow.attempt), nil
}

// ResendEmail queues another email about the same as one that has ended. It returns ErrNotFound, ErrEmailOpen and
// ErrKeyReused.
func (s *Store) ResendEmail(ctx context.Context, adminID, id string, key IdempotencyKey) (watchparty.Email, error) {
	var row emailRow
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		if err := administering(ctx, tx, adminID); err != nil {
			return nil, err
		}
		former, err := lockEmail(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		now, resendID := Now(), newID()
		earlier, err := claimKey(ctx, tx, key, resendID)
		switch {
		case err != nil:
			return nil, err
		case earlier != "":
			return nil, tx.NewSelect().Model(&row).Where("id = ?", earlier).Scan(ctx)
		case !former.email().Ended():
			return nil, watchparty.ErrEmailOpen
		}
		row = emailRow{
			ID: resendID, Kind: former.Kind, SubjectID: former.SubjectID, UserID: former.UserID,
			State:      string(watchparty.EmailQueued),
			WorkflowID: job.ResendID(resendID), ResendOf: &id, CreatedAt: now, UpdatedAt: now,
		}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return nil, err
		}
		details := map[string]any{"kind": row.Kind, "resend_of": id}
		return []job.Event{job.ResendEvent(resendID)}, audit(ctx, tx, adminID, watchparty.AuditEmailResent,
			watchparty.AuditEmail, resendID, details)
	})
	return row.email(), found(err, "resend email")
}

// CancelEmail keeps an email from being sent; an attempt that lasts goes on to its end. Cancelling again is a success.
// It returns ErrNotFound and ErrEmailEnded.
func (s *Store) CancelEmail(ctx context.Context, adminID, id string) (watchparty.Email, error) {
	var row emailRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if err := administering(ctx, tx, adminID); err != nil {
			return err
		}
		if row, err = lockEmail(ctx, tx, id); err != nil {
			return err
		}
		switch m := row.email(); {
		case m.State == watchparty.EmailCancelled:
			return nil
		case m.Ended():
			return watchparty.ErrEmailEnded
		}
		err = tx.NewUpdate().Model(&row).Set("state = 'cancelled'").Set("reason = 'cancelled'").Set("updated_at = now()").
			WherePK().Returning("*").Scan(ctx)
		if err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditEmailCancelled, watchparty.AuditEmail, id,
			map[string]any{"kind": row.Kind})
	})
	return row.email(), found(err, "cancel email")
}

func lockEmail(ctx context.Context, tx bun.Tx, id string) (row emailRow, err error) {
	err = tx.NewSelect().Model(&row).Where("id = ?", id).For("NO KEY UPDATE").Scan(ctx)
	return row, err
}

// openPauses is the condition of the pause that lasts, if there is one.
const openPauses = "resumed_at IS NULL"

// EmailPause says whether emails wait, and how many are still to be sent.
func (s *Store) EmailPause(ctx context.Context) (watchparty.EmailPause, error) {
	var row struct {
		PausedAt *time.Time `bun:"paused_at"`
		Waiting  int        `bun:"waiting"`
	}
	err := s.db.NewRaw(`SELECT (SELECT created_at FROM mail_pauses WHERE `+openPauses+`) AS paused_at,
		(SELECT count(*) FROM emails WHERE `+unfinished+`) AS waiting`).Scan(ctx, &row)
	if err != nil {
		return watchparty.EmailPause{}, fmt.Errorf("store: email pause: %w", err)
	}
	return watchparty.EmailPause{PausedAt: value(row.PausedAt).UTC(), Waiting: row.Waiting}, nil
}

// EmailsPaused reports whether emails wait.
func (s *Store) EmailsPaused(ctx context.Context) (bool, error) {
	var paused bool
	if err := s.db.NewRaw("SELECT EXISTS (SELECT FROM mail_pauses WHERE "+openPauses+")").Scan(ctx, &paused); err != nil {
		return false, fmt.Errorf("store: emails paused: %w", err)
	}
	return paused, nil
}

// PauseEmails makes emails wait. While they wait already, it changes nothing.
func (s *Store) PauseEmails(ctx context.Context, adminID string) error {
	return s.changeEmailPause(ctx, adminID, watchparty.AuditEmailsPaused,
		"INSERT INTO mail_pauses (id) VALUES (?) ON CONFLICT ((true)) WHERE "+openPauses+" DO NOTHING RETURNING id", newID())
}

// ResumeEmails lets emails go on. While they are not paused, it changes nothing.
func (s *Store) ResumeEmails(ctx context.Context, adminID string) error {
	return s.changeEmailPause(ctx, adminID, watchparty.AuditEmailsResumed,
		"UPDATE mail_pauses SET resumed_at = now(), updated_at = now() WHERE "+openPauses+" RETURNING id")
}

// changeEmailPause audits a change of the pause whose ID the statement returns.
func (s *Store) changeEmailPause(
	ctx context.Context, adminID string, action watchparty.AuditAction, change string, args ...any,
) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := administering(ctx, tx, adminID); err != nil {
			return err
		}
		var changed []string
		if err := tx.NewRaw(change, args...).Scan(ctx, &changed); err != nil {
			return err
		}
		for _, id := range changed {
			if err := audit(ctx, tx, adminID, action, watchparty.AuditEmailPause, id, nil); err != nil {
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
