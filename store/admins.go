package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// GrantAdmin makes the account with that email address an admin, by an operator's command; one that is an admin already
// stays as it is. It returns ErrNotFound and ErrAddressUnconfirmed.
func (s *Store) GrantAdmin(ctx context.Context, email string) (watchparty.User, error) {
	return s.changeAdmin(ctx, "", true, byAddress(email))
}

// RevokeAdmin takes an admin's rights from the account with that email address, by an operator's command; one that has
// none stays as it is. It returns ErrNotFound and ErrLastAdmin.
func (s *Store) RevokeAdmin(ctx context.Context, email string) (watchparty.User, error) {
	return s.changeAdmin(ctx, "", false, byAddress(email))
}

// GrantAdminTo is GrantAdmin by an admin, for an account by its ID.
func (s *Store) GrantAdminTo(ctx context.Context, adminID, userID string) (watchparty.User, error) {
	return s.changeAdmin(ctx, adminID, true, byID(userID))
}

// RevokeAdminOf is RevokeAdmin by an admin, for an account by its ID.
func (s *Store) RevokeAdminOf(ctx context.Context, adminID, userID string) (watchparty.User, error) {
	return s.changeAdmin(ctx, adminID, false, byID(userID))
}

// selection chooses one account.
type selection func(tx bun.Tx, row *userRow) *bun.SelectQuery

func byID(id string) selection {
	return func(tx bun.Tx, row *userRow) *bun.SelectQuery {
		return tx.NewSelect().Model(row).Where("id = ? AND deleted_at IS NULL", id)
	}
}

func byAddress(email string) selection {
	return func(tx bun.Tx, row *userRow) *bun.SelectQuery { return selectByAddress(tx, row, email) }
}

func (s *Store) changeAdmin(ctx context.Context, actorID string, admin bool, chosen selection) (watchparty.User, error) {
	var row userRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := chosen(tx, &row).For("NO KEY UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		if err := administering(ctx, tx, actorID); err != nil {
			return err
		}
		action := watchparty.AuditAdminGranted
		switch {
		case admin && row.EmailVerifiedAt == nil:
			return watchparty.ErrAddressUnconfirmed
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
		return tx.NewUpdate().Model(&row).Set("is_admin = ?", admin).Set("updated_at = now()").WherePK().Returning("*").Scan(ctx)
	})
	return row.user(), found(err, "change admin")
}

// anotherAdmin returns ErrLastAdmin when nobody but the account administers the service, for what is about to end the
// account's rights in the same transaction. Whatever ends an admin's rights comes here after it has locked the account;
// until its transaction ends no other one gets past, so that two admins cannot end each other's at once.
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
