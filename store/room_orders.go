package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// ActiveRooms is Rooms in another order: the room of the latest activity first. Its keys are the time and the ID. The
// filter searches for nothing.
//
// The times move on while somebody reads page by page: a room that becomes active meanwhile is at the top of the list
// then, and no room comes twice.
func (s *Store) ActiveRooms(ctx context.Context, f watchparty.RoomFilter, p Page) ([]watchparty.Room, error) {
	var rows []roomRow
	q := chooseRooms(f)(selectRooms(s.db, &rows)).ColumnExpr("r.last_active_at")
	if err := p.of(q, descending, "r.last_active_at", "r.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: active rooms: %w", err)
	}
	return mapRows(rows, roomRow.room), nil
}

// RoomsByPeople is Rooms in another order: the room with the most people present first. It leaves out rooms in which
// nobody is present. Its keys are the number of people and the ID. The filter searches for nothing.
//
// It counts the people who are present, by an index: its cost grows with their number, and not with that of rooms. The
// numbers move while somebody reads page by page: a room with more people than before may be left out of the later
// pages, and one with fewer may come again.
func (s *Store) RoomsByPeople(ctx context.Context, f watchparty.RoomFilter, p Page) ([]watchparty.Room, error) {
	present := s.db.NewSelect().Table("participants").ColumnExpr("room_id, count(*) AS present").
		Where("last_seen_at > now() - make_interval(secs => ?)", watchparty.PresentFor.Seconds()).Group("room_id")
	// OFFSET 0 keeps the planner from reading all rooms: it looks up those with people by their keys.
	listed := chooseRooms(f)(s.db.NewSelect().ColumnExpr("1").TableExpr("rooms AS r").Where("r.id = c.room_id"))
	page := s.db.NewSelect().ColumnExpr("c.room_id, c.present").TableExpr("(?) AS c", present).
		Where("EXISTS (SELECT FROM (?) AS listed OFFSET 0)", listed)
	var rows []roomRow
	err := selectRooms(s.db, &rows).
		Join("JOIN (?) AS page ON page.room_id = r.id", p.of(page, descending, "c.present", "c.room_id")).
		OrderExpr("page.present DESC, r.id DESC").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: rooms by people: %w", err)
	}
	return mapRows(rows, roomRow.room), nil
}

// chooseRooms restricts a query to the rooms in public lists that a filter lets through. It leaves the search out.
func chooseRooms(f watchparty.RoomFilter) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.Where(roomListed)
		if f.MovieID != "" {
			q = q.Where("r.movie_id = ?", f.MovieID)
		}
		if f.Available {
			q = q.Where("(SELECT count(*) FROM participants WHERE room_id = r.id) < r.capacity")
		}
		return q
	}
}
