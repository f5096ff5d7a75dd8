package store

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// Standing finds a user's role in a room, and the ban in force. It returns ErrNotFound if the room is deleted or
// hidden.
func (s *Store) Standing(ctx context.Context, roomID, userID string) (watchparty.Standing, error) {
	return readStanding(ctx, s.db, roomID, userID)
}

// roleInRoom is the role of a person in a room, NULL for none. The room's host_id and id and the person's ID are given
// as expressions in SQL.
func roleInRoom(hostID, roomID, userID string) string {
	return "CASE WHEN " + hostID + " = " + userID + " THEN 'host' ELSE (" +
		"SELECT role FROM members WHERE room_id = " + roomID + " AND user_id = " + userID + ") END"
}

func readStanding(ctx context.Context, db bun.IDB, roomID, userID string) (watchparty.Standing, error) {
	var row struct {
		Role   string     `bun:"role"`
		Banned bool       `bun:"banned"`
		Until  *time.Time `bun:"until"`
	}
	err := db.NewRaw(`
		SELECT coalesce(`+roleInRoom("r.host_id", "r.id", "?1")+`, '') AS role, b.user_id IS NOT NULL AS banned, b.until
		FROM rooms AS r
		LEFT JOIN bans AS b ON b.room_id = r.id AND b.user_id = ?1 AND `+banInForce+`
		WHERE r.id = ?0 AND `+roomThere, roomID, userID).Scan(ctx, &row)
	return watchparty.Standing{
			Role:        watchparty.Role(row.Role),
			Banned:      row.Banned,
			BannedUntil: valueOrZero(row.Until).UTC(),
		},
		wrapErr(
			err,
			"standing",
		)
}

// mayKnow returns ErrBanned for a user who is banned from a room, and ErrNotFound if the room is deleted or hidden, or
// private and the user is no member.
func mayKnow(ctx context.Context, tx bun.Tx, roomID, userID string) error {
	var viewer struct {
		Banned bool `bun:"banned"`
		Hidden bool `bun:"hidden"`
	}
	err := tx.NewRaw(`
		SELECT `+isBanned("r.id", "?1")+` AS banned,
			r.visibility = 'private' AND `+roleInRoom("r.host_id", "r.id", "?1")+` IS NULL AS hidden
		FROM rooms AS r WHERE r.id = ?0 AND `+roomThere, roomID, userID).Scan(ctx, &viewer)
	switch {
	case err != nil:
		return err
	case viewer.Banned:
		return watchparty.ErrBanned
	case viewer.Hidden:
		return watchparty.ErrNotFound
	}
	return nil
}

// permitted locks a room and the actor's account, and checks that the actor's role has a permission. It returns
// ErrUnauthenticated for a deleted or suspended account, ErrNotFound for a room that is deleted, hidden, or private
// without the actor as a member, ErrBanned, and ErrForbidden without the permission.
func permitted(
	ctx context.Context, tx bun.Tx, roomID, actorID string, p watchparty.Permission,
) (roomRow, watchparty.Role, error) {
	return permittedBeside(ctx, tx, roomID, actorID, p, "")
}

// permittedBeside is permitted for an operation that needs other accounts too: a condition on users chooses them, and
// shareLockUsers locks them together with the actor's account.
func permittedBeside(
	ctx context.Context, tx bun.Tx, roomID, actorID string, p watchparty.Permission, others string, args ...any,
) (roomRow, watchparty.Role, error) {
	room, err := lockRoom(ctx, tx, roomID)
	if err != nil {
		return room, "", err
	}
	if others != "" {
		if err := shareLockUsers(ctx, tx, "id = ? OR "+others, append([]any{actorID}, args...)...); err != nil {
			return room, "", err
		}
	}
	if err := requireActive(ctx, tx, actorID); err != nil {
		return room, "", err
	}
	actor, err := readStanding(ctx, tx, roomID, actorID)
	switch {
	case err != nil:
		return room, "", err
	case actor.Banned:
		return room, "", watchparty.ErrBanned
	case actor.Role == "" && room.Visibility == string(watchparty.Private):
		return room, "", watchparty.ErrNotFound
	case !actor.Role.May(p):
		return room, "", watchparty.ErrForbidden
	}
	return room, actor.Role, nil
}

// byUsername is the condition of the account with a username.
const byUsername = "lower(username) = lower(?) AND deleted_at IS NULL"

// permittedOn is permitted for an operation on another person, whose role has to be below the actor's. It returns
// ErrNotFound if no account has the username.
func permittedOn(
	ctx context.Context, tx bun.Tx, roomID, actorID, username string, p watchparty.Permission,
) (watchparty.Person, error) {
	_, role, err := permittedBeside(ctx, tx, roomID, actorID, p, byUsername, username)
	if err != nil {
		return watchparty.Person{}, err
	}
	target, err := findPerson(ctx, tx, username)
	if err != nil {
		return watchparty.Person{}, err
	}
	other, err := readStanding(ctx, tx, roomID, target.ID)
	if err != nil {
		return watchparty.Person{}, err
	}
	if !role.Outranks(cmp.Or(other.Role, watchparty.Viewer)) {
		return watchparty.Person{}, watchparty.ErrForbidden
	}
	return target.user().Person(), nil
}
