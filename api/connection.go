package api

import (
	"context"
	"io"
	"net"
	"sync"
)

// connection is a client's connection that can send an answer by one system call. net/http writes a body that its
// buffer of 4 KiB cannot hold in two pieces: what fills the buffer, and the rest. The second call would be about a
// fifth of the processor time of a hit, and wake the client early.
//
// Like any connection of net/http, it has one writer at a time.
type connection struct {
	net.Conn

	holding bool
	first   *[]byte // the piece that is held back, of firstPieces
	both    [2][]byte
	pieces  net.Buffers // both
}

// firstPieces are the buffers of pieces that are held back: a connection needs one for some microseconds.
var firstPieces = sync.Pool{New: func() any { return new(make([]byte, 0, 4<<10)) }}

type connectionKey struct{}

// joining makes the connections of a listener able to hold back.
type joining struct{ net.Listener }

func (l joining) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn}, nil
}

// withConnection is a server's ConnContext.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, conn)
}

// connectionOf returns nil in a request that has no such connection, as those of tests.
func connectionOf(ctx context.Context) *connection {
	conn, _ := ctx.Value(connectionKey{}).(*connection)
	return conn
}

// Write holds the first piece back after hold, and sends it together with the second one.
func (c *connection) Write(p []byte) (int, error) {
	if !c.holding {
		return c.Conn.Write(p)
	}
	if c.first == nil {
		c.first = firstPieces.Get().(*[]byte)
		*c.first = append((*c.first)[:0], p...)
		return len(p), nil
	}
	c.holding = false
	first := len(*c.first)
	c.both = [2][]byte{*c.first, p}
	c.pieces = c.both[:]
	sent, err := c.pieces.WriteTo(c.Conn)
	c.both, c.pieces = [2][]byte{}, nil
	c.forget()
	return int(max(0, sent-int64(first))), err
}

// ReadFrom lets the system send files by itself.
func (c *connection) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// hold holds back the first piece that is written, until the second one or release.
func (c *connection) hold() {
	if c != nil {
		c.holding = true
	}
}

// release sends what is held back.
func (c *connection) release() error {
	if c == nil || !c.holding {
		return nil
	}
	c.holding = false
	if c.first == nil {
		return nil
	}
	_, err := c.Conn.Write(*c.first)
	c.forget()
	return err
}

func (c *connection) forget() {
	firstPieces.Put(c.first)
	c.first = nil
}
