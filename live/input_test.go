package live_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/wire"
)

// playbackRow is what the database has of a room's playback.
type playbackRow struct {
	Revision   int64 `bun:"revision"`
	PositionMS int64 `bun:"position_ms"`
	Recent     int   `bun:"recent"`
}

func (i *installation) readPlaybackRow(t testing.TB, room string) playbackRow {
	t.Helper()
	var row playbackRow
	err := i.store.DB().NewRaw("SELECT revision, position_ms, jsonb_array_length(recent) AS recent FROM playbacks "+
		"WHERE room_id = ?", room).Scan(t.Context(), &row)
	require.NoError(t, err)
	return row
}

// TestBadInput: an invalid message is answered with the given error, or closes its connection with the given code. It
// stores nothing and has no effect on other clients.
func TestBadInput(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, map[string]any{})
	n.joinRoom(t, room, bob)
	i.execSQL(t, "UPDATE rooms SET control = 'everyone' WHERE id = ?", room)
	elsewhere := n.callAPI(t, "POST", "/rooms/"+n.createRoom(t, alice, nil)+"/queue", alice,
		map[string]any{"stream_url": "https://movies.example/secret.webm"}, http.StatusCreated)["id"].(string)
	witness := n.connectLive(t, room, alice)
	loadAndPlay(witness)
	loaded, before := len(witness.past), i.readPlaybackRow(t, room)
	epoch := witness.state.Epoch
	id := uuid.NewString()
	command := func(t, more string) string {
		return fmt.Sprintf(`{"t":%q,"id":%q,"epoch":%d%s}`, t, id, epoch, more)
	}
	answered := map[string]struct{ frame, code string }{
		"unknown type":                {`{"t":"toggle"}`, "unknown_message_type"},
		"unknown property":            {command("play", `,"loud":true`), "invalid_request"},
		"missing property":            {command("seek", ""), "invalid_request"},
		"negative position":           {command("seek", `,"position_ms":-1`), "invalid_request"},
		"huge position":               {command("seek", `,"position_ms":1e18`), "invalid_request"},
		"position beyond all numbers": {command("seek", `,"position_ms":1e999`), "invalid_request"},
		"fractional position":         {command("seek", `,"position_ms":1.5`), "invalid_request"},
		"position that is text":       {command("seek", `,"position_ms":"1"`), "invalid_request"},
		"rate of 0":                   {command("rate", `,"rate":0`), "invalid_request"},
		"rate of 1000":                {command("rate", `,"rate":1000`), "invalid_request"},
		"address without TLS":         {command("load", `,"stream_url":"http://a.example/x.mp4"`), "invalid_request"},
		"address of a script":         {command("load", `,"stream_url":"javascript:alert(1)"`), "invalid_request"},
		"ID that is no UUID":          {strings.Replace(command("play", ""), id, "1", 1), "invalid_request"},
		"another epoch": {
			strings.Replace(command("play", ""), fmt.Sprintf(`"epoch":%d`, epoch), `"epoch":9`, 1), "playback_stale",
		},
		"another room's item":        {command("load", `,"item_id":"`+elsewhere+`"`), "unknown_item"},
		"unknown movie":              {command("load", `,"movie_id":"`+uuid.NewString()+`"`), "unknown_movie"},
		"another revision":           {command("pause", `,"if_revision":1`), "playback_stale"},
		"hello again":                {`{"t":"hello","token":"x"}`, "signed_in_already"},
		"clock before the beginning": {`{"t":"clock","c0":-1}`, "invalid_request"},
		"status with a null":         {`{"t":"status","epoch":null}`, "invalid_request"},
		"address of a viewer's own":  {command("load", `,"stream_url":"https://a.example/x.mp4"`), "forbidden"},
	}
	for name, c := range answered {
		t.Run(name, func(t *testing.T) {
			w := n.connectLive(t, room, bob)
			defer w.Close()
			require.NoError(t, w.SendFrame(t.Context(), []byte(c.frame)))
			refusal := awaitMessage(w, anyMessage[*wire.Error])
			require.Equal(t, c.code, refusal.Code)
			if strings.Contains(c.frame, id) {
				require.Equal(t, id, refusal.ID)
			}
			if c.code == "playback_stale" {
				require.Equal(t, epoch, refusal.State.Epoch, "with the state that there is")
			}
			w.send(&wire.Clock{C0: 1})
			awaitMessage(w, anyMessage[*wire.ClockReply]) // the connection goes on
		})
	}
	closed := map[string]struct {
		frame string
		code  wire.Code
	}{
		"no JSON":             {"play", wire.CodeInvalidMessage},
		"NaN":                 {command("seek", `,"position_ms":NaN`), wire.CodeInvalidMessage},
		"no object":           {"[]", wire.CodeInvalidMessage},
		"no name":             {"{}", wire.CodeInvalidMessage},
		"property twice":      {`{"t":"bye","t":"bye"}`, wire.CodeInvalidMessage},
		"no UTF-8":            {"{\"t\":\"\xff\"}", wire.CodeInvalidMessage},
		"4097 bytes":          {`{"t":"` + strings.Repeat("x", wire.MaxFrame-7) + `"}`, wire.CodeTooLarge},
		"a megabyte":          {strings.Repeat(" ", 1<<20), wire.CodeTooLarge},
		"token of a stranger": {`{"t":"token","access_token":"` + alice.token + `"}`, wire.CodeUnauthenticated},
		"token that is none":  {`{"t":"token","access_token":"x"}`, wire.CodeUnauthenticated},
	}
	for name, c := range closed {
		t.Run(name, func(t *testing.T) {
			w := n.connectLive(t, room, bob)
			_ = w.SendFrame(t.Context(), []byte(c.frame)) // the server may close before it has all
			w.requireClosed(c.code, wire.Codes()[c.code])
		})
	}
	t.Run("4096 bytes", func(t *testing.T) {
		w := n.connectLive(t, room, bob)
		defer w.Close()
		require.NoError(t, w.SendFrame(t.Context(), []byte(`{"t":"`+strings.Repeat("x", wire.MaxFrame-8)+`"}`)))
		require.Equal(t, "unknown_message_type", awaitMessage(w, anyMessage[*wire.Error]).Code)
	})
	t.Run("binary", func(t *testing.T) {
		code := exchangeFrames(t, n, room, func(ctx context.Context, c *websocket.Conn) {
			require.NoError(t, c.Write(ctx, websocket.MessageText, helloFrame(t, bob)))
			_, _, err := c.Read(ctx)
			require.NoError(t, err)
			require.NoError(t, c.Write(ctx, websocket.MessageBinary, []byte(`{"t":"bye"}`)))
		})
		require.Equal(t, websocket.StatusUnsupportedData, code)
	})
	for name, frame := range map[string]string{
		"command": command("play", ""), "status": `{"t":"status"}`, "clock": `{"t":"clock","c0":1}`, "bye": `{"t":"bye"}`,
		"unknown type": `{"t":"toggle"}`, "no JSON": "hello",
	} {
		t.Run(name+" before hello", func(t *testing.T) {
			require.Equal(t, websocket.StatusCode(wire.CodeInvalidMessage),
				exchangeFrames(t, n, room, func(ctx context.Context, c *websocket.Conn) {
					require.NoError(t, c.Write(ctx, websocket.MessageText, []byte(frame)))
				}))
		})
	}
	t.Run("after bye", func(t *testing.T) {
		w := n.connectLive(t, room, bob)
		w.send(&wire.Bye{})
		_ = w.SendFrame(t.Context(), []byte(command("seek", `,"position_ms":5000`)))
		w.requireClosed(wire.CodeBye, "bye")
	})
	t.Run("more than it may", func(t *testing.T) {
		w := n.connectLive(t, room, bob)
		for range 3 * wire.MessageBurst {
			if w.SendFrame(t.Context(), []byte(`{"t":"clock","c0":1}`)) != nil {
				break
			}
		}
		w.requireClosed(wire.CodeRateLimited, "rate_limited")
	})
	require.Equal(t, before, i.readPlaybackRow(t, room), "nothing was stored")
	witness.send(&wire.Clock{C0: 1})
	awaitMessage(witness, anyMessage[*wire.ClockReply]) // what was sent before has come
	for _, m := range witness.past[loaded:] {
		require.NotContains(
			t, []string{"error", "message", "room", "state", "queue"}, m.Type(), "nobody else noticed: %+v", m,
		)
	}
	t.Run("replayed ID with other content", func(t *testing.T) {
		witness.sendAcknowledged(&wire.Pause{Command: wire.Command{ID: id, Epoch: epoch}})
		changed := i.readPlaybackRow(t, room)
		refusal := witness.sendRefused(&wire.Seek{Command: wire.Command{ID: id, Epoch: epoch}, PositionMS: 7000})
		require.Equal(t, "command_id_reused", refusal.Code)
		require.Equal(t, changed, i.readPlaybackRow(t, room))
	})
	require.NotContains(t, n.logs.String(), `"level":"ERROR"`)
}

func helloFrame(t *testing.T, p person) []byte {
	t.Helper()
	frame, err := wire.Encode(&wire.Hello{Token: p.token})
	require.NoError(t, err)
	return frame
}

// exchangeFrames opens a connection that does what say does, and returns the code that it is closed with.
func exchangeFrames(
	t *testing.T, n *node, room string, say func(context.Context, *websocket.Conn),
) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Open(ctx, client.Options{API: n.api, RoomID: room})
	require.NoError(t, err)
	defer c.CloseNow() //nolint:errcheck // it has ended
	say(ctx, c)
	for {
		if _, _, err := c.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// TestSilence: connections that send no hello are closed after a time, even a thousand of them. A message that arrives
// too slowly counts as silence. Other clients are not affected.
func TestSilence(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(func(l *live.TestLimits) { l.Hello, l.PendingEach = 3*time.Second, 2000 }))
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	witness := n.connectLive(t, room, alice)
	const sockets = 1000
	ended := make(chan websocket.StatusCode, sockets)
	for range sockets {
		c, err := client.Open(t.Context(), client.Options{API: n.api, RoomID: room})
		require.NoError(t, err)
		go func() {
			defer c.CloseNow() //nolint:errcheck // it has ended
			_, _, err := c.Read(context.Background())
			ended <- websocket.CloseStatus(err)
		}()
	}
	loadAndPlay(witness)
	timeout := time.After(patience)
	for range sockets {
		select {
		case code := <-ended:
			require.Equal(t, websocket.StatusCode(wire.CodeHelloTimeout), code)
		case <-timeout:
			require.FailNow(t, "a connection goes on that has not signed in")
		}
	}
	require.Eventually(t, func() bool {
		signedIn, pending := n.hub.CountConnections()
		return signedIn == 1 && pending == 0
	}, patience, time.Millisecond)
	require.Equal(t, 1, n.hub.CountRooms())
}

// openRaw signs a person in, and returns the connection with what is below it.
func openRaw(ctx context.Context, t *testing.T, n *node, room string, who person) (*websocket.Conn, net.Conn) {
	t.Helper()
	raw := make(chan net.Conn, 1)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		raw <- conn
		return conn, err
	}}
	c, err := client.Open(ctx, client.Options{API: n.api, RoomID: room, HTTP: &http.Client{Transport: transport}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.CloseNow() })
	before, _ := n.hub.CountConnections()
	require.NoError(t, c.Write(ctx, websocket.MessageText, helloFrame(t, who)))
	require.Eventually(
		t,
		func() bool { signedIn, _ := n.hub.CountConnections(); return signedIn == before+1 },
		patience,
		time.Millisecond,
	)
	return c, <-raw
}

// TestControlFrames: pings and pongs without end are no way around the limit of messages.
func TestControlFrames(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]byte{"ping": 0x89, "pong": 0x8A} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newInstallation(t)
			n := i.nodes[0]
			alice := i.createPerson(t, "alice")
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c, socket := openRaw(ctx, t, n, n.createRoom(t, alice, nil), alice)
			_, err := socket.Write(bytes.Repeat([]byte{first, 0x80, 0, 0, 0, 0}, 10*wire.MessageBurst))
			require.NoError(t, err)
			for err == nil {
				_, _, err = c.Read(ctx)
			}
			require.Equal(t, websocket.StatusCode(wire.CodeRateLimited), websocket.CloseStatus(err), "%v", err)
		})
	}
}

// TestDripping: a frame that never becomes whole does not keep a connection alive. A connection that says nothing, but
// answers pings, stays.
func TestDripping(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(func(l *live.TestLimits) { l.Ping, l.Dead = 500*time.Millisecond, 3*time.Second }))
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	idle := n.connectLive(t, room, alice) // it has been silent for longer than the other one
	_, socket := openRaw(ctx, t, n, room, alice)
	_, err := socket.Write([]byte{0x81, 0x80 | 126, 4000 >> 8, 4000 & 255, 0, 0, 0, 0}) // a text of 4,000 bytes
	for err == nil {
		_, err = socket.Write([]byte(" "))
		select {
		case <-ctx.Done():
			require.FailNow(t, "the connection goes on")
		case <-time.After(50 * time.Millisecond):
		}
	}
	require.Eventually(t, func() bool {
		signedIn, _ := n.hub.CountConnections()
		return signedIn <= 1
	}, patience, time.Millisecond)
	idle.awaitHandled()
}

// TestStatuses: of the statuses of a player that reports too often, those that are too many do not count.
func TestStatuses(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(onlyHints))
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, nil)
	n.joinRoom(t, room, bob)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, socket := openRaw(ctx, t, n, room, bob)
	host := n.connectLive(t, room, alice)
	host.sendAcknowledged(&wire.Load{Command: host.newCommand(), StreamURL: new("https://videos.example/movie.webm")})
	s := host.awaitState(hasStatus("waiting"))
	var frames []byte
	add := func(m wire.ClientMessage) {
		text, err := wire.Encode(m)
		require.NoError(t, err)
		require.LessOrEqual(t, len(text), 125, "longer ones have another header")
		frames = append(append(frames, 0x81, 0x80|byte(len(text)), 0, 0, 0, 0), text...)
	}
	for j := range 4 * wire.StatusBurst { // all at once
		add(&wire.Status{Epoch: s.Epoch, Cue: s.Cue, Watching: j < wire.StatusBurst, WaitForMe: true})
	}
	add(&wire.Ready{Epoch: s.Epoch, Cue: s.Cue})
	_, err := socket.Write(frames)
	require.NoError(t, err)
	var counted bool
	require.Eventually(t, func() bool {
		return i.store.DB().NewRaw("SELECT counted FROM live_members WHERE user_id = ? AND ready_cue = ?", bob.id, s.Cue).
			Scan(t.Context(), &counted) == nil
	}, patience, 10*time.Millisecond)
	require.True(t, counted, "the later statuses have not been taken")
}

// TestCommandsOfARoom: the people of a room share its limit of commands.
func TestCommandsOfARoom(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(func(l *live.TestLimits) {
		l.SetCommandPeriod(time.Hour) // a slow machine gives nothing back
	}))
	n := i.nodes[0]
	host := i.createPerson(t, "host")
	room := n.createRoom(t, host, map[string]any{})
	i.execSQL(t, "UPDATE rooms SET control = 'everyone' WHERE id = ?", room)
	const each, allowed = 2*wire.CommandRatePerPerson - 1, 2 * wire.CommandRatePerRoom
	outcomes := map[string]int{}
	people := []person{host, i.createPerson(t, "bob"), i.createPerson(t, "carol")}
	n.joinRoom(t, room, people[1:]...)
	for _, p := range people {
		w := n.connectLive(t, room, p)
		for range each {
			w.send(&wire.Rate{Command: w.newCommand(), Rate: 1})
		}
		for range each {
			switch m := awaitMessage(w, isAnswer).(type) {
			case *wire.Ack:
				outcomes["applied"]++
			case *wire.Error:
				outcomes[m.Code]++
			}
		}
	}
	require.Equal(t, map[string]int{"applied": allowed, "rate_limited": len(people)*each - allowed}, outcomes)
}

// TestPending: connections that have not signed in are limited in their number, from wherever they come.
func TestPending(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(func(l *live.TestLimits) { l.Pending, l.Hello = 3, time.Hour }))
	n := i.nodes[0]
	room := n.createRoom(t, i.createPerson(t, "alice"), nil)
	for range 3 {
		c, err := client.Open(t.Context(), client.Options{API: n.api, RoomID: room})
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	_, err := client.Open(t.Context(), client.Options{API: n.api, RoomID: room})
	require.ErrorContains(t, err, "503")
}

// TestPlaces: a room has at most twice as many connections as places, however they are spread over its people.
func TestPlaces(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, map[string]any{"capacity": 2})
	n.joinRoom(t, room, bob)
	for _, p := range []person{alice, bob, alice, bob} {
		n.connectLive(t, room, p)
	}
	for _, p := range []person{alice, bob} {
		requireRefused(t, n, client.Options{RoomID: room, Token: p.token}, wire.CodeRateLimited)
	}
}

// TestConnects: a person who connects again and again is refused, and nobody else is.
func TestConnects(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, func(s *settings) { s.change = func(c *config.Config) { c.RateLimit.Enabled = true } })
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, nil)
	n.joinRoom(t, room, bob)
	const allowed = 60
	connected := 0
	for err := error(nil); err == nil; connected++ {
		require.Less(t, connected, 3*allowed, "a slow machine gives some back, but not so many")
		n.awaitSignedIn(t, 0)
		var c *client.Client
		if c, err = client.Connect(t.Context(), client.Options{API: n.api, RoomID: room, Token: bob.token}); err == nil {
			c.Close()
			continue
		}
		require.Equal(t, websocket.StatusCode(wire.CodeRateLimited), websocket.CloseStatus(err), "%v", err)
	}
	require.Greater(t, connected, allowed)
	n.connectLive(t, room, alice)
}

// TestLimits: each limit of connections and commands, and that it is one person's alone.
func TestLimits(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(func(l *live.TestLimits) {
		l.PendingEach, l.Connections, l.Hello = 3, 9, time.Hour
		l.SetCommandPeriod(time.Hour) // a slow machine gives nothing back
	}))
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, nil)
	n.joinRoom(t, room, bob)
	host := n.connectLive(t, room, alice)
	t.Run("connections of one person", func(t *testing.T) {
		for range wire.MaxConnectionsEach {
			n.connectLive(t, room, bob)
		}
		requireRefused(t, n, client.Options{RoomID: room, Token: bob.token}, wire.CodeRateLimited)
		n.connectLive(t, room, alice)
	})
	n.awaitSignedIn(t, 1)
	t.Run("the connection that is resumed does not count", func(t *testing.T) {
		var last *watcher
		for range wire.MaxConnectionsEach {
			last = n.connectLive(t, room, bob)
		}
		n.connectWith(t, client.Options{RoomID: room, Token: bob.token, Resume: last.Welcome.Connection})
		last.requireClosed(wire.CodeResumed, "resumed")
	})
	n.awaitSignedIn(t, 1)
	t.Run("connections that have not signed in", func(t *testing.T) {
		for range 3 {
			c, err := client.Open(t.Context(), client.Options{API: n.api, RoomID: room})
			require.NoError(t, err)
			t.Cleanup(func() { _ = c.CloseNow() })
		}
		_, err := client.Open(t.Context(), client.Options{API: n.api, RoomID: room})
		require.ErrorContains(t, err, "429")
	})
	require.Eventually(t, func() bool {
		_, pending := n.hub.CountConnections()
		return pending == 0
	}, patience, time.Millisecond)
	t.Run("connections of the server", func(t *testing.T) {
		var people []person
		for j := range 8 {
			people = append(people, i.createPerson(t, fmt.Sprintf("guest%d", j)))
		}
		n.joinRoom(t, room, people...)
		for _, p := range people {
			n.connectLive(t, room, p)
		}
		_, err := client.Open(t.Context(), client.Options{API: n.api, RoomID: room})
		require.ErrorContains(t, err, "503")
	})
	t.Run("commands of one person", func(t *testing.T) {
		loadAndPlay(host)
		refused := map[string]int{}
		for range 3 * wire.CommandRatePerPerson {
			host.send(&wire.Rate{Command: host.newCommand(), Rate: 1})
		}
		for range 3 * wire.CommandRatePerPerson {
			answer := awaitMessage(host, isAnswer)
			if e, ok := answer.(*wire.Error); ok {
				require.Positive(t, e.RetryAfterMS)
				refused[e.Code]++
			}
		}
		require.Equal(t, []string{"rate_limited"}, slices.Collect(maps.Keys(refused)))
		require.GreaterOrEqual(t, refused["rate_limited"], wire.CommandRatePerPerson)
	})
}

// TestEndOfConnection: commands that the server has received are applied, however the connection ends after them.
func TestEndOfConnection(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, nil)
	n.joinRoom(t, room, bob)
	i.execSQL(t, "UPDATE rooms SET control = 'everyone' WHERE id = ?", room)
	witness := n.connectLive(t, room, alice)
	loadAndPlay(witness)
	for name, end := range map[string]string{"bye": `{"t":"bye"}`, "invalid message": "x"} {
		t.Run(name, func(t *testing.T) {
			for position := range int64(2) { // as many as one person may send at a time
				w := n.connectLive(t, room, bob)
				command := wire.Command{ID: uuid.NewString(), Epoch: witness.state.Epoch}
				w.send(&wire.Seek{Command: command, PositionMS: 0})
				command.ID = uuid.NewString()
				w.send(&wire.Seek{Command: command, PositionMS: 1000 * (position + 1)}) // is held for a while
				require.NoError(t, w.SendFrame(t.Context(), []byte(end)))
				witness.awaitState(func(s wire.State) bool { return s.PositionMS == 1000*(position+1) })
				w.Close()
			}
		})
	}
}

// TestSeeks: of seeks that follow each other closely the first and the last are applied, in order with other commands.
func TestSeeks(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	n := i.nodes[0]
	alice := i.createPerson(t, "alice")
	room := n.createRoom(t, alice, nil)
	host := n.connectLive(t, room, alice)
	loadAndPlay(host)
	var ids []string
	for position := range int64(8) {
		seek := &wire.Seek{Command: host.newCommand(), PositionMS: 1000 * (position + 1)}
		ids = append(ids, seek.ID)
		host.send(seek)
	}
	pause := &wire.Pause{Command: host.newCommand()}
	host.send(pause)
	outcome, revisions := map[string]string{}, map[string]int64{}
	for len(outcome) < len(ids)+1 {
		switch m := awaitMessage(host, isAnswer).(type) {
		case *wire.Ack:
			outcome[m.ID], revisions[m.ID] = "applied", m.Revision
		case *wire.Error:
			outcome[m.ID] = m.Code
		}
	}
	require.Equal(t, "applied", outcome[ids[0]])
	require.Equal(t, "applied", outcome[ids[7]])
	require.Equal(t, "applied", outcome[pause.ID])
	require.Greater(t, revisions[pause.ID], revisions[ids[7]], "the pause has not overtaken the last seek")
	superseded := 0
	for _, code := range outcome {
		if code == "superseded" {
			superseded++
		}
	}
	require.Positive(t, superseded)
	row := i.readPlaybackRow(t, room)
	require.GreaterOrEqual(t, row.PositionMS, int64(8000))
	require.Less(t, row.PositionMS, 8000+patience.Milliseconds())
	require.Equal(t, 1+len(ids)+1-superseded, row.Recent, "the load, the seeks that were applied, the pause")
}

// TestTokens: a connection outlives its token if it gets a new one, and ends if it does not.
func TestTokens(t *testing.T) {
	t.Parallel()
	const ttl, grace = 5 * time.Second, 5 * time.Second // time for each step on a busy machine
	i := newInstallation(t, withLimits(func(l *live.TestLimits) { l.Warning, l.Grace, l.Ping = ttl, grace, time.Second }))
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, nil)
	n.joinRoom(t, room, bob)
	renewed := n.connectWith(t, client.Options{RoomID: room, Token: i.issueToken(t, alice, ttl)})
	lapsed := n.connectWith(t, client.Options{RoomID: room, Token: i.issueToken(t, alice, ttl)})
	awaitMessage(renewed, anyMessage[*wire.TokenExpiring])
	renewed.send(&wire.Token{AccessToken: i.issueToken(t, alice, time.Hour)})
	awaitMessage(lapsed, anyMessage[*wire.TokenExpiring])
	require.Eventually(t, func() bool {
		e := lapsed.sendRefused(&wire.Play{Command: lapsed.newCommand()})
		return e.Code == "unauthenticated"
	}, patience, 300*time.Millisecond, "no command with an expired token")
	lapsed.requireClosed(wire.CodeUnauthenticated, "unauthenticated")
	renewed.send(&wire.Clock{C0: 1})
	awaitMessage(renewed, anyMessage[*wire.ClockReply])
	other := n.connectLive(t, room, bob)
	other.send(&wire.Token{AccessToken: alice.token})
	other.requireClosed(wire.CodeUnauthenticated, "unauthenticated")
}
