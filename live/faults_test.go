package live_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
)

// TestMessages: posts, edits and deletions of messages arrive completely on all servers.
func TestMessages(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(onlyHints))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob)
	post := func(n *node, p person, text string) string {
		body := map[string]any{"room_id": room, "body": text}
		return n.callAPI(t, "POST", "/chat/messages", p, body, http.StatusCreated)["id"].(string)
	}
	post(a, alice, "before anybody was connected")
	watchers := []*watcher{a.connectLive(t, room, alice), b.connectLive(t, room, bob)}
	first := post(a, alice, "one <b>")
	second := post(b, bob, "two")
	a.callAPI(t, "PATCH", "/chat/messages/"+first, alice, map[string]any{"body": "uno"}, http.StatusOK)
	a.callAPI(t, "DELETE", "/chat/messages/"+second, alice, nil, http.StatusNoContent)
	for _, w := range watchers {
		var latest = map[string]wire.ChatMessage{}
		awaitMessage(w, func(m *wire.MessageEvent) bool {
			require.NotEqual(t, "before anybody was connected", m.Message.Body)
			latest[m.Message.ID] = m.Message
			return latest[first].Body == "uno" && latest[second].Deleted
		})
		require.Equal(t, "alice", latest[first].Author.Username)
		require.NotNil(t, latest[first].EditedAt)
		require.Empty(t, latest[second].Body)
	}
}

// TestChangedBetweenReads: a message that is edited or deleted after it was read as posted, and before the changes are
// read, is sent as it is in the end, and one that was read in its final form is sent once.
func TestChangedBetweenReads(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(onlyHints))
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	w := n.connectLive(t, room, alice)
	now := time.Now().UTC().Truncate(time.Microsecond)
	message := func(body string, edited, deleted time.Time) watchparty.Message {
		return watchparty.Message{RoomID: room, Body: body, EditedAt: edited, DeletedAt: deleted, ChangedAt: now}
	}
	for _, c := range []struct {
		posted, changed watchparty.Message
		sent            []string
	}{
		{message("as posted", time.Time{}, time.Time{}), message("edited", now, time.Time{}), []string{"as posted", "edited"}},
		{message("edited", now, time.Time{}), message("edited", now, time.Time{}), []string{"edited"}},
		{message("edited", now, time.Time{}), message("again", now.Add(1000), time.Time{}), []string{"edited", "again"}},
		{message("as posted", time.Time{}, time.Time{}), message("", time.Time{}, now), []string{"as posted", ""}},
	} {
		id := uuid.Must(uuid.NewV7()).String()
		c.posted.ID, c.changed.ID = id, id
		now = now.Add(time.Millisecond)
		c.changed.ChangedAt = now
		n.hub.SendMessages(room, []watchparty.Message{c.posted}, []watchparty.Message{c.changed})
		for _, body := range c.sent {
			require.Equal(t, body, awaitMessage(w, anyMessage[*wire.MessageEvent]).Message.Body)
		}
	}
}

// TestManyMessages: more at once than a client's queue takes arrive in order, and close no connection.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(onlyHints))
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	w := n.connectLive(t, room, alice)
	const count = 3 * wire.MaxQueue
	for j := range count { // behind the server's back, as if hints were lost
		i.execSQL(t, "INSERT INTO messages (id, room_id, user_id, body, created_at) "+
			"VALUES (next_message_id(?0), ?0, ?1, ?2, clock_timestamp())", room, alice.id, fmt.Sprint(j))
	}
	n.hub.Poke()
	for j := range count {
		require.Equal(t, fmt.Sprint(j), awaitMessage(w, anyMessage[*wire.MessageEvent]).Message.Body)
	}
}

// TestMembers: clients on all servers learn who joins and leaves.
func TestMembers(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(func(l *live.TestLimits) {
		l.PollCalm, l.Digest = time.Hour, 50*time.Millisecond
	}))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	host := a.connectLive(t, room, alice)
	connected := func(name string, want bool) func(*wire.People) bool {
		return func(p *wire.People) bool {
			for _, m := range p.Changed {
				if m.User.Username == name && m.Connected == want {
					return true
				}
			}
			return false
		}
	}
	b.joinRoom(t, room, bob)
	awaitMessage(host, connected("bob", false))
	guest := b.connectLive(t, room, bob)
	awaitMessage(host, connected("bob", true))
	awaitMessage(host, func(m *wire.Members) bool { return m.Connected == 2 })
	guest.Close()
	awaitMessage(host, connected("bob", false))
	awaitMessage(host, func(m *wire.Members) bool { return m.Connected == 1 })
	b.callAPI(t, "POST", "/rooms/"+room+"/leave", bob, nil, http.StatusNoContent)
	awaitMessage(host, func(p *wire.People) bool { return len(p.Left) == 1 && p.Left[0] == bob.id })
}

// TestWaiting: all clients learn for whom the room waits, and the wait ends when a person stops watching.
func TestWaiting(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(func(l *live.TestLimits) {
		l.PollCalm, l.Digest = time.Hour, 50*time.Millisecond
	}))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob)
	host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
	host.sendAcknowledged(&wire.Load{Command: host.newCommand(), StreamURL: new("https://videos.example/movie.webm")})
	s := host.awaitState(hasStatus("waiting"))
	host.send(&wire.Ready{Epoch: s.Epoch, Cue: s.Cue})
	awaitMessage(host, func(m *wire.Members) bool { return m.Waiting == 1 && m.WaitingFor[0].Username == "bob" })
	// A report for another cue, and one for another epoch, do not count.
	guest.send(&wire.Ready{Epoch: s.Epoch, Cue: s.Cue - 1})
	guest.send(&wire.Status{Epoch: s.Epoch, Cue: s.Cue, Watching: false, WaitForMe: true})
	require.Equal(
		t, wire.Nullable("ready"), host.awaitState(hasStatus("playing")).Cause,
		"the room does not wait for a person who is not watching",
	)
}

// TestDeadline: a wait ends by time, with every client silent, and without a sweep.
func TestDeadline(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(func(l *live.TestLimits) { l.PollCalm, l.Sweep = time.Hour, time.Hour }))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob)
	host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
	host.sendAcknowledged(&wire.Load{Command: host.newCommand(), StreamURL: new("https://videos.example/movie.webm")})
	waiting := host.awaitState(hasStatus("waiting"))
	for _, w := range []*watcher{host, guest} {
		playing := w.awaitState(hasStatus("playing"))
		require.EqualValues(t, "deadline", playing.Cause)
		require.Less(t, playing.AtMS-waiting.Wait.UntilMS, wire.Duration(patience), "the next sweep is in an hour")
		require.GreaterOrEqual(t, playing.AtMS, waiting.Wait.UntilMS)
	}
}

// TestSweep: what is due in a room that nobody is connected to happens nevertheless.
func TestSweep(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(func(l *live.TestLimits) { l.Sweep = 50 * time.Millisecond }))
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	n.callAPI(t, "POST", "/rooms/"+room+"/playback/commands", alice, map[string]any{
		"kind": "load", "id": uuid.NewString(), "epoch": 0, "stream_url": "https://videos.example/movie.webm",
	}, http.StatusOK)
	i.execSQL(t, "UPDATE playbacks SET duration_ms = 1000, duration_exact = true, "+
		"ends_at = clock_timestamp() - interval '1 minute' WHERE room_id = ?", room)
	require.Eventually(t, func() bool {
		now, err := i.store.Playback(t.Context(), room)
		return err == nil && now.Status == playback.Idle
	}, patience, 10*time.Millisecond)
}

// TestOldStates: a state that arrives after a newer one is sent to nobody.
func TestOldStates(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(noPolls))
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	w := n.connectLive(t, room, alice)
	loadAndPlay(w)
	old, err := i.store.Playback(t.Context(), room)
	require.NoError(t, err)
	paused := w.sendAcknowledged(&wire.Pause{Command: w.newCommand()}).Revision
	w.awaitState(hasStatus("paused"))
	before := len(w.past)
	n.hub.PublishState(old)
	w.sendAcknowledged(&wire.Rate{Command: w.newCommand(), Rate: 2})
	w.awaitState(func(s wire.State) bool { return s.Rate == 2 })
	for _, m := range w.past[before:] {
		if state, ok := m.(*wire.State); ok {
			require.Greater(t, state.Revision, paused)
		}
	}
}

// TestClockJumps: after a step of Postgres' clock, people measure it again, and what plays goes on where it is.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(onlyHints))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob)
	host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
	loadAndPlay(host, guest)
	before := host.state
	a.hub.JumpClock(time.Hour)
	awaitMessage(host, anyMessage[*wire.ClockChanged])
	for _, w := range []*watcher{host, guest} {
		moved := w.awaitState(func(s wire.State) bool { return s.Cause == "clock" })
		require.InDelta(t, before.AtMS+float64(time.Hour.Milliseconds()), moved.AtMS, 0)
		require.Equal(t, before.PositionMS, moved.PositionMS)
	}
}

// TestDigests: the list of members is sent when it is due, and only if it has changed.
func TestDigests(t *testing.T) {
	t.Parallel()
	meet := func(t *testing.T, gap time.Duration) (n *node, room string, bob person, host *watcher) {
		t.Helper()
		i := newInstallation(t, withLimits(func(l *live.TestLimits) { l.PollCalm, l.Digest = time.Hour, gap }))
		n = i.nodes[0]
		alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
		room = n.createRoom(t, alice, nil)
		n.joinRoom(t, room, bob)
		host = n.connectLive(t, room, alice)
		n.connectLive(t, room, bob).awaitHandled()
		return n, room, bob, host
	}
	t.Run("not before it is due", func(t *testing.T) {
		t.Parallel()
		n, room, bob, host := meet(t, time.Hour)
		for range 10 {
			n.callAPI(t, "POST", "/chat/messages", bob, map[string]any{"room_id": room, "body": "Hello"}, http.StatusCreated)
			awaitMessage(host, anyMessage[*wire.MessageEvent])
		}
		for _, m := range host.past {
			require.NotContains(t, []string{"members", "people"}, m.Type())
		}
	})
	t.Run("not again", func(t *testing.T) {
		t.Parallel()
		n, _, bob, host := meet(t, 50*time.Millisecond)
		awaitMessage(host, func(m *wire.Members) bool { return m.Connected == 2 })
		told := len(host.past)
		for range 4 {
			name := uuid.NewString()
			n.callAPI(t, "PATCH", "/users/me", bob, map[string]any{"display_name": name}, http.StatusOK)
			awaitMessage(host, func(p *wire.People) bool { return len(p.Changed) == 1 && p.Changed[0].User.DisplayName == name })
		}
		for _, m := range host.past[told:] {
			require.NotEqual(t, "members", m.Type(), "two are present, as before")
		}
	})
}

// TestKeepPresence: a process renews its lease, and notes that people with connections are present.
func TestKeepPresence(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(func(l *live.TestLimits) {
		l.Lease, l.Attend = 300*time.Millisecond, 100*time.Millisecond
	}))
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	n.connectLive(t, room, alice)
	holds := func(query string, args ...any) func() bool {
		return func() (ok bool) {
			return i.store.DB().NewRaw("SELECT "+query, args...).Scan(t.Context(), &ok) == nil && ok
		}
	}
	i.execSQL(t, "UPDATE live_nodes SET lease_until = clock_timestamp() + interval '1 s' WHERE id = ?", n.hub.Node())
	require.Eventually(
		t,
		holds("lease_until > clock_timestamp() + interval '10 s' FROM live_nodes WHERE id = ?", n.hub.Node()),
		patience,
		10*time.Millisecond,
	)
	i.execSQL(t, "UPDATE participants SET last_seen_at = now() - interval '1 h', created_at = now() - interval '2 h'")
	require.Eventually(t, holds("last_seen_at > now() - interval '1 min' FROM participants WHERE user_id = ?", alice.id),
		patience, 10*time.Millisecond)
}

// TestClock: the server's clock is Postgres', and answers are not held up by what waits for a slow client.
func TestClock(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes)
	alice := i.createPerson(t, "alice")
	room := i.nodes[0].createRoom(t, alice, nil)
	for _, n := range i.nodes {
		w := n.connectLive(t, room, alice)
		w.send(&wire.Clock{C0: 42.5})
		reply := awaitMessage(w, anyMessage[*wire.ClockReply])
		require.InDelta(t, 42.5, reply.C0, 0)
		require.GreaterOrEqual(t, reply.S2, reply.S1)
		const apart = 250 * time.Millisecond
		before := n.hub.Clock().Now()
		_, _, told, err := i.store.ReadClock(t.Context())
		require.NoError(t, err)
		require.False(t, told.Before(before.Add(-apart)))
		require.False(t, told.After(n.hub.Clock().Now().Add(apart)))
	}
}

// TestSlowConsumer: a client that does not read is disconnected; the others are served meanwhile.
func TestSlowConsumer(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(func(l *live.TestLimits) { l.Write = 2 * time.Second }))
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, nil)
	n.joinRoom(t, room, bob)
	host := n.connectLive(t, room, alice)
	slow := n.connectWith(t, client.Options{RoomID: room, Token: bob.token, Buffer: 1})
	text := make([]byte, 1500)
	for j := range text {
		text[j] = 'x'
	}
	sent := 0
	for deadline := time.Now().Add(patience); ; sent++ {
		if signedIn, _ := n.hub.CountConnections(); signedIn == 1 {
			break
		}
		require.True(t, time.Now().Before(deadline), "the slow one is still there")
		i.execSQL(t, "INSERT INTO messages (id, room_id, user_id, body, created_at) "+
			"SELECT next_message_id(?0), ?0, ?1, ?2, clock_timestamp() FROM generate_series(1, 20)", room, alice.id, string(text))
		n.hub.PublishTags([]string{"messages:" + room})
		for range 20 {
			awaitMessage(host, anyMessage[*wire.MessageEvent])
		}
	}
	require.Positive(t, sent)
	slow.Close()
}

// pipes is a listener without buffers: what is written blocks until it is read.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.accepted <- far
	return near, nil
}

// TestSlowClient: a client that does not read is disconnected when too much waits for it, and when a message waits for
// too long.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		write    time.Duration
		messages int
	}{
		"full queue": {time.Hour, 2 * wire.MaxQueue},
		"deadline":   {2 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newInstallation(t, withLimits(func(l *live.TestLimits) {
				l.Write, l.Ping, l.Dead = c.write, time.Hour, time.Hour
			}))
			n := i.nodes[0]
			alice := i.createPerson(t, "alice")
			room := n.createRoom(t, alice, nil)
			listener := &pipes{make(chan net.Conn, 1), make(chan struct{})}
			server := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) { _ = n.hub.Accept(w, r, room, "a client") })}
			served := make(chan error, 1)
			go func() { served <- server.Serve(listener) }()
			defer func() {
				require.NoError(t, server.Close())
				require.ErrorIs(t, <-served, http.ErrServerClosed)
			}()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			transport := &http.Transport{DialContext: listener.dial}
			socket, err := client.Open(ctx, client.Options{
				API: "http://pipe", RoomID: room, HTTP: &http.Client{Transport: transport},
			})
			require.NoError(t, err)
			defer socket.CloseNow() //nolint:errcheck // it has ended
			require.NoError(t, socket.Write(ctx, websocket.MessageText, helloFrame(t, alice)))
			_, _, err = socket.Read(ctx)
			require.NoError(t, err)
			var posted []watchparty.Message
			for range c.messages {
				posted = append(posted, watchparty.Message{ID: uuid.Must(uuid.NewV7()).String(), RoomID: room, Body: "x"})
			}
			n.hub.SendMessages(room, posted, nil)
			if name == "deadline" {
				require.Eventually(
					t,
					func() bool { signedIn, _ := n.hub.CountConnections(); return signedIn == 0 },
					patience,
					time.Millisecond,
				)
				return
			}
			for err == nil {
				_, _, err = socket.Read(ctx)
			}
			require.Equal(t, websocket.StatusCode(wire.CodeTooSlow), websocket.CloseStatus(err), "%v", err)
		})
	}
}

// TestDrainIsShort: however long a server may take to stop, its connections are closed within 5 s, and there are no new
// ones.
func TestDrainIsShort(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	w := n.connectLive(t, room, alice)
	n.hub.Drain(time.Hour)
	require.LessOrEqual(t, awaitMessage(w, anyMessage[*wire.GoingAway]).AfterMS, 5000.0)
	_, err := client.Open(t.Context(), client.Options{API: n.api, RoomID: room})
	require.ErrorContains(t, err, "503")
}

// TestDrain: a server that stops tells its clients to reconnect, and they find the room unchanged on another one.
func TestDrain(t *testing.T) {
	t.Parallel()
	const over = time.Second
	i := newInstallation(t, twoNodes, func(s *settings) { s.change = func(c *config.Config) { c.HTTP.DrainDelay = over } })
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob)
	host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
	loadAndPlay(host, guest)
	revision := guest.state.Revision
	others := []*watcher{host}
	for range 4 {
		others = append(others, a.connectLive(t, room, bob))
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		a.stop()
	}()
	var after []float64
	for _, w := range others {
		after = append(after, awaitMessage(w, anyMessage[*wire.GoingAway]).AfterMS)
		w.requireClosed(wire.CodeGoingAway, "going_away")
	}
	slices.Sort(after)
	require.Len(t, slices.Compact(after), len(others), "they do not come back all at once")
	require.LessOrEqual(t, after[len(after)-1], wire.Duration(over))
	_, err := client.Open(t.Context(), client.Options{API: a.api, RoomID: room})
	require.Error(t, err, "no new connections")
	<-stopped
	again := b.connectWith(t, client.Options{RoomID: room, Token: alice.token, Resume: host.Welcome.Connection})
	require.Equal(t, revision, again.Welcome.State.Revision, "nobody has changed anything")
	var nodes int
	require.NoError(t, i.store.DB().NewRaw("SELECT count(*) FROM live_nodes").Scan(t.Context(), &nodes))
	require.Equal(t, 1, nodes, "the server has said that it is gone")
}

// TestStop: a server with connections of all kinds stops, and leaves nothing running (goleak).
func TestStop(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	w := n.connectLive(t, room, alice)
	pending, err := client.Open(t.Context(), client.Options{API: n.api, RoomID: room})
	require.NoError(t, err)
	defer pending.CloseNow() //nolint:errcheck // it is closed
	n.stop()
	w.requireClosed(wire.CodeGoingAway, "going_away")
	_, _, err = pending.Read(t.Context())
	require.Error(t, err)
}

// TestRedisKilled: nobody is disconnected, commands commit, and reach the other server by the poll. When Redis is back,
// hints do it again.
func TestRedisKilled(t *testing.T) {
	t.Parallel()
	stack := stacktest.New(t, devstack.Redis)
	i := newInstallation(t, twoNodes, withLimits(onlyHints), func(s *settings) { s.redisURL = stack.RedisURL() })
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob)
	host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
	loadAndPlay(host, guest)
	require.NoError(t, stack.Kill(devstack.Redis))
	require.Eventually(t, func() bool { return !a.bus.Healthy() && !b.bus.Healthy() }, patience, time.Millisecond)
	begin := time.Now()
	for range 3 {
		host.sendAcknowledged(&wire.Pause{Command: host.newCommand()})
		guest.awaitState(hasStatus("paused"))
		host.sendAcknowledged(&wire.Play{Command: host.newCommand()})
		guest.awaitState(hasStatus("playing"))
	}
	require.Less(t, time.Since(begin), 20*time.Second, "six polls, each 300 ms")
	a.callAPI(t, "POST", "/chat/messages", alice, map[string]any{"room_id": room, "body": "still here"},
		http.StatusCreated)
	awaitMessage(guest, func(m *wire.MessageEvent) bool { return m.Message.Body == "still here" })
	require.NoError(t, stack.Restart(t.Context(), devstack.Redis))
	require.Eventually(t, func() bool { return a.bus.Healthy() && b.bus.Healthy() }, patience, time.Millisecond)
	host.sendAcknowledged(&wire.Pause{Command: host.newCommand()})
	guest.awaitState(hasStatus("paused"))
	a.callAPI(t, "DELETE", "/rooms/"+room+"/participants/bob", alice, nil, http.StatusNoContent)
	guest.requireClosed(wire.CodeNotParticipant, "not_participant")
}
