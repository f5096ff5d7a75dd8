package api

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/text/language"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/store"
)

// Register makes an account. The welcome mail is promised by the same transaction. A request that is sent again, under
// the same Idempotency-Key, signs in to the account that the first one made.
func (s *Server) Register(ctx context.Context, r RegisterRequestObject) (RegisterResponseObject, error) {
	registration := watchparty.Registration{
		Username: r.Body.Username, Email: r.Body.Email, Password: r.Body.Password, DisplayName: value(r.Body.DisplayName),
		Language: cmp.Or(watchparty.Language(value(r.Body.Language)), preferred(header(ctx, "Accept-Language"))),
	}
	registration.Normalise()
	if err := registration.Validate(); err != nil {
		return nil, err
	}
	asked := registration
	asked.Password = "" // whoever asks again has to know it, to be signed in
	once, err := s.once(ctx, "register", r.Params.IdempotencyKey, asked)
	if err != nil {
		return nil, err
	}
	hash, err := s.passwords.Hash(ctx, registration.Password)
	if err != nil {
		return nil, err
	}
	token, session := s.newSession(ctx)
	created, err := s.store.CreateSignedInUser(ctx, registration, hash, session, once)
	if err != nil {
		return nil, err
	}
	if created.User.ID == "" {
		answer, err := s.logIn(ctx, registration.Email, registration.Password)
		return Register201JSONResponse(answer), err
	}
	// The profile's absence may be cached.
	s.cache.Invalidate(ctx, cache.TagProfile(created.User.Username))
	answer, err := s.signedIn(created, token)
	return Register201JSONResponse(answer), err
}

// preferred is the one of our languages that suits a request's header best.
func preferred(acceptLanguage string) watchparty.Language {
	ours := watchparty.Languages()
	_, i := language.MatchStrings(matcher, acceptLanguage)
	return ours[i]
}

var matcher = language.NewMatcher(convert(watchparty.Languages(), func(l watchparty.Language) language.Tag { return language.Make(string(l)) }))

// Login starts a session. It does not tell an unknown address from a wrong password, in answer or in time.
func (s *Server) Login(ctx context.Context, r LoginRequestObject) (LoginResponseObject, error) {
	answer, err := s.logIn(ctx, r.Body.Email, r.Body.Password)
	return Login200JSONResponse(answer), err
}

func (s *Server) logIn(ctx context.Context, email, password string) (SignedIn, error) {
	if err := watchparty.ValidateAccountAddress(email); err != nil {
		return SignedIn{}, err
	}
	if err := s.checkFailures(ctx, email); err != nil {
		return SignedIn{}, err
	}
	user, hash, err := s.store.Credentials(ctx, email)
	if err != nil && !watchparty.IsKind(err, watchparty.KindNotFound) {
		return SignedIn{}, err
	}
	ok, err := s.passwords.Verify(ctx, password, hash)
	if err != nil {
		return SignedIn{}, err
	}
	if !ok {
		if err := s.countFailure(ctx, email); err != nil {
			return SignedIn{}, err
		}
		return SignedIn{}, watchparty.ErrBadCredentials
	}
	// Again: many guesses at once have all been let in before the first of them was counted.
	if err := s.checkFailures(ctx, email); err != nil {
		return SignedIn{}, err
	}
	token, session := s.newSession(ctx)
	in, err := s.store.LogIn(ctx, user.ID, hash, session)
	if err != nil {
		return SignedIn{}, err
	}
	return s.signedIn(in, token)
}

// Refresh exchanges a refresh token for the next pair.
func (s *Server) Refresh(ctx context.Context, r RefreshRequestObject) (RefreshResponseObject, error) {
	token, session := s.newSession(ctx)
	rotated, err := s.store.RotateSession(ctx, auth.HashRefresh(r.Body.RefreshToken), session)
	if err != nil {
		if rotated.User.ID != "" {
			s.cache.Invalidate(ctx, cache.TagAccount(rotated.User.ID))
		}
		return nil, err
	}
	answer, err := s.signedIn(rotated, token)
	return Refresh200JSONResponse(answer), err
}

// Logout ends a session.
func (s *Server) Logout(ctx context.Context, r LogoutRequestObject) (LogoutResponseObject, error) {
	userID, err := s.store.RevokeSession(ctx, auth.HashRefresh(r.Body.RefreshToken))
	if err != nil {
		return nil, err
	}
	if userID != "" {
		s.cache.Invalidate(ctx, cache.TagAccount(userID))
	}
	return Logout204Response{}, nil
}

// newSession returns a refresh token and what is stored of it.
func (s *Server) newSession(ctx context.Context) (token string, n store.NewSession) {
	token, hash := auth.NewRefresh()
	return token, store.NewSession{TokenHash: hash, UserAgent: userAgent(ctx), Expires: time.Now().Add(s.cfg.Auth.RefreshTTL)}
}

func (s *Server) signedIn(in store.SignIn, refresh string) (SignedIn, error) {
	id := auth.Identity{UserID: in.User.ID, Username: in.User.Username, SessionID: in.SessionID}
	access, err := s.tokens.Access(id, time.Now())
	return SignedIn{
		User: s.account(in.User), AccessToken: access, RefreshToken: refresh, ExpiresIn: int(s.tokens.TTL().Seconds()),
	}, err
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
