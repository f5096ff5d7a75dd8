package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/workflows/job"
)

type banRow struct {
	bun.BaseModel `bun:"table:bans,alias:b"`

	ID        string            `bun:"id"` // a new ban of the same person gets a new ID
	RoomID    string            `bun:"room_id,pk"`
	UserID    string            `bun:"user_id,pk"`
	BannedBy  *string           `bun:"banned_by"`
	Reason    string            `bun:"reason"`
	Until     *time.Time        `bun:"until"`
	CreatedAt time.Time         `bun:"created_at"`
	UpdatedAt time.Time         `bun:"updated_at"`
	User      watchparty.Person `bun:"person,type:json,scanonly"`
	By        watchparty.Person `bun:"banner,type:json,scanonly"`
}

func (r banRow) ban() watchparty.Ban {
	return watchparty.Ban{
		ID: r.ID, User: r.User, By: r.By,
		Reason: r.Reason, Until: valueOrZero(r.Until).UTC(), CreatedAt: r.CreatedAt.UTC(),
	}
}

// banInForce is the condition of a row of bans whose ban keeps its person out now.
const banInForce = "(until IS NULL OR until > now())"

// isBanned is the condition that a person is banned from a room, each given as an expression in SQL.
func isBanned(roomID, userID string) string {
	return "EXISTS (SELECT FROM bans WHERE room_id = " + roomID + " AND user_id = " + userID + " AND " + banInForce + ")"
}

func selectBans(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("b.*").ColumnExpr(personOf("b.user_id") + " AS person").
		ColumnExpr(personOf("b.banned_by") + " AS banner").
		Join("JOIN users AS u ON u.id = b.user_id AND u.deleted_at IS NULL")
}

// Ban removes a person from a room, with the person's role and membership, and keeps the person out. It replaces a
// former ban. It returns the errors of permittedOn, and for a repeated request ErrKeyReused, and ErrNotFound if the ban
// that the request has made is not in force any more.
func (s *Store) Ban(
	ctx context.Context, roomID, actorID, username string, n watchparty.NewBan, key IdempotencyKey,
) (watchparty.Ban, error) {
	var row banRow
	err := s.changeStandings(ctx, roomID, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		target, err := permittedOn(ctx, tx, roomID, actorID, username, watchparty.MayBan)
		if err != nil {
			return nil, err
		}
		now := Now()
		row = banRow{
			ID: newID(), RoomID: roomID, UserID: target.ID, BannedBy: &actorID, Reason: n.Reason, Until: n.Until,
			CreatedAt: now, UpdatedAt: now,
		}
		former, err := claimKey(ctx, tx, key, row.ID)
		if err != nil {
			return nil, err
		}
		if former != "" {
			return nil, selectBans(tx, &row).Where("b.room_id = ? AND b.id = ?", roomID, former).Where(banInForce).Scan(ctx)
		}
		if _, err := removePerson(ctx, tx, roomID, target.ID); err != nil {
			return nil, err
		}
		changes(ctx, coherence.TagStandings(roomID))
		_, err = tx.NewInsert().Model(&row).On("CONFLICT ON CONSTRAINT bans_pkey DO UPDATE").
			Set("id = excluded.id, banned_by = excluded.banned_by, reason = excluded.reason, until = excluded.until").
			Set("created_at = excluded.created_at, updated_at = excluded.updated_at").Exec(ctx)
		if err != nil {
			return nil, err
		}
		if err := countAccess(ctx, tx, roomID); err != nil {
			return nil, err
		}
		details := map[string]any{"until": n.Until, "reason": n.Reason}
		if err := logAct(ctx, tx, roomID, actorID, target.ID, watchparty.ActBanned, details); err != nil {
			return nil, err
		}
		return nil, selectBans(tx, &row).Where("b.room_id = ? AND b.id = ?", roomID, row.ID).Scan(ctx)
	})
	return row.ban(), wrapErr(err, "ban")
}

// LiftBan ends a ban. Besides the errors of permittedOn, it returns ErrNotFound if no ban is in force.
func (s *Store) LiftBan(ctx context.Context, roomID, actorID, username string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		target, err := permittedOn(ctx, tx, roomID, actorID, username, watchparty.MayBan)
		if err != nil {
			return err
		}
		changes(ctx, coherence.TagStandings(roomID))
		result, err := tx.NewUpdate().Model((*banRow)(nil)).Set("until = now()").Set("updated_at = now()").
			Where("room_id = ? AND user_id = ?", roomID, target.ID).Where(banInForce).Exec(ctx)
		if err != nil {
			return err
		}
		if !affected(result) {
			return watchparty.ErrNotFound
		}
		if err := countAccess(ctx, tx, roomID); err != nil {
			return err
		}
		return logAct(ctx, tx, roomID, actorID, target.ID, watchparty.ActBanLifted, nil)
	})
	return wrapErr(err, "lift ban")
}

// BanOf finds a person's ban in force. It returns ErrNotFound.
func (s *Store) BanOf(ctx context.Context, roomID, username string) (watchparty.Ban, error) {
	var row banRow
	err := selectBans(s.db, &row).Where("b.room_id = ? AND lower(u.username) = lower(?)", roomID, username).
		Where(banInForce).Scan(ctx)
	return row.ban(), wrapErr(err, "ban")
}

// Bans lists a room's bans in force, newest first.
func (s *Store) Bans(ctx context.Context, roomID string, p Page) ([]watchparty.Ban, error) {
	var rows []banRow
	q := selectBans(s.db, &rows).Where("b.room_id = ?", roomID).Where(banInForce)
	if err := p.of(q, descending, "b.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: bans: %w", err)
	}
	return mapRows(rows, banRow.ban), nil
}
