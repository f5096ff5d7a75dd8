package api

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLiveHandshake: requests that are refused before the WebSocket is open.
func TestLiveHandshake(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway, func(s *settings) {
		s.config.HTTP.Origins = []string{"https://friends.example", "https://*.friends.example"}
	})
	path := "/rooms/" + unknownID + "/live"
	handshake := func(path string, change map[string]string) *http.Request {
		r := b.request(t, "GET", path, "", nil)
		for name, v := range map[string]string{
			"Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "watchparty.v1",
		} {
			r.Header.Set(name, v)
		}
		for name, v := range change {
			r.Header.Set(name, v)
			if v == "" {
				r.Header.Del(name)
			}
		}
		return r
	}
	t.Run("no upgrade", func(t *testing.T) {
		for _, change := range []map[string]string{{"Upgrade": ""}, {"Connection": ""}, {"Upgrade": "h2c"}} {
			a := b.send(t, handshake(path, change))
			a.requireProblem(t, http.StatusUpgradeRequired, "upgrade_required")
			require.Equal(t, []string{"websocket", "Upgrade"}, []string{a.header.Get("Upgrade"), a.header.Get("Connection")})
		}
	})
	t.Run("invalid handshake", func(t *testing.T) {
		for _, change := range []map[string]string{
			{"Sec-WebSocket-Version": ""}, {"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Key": ""},
			{"Sec-WebSocket-Key": "abc"}, {"Sec-WebSocket-Key": "dGhlIHNhbXBsZQ=="}, {"Sec-WebSocket-Protocol": ""},
			{"Sec-WebSocket-Protocol": "watchparty.v2, graphql-ws"},
		} {
			a := b.send(t, handshake(path, change))
			a.requireProblem(t, http.StatusBadRequest, "invalid_request")
			require.Equal(t, "13", a.header.Get("Sec-WebSocket-Version"))
		}
	})
	t.Run("several subprotocols", func(t *testing.T) {
		change := map[string]string{"Sec-WebSocket-Protocol": "watchparty.v2, watchparty.v1"}
		b.send(t, handshake("/rooms/no-id/live", change)).requireProblem(t, http.StatusNotFound, "not_found")
	})
	t.Run("origins", func(t *testing.T) {
		for origin, allowed := range map[string]bool{
			"": true, "https://party.example": true, "https://friends.example": true, "https://of.friends.example": true,
			"HTTPS://FRIENDS.EXAMPLE": true, "http://friends.example": false, "https://friends.example.evil": false,
			"https://evil.example": false, "https://evilfriends.example": false, "null": false,
		} {
			a := b.send(t, handshake("/rooms/no-id/live", map[string]string{"Origin": origin}))
			if allowed {
				a.requireProblem(t, http.StatusNotFound, "not_found")
			} else {
				a.requireProblem(t, http.StatusForbidden, "origin_not_allowed")
			}
		}
	})
	t.Run("other methods", func(t *testing.T) {
		b.do(t, "POST", path, "", nil).requireProblem(t, http.StatusMethodNotAllowed, "method_not_allowed")
	})
}
