package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/limit"
	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/live/wire"
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

// connectLive makes a request a live connection. The first message decides what the person may do.
func (s *Server) connectLive(c echo.Context) error {
	r := c.Request()
	if !wantsWebSocket(r) {
		c.Response().Header().Set(echo.HeaderUpgrade, "websocket")
		c.Response().Header().Set(echo.HeaderConnection, "Upgrade")
		return errUpgradeRequired
	}
	if err := checkHandshake(r); err != nil {
		c.Response().Header().Set("Sec-WebSocket-Version", webSocketVersion)
		return err
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

// webSocketVersion is that of RFC 6455, the only one.
const webSocketVersion = "13"

// checkHandshake checks what the library would refuse in plain text, and the subprotocol, without which it would
// accept the connection.
func checkHandshake(r *http.Request) error {
	var wrong []watchparty.FieldError
	if versions := r.Header.Values("Sec-WebSocket-Version"); !slices.Equal(versions, []string{webSocketVersion}) {
		wrong = append(wrong, watchparty.FieldError{
			Field: "Sec-WebSocket-Version", Code: "enum", Message: "must be " + webSocketVersion,
		})
	}
	keys := r.Header.Values("Sec-WebSocket-Key")
	var key []byte
	if len(keys) == 1 {
		key, _ = base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	}
	if len(key) != 16 {
		wrong = append(wrong, watchparty.FieldError{
			Field: "Sec-WebSocket-Key", Code: "format", Message: "must be 16 bytes in base64",
		})
	}
	if !hasToken(r.Header, "Sec-WebSocket-Protocol", wire.Subprotocol) {
		wrong = append(wrong, watchparty.FieldError{
			Field: "Sec-WebSocket-Protocol", Code: "enum", Message: "must list " + wire.Subprotocol,
		})
	}
	if wrong != nil {
		return watchparty.Invalid(wrong...)
	}
	return nil
}

// wantsWebSocket reports whether a request is a handshake.
func wantsWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && r.ProtoMinor == 1 &&
		hasToken(r.Header, echo.HeaderConnection, "upgrade") && hasToken(r.Header, echo.HeaderUpgrade, "websocket")
}

// hasToken reports whether a header has a token, in any case, in a list with commas.
func hasToken(header http.Header, name, token string) bool {
	for part := range strings.SplitSeq(strings.Join(header.Values(name), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(part), token) {
			return true
		}
	}
	return false
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
