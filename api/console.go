package api

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/console"
	"github.com/watchparty/watchparty/store"
)

// routeConsole serves the operations console. It calls this API like any other client.
func (s *Server) routeConsole(e withHead) error {
	c, err := console.New(console.Deps{
		Log: s.log, API: s, Session: s.consoleSession, Access: s.consoleAccess,
		Secure: strings.HasPrefix(s.cfg.HTTP.PublicURL, "https://"),
	})
	if err != nil {
		return fmt.Errorf("api: %w", err)
	}
	for _, path := range []string{console.Base, console.Base + "/*"} {
		e.GET(path, echo.WrapHandler(c))
		e.POST(path, echo.WrapHandler(c))
	}
	return nil
}

func (s *Server) consoleSession(ctx context.Context, token string, age time.Duration) (auth.Identity, error) {
	user, sessionID, err := s.store.TokenUser(ctx, auth.HashRefresh(token), age)
	return auth.Identity{UserID: user.ID, Username: user.Username, SessionID: sessionID}, err
}

func (s *Server) consoleAccess(id auth.Identity) (string, error) {
	return s.tokens.Access(id, store.Now(), time.Minute)
}
