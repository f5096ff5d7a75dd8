package api

import (
	"context"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

// identify reads the access token, if any. A bad token only matters to operations that use it.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		e := requestStateOf(r.Context())
		e.header, e.client = r.Header, client(c)
		if header := r.Header.Get(echo.HeaderAuthorization); header != "" {
			e.identity = &identity{err: watchparty.ErrUnauthenticated, inForce: s.inForce}
			if scheme, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
				e.identity.claimed, e.identity.err = s.tokens.Verify(strings.TrimSpace(token), store.Now())
			}
		}
		return next(c)
	}
}

// inForce returns ErrUnauthenticated for a sign-in that has ended, which it has when its account is suspended or
// deleted.
func (s *Server) inForce(ctx context.Context, id auth.Identity) error {
	_, _, err := s.get(ctx, s.sessionQuery(id), func(ctx context.Context) (cache.Loaded, error) {
		user, err := s.store.SessionUser(ctx, id.SessionID)
		if err == nil && user.ID != id.UserID {
			err = watchparty.ErrUnauthenticated
		}
		return cache.Loaded{Body: []byte("{}")}, err
	})
	return err
}

func (s *Server) sessionQuery(id auth.Identity) cache.Query {
	return cache.Query{
		Key: sessionKey(id), Tags: []string{coherence.TagAccount(id.UserID)}, TTL: s.cfg.Cache.Profiles,
		Missing: watchparty.ErrUnauthenticated, MissingTTL: missingTTL,
	}
}

func sessionKey(id auth.Identity) string { return "session:" + id.SessionID }

// viewer returns the caller of an operation with an optional token: the zero Identity without a token, and an error for
// a bad one, so that an expired token does not look like a missing resource.
func viewer(ctx context.Context) (auth.Identity, error) {
	e := requestStateOf(ctx)
	if e.target != nil {
		e.target.viewed = true
	}
	id := e.identity
	if id == nil {
		return auth.Identity{}, nil
	}
	if id.err != nil {
		return auth.Identity{}, id.err
	}
	return id.claimed, id.confirm(ctx)
}

// maxUserAgent is how much of the User-Agent is stored, in characters.
const maxUserAgent = 200

// userAgent returns the User-Agent without what cannot be shown.
func userAgent(ctx context.Context) string {
	return watchparty.ShownLine(header(ctx, "User-Agent"), maxUserAgent)
}
