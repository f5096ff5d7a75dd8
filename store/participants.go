package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type participantRow struct {
	bun.BaseModel `bun:"table:participants,alias:p"`

	RoomID      string    `bun:"room_id,pk"`
	UserID      string    `bun:"user_id,pk"`
	Role        string    `bun:"role"`
	LastSeenAt  time.Time `bun:"last_seen_at"`
	CreatedAt   time.Time `bun:"created_at"`
	UpdatedAt   time.Time `bun:"updated_at"`
	Username    string    `bun:"username,scanonly"`
	DisplayName string    `bun:"display_name,scanonly"`
}

func (r participantRow) participant() watchparty.Participant {
	return watchparty.Participant{
		UserID: r.UserID, Username: r.Username, DisplayName: r.DisplayName, Role: watchparty.Role(r.Role),
		JoinedAt: r.CreatedAt.UTC(), LastSeenAt: r.LastSeenAt.UTC(),
	}
}

// Participants lists who is in a room, in the order in which they came. Capacity bounds the list.
func (s *Store) Participants(ctx context.Context, roomID string) ([]watchparty.Participant, error) {
	var rows []participantRow
	err := s.db.NewSelect().Model(&rows).ColumnExpr("p.*").ColumnExpr("u.username, u.display_name").
		Join("JOIN users AS u ON u.id = p.user_id").
		Where("p.room_id = ?", roomID).Order("p.created_at", "p.user_id").Limit(watchparty.MaxCapacity).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: participants: %w", err)
	}
	return convert(rows, participantRow.participant), nil
}

// IsParticipant reports whether the user is in the room.
func (s *Store) IsParticipant(ctx context.Context, roomID, userID string) (bool, error) {
	in, err := s.db.NewSelect().Model((*participantRow)(nil)).
		Where("room_id = ? AND user_id = ?", roomID, userID).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("store: is participant: %w", err)
	}
	return in, nil
}

// LeaveRoom takes a user out of a room; not being in it is no error.
func (s *Store) LeaveRoom(ctx context.Context, roomID, userID string) error {
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewDelete().Model((*participantRow)(nil)).
			Where("room_id = ? AND user_id = ?", roomID, userID).Exec(ctx)
		if err != nil || !affected(result) {
			return err
		}
		return touchRoom(ctx, tx, roomID)
	})
	return found(err, "leave room")
}

func addParticipant(ctx context.Context, db bun.IDB, roomID, userID string, role watchparty.Role) error {
	now := now()
	row := &participantRow{RoomID: roomID, UserID: userID, Role: string(role), LastSeenAt: now, CreatedAt: now, UpdatedAt: now}
	_, err := db.NewInsert().Model(row).Exec(ctx)
	return err
}

// touchParticipant says that the user was just seen in the room and reports whether they are in it.
func touchParticipant(ctx context.Context, db bun.IDB, roomID, userID string) (bool, error) {
	result, err := db.NewUpdate().Model((*participantRow)(nil)).
		Set("last_seen_at = now()").Set("updated_at = now()").
		Where("room_id = ? AND user_id = ?", roomID, userID).Exec(ctx)
	if err != nil {
		return false, err
	}
	return affected(result), nil
}
