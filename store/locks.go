package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// The order in which rows are locked is in doc.go. These are the locks of rooms and accounts; all other rows are locked
// by the statements that change them.

// errLockedLate ends a transaction that has found, after it locked its rooms and accounts, that it needs another one,
// because somebody changed a row meanwhile. inTx runs the transaction again.
var errLockedLate = errors.New("store: a row that comes earlier in the order of locks is needed now")

// lockRoom locks a room for a change of its participants, members or roles. Until the transaction ends, the number of
// participants and the roles that permitted has read stay as they are. FOR NO KEY UPDATE does not block new messages.
func lockRoom(ctx context.Context, tx bun.Tx, roomID string) (roomRow, error) {
	var room roomRow
	err := tx.NewSelect().Model(&room).Where("r.id = ? AND "+roomThere, roomID).For("NO KEY UPDATE").Scan(ctx)
	return room, wrapErr(err, "lock room")
}

// lockAnyRoom is lockRoom for admins, who act on hidden rooms too.
func lockAnyRoom(ctx context.Context, tx bun.Tx, roomID string) (roomRow, error) {
	var room roomRow
	err := tx.NewSelect().Model(&room).Where("id = ? AND deleted_at IS NULL", roomID).For("NO KEY UPDATE").Scan(ctx)
	return room, wrapErr(err, "lock any room")
}

// lockRoomAlone locks a room that is about to be archived or deleted. Unlike lockRoom, it also blocks new messages. It
// has to be the transaction's first lock of the room, because upgrading a weaker lock can deadlock.
func lockRoomAlone(ctx context.Context, tx bun.Tx, roomID string) error {
	_, err := tx.NewRaw("SELECT FROM rooms WHERE id = ? FOR UPDATE", roomID).Exec(ctx)
	return err
}

// lockHosted locks the rooms that users host, deleted ones included, and returns their IDs.
func lockHosted(ctx context.Context, tx bun.Tx, userIDs ...string) (rooms []string, err error) {
	err = tx.NewRaw("SELECT id FROM rooms WHERE host_id IN (?) ORDER BY id FOR UPDATE", bun.List(userIDs)).
		Scan(ctx, &rooms)
	return rooms, err
}

// lockUser locks an account for a change of its password, address or sign-ins. Every operation that starts a sign-in
// first takes FOR SHARE on the row, so that an operation that ends all sign-ins misses none. Foreign keys take weaker
// locks, which do not conflict with either.
func lockUser(ctx context.Context, tx bun.Tx, id string) (userRow, error) {
	var row userRow
	err := tx.NewSelect().Model(&row).Where("id = ? AND deleted_at IS NULL", id).For("NO KEY UPDATE").Scan(ctx)
	return row, err
}

// shareLockUsers keeps the accounts that a condition on users chooses from being deleted or suspended until the
// transaction ends. An operation that needs several accounts begins with it, because it locks them in the order of
// their IDs.
func shareLockUsers(ctx context.Context, tx bun.Tx, condition string, args ...any) error {
	if _, err := tx.NewRaw("SELECT FROM users WHERE "+condition+" ORDER BY id FOR SHARE", args...).Exec(ctx); err != nil {
		return fmt.Errorf("store: keep accounts: %w", err)
	}
	return nil
}

// lockUserForAdmin locks an account that an admin acts on, and checks the admin's rights. It takes both locks in the
// order of the IDs, because another admin may act on this admin at the same time.
func lockUserForAdmin(ctx context.Context, tx bun.Tx, id, adminID string) (row userRow, err error) {
	adminFirst := strings.Compare(adminID, id) < 0
	if adminFirst {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return row, err
		}
	}
	row, err = lockUser(ctx, tx, id)
	if err == nil && !adminFirst {
		err = requireAdmin(ctx, tx, adminID)
	}
	return row, err
}

// lockUsersToDelete locks accounts that are about to be deleted, and keeps the heirs of their rooms from being deleted
// or suspended: all of them in the order of their IDs. The accounts to delete have to fulfil a condition. With skip, it
// leaves out accounts that another transaction has locked. It returns the accounts that it has locked for their
// deletion.
func lockUsersToDelete(
	ctx context.Context, tx bun.Tx, condition string, users, heirs []string, skip bool,
) (locked []userRow, err error) {
	all := slices.Concat(users, heirs)
	slices.Sort(all)
	for _, id := range slices.Compact(all) { // few: userBatch accounts, and one heir for each of their rooms
		var row userRow
		q, mode := tx.NewSelect().Model(&row).Where("id = ?", id), "SHARE"
		toDelete := slices.Contains(users, id)
		if toDelete {
			q, mode = q.Where(condition), "UPDATE"
		}
		if toDelete && skip {
			mode += " SKIP LOCKED"
		}
		if err = q.For(mode).Scan(ctx); err == nil && toDelete {
			locked = append(locked, row)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("store: lock accounts: %w", err)
		}
	}
	return locked, nil
}

// lockActive locks an account for a change by its owner. It returns ErrUnauthenticated if the account is deleted or
// suspended.
func lockActive(ctx context.Context, tx bun.Tx, userID string) (userRow, error) {
	row, err := lockUser(ctx, tx, userID)
	if err == nil && row.SuspendedAt != nil {
		err = watchparty.ErrUnauthenticated
	}
	return row, foundActive(err)
}
