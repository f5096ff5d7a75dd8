package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHitsOverOneConnection: hits of every length are whole, whichever way they take, and so is what follows them.
func TestHitsOverOneConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var quick atomic.Int32 // requests on the fast path
	address := b.server.echo.IPExtractor
	b.server.echo.IPExtractor = func(r *http.Request) string {
		if r.Context().Value(http.ServerContextKey) == nil {
			quick.Add(1)
		}
		return address(r)
	}
	ada := b.user(t, "ada")
	socket, err := net.Dial("tcp", b.listening())
	require.NoError(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	require.NoError(t, socket.SetDeadline(time.Now().Add(time.Minute)))
	answers := bufio.NewReader(socket)
	getOverSocket := func(path string) (cached string, body string) {
		_, err := io.WriteString(socket, "GET /api"+path+" HTTP/1.1\r\nHost: party.example\r\n\r\n")
		require.NoError(t, err)
		r, err := http.ReadResponse(answers, nil)
		require.NoError(t, err)
		content, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		require.Equal(t, http.StatusOK, r.StatusCode, "%s", content)
		return r.Header.Get("X-Cache"), string(content)
	}
	longest := 0
	for range 12 {
		b.room(t, ada, map[string]any{"name": "A room", "description": strings.Repeat("é", 300)})
		require.False(t, b.server.atHand("/api/rooms"))
		_, fresh := getOverSocket("/rooms")
		require.Eventually(t, func() bool {
			getOverSocket("/rooms")
			return b.server.atHand("/api/rooms")
		}, time.Minute, time.Millisecond, "a busy machine may lose its lease, but not always")
		for range 3 {
			state, hit := getOverSocket("/rooms")
			require.Equal(t, "HIT", state)
			require.Equal(t, strings.TrimPrefix(fresh, `{"_cached":false`), strings.TrimPrefix(hit, `{"_cached":true`))
			_, empty := getOverSocket("/movies?q=nothing")
			require.Contains(t, empty, `"data":[]`)
		}
		longest = max(longest, len(fresh))
	}
	require.Greater(t, longest, 8<<10, "no answer was longer than the buffer of net/http")
	require.NotZero(t, quick.Load())
}
