package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/watchparty/watchparty"
)

// changed is the condition of a message m that was edited or taken back, as the index has it.
const changed = "(m.edited_at IS NOT NULL OR m.deleted_at IS NOT NULL)"

// ChangedMessages lists a room's messages that were edited or taken back, by the time of their last change, oldest
// first. A message that changes again moves to the end. Its keys are the time and the ID.
//
// A room's changes commit in the order of their times, so that a reader who goes on after the last one that they saw
// misses none; next_message_change in the migrations sees to it.
func (s *Store) ChangedMessages(ctx context.Context, roomID string, p Page) ([]watchparty.Message, error) {
	var rows []messageRow
	q := selectMessages(s.db, &rows).ColumnExpr("m.updated_at AS changed_at").Where("m.room_id = ? AND "+changed, roomID)
	if err := p.of(q, ascending, "m.updated_at", "m.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: changed messages: %w", err)
	}
	return mapRows(rows, messageRow.message), nil
}

// LastMessageChange returns the keys of a room's last change, as ChangedMessages sorts them: what changes from now on
// comes after them. In a room without any change they are before all changes.
func (s *Store) LastMessageChange(ctx context.Context, roomID string) (Keys, error) {
	var row messageRow
	err := s.db.NewSelect().Model(&row).ColumnExpr("m.id, m.updated_at AS changed_at").
		Where("m.room_id = ? AND "+changed, roomID).OrderExpr("m.updated_at DESC, m.id DESC").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return Keys{time.Unix(0, 0).UTC(), uuid.Nil.String()}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: last message change: %w", err)
	}
	return Keys{valueOrZero(row.ChangedAt).UTC(), row.ID}, nil
}
