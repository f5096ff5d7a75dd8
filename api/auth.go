package api

import (
	"context"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/store"
)

// Register makes an account. The welcome mail is promised by the same transaction.
func (s *Server) Register(ctx context.Context, r RegisterRequestObject) (RegisterResponseObject, error) {
	registration := watchparty.Registration{
		Username: r.Body.Username, Email: r.Body.Email, Password: r.Body.Password, DisplayName: value(r.Body.DisplayName),
	}
	registration.Normalise()
	if err := registration.Validate(); err != nil {
		return nil, err
	}
	hash, err := s.passwords.Hash(ctx, registration.Password)
	if err != nil {
		return nil, err
	}
	token, session := s.newSession()
	user, err := s.store.CreateSignedInUser(ctx, registration, hash, session)
	if err != nil {
		return nil, err
	}
	// The profile's absence may be cached.
	s.cache.Invalidate(ctx, cache.TagProfile(user.Username))
	answer, err := s.signedIn(user, token)
	return Register201JSONResponse(answer), err
}

// Login starts a session. It does not tell an unknown address from a wrong password, in answer or in time.
func (s *Server) Login(ctx context.Context, r LoginRequestObject) (LoginResponseObject, error) {
	user, hash, err := s.store.Credentials(ctx, r.Body.Email)
	if err != nil && !watchparty.IsKind(err, watchparty.KindNotFound) {
		return nil, err
	}
	ok, err := s.passwords.Verify(ctx, r.Body.Password, hash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, watchparty.ErrBadCredentials
	}
	token, session := s.newSession()
	if err := s.store.CreateSession(ctx, user.ID, session); err != nil {
		return nil, err
	}
	answer, err := s.signedIn(user, token)
	return Login200JSONResponse(answer), err
}

// Refresh exchanges a refresh token for the next pair.
func (s *Server) Refresh(ctx context.Context, r RefreshRequestObject) (RefreshResponseObject, error) {
	token, session := s.newSession()
	user, err := s.store.RotateSession(ctx, auth.HashRefresh(r.Body.RefreshToken), session)
	if err != nil {
		return nil, err
	}
	answer, err := s.signedIn(user, token)
	return Refresh200JSONResponse(answer), err
}

// Logout ends a session.
func (s *Server) Logout(ctx context.Context, r LogoutRequestObject) (LogoutResponseObject, error) {
	if err := s.store.RevokeSession(ctx, auth.HashRefresh(r.Body.RefreshToken)); err != nil {
		return nil, err
	}
	return Logout204Response{}, nil
}

// newSession returns a refresh token and what is stored of it.
func (s *Server) newSession() (token string, session store.Session) {
	token, hash := auth.NewRefresh()
	return token, store.Session{TokenHash: hash, Expires: time.Now().Add(s.cfg.Auth.RefreshTTL)}
}

func (s *Server) signedIn(user watchparty.User, refresh string) (SignedIn, error) {
	access, err := s.tokens.Access(auth.Identity{UserID: user.ID, Username: user.Username}, time.Now())
	return SignedIn{
		User: s.account(user), AccessToken: access, RefreshToken: refresh, ExpiresIn: int(s.tokens.TTL().Seconds()),
	}, err
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
