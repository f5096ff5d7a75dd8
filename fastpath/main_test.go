package fastpath

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// net/http waits for half a second before it closes a connection whose client still sends.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// patience is for what takes much less, on any machine.
const patience = 30 * time.Second

// A running server, whose handler counts the requests that came by the fast path.
type running struct {
	*Server
	address  string
	answered atomic.Int64
	accepted chan net.Conn // the first connection
	left     chan struct{} // a connection has ended
	rested   atomic.Int64  // how often net/http had done with a request, or with a connection
	served   chan error
	log      logs
}

// logs is what a server has logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// warm returns a connection whose next request may take the fast path.
func (r *running) warm(t testing.TB) *client {
	t.Helper()
	c := dial(t, r.address)
	c.send(t, simple)
	c.receive(t)
	r.settle(t, 1)
	return c
}

// settle waits until the server has done with that many requests.
func (r *running) settle(t testing.TB, requests int) {
	t.Helper()
	done := func() bool { return r.rested.Load()+r.answered.Load() >= int64(requests) }
	require.Eventually(t, done, patience, time.Millisecond)
}

// converse sends each piece when the server has done with the pieces before.
func (r *running) converse(t testing.TB, pieces []string, answers []int) []string {
	t.Helper()
	return converse(t, r.address, pieces, answers, func(answers int) { r.settle(t, answers) })
}

func start(t testing.TB, s *Server) *running {
	t.Helper()
	if s.AtHand == nil {
		s.AtHand = func(target string) bool { return target != "/other" }
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &running{
		Server: s, address: l.Addr().String(),
		accepted: make(chan net.Conn, 1), left: make(chan struct{}, 1), served: make(chan error, 1),
	}
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Context().Value(http.ServerContextKey) == nil {
			r.answered.Add(1)
		}
		next.ServeHTTP(w, req)
	})
	s.ErrorLog = log.New(&r.log, "", 0)
	s.ConnState = func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			select {
			case r.accepted <- c:
			default:
			}
		case http.StateIdle:
			r.rested.Add(1)
		case http.StateClosed:
			r.rested.Add(1)
			select {
			case r.left <- struct{}{}:
			default:
			}
		}
	}
	go func() { r.served <- s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return r
}

// startSlow starts a server that is answering a client's request, on the fast path, until goOn is closed.
func startSlow(t *testing.T) (s *running, c *client, goOn chan struct{}) {
	t.Helper()
	began, goOn := make(chan struct{}), make(chan struct{})
	s = start(t, &Server{Server: http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(began)
			<-goOn
		}
		_, _ = io.WriteString(w, "hello")
	})}})
	c = s.warm(t)
	c.send(t, replace("/hello", "/slow"))
	<-began
	return s, c, goOn
}

// startPlain starts an http.Server and returns its address.
func startPlain(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{Handler: handler(), MaxHeaderBytes: 8 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// client is one connection to a server.
type client struct {
	net.Conn
	answers *bufio.Reader
}

func dial(t testing.TB, address string) *client {
	t.Helper()
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return &client{c, bufio.NewReader(c)}
}

func (c *client) send(t testing.TB, piece string) {
	t.Helper()
	_, err := io.WriteString(c, piece)
	require.NoError(t, err)
}

// receive returns the next answer but its Date.
func (c *client) receive(t testing.TB) string {
	t.Helper()
	answer, err := c.next(http.MethodGet)
	require.NoError(t, err)
	return answer
}

// next returns the next answer to a request of that method, without the time.
func (c *client) next(method string) (string, error) {
	r, err := http.ReadResponse(c.answers, &http.Request{Method: method})
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Body.Close() }()
	if dates := r.Header["Date"]; len(dates) == 1 && !strings.HasSuffix(dates[0], " 1970 00:00:00 GMT") {
		r.Header.Set("Date", "now")
	}
	body, err := io.ReadAll(r.Body)
	return fmt.Sprint(r.Proto, r.Status, r.Header, r.ContentLength, r.TransferEncoding, r.Close, string(body)), err
}

// converse sends the pieces of a stream, with pauses for the answers to them, and returns all answers until the server
// ends the connection. It calls settle with their number after each piece.
func converse(
	t testing.TB, address string, pieces []string, answers []int, settle func(answers int),
) (got []string) {
	t.Helper()
	c := dial(t, address)
	defer func() { _ = c.Close() }()
	receive := func(method string) bool {
		answer, err := c.next(method)
		if err == nil {
			got = append(got, answer)
		}
		return err == nil
	}
	for i, piece := range pieces {
		if _, err := io.WriteString(c, piece); err != nil {
			break
		}
		due := 1
		if answers != nil {
			due = answers[i]
		}
		method, _, _ := strings.Cut(piece, " ")
		for range due {
			receive(method)
		}
		if settle != nil {
			settle(len(got))
		}
	}
	_ = c.Conn.(*net.TCPConn).CloseWrite()
	for receive(http.MethodGet) {
	}
	return got
}
