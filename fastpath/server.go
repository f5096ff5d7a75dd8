// Package fastpath answers simple requests on the connections of an http.Server with less processor time than net/http
// needs. bench/RESULTS.md compares the two: "Hits beside other servers".
//
// net/http has a second goroutine watch a connection while its handler runs, stops it with a deadline, and begins two
// contexts for each request, so that a handler learns of a client that goes away. An answer that is in memory is sent
// before that could matter. When net/http reads from a connection to get its next request, Server reads instead, and
// answers what it can before that read returns: a complete request without a body, for a target whose answer is at
// hand. The handler is the same, and so is the answer. The bytes of all other requests go to net/http as they came.
//
// The context of a request that is answered in this way has no values and does not end.
package fastpath

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
)

// Server is an http.Server whose Serve has a fast path.
type Server struct {
	http.Server

	// AtHand reports whether the handler is likely to answer a GET of that target without waiting for anything, and with
	// no more than some 64 KiB: the answer is copied. If it has to wait nevertheless, the answer is right, but the handler
	// does not learn of a client that goes away.
	AtHand func(target string) bool

	answers sync.WaitGroup // that are being sent

	mu     sync.Mutex
	ending map[*conn]struct{} // closed by net/http, and still answering
}

// Serve implements http.Server.Serve, and can be called once. TCP connections of l have a fast path. ConnState is not
// called for requests that are answered on it.
func (s *Server) Serve(l net.Listener) error {
	tell := s.ConnState
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if c, ok := c.(*conn); ok && state == http.StateIdle {
			c.stage.Store(rested)
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

// Close is http.Server's.
func (s *Server) Close() error {
	err := s.Server.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.ending {
		err = errors.Join(err, c.TCPConn.Close())
	}
	return err
}

func (s *Server) remember(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending == nil {
		s.ending = map[*conn]struct{}{}
	}
	s.ending[c] = struct{}{}
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ending, c)
}

func (s *Server) log(err error) {
	if s.ErrorLog != nil {
		s.ErrorLog.Print(err)
		return
	}
	log.Print(err)
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
