// Package fastpath answers simple requests on the connections of an http.Server at about half of what net/http needs.
//
// net/http has a second goroutine watch a connection while its handler runs, stops it with a deadline, and begins two
// contexts for each request, so that a handler learns of a client that goes away. An answer that is in memory is sent
// before that could matter. When net/http reads from a connection to get its next request, Server reads instead, and
// answers what it can before that read returns: a complete request without a body, for a target whose answer is at
// hand. The handler is the same, and so is the answer. The bytes of all other requests go to net/http as they came.
package fastpath

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is an http.Server with a fast path.
type Server struct {
	http.Server

	// AtHand reports whether the handler answers a GET of that target without waiting for anything. If it is wrong, the
	// answer is right all the same, but the handler does not learn of a client that goes away.
	AtHand func(target string) bool

	answers sync.WaitGroup // that are being sent
}

// Serve is http.Server's, once. The connections of l have a fast path if they are TCP. An answer on it changes no
// ConnState.
func (s *Server) Serve(l net.Listener) error {
	tell := s.ConnState
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if c, ok := c.(*conn); ok && state == http.StateIdle {
			c.stage = rested
		}
		if tell != nil {
			tell(c, state)
		}
	}
	return s.Server.Serve(listener{l, s})
}

// Shutdown is http.Server's.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.Server.Shutdown(ctx); err != nil {
		return err
	}
	sent := make(chan struct{})
	go func() { s.answers.Wait(); close(sent) }()
	select {
	case <-sent:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type listener struct {
	net.Listener
	server *Server
}

func (l listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if tcp, ok := accepted.(*net.TCPConn); ok {
		return &conn{TCPConn: tcp, server: l.server}, nil
	}
	return accepted, err
}

// idleTimeout is how long a connection may be without a request; 0 is for ever.
func (s *Server) idleTimeout() time.Duration { return cmp.Or(s.IdleTimeout, s.ReadTimeout) }
