package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// Kick removes a person from a room, with the person's role and membership, which lets members into a private room. It
// revokes open invitations to the person's address. Besides the errors of permittedOn, it returns ErrNotFound if the
// person is neither in the room nor has a role in it.
func (s *Store) Kick(ctx context.Context, roomID, actorID, username string) error {
	err := s.changeStandings(ctx, roomID, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		target, err := permittedOn(ctx, tx, roomID, actorID, username, watchparty.MayKick)
		if err != nil {
			return nil, err
		}
		out, err := removePerson(ctx, tx, roomID, target.ID)
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
	return wrapErr(err, "kick")
}

// removePerson removes a user from the participants and members of a room, and reports whether the user was one of
// them.
func removePerson(ctx context.Context, tx bun.Tx, roomID, userID string) (out bool, err error) {
	for _, table := range []string{"participants", "members"} {
		was, err := deleteRow(ctx, tx, table, roomID, userID)
		if err != nil {
			return false, err
		}
		out = out || was
	}
	// A person who may not come gets no reminders.
	_, err = tx.NewDelete().Table("party_answers").Where("room_id = ? AND user_id = ?", roomID, userID).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("store: remove answers to parties: %w", err)
	}
	return out, nil
}

// deleteRow deletes a user's row of a room, whose lock the caller holds, from the table participants or members, and
// reports whether there was one.
func deleteRow(ctx context.Context, tx bun.Tx, table, roomID, userID string) (bool, error) {
	result, err := tx.NewDelete().Table(table).Where("room_id = ? AND user_id = ?", roomID, userID).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("store: remove from %s: %w", table, err)
	}
	if !affected(result) {
		return false, nil
	}
	changesRoomAndStandings(ctx, roomID)
	return true, countAccess(ctx, tx, roomID)
}
