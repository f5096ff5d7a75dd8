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
	Reason     string     `bun:"reason"`
	WorkflowID string     `bun:"workflow_id"`
	ResendOf   *string    `bun:"resend_of"`
	CountedAt  *time.Time `bun:"counted_at"`
	WaitsUntil *time.Time `bun:"waits_until"`
	Recipient  []byte     `bun:"recipient_hash"`
	NextAt     *time.Time `bun:"next_attempt_at"`
	DeadlineAt *time.Time `bun:"deadline_at"`
	SentAt     *time.Time `bun:"sent_at"`
	CreatedAt  time.Time  `bun:"created_at"`
	UpdatedAt  time.Time  `bun:"updated_at"`
}

func (r emailRow) email() watchparty.Email {
	m := watchparty.Email{
		ID: r.ID, Kind: watchparty.EmailKind(r.Kind), SubjectID: r.SubjectID, UserID: valueOrZero(r.UserID),
		State:    watchparty.EmailState(r.State),
		Attempts: r.Attempts, LastAnswer: r.LastAnswer, Reason: watchparty.EmailReason(r.Reason), WorkflowID: r.WorkflowID,
		ResendOf:  valueOrZero(r.ResendOf),
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), SentAt: valueOrZero(r.SentAt).UTC(),
	}
	if m.Ended() {
		return m
	}
	m.DeadlineAt = valueOrZero(r.DeadlineAt).UTC()
	switch {
	case r.WaitsUntil != nil:
		m.WaitsFor, m.WaitsUntil = watchparty.WaitRecipientLimit, r.WaitsUntil.UTC()
	case r.NextAt != nil:
		m.WaitsFor, m.WaitsUntil = watchparty.WaitRetry, r.NextAt.UTC()
	}
	return m
}

// recipientKey is the hash of an address in emails. key is the address's normal form.
func (s *Store) recipientKey(key string) []byte { return s.digests.Sum("email-recipient", key) }

// addEmail queues an email in the caller's transaction and returns its ID. userID is the account that the email goes
// to, empty for none. requester is the account, or the key of the address, whose budget the email counts against; it is
// empty if nobody asked for the email. to is the key of the address that the email goes to. It returns an error of
// KindLimited if the budget is used up.
func (s *Store) addEmail(
	ctx context.Context, tx bun.Tx, kind watchparty.EmailKind, subjectID, userID, workflowID, requester, to string,
) (string, error) {
	if err := s.chargeRequester(ctx, tx, kind, requester); err != nil {
		return "", err
	}
	now := Now()
	row := &emailRow{
		ID: newID(), Kind: string(kind), SubjectID: subjectID, UserID: nullID(userID), State: string(watchparty.EmailQueued),
		WorkflowID: workflowID, Recipient: s.recipientKey(to), CreatedAt: now, UpdatedAt: now,
	}
	if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
		return "", fmt.Errorf("store: queue email: %w", err)
	}
	return row.ID, nil
}

// Email finds an email by its ID.
func (s *Store) Email(ctx context.Context, id string) (watchparty.Email, error) {
	var row emailRow
	err := s.db.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx)
	return row.email(), wrapErr(err, "email")
}

const unfinished = "state IN ('queued', 'sending')"

// BeginEmailAttempt stores that an attempt to send an email begins, and returns the attempt's number: 0 if the email is
// not to be sent any more.
func (s *Store) BeginEmailAttempt(ctx context.Context, id string) (int, error) {
	var attempt int
	err := s.db.NewRaw(`
		WITH begun AS (
			UPDATE emails SET state = 'sending', attempts = attempts + 1, next_attempt_at = NULL, updated_at = now()
			WHERE id = ? AND `+unfinished+` RETURNING id, attempts
		)
		INSERT INTO email_attempts (email_id, number) SELECT id, attempts FROM begun
			RETURNING number`, id).Scan(ctx, &attempt)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("store: begin email: %w", err)
	}
	return attempt, nil
}

// MarkEmailSent marks an email as sent: the server has accepted it. It does so even if the email was cancelled, or
// marked as failed, meanwhile.
func (s *Store) MarkEmailSent(ctx context.Context, id string, attempt int) error {
	return s.changeByAttempt(ctx, id, attempt, watchparty.EmailOutcomeSent, "", `
		UPDATE emails SET state = 'sent', last_answer = '', reason = '', sent_at = now(), updated_at = now()
		WHERE id = ? AND state <> 'sent'`)
}

// MarkEmailFailed marks an email as failed. It keeps the server's last answer and the reason of the last attempt.
func (s *Store) MarkEmailFailed(ctx context.Context, id string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var rows []emailRow
		err := tx.NewRaw(`UPDATE emails AS e SET state = 'failed', reason = CASE WHEN reason <> '' THEN reason
				WHEN waits_until IS NOT NULL THEN 'expired' ELSE 'server_unreachable' END,
			updated_at = now() WHERE id = ? AND `+unfinished+` RETURNING e.*`, id).Scan(ctx, &rows)
		tellGivenUp(ctx, rows)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: fail email: %w", err)
	}
	return nil
}

// tellGivenUp tells webhooks of emails that have failed in the transaction of ctx.
func tellGivenUp(ctx context.Context, rows []emailRow) {
	for _, row := range rows {
		tell(ctx, watchparty.WebhookEvent{
			Kind: watchparty.WebhookEmailGivenUp, UserID: valueOrZero(row.UserID), Data: watchparty.EmailGivenUpData{
				EmailID: row.ID, Kind: watchparty.EmailKind(row.Kind), Reason: watchparty.EmailReason(row.Reason),
				Attempts: row.Attempts,
			},
		})
	}
}

// EmailRefusal is an attempt at which the server did not accept an email.
type EmailRefusal struct {
	Outcome watchparty.EmailOutcome
	Reason  watchparty.EmailReason // that the email has if it fails now
	Answer  string                 // the server's, without addresses
	// Next is the time to the next attempt, and Deadline the time to the last one, about. Both are 0 if none follows.
	Next, Deadline time.Duration
}

// RecordEmailAttempt stores the outcome of an attempt at which the server did not accept the email. It returns the
// number of ambiguous attempts: after each, the server may have the email.
func (s *Store) RecordEmailAttempt(ctx context.Context, id string, attempt int, r EmailRefusal) (int, error) {
	err := s.changeByAttempt(ctx, id, attempt, r.Outcome, r.Answer, `
		UPDATE emails SET last_answer = ?1, reason = ?2, updated_at = now(),
			next_attempt_at = CASE WHEN ?3 > 0 THEN now() + ?3 * interval '1 us' END,
			deadline_at = CASE WHEN ?4 > 0 THEN now() + ?4 * interval '1 us' END
		WHERE id = ?0 AND `+unfinished, string(r.Reason), r.Next.Microseconds(), r.Deadline.Microseconds())
	if err != nil {
		return 0, err
	}
	var ambiguous int
	err = s.db.NewSelect().Table("email_attempts").ColumnExpr("count(*)").
		Where("email_id = ? AND outcome = ?", id, string(watchparty.EmailOutcomeAmbiguous)).Scan(ctx, &ambiguous)
	if err != nil {
		return 0, fmt.Errorf("store: ambiguous attempts: %w", err)
	}
	return ambiguous, nil
}

// reminders are, by the kind of an email, the kind of the reminder that follows it, and a subquery that has a row if
// the reminder is useful.
var reminders = map[watchparty.EmailKind]struct {
	kind   watchparty.EmailKind
	useful string
}{
	watchparty.EmailWelcome: {
		watchparty.EmailWelcomeReminder,
		"SELECT FROM users WHERE id = e.subject_id AND email_verified_at IS NULL AND suspended_at IS NULL " +
			"AND deleted_at IS NULL",
	},
	watchparty.EmailRoomInvitation: {
		watchparty.EmailInvitationReminder,
		"SELECT FROM invitations AS i WHERE i.id = e.subject_id AND i.state = 'open' " +
			"AND i.expires_at > now() AND " + inviterMayInvite +
			" AND EXISTS (SELECT FROM rooms AS r WHERE r.id = i.room_id AND r.archived_at IS NULL AND " + roomThere + ")",
	},
}

// QueueReminder queues the reminder of an email, once, and returns the reminder's ID: empty if it is not useful. It
// returns ErrNotFound if the email is gone, or its kind has no reminder.
func (s *Store) QueueReminder(ctx context.Context, id string) (string, error) {
	email, err := s.Email(ctx, id)
	if err != nil {
		return "", err
	}
	reminder, ok := reminders[email.Kind]
	if !ok {
		return "", fmt.Errorf("store: reminder of an email %s: %w", email.Kind, watchparty.ErrNotFound)
	}
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if email.UserID != "" {
			if err := requireActive(ctx, tx, email.UserID); err != nil {
				return err
			}
		}
		_, err := tx.NewRaw(`
			INSERT INTO emails (id, kind, subject_id, user_id, workflow_id, recipient_hash)
			SELECT ?, ?, e.subject_id, e.user_id, e.workflow_id, e.recipient_hash FROM emails AS e WHERE e.id = ?
				AND EXISTS (`+reminder.useful+`)
			ON CONFLICT (kind, subject_id) WHERE resend_of IS NULL DO NOTHING`, newID(), string(reminder.kind), id).Exec(ctx)
		return err
	})
	if err != nil && !errors.Is(err, watchparty.ErrUnauthenticated) {
		return "", fmt.Errorf("store: queue reminder: %w", err)
	}
	var reminderID string
	err = s.db.NewSelect().Model((*emailRow)(nil)).Column("id").
		Where("kind = ? AND subject_id = ? AND resend_of IS NULL", string(reminder.kind), email.SubjectID).
		Scan(ctx, &reminderID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("store: reminder: %w", err)
	}
	return reminderID, nil
}

// changeByAttempt stores the outcome of an attempt, and runs change on the email: a statement with the email's ID as
// ?0, the server's answer as ?1, and args.
func (s *Store) changeByAttempt(
	ctx context.Context, id string, attempt int, outcome watchparty.EmailOutcome, answer, change string, args ...any,
) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewRaw(change, append([]any{id, answer}, args...)...).Exec(ctx); err != nil {
			return err
		}
		return endAttempt(ctx, tx, id, attempt, outcome, answer)
	})
	if err != nil {
		return fmt.Errorf("store: email %s: %w", outcome, err)
	}
	return nil
}
