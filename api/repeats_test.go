package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHitsOverOneConnection: hits of every length are whole, whichever way they take, and so is what follows them.
func TestHitsOverOneConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.user(t, "ada")
	socket, err := net.Dial("tcp", b.listening())
	require.NoError(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	require.NoError(t, socket.SetDeadline(time.Now().Add(time.Minute)))
	answers := bufio.NewReader(socket)
	ask := func(path string) (cached string, body string) {
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
		require.False(t, b.server.inMemory("/api/rooms"))
		_, fresh := ask("/rooms")
		require.Eventually(t, func() bool {
			ask("/rooms")
			return b.server.inMemory("/api/rooms")
		}, time.Minute, time.Millisecond, "a busy machine may lose its lease, but not always")
		for range 3 {
			state, hit := ask("/rooms")
			require.Equal(t, "HIT", state)
			require.Equal(t, strings.TrimPrefix(fresh, `{"_cached":false`), strings.TrimPrefix(hit, `{"_cached":true`))
			_, empty := ask("/movies?q=nothing")
			require.Contains(t, empty, `"data":[]`)
		}
		longest = max(longest, len(fresh))
	}
	require.Greater(t, longest, 8<<10, "no answer was longer than the buffer of net/http")
}
