package store

import (
	"context"
	"fmt"
	"time"

	"github.com/watchparty/watchparty"
)

// myRooms selects the rooms of the user ?0 with the role ?1 and the state ?2, each empty for any: the newest before the
// room ?3, or all if that is NULL. It has three parts of at most ?4 rows each: the rooms that the user hosts, those in
// which the user has a role, and those in which the user is a mere participant.
var myRooms = `
	(SELECT r.id AS room_id, 'host' AS role FROM rooms AS r
		WHERE ?1 IN ('', 'host') AND r.host_id = ?0 AND (?3::uuid IS NULL OR r.id < ?3::uuid) AND ` + openToMe + `
		ORDER BY r.id DESC LIMIT ?4)
	UNION ALL
	(SELECT m.room_id, m.role FROM members AS m
		JOIN rooms AS r ON r.id = m.room_id AND r.host_id IS DISTINCT FROM m.user_id
		WHERE ?1 <> 'host' AND ?1 IN ('', m.role) AND m.user_id = ?0 AND (?3::uuid IS NULL OR m.room_id < ?3::uuid)
			AND ` + openToMe + `
		ORDER BY m.room_id DESC LIMIT ?4)
	UNION ALL
	(SELECT p.room_id, 'viewer' FROM participants AS p
		JOIN rooms AS r ON r.id = p.room_id AND r.host_id IS DISTINCT FROM p.user_id
		WHERE ?1 IN ('', 'viewer') AND p.user_id = ?0 AND (?3::uuid IS NULL OR p.room_id < ?3::uuid) AND ` + openToMe + `
			AND NOT EXISTS (SELECT FROM members WHERE room_id = p.room_id AND user_id = p.user_id)
		ORDER BY p.room_id DESC LIMIT ?4)`

var openToMe = roomThere + ` AND (?2 = '' OR (r.archived_at IS NULL) = (?2 = 'open'))
		AND NOT ` + isBanned("r.id", "?0")

// MyRooms lists the rooms that a user hosts, has a role in or is in, newest first.
func (s *Store) MyRooms(
	ctx context.Context, userID string, f watchparty.MyRoomFilter, p Page,
) ([]watchparty.MyRoom, error) {
	state := ""
	if f.Archived != nil {
		state = "open"
		if *f.Archived {
			state = "archived"
		}
	}
	var before any // an ID
	if len(p.After) > 0 {
		before = p.After[0]
	}
	var rows []roomRow
	mine := s.db.NewRaw(myRooms, userID, string(f.Role), state, before, p.Limit)
	err := selectRooms(s.db, &rows).ColumnExpr("mine.role AS my_role").
		// Not EXISTS, for which the planner may read all rooms that the user is in.
		ColumnExpr("(SELECT count(*) FROM participants WHERE room_id = r.id AND user_id = ?) > 0 AS joined", userID).
		ColumnExpr(unread, userID).ColumnExpr(lastMessageAt).
		Join("JOIN (?) AS mine ON mine.room_id = r.id", mine).Order("r.id DESC").Limit(p.Limit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: my rooms: %w", err)
	}
	return mapRows(rows, func(r roomRow) watchparty.MyRoom {
		return watchparty.MyRoom{
			Room:          r.room(),
			Role:          watchparty.Role(r.MyRole),
			Joined:        r.Joined,
			Unread:        r.Unread,
			LastMessageAt: valueOrZero(r.LastMessageAt).UTC(),
		}
	}), nil
}

// OwnStanding finds a user's role in a room, whether the user is in it, and the mute in force. It returns ErrNotFound
// if the room is deleted or hidden.
func (s *Store) OwnStanding(ctx context.Context, roomID, userID string) (watchparty.OwnStanding, error) {
	var row struct {
		Role   string     `bun:"role"`
		Joined bool       `bun:"joined"`
		Until  *time.Time `bun:"until"`

		Control string `bun:"control"`
		Queue   string `bun:"queue"`
	}
	err := s.db.NewRaw(`
		SELECT coalesce(`+roleInRoom("r.host_id", "r.id", "?1")+`, 'viewer') AS role,
			p.user_id IS NOT NULL AS joined, q.until, r.control, r.queue
		FROM rooms AS r
		LEFT JOIN participants AS p ON p.room_id = r.id AND p.user_id = ?1
		LEFT JOIN mutes AS q ON q.room_id = r.id AND q.user_id = ?1 AND q.until > now()
		WHERE r.id = ?0 AND `+roomThere, roomID, userID).Scan(ctx, &row)
	return watchparty.OwnStanding{
		Role: watchparty.Role(row.Role), Joined: row.Joined, MutedUntil: valueOrZero(row.Until).UTC(),
		Access: watchparty.RoomAccess{Control: watchparty.AccessLevel(row.Control), Queue: watchparty.AccessLevel(row.Queue)},
	}, wrapErr(err, "own standing")
}
