package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type verificationRow struct {
	bun.BaseModel `bun:"table:email_verifications,alias:v"`

	ID        string     `bun:"id,pk"`
	UserID    string     `bun:"user_id"`
	Email     string     `bun:"email"`
	EmailKey  string     `bun:"email_key"`
	Former    *string    `bun:"former"`
	ExpiresAt time.Time  `bun:"expires_at"`
	UsedAt    *time.Time `bun:"used_at"`
	CreatedAt time.Time  `bun:"created_at"`
	UpdatedAt time.Time  `bun:"updated_at"`
	Pending   bool       `bun:"pending,scanonly"`
}

// pending is the condition of a verification that can be confirmed. A newer verification makes the earlier ones void,
// whatever becomes of it.
const pending = "v.used_at IS NULL AND v.expires_at > now() AND " +
	"NOT EXISTS (SELECT FROM email_verifications AS n WHERE n.user_id = v.user_id AND n.id > v.id)"

func addVerification(ctx context.Context, tx bun.Tx, userID, email, key string) (string, error) {
	now := Now()
	row := &verificationRow{
		ID: newID(), UserID: userID, Email: email, EmailKey: key, ExpiresAt: now.Add(watchparty.VerificationTTL),
		CreatedAt: now, UpdatedAt: now,
	}
	if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
		return "", fmt.Errorf("store: add verification: %w", err)
	}
	return row.ID, nil
}

func (s *Store) askToVerify(ctx context.Context, tx bun.Tx, userID, email, key string) (job.Event, error) {
	id, err := addVerification(ctx, tx, userID, email, key)
	if err != nil {
		return job.Event{}, err
	}
	emailID, err := s.addEmail(ctx, tx, watchparty.EmailVerification, id, userID, job.VerificationEmailID(id), userID,
		key)
	return job.VerificationEmailEvent(id, emailID).About(userID, ""), err
}

// RequestEmailChange queues an email to the account's new address, with the link that confirms it. It does the same for
// an address that another account has, so that nothing reveals that; PendingVerification then prevents the email from
// being sent. passwordHash is the hash that the caller found the user's password to match. It returns ErrWrongPassword
// if the account has another one by now, and an error of KindLimited if the user has requested too many emails.
func (s *Store) RequestEmailChange(ctx context.Context, userID, passwordHash, email string) error {
	to, err := watchparty.ParseAddress(email)
	if err != nil {
		return err
	}
	err = s.withEvent(ctx, func(ctx context.Context, tx bun.Tx) (job.Event, error) {
		user, err := lockActive(ctx, tx, userID)
		if err != nil {
			return job.Event{}, err
		}
		if user.PasswordHash != passwordHash {
			return job.Event{}, watchparty.ErrWrongPassword
		}
		return s.askToVerify(ctx, tx, userID, to.String(), to.Key())
	})
	return wrapErr(err, "request email address")
}

// ResendVerification queues another email to the account's own address, unless that is confirmed. It returns
// ErrKeyReused, and an error of KindLimited if the user has requested too many emails.
func (s *Store) ResendVerification(ctx context.Context, userID string, key IdempotencyKey) error {
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		user, err := lockActive(ctx, tx, userID)
		if err != nil {
			return nil, err
		}
		former, err := claimKey(ctx, tx, key, newID())
		if err != nil || former != "" || user.EmailVerifiedAt != nil {
			return nil, err
		}
		event, err := s.askToVerify(ctx, tx, userID, user.Email, user.EmailKey)
		return []job.Event{event}, err
	})
	return wrapErr(err, "resend verification")
}

// VerifyEmail makes the address of a verification the account's confirmed address. It queues a notice to the replaced
// address and voids password resets that were emailed there. Repeating it succeeds as long as the account has the
// address. It returns ErrBadToken, and ErrEmailTaken if another account has the address by now.
func (s *Store) VerifyEmail(ctx context.Context, id string) error {
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		var user userRow
		err := tx.NewSelect().Model(&user).Where("id = (SELECT user_id FROM email_verifications WHERE id = ?)", id).
			Where("deleted_at IS NULL").For("UPDATE").Scan(ctx) // email_key has a unique index
		if err != nil {
			return nil, err
		}
		var row verificationRow
		err = tx.NewSelect().Model(&row).ColumnExpr("v.*").ColumnExpr(pending+" AS pending").Where("v.id = ?", id).Scan(ctx)
		if err != nil {
			return nil, err
		}
		if row.UsedAt != nil && user.EmailVerifiedAt != nil && user.EmailKey == row.EmailKey {
			return nil, nil
		}
		if !row.Pending {
			return nil, watchparty.ErrBadToken
		}
		// Two accounts can still confirm one address at the same time; then the unique key stops the second. This query finds
		// the common case without the address in Postgres' log.
		exists, err := tx.NewSelect().Model((*userRow)(nil)).Where("email_key = ? AND id <> ?", row.EmailKey, user.ID).
			Exists(ctx)
		if err != nil {
			return nil, err
		}
		if exists {
			return nil, watchparty.ErrEmailTaken
		}
		confirmed, err := endWelcome(ctx, tx, user)
		if err != nil {
			return nil, err
		}
		events, err := s.confirm(ctx, tx, user, row)
		return append(events, confirmed...), err
	})
	err = wrapErr(err, "verify email address")
	switch {
	case takesAddress(err):
		return watchparty.ErrEmailTaken
	case watchparty.IsKind(err, watchparty.KindNotFound):
		return watchparty.ErrBadToken
	}
	return err
}

// endWelcome returns the event that ends the wait for the reminder of an account whose address is about to be confirmed
// for the first time. The caller has locked the account. There is no event if no workflow waits: it would be started
// once more.
func endWelcome(ctx context.Context, tx bun.Tx, user userRow) ([]job.Event, error) {
	if user.EmailVerifiedAt != nil {
		return nil, nil
	}
	var ids []string
	err := tx.NewRaw(`
		SELECT e.id FROM emails AS e WHERE e.kind = ?0 AND e.subject_id = ?1 AND e.resend_of IS NULL
			AND (e.state IN ('queued', 'sending') OR e.state = 'sent' AND e.sent_at > now() - ?2 * interval '1 s')
			AND NOT EXISTS (SELECT FROM outbox AS o WHERE o.workflow_id = e.workflow_id AND o.signal = ?3)`,
		string(watchparty.EmailWelcome), user.ID, watchparty.WelcomeReminderAfter.Seconds(), job.SignalConfirmed).
		Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return []job.Event{job.AddressConfirmedEvent(user.ID, ids[0])}, nil
}

func (s *Store) confirm(ctx context.Context, tx bun.Tx, user userRow, row verificationRow) ([]job.Event, error) {
	_, err := tx.NewUpdate().Model(&user).Set("email = ?", row.Email).Set("email_verified_at = now()").
		Set("updated_at = now()").
		WherePK().Exec(ctx)
	if err != nil {
		return nil, err
	}
	// This is a statement of its own: when the address changes and the key does not, a trigger takes that for an omission
	// of a former version.
	if _, err := tx.NewUpdate().Model(&user).Set("email_key = ?", row.EmailKey).WherePK().Exec(ctx); err != nil {
		return nil, err
	}
	used := tx.NewUpdate().Model(&row).Set("used_at = now()").Set("updated_at = now()").WherePK()
	if user.EmailKey == row.EmailKey {
		_, err = used.Exec(ctx)
		return nil, err
	}
	if _, err = used.Set("former = ?", user.Email).Exec(ctx); err != nil {
		return nil, err
	}
	if err := voidResets(ctx, tx, user.ID); err != nil {
		return nil, err
	}
	emailID, err := s.addEmail(ctx, tx, watchparty.EmailAddressChanged, row.ID, user.ID, job.EmailChangedID(row.ID), "",
		user.EmailKey)
	return []job.Event{job.EmailChangedEvent(row.ID, emailID).About(user.ID, "")}, err
}

// PendingVerification finds a verification that can be confirmed. It returns ErrNotFound for one that is used, expired
// or replaced, that belongs to a deleted account, or whose address another account has.
func (s *Store) PendingVerification(ctx context.Context, id string) (watchparty.Verification, error) {
	return s.verification(ctx, "v.id = ? AND "+pending+" AND "+
		"NOT EXISTS (SELECT FROM users AS u WHERE u.email_key = v.email_key AND u.id <> v.user_id)", id)
}

// PendingEmailAddress returns the address that replaces the user's address once it is confirmed; empty if there is
// none.
func (s *Store) PendingEmailAddress(ctx context.Context, userID string) (string, error) {
	var row verificationRow
	err := s.db.NewSelect().Model(&row).Where("v.user_id = ? AND "+pending, userID).
		Where("NOT EXISTS (SELECT FROM users AS u WHERE u.id = v.user_id AND u.email_key = v.email_key)").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return row.Email, wrapErr(err, "pending email address")
}

// FirstVerification finds the verification of the user's present address, or returns ErrNotFound if that is confirmed.
func (s *Store) FirstVerification(ctx context.Context, userID string) (watchparty.Verification, error) {
	return s.verification(ctx, "v.user_id = ? AND "+pending+" AND "+
		"EXISTS (SELECT FROM users AS u WHERE u.email_key = v.email_key AND u.id = v.user_id "+
		"AND u.email_verified_at IS NULL)", userID)
}

// ReplacedAddress finds the address that a confirmed one has replaced, or returns ErrNotFound.
func (s *Store) ReplacedAddress(ctx context.Context, id string) (watchparty.Verification, error) {
	return s.verification(ctx, "v.id = ? AND v.former IS NOT NULL", id)
}

func (s *Store) verification(ctx context.Context, condition, id string) (watchparty.Verification, error) {
	var row verificationRow
	if err := s.db.NewSelect().Model(&row).Where(condition, id).Scan(ctx); err != nil {
		return watchparty.Verification{}, wrapErr(err, "verification")
	}
	user, err := s.User(ctx, row.UserID)
	return watchparty.Verification{ID: row.ID, User: user, Email: row.Email, Former: valueOrZero(row.Former)}, err
}
