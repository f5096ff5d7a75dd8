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
	SlowMode   int       `bun:"slow_mode_seconds"`
	PartiesAt  time.Time `bun:"parties_at"` // when its parties last changed; zero without any
}

// LiveRooms finds rooms. Those that are not there are left out.
func (s *Store) LiveRooms(ctx context.Context, ids []string) ([]LiveRoom, error) {
	var rows []LiveRoom
	err := s.db.NewRaw(`
		SELECT id, name, capacity, control, queue, queue_order, wait_policy, slow_mode_seconds,
			(SELECT max(updated_at) FROM parties WHERE room_id = r.id) AS parties_at
		FROM rooms AS r WHERE id IN (?) AND `+roomThere, bun.List(append(ids, nilUUID))).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: live rooms: %w", err)
	}
	return rows, nil
}

// LiveVersion shows a process whether its data about a room are out of date.
type LiveVersion struct {
	RoomID        string `bun:"room_id"`
	Revision      int64  `bun:"revision"`
	QueueVersion  int64  `bun:"queue_version"`
	AccessVersion int64  `bun:"access_version"` // counts the changes of people's rights in the room
	MovieVersion  int    `bun:"movie_version"`  // of the movie that plays; 0 without one
	QueueMovies   int64  `bun:"queue_movies"`   // the sum of the versions of the movies in the queue
}

// LiveVersions reads the versions of rooms. A room without a row is left out; a soft-deleted or hidden room is not.
func (s *Store) LiveVersions(ctx context.Context, roomIDs []string) (versions []LiveVersion, err error) {
	if len(roomIDs) == 0 {
		return nil, nil
	}
	err = s.db.NewRaw(`
		SELECT r.id AS room_id, coalesce(b.revision, 0) AS revision, coalesce(b.queue_version, 0) AS queue_version,
			r.access_version, m.movie_version, m.queue_movies
		FROM rooms AS r LEFT JOIN playbacks AS b ON b.room_id = r.id
		LEFT JOIN LATERAL (
			SELECT coalesce(max(m.version) FILTER (WHERE i.id = b.item_id), 0) AS movie_version,
				coalesce(sum(m.version) FILTER (WHERE i.played_at IS NULL), 0)::bigint AS queue_movies
			FROM queue_items AS i JOIN movies AS m ON m.id = i.movie_id WHERE i.room_id = r.id) AS m ON true
		WHERE r.id = ANY(?::uuid[])`, pgdialect.Array(roomIDs)).Scan(ctx, &versions)
	if err != nil {
		return nil, fmt.Errorf("store: live versions: %w", err)
	}
	return versions, nil
}

// RoomsWithMovies returns those of the rooms that play one of the movies, or have it in their queue.
func (s *Store) RoomsWithMovies(ctx context.Context, roomIDs, movieIDs []string) (found []string, err error) {
	err = s.db.NewRaw("SELECT DISTINCT room_id FROM queue_items "+
		"WHERE room_id = ANY(?::uuid[]) AND movie_id = ANY(?::uuid[])",
		pgdialect.Array(roomIDs), pgdialect.Array(movieIDs)).
		Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("store: rooms with movies: %w", err)
	}
	return found, nil
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
		ColumnExpr("EXISTS (SELECT FROM live_members AS l JOIN live_nodes AS n ON n.id = l.node_id "+
			"AND n.lease_until > now() WHERE l.room_id = p.room_id AND l.user_id = p.user_id) AS connected").
		Where("p.room_id IN (?)", bun.List(append(roomIDs, nilUUID))).
		Order("p.room_id", "p.created_at", "p.user_id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: live members: %w", err)
	}
	return mapRows(rows, func(r liveMemberRow) LiveMember {
		return LiveMember{RoomID: r.RoomID, Participant: r.participant(), Connected: r.Connected}
	}), nil
}
