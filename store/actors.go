package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// active is the condition of an account in users that is neither deleted nor suspended.
const active = "u.deleted_at IS NULL AND u.suspended_at IS NULL"

// requireActive keeps an account from being deleted or suspended until the transaction ends. A transaction calls it
// before it stores something in the account's name, or grants the account a right, so that a deletion or suspension
// finds that. It returns ErrUnauthenticated if the account is deleted or suspended.
func requireActive(ctx context.Context, tx bun.Tx, userID string) error {
	return foundActive(tx.NewSelect().Model((*userRow)(nil)).Column("id").Where("u.id = ?", userID).Where(active).
		For("SHARE").Scan(ctx, new(string)))
}

// foundActive returns ErrUnauthenticated if a query with the condition active has found no account.
func foundActive(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return watchparty.ErrUnauthenticated
	}
	return err
}

// requireAdmin is like requireActive, and also requires an admin's rights. A transaction that revokes these rights
// waits for the operation, or commits first: then requireAdmin returns ErrForbidden. With an empty actorID, which
// stands for an operator's command, it does nothing.
func requireAdmin(ctx context.Context, tx bun.Tx, actorID string) error {
	if actorID == "" {
		return nil
	}
	var row userRow
	err := foundActive(tx.NewSelect().Model(&row).Where("u.id = ?", actorID).Where(active).For("SHARE").Scan(ctx))
	if err == nil && !row.user().Administers() {
		return watchparty.ErrForbidden
	}
	return err
}

// findPerson finds an account by its username, suspended or not, and keeps it from being deleted or suspended until
// the transaction ends. It returns ErrNotFound if no account has the username.
func findPerson(ctx context.Context, tx bun.Tx, username string) (userRow, error) {
	var row userRow
	err := tx.NewSelect().Model(&row).Where(byUsername, username).For("SHARE").Scan(ctx)
	return row, wrapErr(err, "person")
}
