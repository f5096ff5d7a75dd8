package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// Kick puts someone out of a room and takes away what they were there: a role, and the membership that lets them into a
// private one. Besides what permittedOn returns, it returns ErrNotFound when there is nothing to put them out of.
func (s *Store) Kick(ctx context.Context, roomID, actorID, username string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		target, err := permittedOn(ctx, tx, roomID, actorID, username, watchparty.MayKick)
		if err != nil {
			return err
		}
		out := false
		for _, table := range []string{"participants", "members"} {
			was, err := remove(ctx, tx, table, roomID, target.ID)
			if err != nil {
				return err
			}
			out = out || was
		}
		if !out {
			return watchparty.ErrNotFound
		}
		return logAct(ctx, tx, roomID, actorID, target.ID, watchparty.ActKicked, nil)
	})
	return found(err, "kick")
}

// remove deletes what ties a user to a room, in participants or members, and reports whether it was there.
func remove(ctx context.Context, tx bun.Tx, table, roomID, userID string) (bool, error) {
	result, err := tx.NewDelete().Table(table).Where("room_id = ? AND user_id = ?", roomID, userID).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("store: remove from %s: %w", table, err)
	}
	return affected(result), nil
}
