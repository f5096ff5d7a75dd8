package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type roomActRow struct {
	bun.BaseModel `bun:"table:room_log,alias:l"`

	ID        string            `bun:"id,pk"`
	RoomID    string            `bun:"room_id"`
	ActorID   *string           `bun:"actor_id"`
	TargetID  *string           `bun:"target_id"`
	Action    string            `bun:"action"`
	Details   map[string]any    `bun:"details,type:jsonb"`
	CreatedAt time.Time         `bun:"created_at"`
	Actor     watchparty.Person `bun:"actor,type:json,scanonly"`
	Target    watchparty.Person `bun:"target,type:json,scanonly"`
}

func (r roomActRow) act() watchparty.RoomAct {
	return watchparty.RoomAct{
		ID: r.ID, Action: watchparty.RoomAction(r.Action), Actor: r.Actor,
		Target: r.Target, Details: r.Details, CreatedAt: r.CreatedAt.UTC(),
	}
}

// logAct adds a line to the room's log in the transaction of the act. actorID and targetID may be empty.
func logAct(
	ctx context.Context, tx bun.Tx, roomID, actorID, targetID string, action watchparty.RoomAction, details map[string]any,
) error {
	if details == nil {
		details = map[string]any{}
	}
	row := &roomActRow{
		ID: newID(), RoomID: roomID, ActorID: nullID(actorID), TargetID: nullID(targetID),
		Action: string(action), Details: details, CreatedAt: Now(),
	}
	if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
		return fmt.Errorf("store: log %s: %w", action, err)
	}
	return nil
}

// RoomLog lists what was done in a room, newest first.
func (s *Store) RoomLog(ctx context.Context, roomID string, p Page) ([]watchparty.RoomAct, error) {
	var rows []roomActRow
	q := s.db.NewSelect().Model(&rows).ColumnExpr("l.*").
		ColumnExpr(personOf("l.actor_id")+" AS actor").ColumnExpr(personOf("l.target_id")+" AS target").
		Where("l.room_id = ?", roomID)
	if err := p.of(q, descending, "l.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: room log: %w", err)
	}
	return mapRows(rows, roomActRow.act), nil
}
