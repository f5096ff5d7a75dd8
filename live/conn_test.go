package live

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/live/wire"
)

// TestWhatIsWrittenFirst: nothing passes the welcome, answers to Clock pass everything else, and of states and digests
// only the newest is kept.
func TestWhatIsWrittenFirst(t *testing.T) {
	t.Parallel()
	c := &conn{}
	c.sendState([]byte("state 1"))
	c.send([]byte("message 1"))
	require.False(t, c.out.writing, "the connection has not signed in")
	c.out.welcome, c.out.writing, c.out.open = []byte("welcome"), true, true // somebody writes, slowly
	for _, text := range []string{"state 2", "state 3"} {
		c.sendState([]byte(text))
	}
	c.sendDigest([]byte("digest 1"))
	c.sendDigest([]byte("digest 2"))
	c.send([]byte("message 2"))
	for i := range 2 * maxClocks {
		c.replyTime(float64(i), time.Unix(0, 0))
	}
	var order []string
	for {
		frame, clock, ok := c.pick()
		if !ok {
			break
		}
		if clock != nil {
			require.GreaterOrEqual(t, clock.C0, float64(maxClocks), "old questions are dropped")
			frame = []byte("clock")
		}
		order = append(order, string(frame))
	}
	require.Equal(t, []string{
		"welcome", "clock", "clock", "clock", "clock", "state 3", "message 1", "message 2", "digest 2",
	}, order)
	require.False(t, c.out.writing)
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for code, reason := range wire.Codes() {
		require.NotEmpty(t, reason)
		require.LessOrEqual(t, len(reason), 123, "a close frame has no more")
		require.True(t, code >= 1000 && code <= 1014 || code >= 4000 && code <= 4999)
	}
}
