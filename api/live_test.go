package api

import (
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestLiveCodes: the contract of live connections lists the codes with which the REST API refuses a command, and no code
// that neither of them has.
func TestLiveCodes(t *testing.T) {
	t.Parallel()
	var live struct {
		Components struct {
			Schemas struct {
				Error struct {
					Properties struct {
						Code struct {
							Description string `yaml:"description"`
						} `yaml:"code"`
					} `yaml:"properties"`
				} `yaml:"Error"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	text, err := os.ReadFile("live.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &live))
	var listed []string
	for _, found := range quotedCode.FindAllStringSubmatch(live.Components.Schemas.Error.Properties.Code.Description, -1) {
		listed = append(listed, found[1])
	}
	require.NotEmpty(t, listed)
	ofHTTP := []string{
		"body_too_large", "precondition_failed", "request_timeout", "unsupported_content_encoding", "unsupported_media_type",
	}
	rest := documentedCodes(operations()["sendPlaybackCommand"].Operation)
	for _, code := range rest {
		require.Equal(t, !slices.Contains(ofHTTP, code), slices.Contains(listed, code), code)
	}
	ofLive := []string{"unknown_message_type", "signed_in_already", "superseded", "unavailable", "internal"}
	for _, code := range listed {
		require.True(t, slices.Contains(rest, code) || slices.Contains(ofLive, code), code)
	}
}

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
