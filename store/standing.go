package store

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// Standing finds what a user is to a room. It returns ErrNotFound for a room that is not there, or hidden.
func (s *Store) Standing(ctx context.Context, roomID, userID string) (watchparty.Standing, error) {
	return readStanding(ctx, s.db, roomID, userID)
}

func readStanding(ctx context.Context, db bun.IDB, roomID, userID string) (watchparty.Standing, error) {
	var row struct {
		Role   string     `bun:"role"`
		Banned bool       `bun:"banned"`
		Until  *time.Time `bun:"until"`
	}
	err := db.NewRaw(`
		SELECT CASE WHEN r.host_id = ?1 THEN 'host' ELSE coalesce(m.role, '') END AS role,
			b.user_id IS NOT NULL AS banned, b.until
		FROM rooms AS r
		LEFT JOIN members AS m ON m.room_id = r.id AND m.user_id = ?1
		LEFT JOIN bans AS b ON b.room_id = r.id AND b.user_id = ?1 AND (b.until IS NULL OR b.until > now())
		WHERE r.id = ?0 AND `+roomThere, roomID, userID).Scan(ctx, &row)
	return watchparty.Standing{Role: watchparty.Role(row.Role), Banned: row.Banned, BannedUntil: value(row.Until).UTC()}, found(err, "standing")
}

// mayKnow returns ErrBanned and ErrNotFound to whoever may not know of a room.
func mayKnow(ctx context.Context, tx bun.Tx, roomID, userID string) error {
	var viewer struct {
		Banned bool `bun:"banned"`
		Hidden bool `bun:"hidden"`
	}
	err := tx.NewRaw(`
		SELECT EXISTS (SELECT FROM bans WHERE room_id = r.id AND user_id = ?1 AND `+banInForce+`) AS banned,
			r.visibility = 'private' AND r.host_id IS DISTINCT FROM ?1
				AND NOT EXISTS (SELECT FROM members WHERE room_id = r.id AND user_id = ?1) AS hidden
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

// lockRoom takes the lock under which the people of a room change: its capacity holds, and so do the roles that
// permitted finds. NO KEY lets others post messages meanwhile.
func lockRoom(ctx context.Context, tx bun.Tx, roomID string) (roomRow, error) {
	var room roomRow
	err := tx.NewSelect().Model(&room).Where("r.id = ? AND "+roomThere, roomID).For("NO KEY UPDATE").Scan(ctx)
	return room, found(err, "lock room")
}

// lockAnyRoom is lockRoom for admins, who act on hidden rooms too.
func lockAnyRoom(ctx context.Context, tx bun.Tx, roomID string) (roomRow, error) {
	var room roomRow
	err := tx.NewSelect().Model(&room).Where("id = ? AND deleted_at IS NULL", roomID).For("NO KEY UPDATE").Scan(ctx)
	return room, found(err, "lock any room")
}

// lockRoomAlone is lockRoom for what ends a room: it keeps out who posts, too. Take it first, since who posts may wait
// for the lesser lock.
func lockRoomAlone(ctx context.Context, tx bun.Tx, roomID string) error {
	_, err := tx.NewRaw("SELECT FROM rooms WHERE id = ? FOR UPDATE", roomID).Exec(ctx)
	return err
}

// permitted is for what one does to a room by one's role: it locks the room, then the actor's account, and returns
// ErrUnauthenticated, ErrNotFound to whoever may not know of the room, ErrBanned, and ErrForbidden without the
// permission.
func permitted(ctx context.Context, tx bun.Tx, roomID, actorID string, p watchparty.Permission) (roomRow, watchparty.Role, error) {
	room, err := lockRoom(ctx, tx, roomID)
	if err != nil {
		return room, "", err
	}
	if err := living(ctx, tx, actorID); err != nil {
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

// permittedOn is permitted for what is done to a person, who has to be below the actor. It returns ErrNotFound for a
// name that nobody has.
func permittedOn(
	ctx context.Context, tx bun.Tx, roomID, actorID, username string, p watchparty.Permission,
) (watchparty.Person, error) {
	_, role, err := permitted(ctx, tx, roomID, actorID, p)
	if err != nil {
		return watchparty.Person{}, err
	}
	target, err := existing(ctx, tx, username)
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
	return watchparty.Person{ID: target.ID, Username: target.Username}, nil
}
