package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	ID         string     `bun:"id,pk"`
	FamilyID   string     `bun:"family_id"`
	UserID     string     `bun:"user_id"`
	TokenHash  []byte     `bun:"token_hash"`
	UserAgent  string     `bun:"user_agent"`
	SignedInAt time.Time  `bun:"signed_in_at"`
	ExpiresAt  time.Time  `bun:"expires_at"`
	RotatedAt  *time.Time `bun:"rotated_at"`
	RevokedAt  *time.Time `bun:"revoked_at"`
	CreatedAt  time.Time  `bun:"created_at"`
}

// NewSession is a sign-in, by the hash of its refresh token.
type NewSession struct {
	TokenHash []byte
	UserAgent string // empty keeps the one that is known
	Expires   time.Time
}

// SignIn is whose a session is.
type SignIn struct {
	User      watchparty.User
	SessionID string
}

// LogIn stores a sign-in with a password that was found to have passwordHash. It returns ErrSuspended, and
// ErrBadCredentials when the account is gone or has another password by now.
func (s *Store) LogIn(ctx context.Context, userID, passwordHash string, n NewSession) (SignIn, error) {
	var (
		user userRow
		id   string
	)
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := tx.NewSelect().Model(&user).Where("id = ? AND deleted_at IS NULL", userID).For("SHARE").Scan(ctx)
		if err != nil {
			return err
		}
		if user.PasswordHash != passwordHash {
			return watchparty.ErrBadCredentials
		}
		if user.SuspendedAt != nil {
			return watchparty.ErrSuspended
		}
		id, err = addSession(ctx, tx, userID, n)
		return err
	})
	if err = found(err, "log in"); watchparty.IsKind(err, watchparty.KindNotFound) {
		err = watchparty.ErrBadCredentials
	}
	if err != nil {
		return SignIn{}, err
	}
	return SignIn{User: user.user(), SessionID: id}, nil
}

func addSession(ctx context.Context, db bun.IDB, userID string, n NewSession) (string, error) {
	id, now := newID(), now()
	row := &sessionRow{
		ID: id, FamilyID: id, UserID: userID, TokenHash: n.TokenHash, UserAgent: n.UserAgent,
		SignedInAt: now, ExpiresAt: n.Expires, CreatedAt: now,
	}
	if _, err := db.NewInsert().Model(row).Exec(ctx); err != nil {
		return "", fmt.Errorf("store: create session: %w", err)
	}
	return id, nil
}

// live is a session's condition: of each sign-in, it holds for one row or none.
const live = "rotated_at IS NULL AND revoked_at IS NULL AND expires_at > now()"

// SessionUser finds whose a sign-in is. It returns ErrUnauthenticated when it has ended, and so when the account is gone
// or suspended.
func (s *Store) SessionUser(ctx context.Context, sessionID string) (watchparty.User, error) {
	var row userRow
	err := s.db.NewSelect().Model(&row).Where("u.deleted_at IS NULL AND u.suspended_at IS NULL").
		Where("u.id = (SELECT user_id FROM sessions WHERE family_id = ? AND "+live+" LIMIT 1)", sessionID).Scan(ctx)
	if err = found(err, "session's user"); watchparty.IsKind(err, watchparty.KindNotFound) {
		return watchparty.User{}, watchparty.ErrUnauthenticated
	}
	return row.user(), err
}

// RotateSession exchanges a refresh token for the next and returns whose it is. A token that was exchanged before has
// been seen by two parties: its whole family is revoked. It returns ErrBadRefresh then, with the user whose sign-in it
// was, and without one for an unknown, revoked or expired token and for a suspended account.
func (s *Store) RotateSession(ctx context.Context, oldHash []byte, n NewSession) (SignIn, error) {
	var (
		user   userRow
		family string
	)
	reused := false
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := lockSignIn(ctx, tx, oldHash, &user); err != nil {
			return err
		}
		var old sessionRow
		if err := tx.NewSelect().Model(&old).Where("token_hash = ?", oldHash).Scan(ctx); err != nil {
			return err
		}
		family = old.FamilyID
		if old.RotatedAt != nil {
			reused = true
			return revokeFamily(ctx, tx, old.FamilyID)
		}
		if old.RevokedAt != nil || !old.ExpiresAt.After(time.Now()) || user.SuspendedAt != nil {
			return watchparty.ErrBadRefresh
		}
		_, err := tx.NewUpdate().Model(&old).Set("rotated_at = now()").Set("updated_at = now()").WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		next := &sessionRow{
			ID: newID(), FamilyID: old.FamilyID, UserID: old.UserID, TokenHash: n.TokenHash,
			UserAgent: cmp.Or(n.UserAgent, old.UserAgent), SignedInAt: old.SignedInAt, ExpiresAt: n.Expires, CreatedAt: now(),
		}
		_, err = tx.NewInsert().Model(next).Exec(ctx)
		return err
	})
	err = found(err, "rotate session")
	switch {
	case reused && err == nil:
		return SignIn{User: user.user()}, watchparty.ErrBadRefresh
	case watchparty.IsKind(err, watchparty.KindNotFound):
		return SignIn{}, watchparty.ErrBadRefresh
	case err != nil:
		return SignIn{}, err
	}
	return SignIn{User: user.user(), SessionID: family}, nil
}

// RevokeSession ends the sign-in that a refresh token belongs to and returns whose it was; an unknown token is nobody's
// and no error.
func (s *Store) RevokeSession(ctx context.Context, tokenHash []byte) (userID string, err error) {
	var user userRow
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := lockSignIn(ctx, tx, tokenHash, &user); err != nil {
			return err
		}
		var row sessionRow
		if err := tx.NewSelect().Model(&row).Where("token_hash = ?", tokenHash).Scan(ctx); err != nil {
			return err
		}
		return revokeFamily(ctx, tx, row.FamilyID)
	})
	if err = found(err, "revoke session"); watchparty.IsKind(err, watchparty.KindNotFound) {
		return "", nil
	}
	return user.ID, err
}

// lockSignIn locks the account that a refresh token is of, as lockUser does: a family's token may be exchanged while
// another one of it ends the family, and the new one must not be missed.
func lockSignIn(ctx context.Context, tx bun.Tx, tokenHash []byte, user *userRow) error {
	return tx.NewSelect().Model(user).Where("id = (SELECT user_id FROM sessions WHERE token_hash = ?)", tokenHash).
		Where("deleted_at IS NULL").For("NO KEY UPDATE").Scan(ctx)
}

// Sessions lists a user's sign-ins, newest first.
func (s *Store) Sessions(ctx context.Context, userID string, p Page) ([]watchparty.Session, error) {
	var rows []sessionRow
	q := s.db.NewSelect().Model(&rows).Where("user_id = ?", userID).Where(live).Order("family_id DESC").Limit(p.Limit)
	if p.After != "" {
		q = q.Where("family_id < ?", p.After)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: sessions: %w", err)
	}
	return convert(rows, sessionRow.session), nil
}

func (r sessionRow) session() watchparty.Session {
	return watchparty.Session{
		ID: r.FamilyID, UserAgent: r.UserAgent, SignedInAt: r.SignedInAt.UTC(), LastUsedAt: r.CreatedAt.UTC(), ExpiresAt: r.ExpiresAt.UTC(),
	}
}

// EndSession ends one of a user's sign-ins. It returns ErrNotFound for one that is not theirs or has ended.
func (s *Store) EndSession(ctx context.Context, userID, sessionID string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := lockUser(ctx, tx, userID); err != nil {
			return err
		}
		result, err := revocation(tx).Where("user_id = ? AND family_id = ?", userID, sessionID).Exec(ctx)
		if err == nil && !affected(result) {
			err = watchparty.ErrNotFound
		}
		return err
	})
	return found(err, "end session")
}

// EndSessions ends a user's sign-ins but the one to keep; empty keeps none.
func (s *Store) EndSessions(ctx context.Context, userID, keep string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := lockUser(ctx, tx, userID); err != nil {
			return err
		}
		return endSessions(ctx, tx, userID, keep)
	})
	return found(err, "end sessions")
}

// endSessions asks for lockUser.
func endSessions(ctx context.Context, tx bun.Tx, userID, keep string) error {
	q := revocation(tx).Where("user_id = ?", userID)
	if keep != "" {
		q = q.Where("family_id <> ?", keep)
	}
	if _, err := q.Exec(ctx); err != nil {
		return fmt.Errorf("store: end sessions: %w", err)
	}
	return nil
}

func revocation(db bun.IDB) *bun.UpdateQuery {
	return db.NewUpdate().Model((*sessionRow)(nil)).Set("revoked_at = now()").Set("updated_at = now()").Where("revoked_at IS NULL")
}

func revokeFamily(ctx context.Context, db bun.IDB, familyID string) error {
	if _, err := revocation(db).Where("family_id = ?", familyID).Exec(ctx); err != nil {
		return fmt.Errorf("store: revoke session: %w", err)
	}
	return nil
}
