package live

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/live/wire"
)

// conn is one connection. Its reader runs in read; see the package's documentation for the other goroutines.
type conn struct {
	hub    *Hub
	socket *websocket.Conn
	id     string
	client string // where it comes from, as limits count it
	room   *room

	// Set by the reader while it signs in, before the connection is in its room.
	user    auth.Identity
	resumed string

	messages, statuses *rate.Limiter // used by the reader alone

	read   atomic.Int64 // when the last message or pong was read, in nanoseconds after the hub began
	pinged atomic.Int64 // when the last ping was sent
	trip   atomic.Int64 // the round trip of the last ping, in nanoseconds

	mu       sync.Mutex // of all below; never held while something is waited for
	expires  time.Time  // of the token
	warned   bool       // that the token expires
	standing standing
	self     wire.Person // the person of the connection, as it was last sent
	out      output
	commands commandQueue
	status   report
	closing  bool
	gone     bool // it has left its room
	behind   bool // its person's standing has changed while it signed in
}

// output is what waits to be written.
type output struct {
	open    bool // the welcome was made: until then nothing may be written
	writing bool // a goroutine writes
	welcome []byte
	clocks  []wire.ClockReply
	state   []byte
	digest  []byte
	queue   [][]byte
}

// maxClocks is how many answers to Clock may wait. Older ones are of no use any more.
const maxClocks = 4

// frames are buffers for messages from clients.
var frames = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// serve reads until the connection ends.
func (c *conn) serve(ctx context.Context, roomID string) {
	defer c.hub.dismiss(c)
	defer c.finish()
	hello := time.AfterFunc(c.hub.limits.Hello, func() { c.close(wire.CodeHelloTimeout) })
	defer hello.Stop()
	m, err := c.next()
	if err != nil {
		c.refuseFrame(err)
		return
	}
	first, ok := m.(*wire.Hello)
	if !ok {
		c.close(wire.CodeInvalidMessage)
		return
	}
	if !hello.Stop() {
		return
	}
	if err := c.hub.signIn(ctx, c, roomID, *first); err != nil {
		c.closeFor(ctx, err)
		return
	}
	for {
		m, err := c.next()
		if err != nil && !c.refuseFrame(err) {
			return
		}
		if err == nil && !c.handle(ctx, m) {
			return
		}
	}
}

// refused is an error that answers a message.
type refused struct {
	id  string
	err *watchparty.Error
}

func (r *refused) Error() string { return r.err.Error() }
func (r *refused) Unwrap() error { return r.err }

// next reads one message. Errors other than those of the connection are of type refused or closeError.
func (c *conn) next() (wire.ClientMessage, error) {
	// Without a deadline of its own: the hub ends connections that are silent, and the timer those without hello.
	kind, reader, err := c.socket.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	frame, _ := frames.Get().(*bytes.Buffer)
	defer frames.Put(frame)
	frame.Reset()
	if _, err := io.Copy(frame, io.LimitReader(reader, wire.MaxFrame+1)); err != nil {
		return nil, err
	}
	c.read.Store(int64(c.hub.elapsed()))
	switch {
	case frame.Len() > wire.MaxFrame:
		return nil, closeError(wire.CodeTooLarge)
	case kind != websocket.MessageText:
		return nil, closeError(wire.CodeBinary)
	}
	if !c.messages.Allow() {
		return nil, closeError(wire.CodeRateLimited)
	}
	m, id, err := wire.DecodeClient(frame.Bytes())
	var coded *watchparty.Error
	switch {
	case err == nil:
		c.hub.metrics.received.WithLabelValues(m.Type()).Inc()
		return m, nil
	case errors.Is(err, wire.ErrMalformed):
		return nil, closeError(wire.CodeInvalidMessage)
	case errors.As(err, &coded):
		c.hub.metrics.received.WithLabelValues("refused").Inc()
		return nil, &refused{id, coded}
	default:
		return nil, closeError(wire.CodeInternal)
	}
}

// admitControl counts a ping or a pong of the client as a message, and closes the connection of one that sends too
// many.
func (c *conn) admitControl() bool {
	if c.messages.Allow() {
		return true
	}
	c.close(wire.CodeRateLimited)
	return false
}

// closeError is a code to close with.
type closeError wire.Code

func (e closeError) Error() string { return wire.Codes()[wire.Code(e)] }

// refuseFrame answers a frame that next could not read, and reports whether the connection continues.
func (c *conn) refuseFrame(err error) bool {
	var (
		answer *refused
		code   closeError
	)
	switch {
	case errors.As(err, &answer):
		c.mu.Lock()
		open := c.out.open
		c.mu.Unlock()
		if !open { // before hello nothing is answered
			c.close(wire.CodeInvalidMessage)
			return false
		}
		c.sendError(answer.id, answer.err)
		return true
	case errors.As(err, &code):
		c.close(wire.Code(code))
	}
	return false
}

// handle acts on a message after hello. It reports whether the connection continues.
func (c *conn) handle(ctx context.Context, m wire.ClientMessage) bool {
	switch m := m.(type) {
	case *wire.Clock:
		c.replyTime(m.C0, c.hub.clock.Now())
	case *wire.Bye:
		c.close(wire.CodeBye)
		return false
	case *wire.Hello:
		c.sendError("", errSignedIn)
	case *wire.Token:
		if err := c.hub.renew(c, m.AccessToken); err != nil {
			c.closeFor(ctx, err)
			return false
		}
	case *wire.Status:
		if c.statuses.Allow() {
			c.report(reportOf(*m))
		}
	case *wire.Ready:
		c.ready(*m)
	default:
		c.enqueue(ctx, m)
	}
	return true
}

var errSignedIn = &watchparty.Error{Kind: watchparty.KindConflict, Code: "signed_in_already",
	Message: "This connection has signed in already."}

// replyTime puts an answer to Clock in front of everything but the welcome.
func (c *conn) replyTime(c0 float64, read time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.clocks = append(c.out.clocks, wire.ClockReply{C0: c0, S1: wire.Milliseconds(read)})
	c.out.clocks = c.out.clocks[max(len(c.out.clocks)-maxClocks, 0):]
	c.write()
}

// sendState replaces a state that was not written yet.
func (c *conn) sendState(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.state = frame
	c.write()
}

// sendDigest replaces a digest that was not written yet.
func (c *conn) sendDigest(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.digest = frame
	c.write()
}

// send queues a frame, or closes a connection whose queue is full.
func (c *conn) send(frame []byte) {
	c.mu.Lock()
	full := len(c.out.queue) >= wire.MaxQueue
	if !full && !c.closing {
		c.out.queue = append(c.out.queue, frame)
		c.write()
	}
	c.mu.Unlock()
	if full {
		c.hub.metrics.slow.Inc()
		c.close(wire.CodeTooSlow)
	}
}

// sendMessage encodes and queues a message for this connection alone.
func (c *conn) sendMessage(m wire.ServerMessage) {
	if frame := c.hub.encode(m); frame != nil {
		c.send(frame)
	}
}

// sendError refuses a message.
func (c *conn) sendError(id string, err *watchparty.Error) {
	c.sendMessage(errorMessage(id, err))
}

func errorMessage(id string, err *watchparty.Error) *wire.Error {
	m := &wire.Error{ID: id, Code: err.Code, Message: err.Message, RetryAfterMS: wire.Duration(err.RetryAfter)}
	for _, f := range err.Fields {
		m.Errors = append(m.Errors, wire.FieldError{Field: f.Field, Code: f.Code, Message: f.Message})
	}
	return m
}

// write starts writing unless a goroutine is writing already. The caller holds the lock.
func (c *conn) write() {
	if c.out.writing || !c.out.open || c.closing {
		return
	}
	c.out.writing = true
	c.hub.spawn(c.drain)
}

// drain writes until nothing waits any more.
func (c *conn) drain() {
	for {
		frame, clock, ok := c.pick()
		if !ok {
			return
		}
		if clock != nil {
			clock.S2 = wire.Milliseconds(c.hub.clock.Now())
			if frame = c.hub.encode(clock); frame == nil {
				continue
			}
		}
		if !c.writeFrame(frame) {
			return
		}
	}
}

// pick takes the next frame to write.
func (c *conn) pick() (frame []byte, clock *wire.ClockReply, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.out
	switch {
	case c.closing:
	case o.welcome != nil:
		frame, o.welcome = o.welcome, nil
		return frame, nil, true
	case len(o.clocks) > 0:
		reply := o.clocks[0]
		if o.clocks = o.clocks[1:]; len(o.clocks) == 0 {
			o.clocks = nil
		}
		return nil, &reply, true
	case o.state != nil:
		frame, o.state = o.state, nil
		return frame, nil, true
	case len(o.queue) > 0:
		frame = o.queue[0]
		o.queue[0] = nil
		if o.queue = o.queue[1:]; len(o.queue) == 0 {
			o.queue = nil
		}
		return frame, nil, true
	case o.digest != nil:
		frame, o.digest = o.digest, nil
		return frame, nil, true
	}
	o.writing = false
	return nil, nil, false
}

// writeFrame writes one message, or ends the connection if the client does not read it in time.
func (c *conn) writeFrame(frame []byte) bool {
	ctx, cancel := context.WithTimeout(context.Background(), c.hub.limits.Write)
	defer cancel()
	if err := c.socket.Write(ctx, websocket.MessageText, frame); err != nil {
		if ctx.Err() != nil {
			c.hub.metrics.slow.Inc()
		}
		c.finish()
		return false
	}
	c.hub.metrics.sent.Inc()
	return true
}

// ping checks in the background that the client answers, and measures the round trip.
func (c *conn) ping(now time.Duration) {
	c.pinged.Store(int64(now))
	c.hub.spawn(func() {
		ctx, cancel := context.WithTimeout(context.Background(), c.hub.limits.Dead-c.hub.limits.Ping)
		defer cancel()
		if err := c.socket.Ping(ctx); err != nil {
			c.finish()
			return
		}
		after := c.hub.elapsed()
		c.read.Store(int64(after))
		c.trip.Store(int64(after - now))
	})
}

// close closes the connection with a code.
func (c *conn) close(code wire.Code) { c.closeWith(code, wire.Codes()[code]) }

func (c *conn) closeWith(code wire.Code, reason string) {
	if !c.startClosing() {
		return
	}
	c.hub.metrics.closed.WithLabelValues(reason).Inc()
	// In the background: the caller may hold the room's lock, and a client may not answer for some seconds.
	c.hub.spawn(func() {
		c.hub.leave(c)
		_ = c.socket.Close(websocket.StatusCode(code), reason)
	})
}

// closeFor closes a connection for an error: of the standing of its person, or of the database.
func (c *conn) closeFor(ctx context.Context, err error) {
	code, reason := codeFor(err)
	if code == wire.CodeInternal {
		c.hub.log.ErrorContext(ctx, "live connection failed", slog.String("connection", c.id), slog.Any("error", err))
	}
	c.closeWith(code, reason)
}

// finish ends a connection without a close frame: it is broken, or closed already. The caller holds no lock.
func (c *conn) finish() {
	if c.startClosing() {
		c.hub.metrics.closed.WithLabelValues("lost").Inc()
		c.hub.leave(c)
		_ = c.socket.CloseNow()
	}
}

// startClosing starts to close the connection. It reports whether no call had done so before.
func (c *conn) startClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := !c.closing
	c.closing = true
	c.out = output{open: c.out.open, writing: c.out.writing}
	c.flushSeek() // what was received is still run
	c.run(context.Background())
	return first
}
