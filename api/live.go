package api

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/limit"
	"github.com/watchparty/watchparty/live"
)

// livePath is the route of live connections, below basePath. Their messages are in a contract of their own.
const livePath = "/rooms/:room_id/live"

// maxConnects is how many live connections an account opens in a minute, on all replicas.
const maxConnects = 60

// Errors of live connections.
var (
	errUpgradeRequired = &watchparty.Error{Kind: watchparty.KindUpgrade, Code: "upgrade_required",
		Message: "This address is for WebSocket connections. A proxy in between may have removed the header Upgrade."}
	errOrigin = &watchparty.Error{Kind: watchparty.KindForbidden, Code: "origin_not_allowed",
		Message: "Front-ends of this origin may not connect."}
)

// newHub makes the hub of live connections, which Serve runs.
func (s *Server) newHub(d Deps) *live.Hub {
	deps := live.Deps{
		Store: d.Store, Bus: d.Bus, Tokens: s.tokens, Files: s.files(), Log: d.Log, Metrics: d.Metrics,
		HostSilence: d.Config.Room.HostSilence,
	}
	if s.limits != nil {
		deps.Connects = func(ctx context.Context, userID string) limit.Result {
			return s.limits.shared.Allow(ctx, s.limits.connects, account(userID))
		}
	}
	return live.NewHub(deps)
}

// connectLive makes a request a live connection. What the person may do is decided by the first message.
func (s *Server) connectLive(c echo.Context) error {
	r := c.Request()
	if !wantsWebSocket(r) {
		c.Response().Header().Set(echo.HeaderUpgrade, "websocket")
		c.Response().Header().Set(echo.HeaderConnection, "Upgrade")
		return errUpgradeRequired
	}
	if !s.originAllowed(r.Header.Get(echo.HeaderOrigin)) {
		return errOrigin
	}
	roomID := c.Param("room_id")
	if len(roomID) != len(uuid.Nil.String()) || uuid.Validate(roomID) != nil {
		return watchparty.ErrNotFound
	}
	return s.live.Accept(c.Response(), r, strings.ToLower(roomID), client(c))
}

// wantsWebSocket reports whether a request is a handshake. What else is wrong with one, the handshake answers itself.
func wantsWebSocket(r *http.Request) bool {
	has := func(header, token string) bool {
		for part := range strings.SplitSeq(strings.Join(r.Header.Values(header), ","), ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
		return false
	}
	return r.Method == http.MethodGet && has(echo.HeaderConnection, "upgrade") && has(echo.HeaderUpgrade, "websocket")
}

// originAllowed reports whether a browser's page may connect: one of this service, or of HTTP_CORS_ORIGINS. Other
// clients send no origin.
func (s *Server) originAllowed(origin string) bool {
	if origin == "" {
		return true
	}
	origin = strings.ToLower(origin)
	for _, allowed := range append([]string{originOf(s.cfg.HTTP.PublicURL)}, s.cfg.HTTP.Origins...) {
		matches, err := path.Match(strings.ToLower(allowed), origin)
		if allowed == "*" || allowed != "" && err == nil && matches {
			return true
		}
	}
	return false
}

// originOf is the scheme, host and port of an address.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// connectsRule counts how often an account connects.
func connectsRule() limit.Rule {
	return limit.Rule{Name: "connects", Rate: maxConnects, Period: time.Minute}
}
