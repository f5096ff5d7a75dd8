package fastpath

import (
	"cmp"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection of an http.Server.
type conn struct {
	*net.TCPConn
	server *Server

	stage  atomic.Int32 // of net/http
	buffer int          // the size of net/http's buffer
	client string

	// These are when the deadlines were last set here; zero after net/http has changed them.
	readSet, writeSet time.Time

	mu        sync.Mutex
	answering bool
	closed    bool
}

// Stages of a connection in net/http.
const (
	busy   = iota // net/http reads or answers a request
	rested        // net/http has answered a request
	idle          // net/http waits for the next request
)

// SetReadDeadline follows the stage: after an answer, net/http sets a deadline when it begins to wait, and another one
// when it has the first bytes of a request.
func (c *conn) SetReadDeadline(t time.Time) error {
	if c.stage.CompareAndSwap(rested, idle) {
		c.readSet, c.writeSet = time.Time{}, time.Time{}
	} else {
		c.stage.Store(busy)
	}
	return c.TCPConn.SetReadDeadline(t)
}

// Read answers requests until there is one for net/http. It does so only while net/http has no byte of a request: it
// waits for one then, and offers the whole of its buffer. TestAnswers fails with a net/http that does otherwise.
func (c *conn) Read(p []byte) (int, error) {
	if c.buffer == 0 {
		c.buffer = len(p)
	}
	for {
		n, err := c.TCPConn.Read(p)
		if err != nil || len(p) != c.buffer || c.stage.Load() != idle {
			return n, err
		}
		answered, err := c.answer(p[:n])
		if err != nil {
			return 0, err
		}
		if !answered {
			c.stage.Store(busy)
			return n, nil
		}
	}
}

// answer reports whether it has answered the request in head. After an error, the connection is closed.
func (c *conn) answer(head []byte) (answered bool, err error) {
	target, ok := targetOf(head)
	if !ok || !c.server.AtHand(target) {
		return false, nil
	}
	r := parse(head)
	if r == nil || !c.begin() {
		return false, nil
	}
	defer func() {
		if c.end() {
			err = io.EOF
		}
	}()
	if c.client == "" {
		c.client = c.RemoteAddr().String()
	}
	r.RemoteAddr = c.client
	w := newAnswer()
	defer w.free()
	c.server.Handler.ServeHTTP(w, r)
	if err := c.allow(c.server.WriteTimeout, &c.writeSet, c.SetWriteDeadline); err != nil {
		return true, err
	}
	if err := w.send(c.TCPConn); err != nil {
		if errors.Is(err, errUnfit) {
			c.server.log(err)
		}
		return true, err
	}
	if w.last {
		return true, io.EOF
	}
	return true, c.allow(cmp.Or(c.server.IdleTimeout, c.server.ReadTimeout), &c.readSet, c.TCPConn.SetReadDeadline)
}

// allow moves a deadline to a time from now, unless that has just been done. 0 is for ever.
func (c *conn) allow(timeout time.Duration, last *time.Time, set func(time.Time) error) error {
	now := time.Now()
	if timeout <= 0 || now.Sub(*last) < min(time.Second, timeout/10) {
		return nil
	}
	*last = now
	return set(now.Add(timeout))
}

// begin reports whether the connection is still open. Close lets the answer be sent until end.
func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed { // Shutdown may not wait for this answer any more
		return false
	}
	c.answering = true
	c.server.answers.Add(1)
	return true
}

// end reports whether the connection was closed in the meantime.
func (c *conn) end() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answering = false
	c.server.answers.Done()
	if c.closed {
		c.server.forget(c)
	}
	return c.closed
}

// Close lets an answer be finished that is being sent, since net/http takes the connection for idle and closes it at
// once when the server stops. Server.Close does not wait for the answer, nor does a second call.
func (c *conn) Close() error {
	c.mu.Lock()
	wait := c.answering && !c.closed
	c.closed = true
	if wait {
		c.server.remember(c)
	}
	c.mu.Unlock()
	if wait {
		return nil
	}
	return c.TCPConn.Close()
}
