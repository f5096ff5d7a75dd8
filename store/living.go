package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// alive is the condition of an account that may begin something.
const alive = "u.deleted_at IS NULL AND u.suspended_at IS NULL"

// living keeps an account from being deleted or suspended until the transaction ends. Whatever is stored in an
// account's name, or lets it in somewhere, is stored after it: deletion and suspension then find it. It returns
// ErrUnauthenticated for an account that is deleted or suspended already.
func living(ctx context.Context, tx bun.Tx, userID string) error {
	return foundAlive(tx.NewSelect().Model((*userRow)(nil)).Column("id").Where("u.id = ?", userID).Where(alive).For("SHARE").Scan(ctx, new(string)))
}

// foundAlive says in an Error that a query with the condition alive found no account.
func foundAlive(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return watchparty.ErrUnauthenticated
	}
	return err
}

// administering is living for what only an admin may do. Whoever takes an admin's rights waits for the act, or the act
// finds that they are gone: it returns ErrForbidden then. An operator's command has no actor, and needs none.
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

// existing is living for what is done to somebody, who may be suspended. It finds them by name and returns ErrNotFound
// for a name that nobody has.
func existing(ctx context.Context, tx bun.Tx, username string) (userRow, error) {
	var row userRow
	err := tx.NewSelect().Model(&row).Where("lower(username) = lower(?) AND deleted_at IS NULL", username).For("SHARE").Scan(ctx)
	return row, found(err, "person")
}
