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

func (r emailAttemptRow) attempt() watchparty.MailAttempt {
	return watchparty.MailAttempt{
		Number: r.Number, Outcome: watchparty.MailOutcome(r.Outcome), Answer: r.Answer,
		StartedAt: r.CreatedAt.UTC(), EndedAt: value(r.EndedAt).UTC(),
	}
}

// Mails lists mails, newest first.
func (s *Store) Mails(ctx context.Context, f watchparty.MailFilter, p Page) ([]watchparty.Mail, error) {
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
		return nil, fmt.Errorf("store: mails: %w", err)
	}
	return convert(rows, emailRow.mail), nil
}

// MailAttempts lists all attempts at a mail, the first one first: no more than the retry policy allows.
func (s *Store) MailAttempts(ctx context.Context, id string) ([]watchparty.MailAttempt, error) {
	var rows []emailAttemptRow
	if err := s.db.NewSelect().Model(&rows).Where("email_id = ?", id).Order("number").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: mail's attempts: %w", err)
	}
	return convert(rows, emailAttemptRow.attempt), nil
}

// ResendMail queues another mail about the same as one that has ended. It returns ErrNotFound, ErrMailOpen and
// ErrKeyReused.
func (s *Store) ResendMail(ctx context.Context, adminID, id string, o Once) (watchparty.Mail, error) {
	var row emailRow
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		former, err := lockMail(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		now, newID := Now(), newID()
		earlier, err := claim(ctx, tx, o, newID)
		switch {
		case err != nil:
			return nil, err
		case earlier != "":
			return nil, tx.NewSelect().Model(&row).Where("id = ?", earlier).Scan(ctx)
		case !former.mail().Ended():
			return nil, watchparty.ErrMailOpen
		}
		row = emailRow{
			ID: newID, Kind: former.Kind, SubjectID: former.SubjectID, UserID: former.UserID, State: string(watchparty.MailQueued),
			WorkflowID: job.ResendID(newID), ResendOf: &id, CreatedAt: now, UpdatedAt: now,
		}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return nil, err
		}
		details := map[string]any{"kind": row.Kind, "resend_of": id}
		return []job.Event{job.ResendEvent(newID)}, audit(ctx, tx, adminID, watchparty.AuditMailResent, watchparty.AuditMail, newID, details)
	})
	return row.mail(), found(err, "resend mail")
}

// CancelMail keeps a mail from being sent; an attempt that lasts goes on to its end. Cancelling again is a success. It
// returns ErrNotFound and ErrMailEnded.
func (s *Store) CancelMail(ctx context.Context, adminID, id string) (watchparty.Mail, error) {
	var row emailRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if row, err = lockMail(ctx, tx, id); err != nil {
			return err
		}
		switch m := row.mail(); {
		case m.State == watchparty.MailCancelled:
			return nil
		case m.Ended():
			return watchparty.ErrMailEnded
		}
		err = tx.NewUpdate().Model(&row).Set("state = 'cancelled'").Set("reason = 'cancelled'").Set("updated_at = now()").WherePK().Returning("*").Scan(ctx)
		if err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditMailCancelled, watchparty.AuditMail, id, map[string]any{"kind": row.Kind})
	})
	return row.mail(), found(err, "cancel mail")
}

func lockMail(ctx context.Context, tx bun.Tx, id string) (row emailRow, err error) {
	err = tx.NewSelect().Model(&row).Where("id = ?", id).For("NO KEY UPDATE").Scan(ctx)
	return row, err
}

// openPauses is the condition of the pause that lasts, if there is one.
const openPauses = "resumed_at IS NULL"

// MailPause says whether mails wait, and how many are still to be sent.
func (s *Store) MailPause(ctx context.Context) (watchparty.MailPause, error) {
	var row struct {
		PausedAt *time.Time `bun:"paused_at"`
		Waiting  int        `bun:"waiting"`
	}
	err := s.db.NewRaw(`SELECT (SELECT created_at FROM mail_pauses WHERE `+openPauses+`) AS paused_at,
		(SELECT count(*) FROM emails WHERE `+unfinished+`) AS waiting`).Scan(ctx, &row)
	if err != nil {
		return watchparty.MailPause{}, fmt.Errorf("store: mail pause: %w", err)
	}
	return watchparty.MailPause{PausedAt: value(row.PausedAt).UTC(), Waiting: row.Waiting}, nil
}

// MailsPaused reports whether mails wait.
func (s *Store) MailsPaused(ctx context.Context) (bool, error) {
	var paused bool
	if err := s.db.NewRaw("SELECT EXISTS (SELECT FROM mail_pauses WHERE "+openPauses+")").Scan(ctx, &paused); err != nil {
		return false, fmt.Errorf("store: mails paused: %w", err)
	}
	return paused, nil
}

// PauseMails makes mails wait. While they wait already, it changes nothing.
func (s *Store) PauseMails(ctx context.Context, adminID string) error {
	return s.pauseMails(ctx, adminID, watchparty.AuditMailsPaused,
		"INSERT INTO mail_pauses (id) VALUES (?) ON CONFLICT ((true)) WHERE "+openPauses+" DO NOTHING RETURNING id", newID())
}

// ResumeMails lets mails go on. While they are not paused, it changes nothing.
func (s *Store) ResumeMails(ctx context.Context, adminID string) error {
	return s.pauseMails(ctx, adminID, watchparty.AuditMailsResumed,
		"UPDATE mail_pauses SET resumed_at = now(), updated_at = now() WHERE "+openPauses+" RETURNING id")
}

// pauseMails audits a change of the pause whose ID the statement returns.
func (s *Store) pauseMails(ctx context.Context, adminID string, action watchparty.AuditAction, change string, args ...any) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var changed []string
		if err := tx.NewRaw(change, args...).Scan(ctx, &changed); err != nil {
			return err
		}
		for _, id := range changed {
			if err := audit(ctx, tx, adminID, action, watchparty.AuditMailPause, id, nil); err != nil {
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
