package api

import (
	"context"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
)

type identityKey struct{}

type identity struct {
	auth.Identity
	err error
}

// identify reads the access token, if there is one. What is wrong with it matters only to operations that look.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Request().Header.Get(echo.HeaderAuthorization)
		if header == "" {
			return next(c)
		}
		id := identity{err: watchparty.ErrUnauthenticated}
		if scheme, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
			id.Identity, id.err = s.tokens.Verify(strings.TrimSpace(token), time.Now())
		}
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), identityKey{}, id)))
		return next(c)
	}
}

// caller is who asks; ErrUnauthenticated without a valid token.
func caller(ctx context.Context) (auth.Identity, error) {
	id, ok := ctx.Value(identityKey{}).(identity)
	if !ok {
		return auth.Identity{}, watchparty.ErrUnauthenticated
	}
	return id.Identity, id.err
}

// viewer is who asks where a token is optional: the zero Identity without one, an error with a bad one, so that an
// expired token does not look like a missing thing.
func viewer(ctx context.Context) (auth.Identity, error) {
	id, _ := ctx.Value(identityKey{}).(identity)
	return id.Identity, id.err
}

// admin is the caller when they are an admin now, whatever they were when their token was made.
func (s *Server) admin(ctx context.Context) (auth.Identity, error) {
	id, err := caller(ctx)
	if err != nil {
		return auth.Identity{}, err
	}
	user, err := s.store.User(ctx, id.UserID)
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		return auth.Identity{}, watchparty.ErrUnauthenticated
	}
	if err != nil {
		return auth.Identity{}, err
	}
	if !user.Admin {
		return auth.Identity{}, watchparty.ErrForbidden
	}
	return id, nil
}
