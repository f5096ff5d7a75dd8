package api

import (
	"cmp"
	"context"
	"errors"

	"golang.org/x/text/language"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/store"
)

// Register creates an account and signs it in. The same transaction queues the welcome email. A repeated request with
// the same Idempotency-Key signs in to the account that the first one created.
func (s *Server) Register(
	ctx context.Context,
	r contract.RegisterRequestObject,
) (contract.RegisterResponseObject, error) {
	registration := watchparty.Registration{
		Username: r.Body.Username, Email: r.Body.Email, Password: r.Body.Password, DisplayName: value(r.Body.DisplayName),
		Language: cmp.Or(watchparty.Language(value(r.Body.Language)), preferred(header(ctx, "Accept-Language"))),
	}
	registration.Normalise()
	if err := registration.Validate(); err != nil {
		return nil, err
	}
	asked := registration
	asked.Password = "" // not part of the comparison: a repeated request proves the password by the sign-in
	asked.Email = watchparty.AccountKey(asked.Email)
	once, err := s.once(ctx, "register", r.Params.IdempotencyKey, asked)
	if err != nil {
		return nil, err
	}
	hash, err := s.hashPassword(ctx, registration.Password)
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
		if err != nil {
			return nil, err
		}
		return registered(answer)
	}
	answer, err := s.signedIn(created, token)
	if err != nil {
		return nil, err
	}
	return registered(answer)
}

// registered adds the address of the account's profile.
func registered(in contract.SignedIn) (contract.RegisterResponseObject, error) {
	u := in.User
	profile := contract.Profile{
		ID:          u.ID,
		Username:    u.Username,
		DisplayName: u.DisplayName,
		Avatar:      u.Avatar,
		CreatedAt:   u.CreatedAt,
	}
	made, err := madeAt("/users/"+u.Username, 0, single{Data: profile})
	return contract.Register201JSONResponse{
		Body:    contract.SignedInAnswer{Data: in},
		Headers: contract.Register201ResponseHeaders(made),
	}, err
}

// preferred returns the language that suits an Accept-Language header best.
func preferred(acceptLanguage string) watchparty.Language {
	ours := watchparty.Languages()
	_, i := language.MatchStrings(matcher, acceptLanguage)
	return ours[i]
}

var matcher = language.NewMatcher(
	convert(watchparty.Languages(), func(l watchparty.Language) language.Tag { return language.Make(string(l)) }),
)

// Login starts a session. The answer and its timing are the same for an unknown address and a wrong password.
func (s *Server) Login(ctx context.Context, r contract.LoginRequestObject) (contract.LoginResponseObject, error) {
	answer, err := s.logIn(ctx, r.Body.Email, r.Body.Password)
	return contract.Login200JSONResponse{Data: answer}, err
}

func (s *Server) logIn(ctx context.Context, email, password string) (contract.SignedIn, error) {
	if err := watchparty.ValidateAccountAddress(email); err != nil {
		return contract.SignedIn{}, err
	}
	user, hash, err := s.store.Credentials(ctx, email)
	if err != nil && !watchparty.IsKind(err, watchparty.KindNotFound) {
		return contract.SignedIn{}, err
	}
	p := passwordCheck{
		act:      "login",
		userID:   user.ID,
		account:  cmp.Or(user.ID, account(email)),
		client:   clientOf(ctx),
		hash:     hash,
		password: password,
	}
	// This query also runs for an unknown address, so that the timing is the same.
	if p.known, err = s.store.KnownClient(ctx, cmp.Or(user.ID, nilUUID), s.clientHash(ctx)); err != nil {
		return contract.SignedIn{}, err
	}
	if hash, err = s.checkPassword(ctx, p); errors.Is(err, watchparty.ErrWrongPassword) {
		err = watchparty.ErrBadCredentials
	}
	if err != nil {
		return contract.SignedIn{}, err
	}
	token, session := s.newSession(ctx)
	in, err := s.store.LogIn(ctx, user.ID, hash, session)
	if errors.Is(err, watchparty.ErrSuspended) {
		s.logRefusal(ctx, p, "suspended")
	}
	if err != nil {
		return contract.SignedIn{}, err
	}
	return s.signedIn(in, token)
}

// nilUUID is an ID that no account has.
const nilUUID = "00000000-0000-0000-0000-000000000000"

// Refresh exchanges a refresh token for the next pair.
func (s *Server) Refresh(ctx context.Context, r contract.RefreshRequestObject) (contract.RefreshResponseObject, error) {
	token, session := s.newSession(ctx)
	rotated, err := s.store.RotateSession(ctx, auth.HashRefresh(r.Body.RefreshToken), session)
	if err != nil {
		if rotated.User.ID != "" { // somebody else may have had the token
			s.logRefusal(ctx, passwordCheck{act: "refresh", account: rotated.User.ID}, "refresh_token_reused")
		}
		return nil, err
	}
	answer, err := s.signedIn(rotated, token)
	return contract.Refresh200JSONResponse{Data: answer}, err
}

// Logout ends a session.
func (s *Server) Logout(ctx context.Context, r contract.LogoutRequestObject) (contract.LogoutResponseObject, error) {
	if err := s.store.RevokeSession(ctx, auth.HashRefresh(r.Body.RefreshToken)); err != nil {
		return nil, err
	}
	return contract.Logout204Response{}, nil
}

// newSession returns a refresh token and the session to be stored.
func (s *Server) newSession(ctx context.Context) (token string, n store.NewSession) {
	token, hash := auth.NewRefresh()
	cfg := s.cfg.Auth
	return token, store.NewSession{
		TokenHash: hash, UserAgent: userAgent(ctx), Client: s.clientHash(ctx),
		TTL: cfg.RefreshTTL, MaxTTL: cfg.SessionTTL, Grace: cfg.RefreshGrace,
	}
}

func (s *Server) signedIn(in store.SignIn, refresh string) (contract.SignedIn, error) {
	id := auth.Identity{UserID: in.User.ID, Username: in.User.Username, SessionID: in.SessionID}
	ttl := min(s.tokens.TTL(), in.Lifetime) // no longer than the sign-in
	access, err := s.tokens.Access(id, store.Now(), ttl)
	return contract.SignedIn{
		User:         s.account(in.User),
		AccessToken:  access,
		RefreshToken: refresh,
		ExpiresIn:    int(ttl.Seconds()),
	}, err
}
