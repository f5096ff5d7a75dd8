package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type emailRow struct {
	bun.BaseModel `bun:"table:emails,alias:e"`

	ID         string     `bun:"id,pk"`
	Kind       string     `bun:"kind"`
	SubjectID  string     `bun:"subject_id"`
	UserID     *string    `bun:"user_id"`
	State      string     `bun:"state"`
	Attempts   int        `bun:"attempts"`
	LastAnswer string     `bun:"last_answer"`
	WorkflowID string     `bun:"workflow_id"`
	SentAt     *time.Time `bun:"sent_at"`
	CreatedAt  time.Time  `bun:"created_at"`
	UpdatedAt  time.Time  `bun:"updated_at"`
}

func (r emailRow) mail() watchparty.Mail {
	return watchparty.Mail{
		ID: r.ID, Kind: watchparty.MailKind(r.Kind), SubjectID: r.SubjectID, UserID: value(r.UserID), State: watchparty.MailState(r.State),
		Attempts: r.Attempts, LastAnswer: r.LastAnswer, WorkflowID: r.WorkflowID,
		CreatedAt: r.CreatedAt.UTC(), SentAt: value(r.SentAt).UTC(),
	}
}

// addEmail queues a mail in the caller's transaction and returns its ID. userID may be empty.
func addEmail(ctx context.Context, tx bun.Tx, kind watchparty.MailKind, subjectID, userID, workflowID string) (string, error) {
	now := now()
	row := &emailRow{
		ID: newID(), Kind: string(kind), SubjectID: subjectID, UserID: nullID(userID), State: string(watchparty.MailQueued),
		WorkflowID: workflowID, CreatedAt: now, UpdatedAt: now,
	}
	if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
		return "", fmt.Errorf("store: queue mail: %w", err)
	}
	return row.ID, nil
}

// Mail finds a mail by its ID.
func (s *Store) Mail(ctx context.Context, id string) (watchparty.Mail, error) {
	var row emailRow
	err := s.db.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx)
	return row.mail(), found(err, "mail")
}

// BeginMail counts an attempt at a mail that is still to be sent. It reports false for one that has ended.
func (s *Store) BeginMail(ctx context.Context, id string) (bool, error) {
	result, err := s.db.NewUpdate().Model((*emailRow)(nil)).
		Set("state = 'sending'").Set("attempts = attempts + 1").Set("updated_at = now()").
		Where("id = ? AND state IN ('queued', 'sending')", id).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("store: begin mail: %w", err)
	}
	return affected(result), nil
}

// SentMail marks a mail as taken by the server.
func (s *Store) SentMail(ctx context.Context, id string) error {
	_, err := s.db.NewUpdate().Model((*emailRow)(nil)).
		Set("state = 'sent'").Set("last_answer = ''").Set("sent_at = now()").Set("updated_at = now()").
		Where("id = ? AND state IN ('queued', 'sending')", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: sent mail: %w", err)
	}
	return nil
}

// FailMail marks a mail as not to be delivered; the server's last answer stays.
func (s *Store) FailMail(ctx context.Context, id string) error {
	return s.endMail(ctx, id, watchparty.MailFailed)
}

// CancelMail marks a mail as one that has nobody to go to, or nothing to say.
func (s *Store) CancelMail(ctx context.Context, id string) error {
	return s.endMail(ctx, id, watchparty.MailCancelled)
}

func (s *Store) endMail(ctx context.Context, id string, state watchparty.MailState) error {
	_, err := s.db.NewUpdate().Model((*emailRow)(nil)).
		Set("state = ?", string(state)).Set("updated_at = now()").
		Where("id = ? AND state IN ('queued', 'sending')", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: mail %s: %w", state, err)
	}
	return nil
}

// NoteMail stores the server's answer to an attempt at a mail that has not ended, and counts it if the server may have
// the mail. It returns that count.
func (s *Store) NoteMail(ctx context.Context, id, answer string, ambiguous bool) (int, error) {
	update := s.db.NewUpdate().Model((*emailRow)(nil)).
		Set("last_answer = ?", answer).Set("updated_at = now()").
		Where("id = ? AND state IN ('queued', 'sending')", id).Returning("ambiguous")
	if ambiguous {
		update = update.Set("ambiguous = ambiguous + 1")
	}
	var count int
	err := update.Scan(ctx, &count)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("store: note mail: %w", err)
	}
	return count, nil
}
