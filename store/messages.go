package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type messageRow struct {
	bun.BaseModel `bun:"table:messages,alias:m"`

	ID        string    `bun:"id,pk"`
	RoomID    string    `bun:"room_id"`
	UserID    *string   `bun:"user_id"`
	Body      string    `bun:"body"`
	CreatedAt time.Time `bun:"created_at"`
	UpdatedAt time.Time `bun:"updated_at"`
	Username  *string   `bun:"username,scanonly"`
}

func (r messageRow) message() watchparty.Message {
	return watchparty.Message{
		ID: r.ID, RoomID: r.RoomID, UserID: value(r.UserID), Username: value(r.Username),
		Body: r.Body, CreatedAt: r.CreatedAt.UTC(),
	}
}

// PostMessage stores what a participant says and refreshes their presence. It returns ErrNotFound, ErrRoomArchived and
// ErrNotParticipant.
func (s *Store) PostMessage(ctx context.Context, roomID string, author watchparty.User, body string) (watchparty.Message, error) {
	now := now()
	row := messageRow{
		ID: newID(), RoomID: roomID, UserID: &author.ID, Body: body, CreatedAt: now, UpdatedAt: now, Username: &author.Username,
	}
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var room struct {
			Archived bool `bun:"archived"`
			Quiet    bool `bun:"quiet"`
		}
		// The lock is the one that the message's foreign key takes anyway; here it keeps the room from being archived
		// meanwhile.
		err := tx.NewSelect().Model((*roomRow)(nil)).
			ColumnExpr("archived_at IS NOT NULL AS archived").
			ColumnExpr("last_active_at < now() - make_interval(secs => ?) AS quiet", activity.Seconds()).
			Where("id = ?", roomID).For("KEY SHARE").Scan(ctx, &room)
		if err != nil {
			return err
		}
		if room.Archived {
			return watchparty.ErrRoomArchived
		}
		in, err := touchParticipant(ctx, tx, roomID, author.ID)
		if err != nil {
			return err
		}
		if !in {
			return watchparty.ErrNotParticipant
		}
		if room.Quiet {
			if err := touchRoom(ctx, tx, roomID); err != nil {
				return err
			}
		}
		_, err = tx.NewInsert().Model(&row).Exec(ctx)
		return err
	})
	return row.message(), found(err, "post message")
}

// Messages lists a room's messages, newest first; p.After is the ID of the message before which to go on.
func (s *Store) Messages(ctx context.Context, roomID string, p Page) ([]watchparty.Message, error) {
	var rows []messageRow
	q := s.db.NewSelect().Model(&rows).ColumnExpr("m.*").ColumnExpr("u.username").
		Join("LEFT JOIN users AS u ON u.id = m.user_id").
		Where("m.room_id = ?", roomID).Order("m.id DESC").Limit(p.Limit)
	if p.After != "" {
		q = q.Where("m.id < ?", p.After)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: messages: %w", err)
	}
	return convert(rows, messageRow.message), nil
}
