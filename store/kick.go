package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// Kick puts someone out of a room and takes away what they were there: a role, and the membership that lets them into a
// private one. Open invitations to their address end, too. Besides what permittedOn returns, it returns ErrNotFound
// when there is nothing to put them out of.
func (s *Store) Kick(ctx context.Context, roomID, actorID, username string) error {
	err := s.changeStandings(ctx, roomID, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		target, err := permittedOn(ctx, tx, roomID, actorID, username, watchparty.MayKick)
		if err != nil {
			return nil, err
		}
		out, err := putOut(ctx, tx, roomID, target.ID)
		if err != nil {
			return nil, err
		}
		if !out {
			return nil, watchparty.ErrNotFound
		}
		events, err := endInvitationsTo(ctx, tx, roomID, target.ID)
		if err != nil {
			return nil, err
		}
		return events, logAct(ctx, tx, roomID, actorID, target.ID, watchparty.ActKicked, nil)
	})
	return found(err, "kick")
}

// putOut takes a user out of a room with what they were there, and reports whether there was anything to put them out
// of.
func putOut(ctx context.Context, tx bun.Tx, roomID, userID string) (out bool, err error) {
	for _, table := range []string{"participants", "members"} {
		was, err := remove(ctx, tx, table, roomID, userID)
		if err != nil {
			return false, err
		}
		out = out || was
	}
	return out, nil
}

// remove deletes what ties a user to a room, in participants or members, and reports whether it was there.
func remove(ctx context.Context, tx bun.Tx, table, roomID, userID string) (bool, error) {
	result, err := tx.NewDelete().Table(table).Where("room_id = ? AND user_id = ?", roomID, userID).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("store: remove from %s: %w", table, err)
	}
	return affected(result), nil
}
