package api

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

type identityKey struct{}

// identity is what the token of a request says about the caller.
type identity struct {
	// claimed is the account that the token was issued for; err says what is wrong with the token.
	claimed auth.Identity
	err     error
	// confirm checks, once, whether the sign-in is still valid.
	confirm func() error
}

// identify reads the access token, if any. A bad token only matters to operations that use it.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx := context.WithValue(c.Request().Context(), headerKey{}, c.Request().Header)
		ctx = store.WithClient(context.WithValue(ctx, clientKey{}, client(c)), client(c))
		if header := c.Request().Header.Get(echo.HeaderAuthorization); header != "" {
			id := identity{err: watchparty.ErrUnauthenticated}
			if scheme, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
				id.claimed, id.err = s.tokens.Verify(strings.TrimSpace(token), store.Now())
			}
			id.confirm = sync.OnceValue(func() error { return s.inForce(ctx, id.claimed) })
			ctx = context.WithValue(ctx, identityKey{}, id)
		}
		c.SetRequest(c.Request().WithContext(ctx))
		return next(c)
	}
}

// inForce returns ErrUnauthenticated for a sign-in that has ended, which it has when its account is suspended or
// deleted.
func (s *Server) inForce(ctx context.Context, id auth.Identity) error {
	q := cache.Query{
		Key: "session:" + id.SessionID, Tags: []string{coherence.TagAccount(id.UserID)}, TTL: s.cfg.Cache.Profiles,
		Missing: watchparty.ErrUnauthenticated, MissingTTL: missingTTL,
	}
	_, _, err := s.cache.Get(ctx, q, func(ctx context.Context) (cache.Loaded, error) {
		user, err := s.store.SessionUser(ctx, id.SessionID)
		if err == nil && user.ID != id.UserID {
			err = watchparty.ErrUnauthenticated
		}
		return cache.Loaded{Body: []byte("{}")}, err
	})
	return err
}

// viewer returns the caller of an operation with an optional token: the zero Identity without a token, and an error for
// a bad one, so that an expired token does not look like a missing resource.
func viewer(ctx context.Context) (auth.Identity, error) {
	id, ok := ctx.Value(identityKey{}).(identity)
	if !ok || id.err != nil {
		return auth.Identity{}, id.err
	}
	return id.claimed, id.confirm()
}

type headerKey struct{}

// headers returns the headers of the request.
func headers(ctx context.Context) http.Header {
	all, _ := ctx.Value(headerKey{}).(http.Header)
	return all
}

// header returns one header of the request.
func header(ctx context.Context, name string) string { return headers(ctx).Get(name) }

// maxUserAgent is how much of the User-Agent is stored, in characters.
const maxUserAgent = 200

// userAgent returns the User-Agent without what cannot be shown.
func userAgent(ctx context.Context) string {
	return watchparty.ShownLine(header(ctx, "User-Agent"), maxUserAgent)
}
