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
