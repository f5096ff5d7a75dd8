package api

import (
	"context"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/cache"
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
	user, err := s.store.CreateUser(ctx, registration, hash)
	if err != nil {
		return nil, err
	}
	// The profile's absence may be cached.
	s.cache.Invalidate(ctx, cache.TagProfile(user.Username))
	answer, err := s.signIn(ctx, user)
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
	answer, err := s.signIn(ctx, user)
	return Login200JSONResponse(answer), err
}

// Refresh exchanges a refresh token for the next pair.
func (s *Server) Refresh(ctx context.Context, r RefreshRequestObject) (RefreshResponseObject, error) {
	token, hash := auth.NewRefresh()
	user, err := s.store.RotateSession(ctx, auth.HashRefresh(r.Body.RefreshToken), hash, time.Now().Add(s.cfg.Auth.RefreshTTL))
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

func (s *Server) signIn(ctx context.Context, user watchparty.User) (SignedIn, error) {
	token, hash := auth.NewRefresh()
	if err := s.store.CreateSession(ctx, user.ID, hash, time.Now().Add(s.cfg.Auth.RefreshTTL)); err != nil {
		return SignedIn{}, err
	}
	return s.signedIn(user, token)
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
