package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
)

// LiveRoom is what connections to a room are told of its settings.
type LiveRoom struct {
	ID         string    `bun:"id"`
	Name       string    `bun:"name"`
	Capacity   int       `bun:"capacity"`
	Control    string    `bun:"control"`
	Queue      string    `bun:"queue"`
	QueueOrder string    `bun:"queue_order"`
	WaitPolicy string    `bun:"wait_policy"`
	SlowMode   int       `bun:"slow_mode_seconds"` // in seconds
	PartiesAt  time.Time `bun:"parties_at"`        // when its parties last changed; zero without any
}

// LiveRooms finds rooms. Those that are not there are left out.
func (s *Store) LiveRooms(ctx context.Context, ids []string) ([]LiveRoom, error) {
	var rows []LiveRoom
	err := s.db.NewRaw(`
		SELECT id, name, capacity, control, queue, queue_order, wait_policy, slow_mode_seconds,
			(SELECT max(updated_at) FROM parties WHERE room_id = r.id) AS parties_at
		FROM rooms AS r WHERE id IN (?) AND `+roomThere, bun.List(append(ids, nobody))).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: live rooms: %w", err)
	}
	return rows, nil
}

// LiveMark says how far a room has come, besides the versions of its row.
type LiveMark struct {
	RoomID      string    `bun:"room_id"`
	LastMessage string    `bun:"last_message"` // the ID of the newest message; empty if there is none
	LastChange  time.Time `bun:"last_change"`  // when a message was last edited or taken back; zero if none was
	ChangeID    string    `bun:"change_id"`    // which one
	Connected   int       `bun:"connected"`    // how many connections are open
}

// LiveMarks finds the marks of rooms.
func (s *Store) LiveMarks(ctx context.Context, roomIDs []string) ([]LiveMark, error) {
	var rows []LiveMark
	if len(roomIDs) == 0 {
		return nil, nil
	}
	err := s.db.NewRaw(`
		SELECT r.room_id, coalesce(
				(SELECT m.id FROM messages AS m WHERE m.room_id = r.room_id ORDER BY m.id DESC LIMIT 1)::text, '') AS last_message,
			c.updated_at AS last_change, coalesce(c.id::text, '') AS change_id,
			(SELECT count(*) FROM live_members AS l JOIN live_nodes AS n ON n.id = l.node_id AND n.lease_until > now()
				WHERE l.room_id = r.room_id) AS connected
		FROM unnest(?::uuid[]) AS r (room_id)
		LEFT JOIN LATERAL (SELECT m.updated_at, m.id FROM messages AS m WHERE m.room_id = r.room_id AND `+changed+`
			ORDER BY m.updated_at DESC, m.id DESC LIMIT 1) AS c ON true`, pgdialect.Array(roomIDs)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: live marks: %w", err)
	}
	return rows, nil
}

// LiveMember is a participant of a room, and whether a connection of theirs is open anywhere.
type LiveMember struct {
	RoomID string
	watchparty.Participant
	Connected bool
}

type liveMemberRow struct {
	participantRow `bun:",extend"`

	Connected bool `bun:"connected,scanonly"`
}

// LiveMembers lists the participants of rooms, those of one room in the order in which they joined.
func (s *Store) LiveMembers(ctx context.Context, roomIDs []string) ([]LiveMember, error) {
	var rows []liveMemberRow
	err := selectParticipants(s.db, &rows).
		ColumnExpr("EXISTS (SELECT FROM live_members AS l JOIN live_nodes AS n ON n.id = l.node_id AND n.lease_until > now() "+
			"WHERE l.room_id = p.room_id AND l.user_id = p.user_id) AS connected").
		Where("p.room_id IN (?)", bun.List(append(roomIDs, nobody))).
		Order("p.room_id", "p.created_at", "p.user_id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: live members: %w", err)
	}
	return mapRows(rows, func(r liveMemberRow) LiveMember {
		return LiveMember{RoomID: r.RoomID, Participant: r.participant(), Connected: r.Connected}
	}), nil
}

// LiveConnection is a connection that a process holds.
type LiveConnection struct {
	ConnID string
	RoomID string
	UserID string
}

// RestoreMembers makes connections of a process members again that are not, of people who are still in their rooms: the
// rows are gone if the process could not renew its lease for long.
func (s *Store) RestoreMembers(ctx context.Context, nodeID string, connections []LiveConnection) error {
	if len(connections) == 0 {
		return nil
	}
	var conns, rooms, users []string
	for _, c := range connections {
		conns, rooms, users = append(conns, c.ConnID), append(rooms, c.RoomID), append(users, c.UserID)
	}
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("SELECT FROM rooms WHERE id = ANY(?::uuid[]) ORDER BY id FOR KEY SHARE", pgdialect.Array(rooms)).
			Exec(ctx)
		if err != nil {
			return err
		}
		// As living does for one account.
		_, err = tx.NewRaw("SELECT FROM users AS u WHERE u.id = ANY(?::uuid[]) AND "+alive+" ORDER BY u.id FOR SHARE",
			pgdialect.Array(users)).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw(`
			INSERT INTO live_members (conn_id, node_id, room_id, user_id)
			SELECT k.conn_id, ?3, k.room_id, k.user_id
			FROM unnest(?0::uuid[], ?1::uuid[], ?2::uuid[]) AS k (conn_id, room_id, user_id)
			JOIN participants AS p ON p.room_id = k.room_id AND p.user_id = k.user_id
			JOIN users AS u ON u.id = k.user_id AND `+alive+`
			ORDER BY k.conn_id ON CONFLICT ON CONSTRAINT live_members_pkey DO NOTHING`,
			pgdialect.Array(conns), pgdialect.Array(rooms), pgdialect.Array(users), nodeID).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: restore members: %w", err)
	}
	return nil
}
