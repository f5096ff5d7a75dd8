package live

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/store"
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

// TestShortMutesEnd: a mute that a person was told of ends for that person, too, if it has ended before the members are
// read.
func TestShortMutesEnd(t *testing.T) {
	t.Parallel()
	until := time.Unix(1_700_000_000, 0)
	muted := watchparty.OwnStanding{Role: watchparty.Viewer, MutedUntil: until}
	for name, tell := range map[string]func(t *testing.T, c *conn){
		"in the welcome": func(_ *testing.T, c *conn) { c.welcome(store.Admission{Standing: muted}) },
		"later":          func(t *testing.T, c *conn) { c.applyStanding(t.Context(), store.LiveStanding{Standing: muted}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &Hub{clock: NewClock(nil, nil)}
			r := &room{hub: h}
			c := &conn{hub: h, room: r}
			c.out.open, c.out.writing = true, true // somebody writes, slowly
			tell(t, c)
			r.setMembers(nil) // nobody is muted any more
			require.False(t, r.takeLapse(until.Add(-time.Microsecond)))
			require.True(t, r.takeLapse(until))
			require.False(t, r.takeLapse(until), "once")
		})
	}
}

// TestWhoCanBeWaitedFor: a player that is blocked, neither seen nor heard, or opted out holds up nobody.
func TestWhoCanBeWaitedFor(t *testing.T) {
	t.Parallel()
	able := wire.Status{Watching: true, WaitForMe: true}
	require.False(t, reportOf(able).unable)
	for name, change := range map[string]func(*wire.Status){
		"blocked":   func(s *wire.Status) { s.Blocked = true },
		"hidden":    func(s *wire.Status) { s.Watching = false },
		"opted out": func(s *wire.Status) { s.WaitForMe = false },
	} {
		status := able
		change(&status)
		require.True(t, reportOf(status).unable, name)
	}
}

// TestDefaultLimits: the limits without which the tests of their effects, which make them tighter, say little.
func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	require.Equal(t, limits{
		PendingEach: 50, Pending: 4000, Connections: 30000, Hello: 5 * time.Second, Write: 10 * time.Second,
		Ping: 20 * time.Second, Dead: 45 * time.Second, Warning: time.Minute, Grace: 30 * time.Second,
		Degraded: 10 * time.Second, PollCalm: 5 * time.Second, PollBusy: 300 * time.Millisecond, Digest: time.Second,
		Sweep: 2 * time.Second, Attend: 30 * time.Second, Lease: 15 * time.Second, Statement: 5 * time.Second,
	}, defaultLimits())
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for code, reason := range wire.Codes() {
		require.NotEmpty(t, reason)
		require.LessOrEqual(t, len(reason), 123, "a close frame has no more")
		require.True(t, code >= 1000 && code <= 1014 || code >= 4000 && code <= 4999)
	}
}
