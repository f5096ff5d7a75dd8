package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// alive is the condition of an account in users that is neither deleted nor suspended.
const alive = "u.deleted_at IS NULL AND u.suspended_at IS NULL"

// living keeps an account from being deleted or suspended until the transaction ends. A transaction calls it before it
// stores something in the account's name, or something that grants the account a right, so that a deletion or
// suspension finds it. It returns ErrUnauthenticated for an account that is deleted or suspended already.
func living(ctx context.Context, tx bun.Tx, userID string) error {
	return foundAlive(tx.NewSelect().Model((*userRow)(nil)).Column("id").Where("u.id = ?", userID).Where(alive).
		For("SHARE").Scan(ctx, new(string)))
}

// foundAlive returns ErrUnauthenticated if a query with the condition alive has found no account.
func foundAlive(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return watchparty.ErrUnauthenticated
	}
	return err
}

// administering is living for an operation of an admin. A transaction that revokes the admin's rights waits for the
// operation; or it comes first, and administering returns ErrForbidden. An operator's command has no actor: its actorID
// is empty, and administering does nothing.
func administering(ctx context.Context, tx bun.Tx, actorID string) error {
	if actorID == "" {
		return nil
	}
	var row userRow
	err := foundAlive(tx.NewSelect().Model(&row).Where("u.id = ?", actorID).Where(alive).For("SHARE").Scan(ctx))
	if err == nil && !row.user().Administers() {
		return watchparty.ErrForbidden
	}
	return err
}

// existing is living for the account that an operation is about, by its username. The account may be suspended. It
// returns ErrNotFound if no account has the username.
func existing(ctx context.Context, tx bun.Tx, username string) (userRow, error) {
	var row userRow
	err := tx.NewSelect().Model(&row).Where(byUsername, username).For("SHARE").Scan(ctx)
	return row, found(err, "person")
}
