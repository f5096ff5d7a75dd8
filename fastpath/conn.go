package fastpath

import (
	"io"
	"net"
	"sync"
	"time"
)

// conn is a connection of an http.Server.
type conn struct {
	*net.TCPConn
	server *Server

	// Only the goroutine that serves the connection changes these. Another one reads a single byte while a handler runs.
	stage    stage
	buffer   int // the size of net/http's buffer
	client   string
	extended time.Time // when the deadlines were last moved

	mu        sync.Mutex
	answering bool
	closed    bool
}

// stage is what net/http does with a connection.
type stage int

const (
	busy   stage = iota // it reads a request, or answers one
	rested              // it has answered
	idle                // it waits for a request
)

// SetReadDeadline follows the stage: after an answer, net/http sets a deadline when it begins to wait, and another one
// when it has the first bytes of a request.
func (c *conn) SetReadDeadline(t time.Time) error {
	switch c.stage {
	case rested:
		c.stage = idle
	case idle:
		c.stage = busy
	case busy:
	}
	return c.TCPConn.SetReadDeadline(t)
}

// Read answers requests until there is one for net/http. It does so only while net/http has no byte of a request: it
// waits for one then, and offers the whole of its buffer. TestAnswers fails with a net/http that does otherwise.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) > c.buffer {
		c.buffer = len(p)
	}
	for {
		n, err := c.TCPConn.Read(p)
		if err != nil || len(p) < c.buffer || c.stage != idle {
			return n, err
		}
		answered, err := c.answer(p[:n])
		if err != nil {
			return 0, err
		}
		if !answered {
			c.stage = busy
			return n, nil
		}
	}
}

// answer reports whether it has answered the request that head is. With an error, the connection has ended.
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
	if err := c.extend(); err != nil {
		return true, err
	}
	if err := w.send(c.TCPConn); err != nil {
		return true, err
	}
	if w.last {
		return true, io.EOF
	}
	return true, nil
}

// begin reports whether the connection is still open. Close lets the answer be sent until end.
func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
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
	return c.closed
}

// Close lets an answer be finished that is being sent, since net/http takes the connection for idle and closes it at
// once when the server stops. The second call does not wait for the answer.
func (c *conn) Close() error {
	c.mu.Lock()
	wait := c.answering && !c.closed
	c.closed = true
	c.mu.Unlock()
	if wait {
		return nil
	}
	return c.TCPConn.Close()
}

// step is how often the deadlines of a connection are moved. An answer may have that much less time.
const step = time.Second

// extend gives the client the server's time to take an answer, and to send its next request.
func (c *conn) extend() error {
	now := time.Now()
	if now.Sub(c.extended) < step {
		return nil
	}
	c.extended = now
	if d := c.server.idleTimeout(); d > 0 {
		if err := c.TCPConn.SetReadDeadline(now.Add(d)); err != nil {
			return err
		}
	}
	if d := c.server.WriteTimeout; d > 0 {
		return c.SetWriteDeadline(now.Add(d))
	}
	return nil
}
