package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// voidReasons maps each kind of email to a query for the reason why the email e with the ID ? cannot be sent. The
// queries run after the worker has found that the email has no recipient or is out of date.
var voidReasons = map[watchparty.EmailKind]string{
	watchparty.EmailWelcome:         voidAccount,
	watchparty.EmailAddressChanged:  voidAccount,
	watchparty.EmailPasswordChanged: voidAccount,
	watchparty.EmailWelcomeReminder: `
		SELECT CASE WHEN u.id IS NULL OR u.deleted_at IS NOT NULL THEN 'no_account'
			WHEN u.email_verified_at IS NOT NULL THEN 'already_confirmed'
			WHEN u.suspended_at IS NOT NULL THEN 'account_suspended'
			ELSE 'link_ended' END
		FROM emails AS e LEFT JOIN users AS u ON u.id = e.subject_id WHERE e.id = ?`,
	watchparty.EmailVerification: `
		SELECT CASE WHEN u.id IS NULL OR u.deleted_at IS NOT NULL THEN 'no_account'
			WHEN u.email_key = v.email_key AND u.email_verified_at IS NOT NULL THEN 'already_confirmed'
			WHEN EXISTS (SELECT FROM users AS o WHERE o.email_key = v.email_key AND o.id <> u.id) THEN 'address_taken'
			ELSE 'link_ended' END
		FROM emails AS e LEFT JOIN email_verifications AS v ON v.id = e.subject_id LEFT JOIN users AS u ON u.id = e.user_id
		WHERE e.id = ?`,
	watchparty.EmailReset: `
		SELECT CASE WHEN u.id IS NULL OR u.deleted_at IS NOT NULL THEN 'no_account' ELSE 'link_ended' END
		FROM emails AS e LEFT JOIN users AS u ON u.id = e.user_id WHERE e.id = ?`,
	watchparty.EmailRoomInvitation:     voidInvitation,
	watchparty.EmailInvitationReminder: voidInvitation,
	watchparty.EmailPartyReminder:      voidParty,
	watchparty.EmailPartyChanged:       voidParty,
	watchparty.EmailPartyCancelled:     voidParty,
	watchparty.EmailActivityReport:     "SELECT 'not_a_recipient' FROM emails AS e WHERE e.id = ?",
}

var voidInvitation = `
	SELECT CASE WHEN i.id IS NULL OR i.state <> 'open' OR i.expires_at <= now() THEN 'invitation_ended'
		WHEN r.id IS NULL OR r.archived_at IS NOT NULL OR r.closed_at IS NOT NULL OR NOT (` + roomThere + `) THEN 'room_ended'
		WHEN NOT ` + inviterMayInvite + ` THEN 'may_not_invite'
		ELSE 'invitation_ended' END
	FROM emails AS e LEFT JOIN invitations AS i ON i.id = e.subject_id LEFT JOIN rooms AS r ON r.id = i.room_id
	WHERE e.id = ?`

// voidAccount is for kinds that are void only because their account is gone.
const voidAccount = "SELECT 'no_account' FROM emails AS e WHERE e.id = ?"

// CancelUndeliverableEmail cancels an email for which its worker has found no recipient, or whose content is out of
// date. If why is empty, a query of voidReasons finds the reason in the same transaction.
func (s *Store) CancelUndeliverableEmail(
	ctx context.Context,
	id string,
	attempt int,
	why watchparty.EmailReason,
) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		row, err := lockEmail(ctx, tx, id)
		if err != nil {
			return err
		}
		if why == "" && !row.email().Ended() {
			if err := tx.NewRaw(voidReasons[watchparty.EmailKind(row.Kind)], id).Scan(ctx, &why); err != nil {
				return err
			}
		}
		if _, err := tx.NewRaw("UPDATE emails SET state = 'cancelled', reason = ?, updated_at = now() WHERE id = ? AND "+
			unfinished, string(why), id).Exec(ctx); err != nil {
			return err
		}
		return endAttempt(ctx, tx, id, attempt, watchparty.EmailOutcomeCancelled, "")
	})
	return wrapErr(err, "drop email")
}

// CancelEmail keeps an email from being sent; an attempt that lasts goes on to its end. Cancelling again is a success.
// It returns ErrNotFound and ErrEmailEnded.
func (s *Store) CancelEmail(ctx context.Context, adminID, id string) (watchparty.Email, error) {
	var row emailRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
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
		err = tx.NewUpdate().Model(&row).Set("state = 'cancelled'").Set("reason = ?", string(watchparty.ReasonCancelled)).
			Set("updated_at = now()").WherePK().Returning("*").Scan(ctx)
		if err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditEmailCancelled, watchparty.AuditEmail, id,
			map[string]any{"kind": row.Kind})
	})
	return row.email(), wrapErr(err, "cancel email")
}

// ResendEmail queues another email about the same as one that has ended. It returns ErrNotFound, ErrEmailOpen and
// ErrKeyReused.
func (s *Store) ResendEmail(
	ctx context.Context, adminID, id string, key IdempotencyKey,
) (watchparty.Email, error) {
	var row emailRow
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return nil, err
		}
		former, err := lockEmail(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		resendID := newID()
		earlier, err := claimKey(ctx, tx, key, resendID)
		switch {
		case err != nil:
			return nil, err
		case earlier != "":
			return nil, tx.NewSelect().Model(&row).Where("id = ?", earlier).Scan(ctx)
		case !former.email().Ended():
			return nil, watchparty.ErrEmailOpen
		}
		row = former.again(resendID)
		return resend(ctx, tx, adminID, row)
	})
	return row.email(), wrapErr(err, "resend email")
}

// again is another email about the same.
func (r emailRow) again(id string) emailRow {
	now := Now()
	return emailRow{
		ID: id, Kind: r.Kind, SubjectID: r.SubjectID, UserID: r.UserID, State: string(watchparty.EmailQueued),
		WorkflowID: job.ResendID(id), ResendOf: &r.ID, Recipient: r.Recipient, CreatedAt: now, UpdatedAt: now,
	}
}

// resend queues an email that is sent again.
func resend(ctx context.Context, tx bun.Tx, adminID string, row emailRow) ([]job.Event, error) {
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return nil, fmt.Errorf("store: queue the email again: %w", err)
	}
	details := map[string]any{"kind": row.Kind, "resend_of": row.ResendOf}
	err := audit(ctx, tx, adminID, watchparty.AuditEmailResent, watchparty.AuditEmail, row.ID, details)
	return []job.Event{job.ResendEvent(row.ID).About(valueOrZero(row.UserID), "")}, err
}

func lockEmail(ctx context.Context, tx bun.Tx, id string) (row emailRow, err error) {
	err = tx.NewSelect().Model(&row).Where("id = ?", id).For("NO KEY UPDATE").Scan(ctx)
	return row, err
}

// endAttempt stores the outcome of an attempt to send an email.
func endAttempt(
	ctx context.Context, tx bun.Tx, id string, attempt int, outcome watchparty.EmailOutcome, answer string,
) error {
	_, err := tx.NewRaw("UPDATE email_attempts "+
		"SET outcome = ?, answer = ?, ended_at = now(), updated_at = now() WHERE email_id = ? AND number = ?",
		string(outcome), answer, id, attempt).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: end the attempt: %w", err)
	}
	return nil
}
