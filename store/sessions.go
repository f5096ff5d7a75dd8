package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
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

	// Expired is decided by Postgres' clock.
	Expired bool `bun:"expired,scanonly"`
	InGrace bool `bun:"in_grace,scanonly"`
}

// NewSession is a refresh token, by its hash: the first one of a sign-in, or a later one.
type NewSession struct {
	TokenHash []byte
	UserAgent string        // empty keeps the stored one
	Client    []byte        // a keyed hash of the client that signs in, which is stored as known; empty for none
	TTL       time.Duration // how long the token works unless it is exchanged
	MaxTTL    time.Duration // how long the sign-in lasts with all its exchanges; TTL if zero
	Grace     time.Duration // how long the token that this one is exchanged for still works
}

// SignIn is a sign-in with its user.
type SignIn struct {
	User      watchparty.User
	SessionID string
	Lifetime  time.Duration // of the refresh token, by Postgres' clock
}

// maxTokens limits the valid refresh tokens of one sign-in, and the exchanges of one token within the grace period.
const maxTokens = 128

// LogIn stores a sign-in with a password whose hash the caller found to be passwordHash. It returns ErrSuspended, and
// ErrBadCredentials if the account is deleted or has another password by now.
func (s *Store) LogIn(ctx context.Context, userID, passwordHash string, n NewSession) (SignIn, error) {
	var (
		user userRow
		in   SignIn
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
		in, err = addSession(ctx, tx, userID, n)
		return err
	})
	if err = wrapErr(err, "log in"); watchparty.IsKind(err, watchparty.KindNotFound) {
		err = watchparty.ErrBadCredentials
	}
	if err != nil {
		return SignIn{}, err
	}
	in.User = user.user()
	return in, nil
}

// addSession stores a new sign-in and its client.
func addSession(ctx context.Context, db bun.IDB, userID string, n NewSession) (SignIn, error) {
	id := newID()
	in, err := addToken(ctx, db, sessionRow{ID: id, FamilyID: id, UserID: userID}, n)
	if err != nil {
		return SignIn{}, err
	}
	return in, rememberClient(ctx, db, userID, n.Client)
}

// addToken adds a refresh token to the sign-in of row. A zero SignedInAt means the first token.
func addToken(ctx context.Context, db bun.IDB, row sessionRow, n NewSession) (SignIn, error) {
	var seconds float64
	err := db.NewRaw(`
		INSERT INTO sessions (id, family_id, user_id, token_hash, user_agent, signed_in_at, expires_at)
		SELECT ?, ?, ?, ?, ?, f.began, least(now() + ?, f.began + ?) FROM (SELECT coalesce(?, now()) AS began) AS f
		RETURNING extract(epoch FROM expires_at - clock_timestamp())::float8`,
		row.ID, row.FamilyID, row.UserID, n.TokenHash, cmp.Or(n.UserAgent, row.UserAgent),
		interval(n.TTL), interval(cmp.Or(n.MaxTTL, n.TTL)), nullTime(row.SignedInAt)).Scan(ctx, &seconds)
	if err != nil {
		return SignIn{}, fmt.Errorf("store: add refresh token: %w", err)
	}
	return SignIn{SessionID: row.FamilyID, Lifetime: time.Duration(seconds * float64(time.Second))}, nil
}

// live is the condition of a refresh token that can be exchanged. A sign-in has several when one token was exchanged
// more than once within the grace period, and none when it has ended.
const live = "rotated_at IS NULL AND revoked_at IS NULL AND expires_at > now()"

// SessionUser finds the user of a sign-in. It returns ErrUnauthenticated if the sign-in has ended, which it has when
// the account is deleted or suspended.
func (s *Store) SessionUser(ctx context.Context, sessionID string) (watchparty.User, error) {
	var row userRow
	err := s.db.NewSelect().Model(&row).Where("u.deleted_at IS NULL AND u.suspended_at IS NULL").
		Where("u.id = (SELECT user_id FROM sessions WHERE family_id = ? AND "+live+" LIMIT 1)", sessionID).Scan(ctx)
	if err = wrapErr(err, "session's user"); watchparty.IsKind(err, watchparty.KindNotFound) {
		return watchparty.User{}, watchparty.ErrUnauthenticated
	}
	return row.user(), err
}

// TokenUser finds the user and the sign-in of a refresh token that was issued at most age ago. It returns
// ErrUnauthenticated if the sign-in has ended, and for a token that is not known.
func (s *Store) TokenUser(ctx context.Context, hash []byte, age time.Duration) (watchparty.User, string, error) {
	var session sessionRow
	err := s.db.NewSelect().Model(&session).Column("family_id", "user_id").Where("token_hash = ? AND "+live, hash).
		Where("created_at > now() - ?", interval(age)).Scan(ctx)
	if err = wrapErr(err, "token's session"); watchparty.IsKind(err, watchparty.KindNotFound) {
		return watchparty.User{}, "", watchparty.ErrUnauthenticated
	}
	if err != nil {
		return watchparty.User{}, "", err
	}
	user, err := s.SessionUser(ctx, session.FamilyID)
	return user, session.FamilyID, err
}

// RotateSession exchanges a refresh token for a new one and returns its user. Within the grace period, a token can be
// exchanged again, since two tabs may share a token and a response may be lost. Using a token after the grace period
// means that two parties have it: RotateSession revokes the whole family and returns ErrBadRefresh with the user.
//
// For an unknown, revoked or expired token, and for a suspended account, it returns ErrBadRefresh without a user. For a
// token that was exchanged maxTokens times within the grace period, it returns a KindLimited error and revokes nothing.
func (s *Store) RotateSession(ctx context.Context, oldHash []byte, n NewSession) (SignIn, error) {
	var (
		user userRow
		in   SignIn
	)
	reused := false
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := lockSignIn(ctx, tx, oldHash, &user); err != nil {
			return err
		}
		var old sessionRow
		err := tx.NewSelect().Model(&old).ColumnExpr("s.*").
			ColumnExpr("s.expires_at <= clock_timestamp() OR s.signed_in_at + ? <= clock_timestamp() AS expired",
				interval(cmp.Or(n.MaxTTL, n.TTL))).
			ColumnExpr("coalesce(s.rotated_at > clock_timestamp() - ?, false) AS in_grace", interval(n.Grace)).
			Where("s.token_hash = ?", oldHash).Scan(ctx)
		if err != nil {
			return err
		}
		switch {
		case old.RevokedAt != nil:
			return watchparty.ErrBadRefresh
		case old.RotatedAt != nil && !old.InGrace:
			reused = true
			return revokeFamily(ctx, tx, user.ID, old.FamilyID)
		case old.Expired || user.SuspendedAt != nil:
			return watchparty.ErrBadRefresh
		case old.RotatedAt != nil:
			err = makeRoomForToken(ctx, tx, old, n.Grace)
		default:
			_, err = tx.NewUpdate().Model(&old).Set("rotated_at = clock_timestamp()").Set("updated_at = now()").WherePK().
				Exec(ctx)
		}
		if err != nil {
			return err
		}
		old.ID = newID()
		in, err = addToken(ctx, tx, old, n)
		return err
	})
	err = wrapErr(err, "rotate session")
	switch {
	case reused && err == nil:
		return SignIn{User: user.user()}, watchparty.ErrBadRefresh
	case watchparty.IsKind(err, watchparty.KindNotFound):
		return SignIn{}, watchparty.ErrBadRefresh
	case err != nil:
		return SignIn{}, err
	}
	in.User = user.user()
	return in, nil
}

// makeRoomForToken revokes the oldest tokens of a sign-in, so that with the next one there are at most maxTokens. They
// are left behind by closed tabs and lost answers. Tokens that are younger than the grace period may be in use; if
// there are too many of those, it refuses.
func makeRoomForToken(ctx context.Context, tx bun.Tx, session sessionRow, grace time.Duration) error {
	const ofSignIn = "user_id = ?0 AND family_id = ?1 AND " + live
	_, err := tx.NewRaw("UPDATE sessions SET revoked_at = now(), updated_at = now() "+
		"WHERE created_at <= clock_timestamp() - ?2 AND id IN ("+
		"SELECT id FROM sessions WHERE "+ofSignIn+" ORDER BY created_at DESC, id DESC OFFSET ?3)",
		session.UserID, session.FamilyID, interval(grace), maxTokens-1).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: end unused refresh tokens: %w", err)
	}
	var inForce int
	err = tx.NewRaw("SELECT count(*) FROM sessions WHERE "+ofSignIn, session.UserID, session.FamilyID).Scan(ctx, &inForce)
	if err != nil {
		return fmt.Errorf("store: count refresh tokens: %w", err)
	}
	if inForce >= maxTokens {
		return watchparty.TooManyTokens(grace)
	}
	return nil
}

// RevokeSession ends the sign-in of a refresh token. For an unknown token it returns no error.
func (s *Store) RevokeSession(ctx context.Context, tokenHash []byte) error {
	var user userRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := lockSignIn(ctx, tx, tokenHash, &user); err != nil {
			return err
		}
		var row sessionRow
		if err := tx.NewSelect().Model(&row).Where("token_hash = ?", tokenHash).Scan(ctx); err != nil {
			return err
		}
		return revokeFamily(ctx, tx, row.UserID, row.FamilyID)
	})
	if err = wrapErr(err, "revoke session"); watchparty.IsKind(err, watchparty.KindNotFound) {
		return nil
	}
	return err
}

// lockSignIn locks the account of a refresh token, as lockUser does: otherwise a token that is being exchanged while
// its family is revoked would be missed.
func lockSignIn(ctx context.Context, tx bun.Tx, tokenHash []byte, user *userRow) error {
	return tx.NewSelect().Model(user).Where("id = (SELECT user_id FROM sessions WHERE token_hash = ?)", tokenHash).
		Where("deleted_at IS NULL").For("NO KEY UPDATE").Scan(ctx)
}

// Sessions lists the sign-ins of a user, newest first. The latest token of each says when it was last used.
func (s *Store) Sessions(ctx context.Context, userID string, p Page) ([]watchparty.Session, error) {
	var rows []sessionRow
	q := s.db.NewSelect().Model(&rows).DistinctOn("family_id").Where("user_id = ?", userID).Where(live)
	if err := p.of(q, descending, "family_id").Order("created_at DESC", "id DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: sessions: %w", err)
	}
	return mapRows(rows, sessionRow.session), nil
}

func (r sessionRow) session() watchparty.Session {
	return watchparty.Session{
		ID: r.FamilyID, UserAgent: r.UserAgent, SignedInAt: r.SignedInAt.UTC(), LastUsedAt: r.CreatedAt.UTC(),
		ExpiresAt: r.ExpiresAt.UTC(),
	}
}

// EndSession ends one of a user's sign-ins. It returns ErrNotFound for a sign-in that has ended or is another user's.
func (s *Store) EndSession(ctx context.Context, userID, sessionID string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := lockUser(ctx, tx, userID); err != nil {
			return err
		}
		return endSession(ctx, tx, userID, sessionID)
	})
	return wrapErr(err, "end session")
}

// endSession is EndSession in a transaction that has called lockUser.
func endSession(ctx context.Context, tx bun.Tx, userID, sessionID string) error {
	result, err := revocation(ctx, tx, userID).Where("family_id = ?", sessionID).Exec(ctx)
	if err == nil && !affected(result) {
		err = watchparty.ErrNotFound
	}
	return err
}

// EndSessions ends a user's sign-ins except the one to keep; empty keeps none.
func (s *Store) EndSessions(ctx context.Context, userID, keep string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := lockUser(ctx, tx, userID); err != nil {
			return err
		}
		return endSessions(ctx, tx, userID, keep)
	})
	return wrapErr(err, "end sessions")
}

// endSessions is EndSessions in a transaction that has called lockUser.
func endSessions(ctx context.Context, tx bun.Tx, userID, keep string) error {
	q := revocation(ctx, tx, userID)
	if keep != "" {
		q = q.Where("family_id <> ?", keep)
	}
	if _, err := q.Exec(ctx); err != nil {
		return fmt.Errorf("store: end sessions: %w", err)
	}
	return nil
}

// revocation ends tokens of a user.
func revocation(ctx context.Context, tx bun.Tx, userID string) *bun.UpdateQuery {
	changes(ctx, coherence.TagAccount(userID))
	return tx.NewUpdate().Model((*sessionRow)(nil)).Set("revoked_at = now()").Set("updated_at = now()").
		Where("user_id = ? AND revoked_at IS NULL", userID)
}

func revokeFamily(ctx context.Context, tx bun.Tx, userID, familyID string) error {
	if _, err := revocation(ctx, tx, userID).Where("family_id = ?", familyID).Exec(ctx); err != nil {
		return fmt.Errorf("store: revoke session: %w", err)
	}
	return nil
}
