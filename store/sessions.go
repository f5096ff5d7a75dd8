package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	ID        string     `bun:"id,pk"`
	FamilyID  string     `bun:"family_id"`
	UserID    string     `bun:"user_id"`
	TokenHash []byte     `bun:"token_hash"`
	ExpiresAt time.Time  `bun:"expires_at"`
	RotatedAt *time.Time `bun:"rotated_at"`
	RevokedAt *time.Time `bun:"revoked_at"`
}

// Session is a sign-in, by the hash of its refresh token.
type Session struct {
	TokenHash []byte
	Expires   time.Time
}

// CreateSession stores a sign-in.
func (s *Store) CreateSession(ctx context.Context, userID string, session Session) error {
	return addSession(ctx, s.db, userID, session)
}

func addSession(ctx context.Context, db bun.IDB, userID string, session Session) error {
	id := newID()
	row := &sessionRow{ID: id, FamilyID: id, UserID: userID, TokenHash: session.TokenHash, ExpiresAt: session.Expires}
	if _, err := db.NewInsert().Model(row).Exec(ctx); err != nil {
		return fmt.Errorf("store: create session: %w", err)
	}
	return nil
}

// RotateSession exchanges a refresh token for the next and returns whose it is. A token that was exchanged before has
// been seen by two parties: its whole family is revoked. It returns ErrBadRefresh then, as for an unknown, revoked or
// expired one.
func (s *Store) RotateSession(ctx context.Context, oldHash []byte, session Session) (watchparty.User, error) {
	var user userRow
	reused := false
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var old sessionRow
		err := tx.NewSelect().Model(&old).Where("token_hash = ?", oldHash).For("UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		if old.RotatedAt != nil {
			reused = true
			return revokeFamily(ctx, tx, old.FamilyID)
		}
		if old.RevokedAt != nil || !old.ExpiresAt.After(time.Now()) {
			return watchparty.ErrBadRefresh
		}
		_, err = tx.NewUpdate().Model(&old).Set("rotated_at = now()").Set("updated_at = now()").WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		next := &sessionRow{ID: newID(), FamilyID: old.FamilyID, UserID: old.UserID, TokenHash: session.TokenHash, ExpiresAt: session.Expires}
		if _, err := tx.NewInsert().Model(next).Exec(ctx); err != nil {
			return err
		}
		return tx.NewSelect().Model(&user).Where("id = ?", old.UserID).Scan(ctx)
	})
	if err = found(err, "rotate session"); watchparty.IsKind(err, watchparty.KindNotFound) || reused {
		return watchparty.User{}, watchparty.ErrBadRefresh
	}
	return user.user(), err
}

// RevokeSession ends the sign-in that a refresh token belongs to; an unknown token is no error.
func (s *Store) RevokeSession(ctx context.Context, tokenHash []byte) error {
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var row sessionRow
		// The lock makes a rotation that is on its way finish first, so that its new token is revoked too.
		if err := tx.NewSelect().Model(&row).Where("token_hash = ?", tokenHash).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		return revokeFamily(ctx, tx, row.FamilyID)
	})
	if err = found(err, "revoke session"); watchparty.IsKind(err, watchparty.KindNotFound) {
		return nil
	}
	return err
}

func revokeFamily(ctx context.Context, db bun.IDB, familyID string) error {
	_, err := db.NewUpdate().Model((*sessionRow)(nil)).Set("revoked_at = now()").Set("updated_at = now()").
		Where("family_id = ? AND revoked_at IS NULL", familyID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: revoke session: %w", err)
	}
	return nil
}
