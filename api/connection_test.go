package api

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestConnectionJoins: what is held back is sent once, in order, and with the second piece at the latest.
func TestConnectionJoins(t *testing.T) {
	t.Parallel()
	write := func(pieces ...string) func(*connection) error {
		return func(c *connection) error {
			for _, piece := range pieces {
				if n, err := c.Write([]byte(piece)); err != nil || n != len(piece) {
					return errors.Join(err, io.ErrShortWrite)
				}
			}
			return nil
		}
	}
	long := strings.Repeat("x", 10_000)
	for name, c := range map[string]struct {
		pieces []string // between hold and release
		held   string   // what has not been sent before release
	}{
		"nothing":      {nil, ""},
		"one piece":    {[]string{"a"}, "a"},
		"two pieces":   {[]string{"a", long}, ""},
		"three pieces": {[]string{"a", long, "b"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, client := pair(t)
			conn.hold()
			require.NoError(t, write(c.pieces...)(conn))
			all := strings.Join(c.pieces, "")
			requireReceived(t, client, strings.TrimSuffix(all, c.held))
			if c.held != "" {
				require.Equal(t, c.held, string(*conn.first))
			}
			require.NoError(t, conn.release())
			require.NoError(t, write("next")(conn))
			requireReceived(t, client, c.held+"next")
			require.Nil(t, conn.first)
		})
	}
}

// TestConnectionThatHasEnded: a piece that could not be sent is an error, at the latest when it is released.
func TestConnectionThatHasEnded(t *testing.T) {
	t.Parallel()
	conn, _ := pair(t)
	require.NoError(t, conn.Close())
	conn.hold()
	_, err := conn.Write([]byte("a"))
	require.NoError(t, err)
	require.ErrorIs(t, conn.release(), net.ErrClosed)
	conn.hold()
	_, err = conn.Write([]byte("a"))
	require.NoError(t, err)
	n, err := conn.Write([]byte("b"))
	require.ErrorIs(t, err, net.ErrClosed)
	require.Zero(t, n)
	require.NoError(t, conn.release(), "nothing is left")
	var none *connection
	none.hold()
	require.NoError(t, none.release())
}

// TestJoinedAnswers: hits of every length are whole, one after the other on one connection, and so is what follows.
func TestJoinedAnswers(t *testing.T) {
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
		_, fresh := ask("/rooms")
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

// pair is a connection as net/http has it, and its other end.
func pair(t *testing.T) (*connection, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, client.SetDeadline(time.Now().Add(time.Minute)))
	accepted, err := joining{l}.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = accepted.Close() })
	return accepted.(*connection), client
}

func requireReceived(t *testing.T, client net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(client, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}
