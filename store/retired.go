package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// RetiredRooms lists the rooms that clean-up archived and has yet to delete, the latest first.
func (s *Store) RetiredRooms(ctx context.Context, p Page) ([]watchparty.Room, error) {
	var rows []roomRow
	q := selectRooms(s.db, &rows).Where("r.retired_at IS NOT NULL AND r.deleted_at IS NULL")
	if err := p.of(q, descending, "r.retired_at", "r.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: retired rooms: %w", err)
	}
	return mapRows(rows, roomRow.room), nil
}

// RestoreRoom opens a room that clean-up archived. Restoring an open room changes nothing. It returns ErrNotFound,
// ErrRoomHostless and ErrNotRetired.
func (s *Store) RestoreRoom(ctx context.Context, adminID, roomID string) (watchparty.Room, error) {
	var row roomRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		room, err := lockAnyRoom(ctx, tx, roomID)
		switch {
		case err != nil:
			return err
		case room.ArchivedAt != nil && room.HostID == nil:
			return watchparty.ErrRoomHostless
		case room.ArchivedAt != nil && room.RetiredAt == nil:
			return watchparty.ErrNotRetired
		case room.ArchivedAt != nil:
			if err := restore(ctx, tx, adminID, roomID); err != nil {
				return err
			}
		}
		return selectRooms(tx, &row).Where("r.id = ?", roomID).Scan(ctx)
	})
	return row.room(), wrapErr(err, "restore room")
}

func restore(ctx context.Context, tx bun.Tx, adminID, roomID string) error {
	if err := openAgain(ctx, tx, roomID); err != nil {
		return err
	}
	return audit(ctx, tx, adminID, watchparty.AuditRoomRestored, watchparty.AuditRoom, roomID, nil)
}
