package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type resetRow struct {
	bun.BaseModel `bun:"table:password_resets,alias:p"`

	ID        string     `bun:"id,pk"`
	UserID    *string    `bun:"user_id"`
	ExpiresAt time.Time  `bun:"expires_at"`
	UsedAt    *time.Time `bun:"used_at"`
	CreatedAt time.Time  `bun:"created_at"`
	UpdatedAt time.Time  `bun:"updated_at"`
}

// usable is the condition of a password reset that works. A newer reset makes the earlier ones void.
const usable = "p.used_at IS NULL AND p.expires_at > now() AND " +
	"NOT EXISTS (SELECT FROM password_resets AS n WHERE n.user_id = p.user_id AND n.id > p.id)"

// RequestReset queues an email that resets the password of the account with that address. For an address without an
// account it runs the same statements, so that timing does not reveal which addresses have one; that email is cancelled
// when it is to be sent.
//
// It returns ErrKeyReused, and an error of KindLimited when the address was given too often, with or without an
// account.
func (s *Store) RequestReset(ctx context.Context, email string, key IdempotencyKey) error {
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		id := newID()
		if former, err := claimKey(ctx, tx, key, id); err != nil || former != "" {
			return nil, err
		}
		var ids []string
		err := selectByAddress(tx, (*userRow)(nil), email).Column("id").For("SHARE").Scan(ctx, &ids)
		if err != nil {
			return nil, err
		}
		userID := ""
		if len(ids) > 0 {
			userID = ids[0]
		}
		now := Now()
		row := &resetRow{
			ID: id, UserID: nullID(userID), ExpiresAt: now.Add(watchparty.ResetTTL), CreatedAt: now, UpdatedAt: now,
		}
		if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
			return nil, err
		}
		emailID, err := s.addEmail(ctx, tx, watchparty.EmailReset, row.ID, userID, job.PasswordResetID(row.ID),
			watchparty.AccountKey(email), watchparty.AccountKey(email))
		return []job.Event{job.PasswordResetEvent(row.ID, emailID).About(userID, "")}, err
	})
	if err != nil {
		return fmt.Errorf("store: request reset: %w", err)
	}
	return nil
}

// ResetUser finds the user of a reset. It returns ErrNotFound for a reset that is used, expired or replaced, and for an
// account that is deleted.
func (s *Store) ResetUser(ctx context.Context, id string) (watchparty.User, error) {
	var row userRow
	err := s.db.NewSelect().Model(&row).Where("deleted_at IS NULL").
		Where("id = (SELECT p.user_id FROM password_resets AS p WHERE p.id = ? AND "+usable+")", id).Scan(ctx)
	return row.user(), wrapErr(err, "reset's user")
}

// ResetPassword uses a reset: it sets the password, makes the user's other resets void, ends all their sign-ins, and
// confirms the address that the link was emailed to. It returns the user's ID, and ErrBadToken for a reset that does
// not work.
func (s *Store) ResetPassword(ctx context.Context, id, passwordHash string) (userID string, err error) {
	err = s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		var user userRow
		err := tx.NewSelect().Model(&user).Column("id", "email_verified_at").
			Where("id = (SELECT user_id FROM password_resets WHERE id = ?)", id).
			Where("deleted_at IS NULL").For("NO KEY UPDATE").Scan(ctx)
		if err != nil {
			return nil, err
		}
		userID = user.ID
		// This is checked under the lock, since another request may have used the reset meanwhile.
		if err := tx.NewSelect().Model((*resetRow)(nil)).Column("id").Where("id = ?", id).Where(usable).
			Scan(ctx, new(string)); err != nil {
			return nil, err
		}
		events, err := endWelcome(ctx, tx, user)
		if err != nil {
			return nil, err
		}
		_, err = tx.NewUpdate().Model((*userRow)(nil)).Set("email_verified_at = coalesce(email_verified_at, now())").
			Where("id = ?", userID).Exec(ctx)
		if err != nil {
			return nil, err
		}
		event, err := s.setPassword(ctx, tx, userID, passwordHash, "")
		return append(events, event), err
	})
	if err = wrapErr(err, "reset password"); watchparty.IsKind(err, watchparty.KindNotFound) {
		err = watchparty.ErrBadToken
	}
	return userID, err
}

// ChangePassword replaces the password whose hash is formerHash, makes resets void and ends the user's sign-ins except
// the one to keep. It returns ErrWrongPassword if the user has another password by now.
func (s *Store) ChangePassword(ctx context.Context, userID, formerHash, passwordHash, keep string) error {
	err := s.withEvent(ctx, func(ctx context.Context, tx bun.Tx) (job.Event, error) {
		user, err := lockActive(ctx, tx, userID)
		if err != nil {
			return job.Event{}, err
		}
		if user.PasswordHash != formerHash {
			return job.Event{}, watchparty.ErrWrongPassword
		}
		return s.setPassword(ctx, tx, userID, passwordHash, keep)
	})
	return wrapErr(err, "change password")
}

// setPassword also queues an email to the account's address about it. The caller has called lockUser.
func (s *Store) setPassword(ctx context.Context, tx bun.Tx, userID, passwordHash, keep string) (job.Event, error) {
	var to string
	err := tx.NewUpdate().Model((*userRow)(nil)).Set("password_hash = ?", passwordHash).Set("updated_at = now()").
		Where("id = ?", userID).Returning("coalesce(email_key, '')").Scan(ctx, &to)
	if err != nil {
		return job.Event{}, err
	}
	for _, void := range []func(context.Context, bun.Tx, string) error{voidResets, voidNewAddress, forgetClients} {
		if err := void(ctx, tx, userID); err != nil {
			return job.Event{}, err
		}
	}
	if err := endSessions(ctx, tx, userID, keep); err != nil {
		return job.Event{}, err
	}
	change := newID()
	emailID, err := s.addEmail(ctx, tx, watchparty.EmailPasswordChanged, change, userID, job.PasswordChangedID(change), "",
		to)
	return job.PasswordChangedEvent(change, emailID).About(userID, ""), err
}

// voidNewAddress makes an unconfirmed change of address void: somebody who knew the former password may have requested
// it, and could take over the account with it. The link that confirms the present address still works.
func voidNewAddress(ctx context.Context, tx bun.Tx, userID string) error {
	_, err := tx.NewRaw(`
		UPDATE email_verifications SET used_at = now(), updated_at = now()
		WHERE user_id = ?0 AND used_at IS NULL AND email_key <>
			(SELECT email_key FROM users WHERE id = ?0)`, userID).Exec(ctx)
	return err
}

func voidResets(ctx context.Context, tx bun.Tx, userID string) error {
	_, err := tx.NewUpdate().Model((*resetRow)(nil)).Set("used_at = now()").Set("updated_at = now()").
		Where("user_id = ? AND used_at IS NULL", userID).Exec(ctx)
	return err
}
