package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
)

type muteRow struct {
	bun.BaseModel `bun:"table:mutes,alias:q"`

	ID        string            `bun:"id"` // a new mute of the same person gets a new ID
	RoomID    string            `bun:"room_id,pk"`
	UserID    string            `bun:"user_id,pk"`
	MutedBy   *string           `bun:"muted_by"`
	Reason    string            `bun:"reason"`
	Until     time.Time         `bun:"until"`
	CreatedAt time.Time         `bun:"created_at"`
	UpdatedAt time.Time         `bun:"updated_at"`
	User      watchparty.Person `bun:"person,type:json,scanonly"`
	By        watchparty.Person `bun:"muter,type:json,scanonly"`
}

func (r muteRow) mute() watchparty.Mute {
	return watchparty.Mute{
		ID: r.ID, User: r.User, By: r.By,
		Reason: r.Reason, Until: r.Until.UTC(), CreatedAt: r.CreatedAt.UTC(),
	}
}

func selectMutes(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("q.*").ColumnExpr(personOf("q.user_id") + " AS person").
		ColumnExpr(personOf("q.muted_by") + " AS muter").
		Join("JOIN users AS u ON u.id = q.user_id AND u.deleted_at IS NULL")
}

// Mute keeps a person from writing in a room, whether the person is in it or not. It replaces a former mute. It returns
// the errors of permittedOn, and for a repeated request ErrKeyReused, and ErrNotFound if the mute that the request has
// made is not in force any more.
func (s *Store) Mute(
	ctx context.Context, roomID, actorID, username string, n watchparty.NewMute, key IdempotencyKey,
) (watchparty.Mute, error) {
	var row muteRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		target, err := permittedOn(ctx, tx, roomID, actorID, username, watchparty.MayMute)
		if err != nil {
			return err
		}
		now := Now()
		row = muteRow{
			ID: newID(), RoomID: roomID, UserID: target.ID, MutedBy: &actorID, Reason: n.Reason, Until: n.Until,
			CreatedAt: now, UpdatedAt: now,
		}
		former, err := claimKey(ctx, tx, key, row.ID)
		if err != nil {
			return err
		}
		if former != "" {
			return selectMutes(tx, &row).Where("q.room_id = ? AND q.id = ?", roomID, former).Where("until > now()").Scan(ctx)
		}
		changes(ctx, coherence.TagStandings(roomID))
		_, err = tx.NewInsert().Model(&row).On("CONFLICT ON CONSTRAINT mutes_pkey DO UPDATE").
			Set("id = excluded.id, muted_by = excluded.muted_by, reason = excluded.reason, until = excluded.until").
			Set("created_at = excluded.created_at, updated_at = excluded.updated_at").Exec(ctx)
		if err != nil {
			return err
		}
		if err := countAccess(ctx, tx, roomID); err != nil {
			return err
		}
		details := map[string]any{"until": n.Until, "reason": n.Reason}
		if err := logAct(ctx, tx, roomID, actorID, target.ID, watchparty.ActMuted, details); err != nil {
			return err
		}
		return selectMutes(tx, &row).Where("q.room_id = ? AND q.id = ?", roomID, row.ID).Scan(ctx)
	})
	return row.mute(), wrapErr(err, "mute")
}

// LiftMute ends a mute. Besides the errors of permittedOn, it returns ErrNotFound if no mute is in force.
func (s *Store) LiftMute(ctx context.Context, roomID, actorID, username string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		target, err := permittedOn(ctx, tx, roomID, actorID, username, watchparty.MayMute)
		if err != nil {
			return err
		}
		changes(ctx, coherence.TagStandings(roomID))
		result, err := tx.NewUpdate().Model((*muteRow)(nil)).Set("until = now()").Set("updated_at = now()").
			Where("room_id = ? AND user_id = ? AND until > now()", roomID, target.ID).Exec(ctx)
		if err != nil {
			return err
		}
		if !affected(result) {
			return watchparty.ErrNotFound
		}
		if err := countAccess(ctx, tx, roomID); err != nil {
			return err
		}
		return logAct(ctx, tx, roomID, actorID, target.ID, watchparty.ActMuteLifted, nil)
	})
	return wrapErr(err, "lift mute")
}

// MuteOf finds a person's mute in force. It returns ErrNotFound.
func (s *Store) MuteOf(ctx context.Context, roomID, username string) (watchparty.Mute, error) {
	var row muteRow
	err := selectMutes(s.db, &row).Where("q.room_id = ? AND lower(u.username) = lower(?) AND q.until > now()", roomID,
		username).Scan(ctx)
	return row.mute(), wrapErr(err, "mute")
}

// Mutes lists a room's mutes in force, newest first.
func (s *Store) Mutes(ctx context.Context, roomID string, p Page) ([]watchparty.Mute, error) {
	var rows []muteRow
	q := selectMutes(s.db, &rows).Where("q.room_id = ? AND q.until > now()", roomID)
	if err := p.of(q, descending, "q.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: mutes: %w", err)
	}
	return mapRows(rows, muteRow.mute), nil
}
