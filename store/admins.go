package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// GrantAdmin makes the account with that email address an admin, by an operator's command. An account that is an admin
// already stays as it is. It returns ErrNotFound and ErrAccountUnverified.
func (s *Store) GrantAdmin(ctx context.Context, email string) (watchparty.User, error) {
	return s.changeAdmin(ctx, "", true, lockByAddress(email))
}

// RevokeAdmin takes an admin's rights from the account with that email address, by an operator's command. An account
// without them stays as it is. It returns ErrNotFound and ErrLastAdmin.
func (s *Store) RevokeAdmin(ctx context.Context, email string) (watchparty.User, error) {
	return s.changeAdmin(ctx, "", false, lockByAddress(email))
}

// GrantAdminTo makes the account with that ID an admin, in an admin's name; otherwise it is like GrantAdmin.
func (s *Store) GrantAdminTo(ctx context.Context, adminID, userID string) (watchparty.User, error) {
	return s.changeAdmin(ctx, adminID, true, func(ctx context.Context, tx bun.Tx) (userRow, error) {
		return lockUserForAdmin(ctx, tx, userID, adminID)
	})
}

// RevokeAdminOf takes an admin's rights from the account with that ID, in an admin's name; otherwise it is like
// RevokeAdmin.
func (s *Store) RevokeAdminOf(ctx context.Context, adminID, userID string) (watchparty.User, error) {
	return s.changeAdmin(ctx, adminID, false, func(ctx context.Context, tx bun.Tx) (userRow, error) {
		return lockUserForAdmin(ctx, tx, userID, adminID)
	})
}

// changeAdmin grants or revokes an admin's rights. lock locks the account.
func (s *Store) changeAdmin(
	ctx context.Context, actorID string, admin bool, lock func(ctx context.Context, tx bun.Tx) (userRow, error),
) (watchparty.User, error) {
	var row userRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if row, err = lock(ctx, tx); err != nil {
			return err
		}
		action := watchparty.AuditAdminGranted
		switch {
		case admin && row.EmailVerifiedAt == nil:
			return watchparty.ErrAccountUnverified
		case row.IsAdmin == admin:
			return nil
		case !admin:
			action = watchparty.AuditAdminRevoked
			if err := anotherAdmin(ctx, tx, row); err != nil {
				return err
			}
		}
		if err := audit(ctx, tx, actorID, action, watchparty.AuditUser, row.ID, nil); err != nil {
			return err
		}
		return tx.NewUpdate().Model(&row).Set("is_admin = ?", admin).Set("updated_at = now()").WherePK().Returning("*").
			Scan(ctx)
	})
	return row.user(), wrapErr(err, "change admin")
}

// lockByAddress locks the account with an email address, as lockUser does.
func lockByAddress(email string) func(context.Context, bun.Tx) (userRow, error) {
	return func(ctx context.Context, tx bun.Tx) (row userRow, err error) {
		err = selectByAddress(tx, &row, email).For("NO KEY UPDATE").Scan(ctx)
		return row, err
	}
}

// anotherAdmin returns ErrLastAdmin if the account is the only admin. Every transaction that ends an admin's rights
// calls it after it has locked the account. Such transactions then run one after the other, so that two admins cannot
// revoke each other at once.
func anotherAdmin(ctx context.Context, tx bun.Tx, user userRow) error {
	if !user.user().Administers() {
		return nil
	}
	if _, err := tx.NewRaw("SELECT pg_advisory_xact_lock(hashtextextended('admins', 0))").Exec(ctx); err != nil {
		return err
	}
	others, err := tx.NewSelect().Model((*userRow)(nil)).Where("is_admin AND id <> ?", user.ID).
		Where("deleted_at IS NULL AND suspended_at IS NULL AND email_verified_at IS NOT NULL").Exists(ctx)
	if err == nil && !others {
		err = watchparty.ErrLastAdmin
	}
	return err
}
