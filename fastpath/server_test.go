package fastpath

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is for what takes much less, on any machine.
const patience = 30 * time.Second

const simple = "GET /hello HTTP/1.1\r\nHost: party.example\r\n\r\n"

// streams are what clients send, with the number of requests that take the fast path. The client sends a piece when the
// server has done with the pieces before.
var streams = map[string]struct {
	pieces  []string
	quick   int   // -1: it depends on whether two pieces arrive at once
	answers []int // to each piece, if not all have one
}{
	"one request":                  {[]string{simple}, 0, nil},
	"requests one after the other": {[]string{simple, simple, simple}, 2, nil},
	"two at once":                  {[]string{simple, simple + simple, simple}, 1, []int{1, 2, 1}},
	"one and a half": {
		[]string{simple, simple + simple[:20], simple[20:], simple},
		-1,
		[]int{1, 1, 1, 1},
	},
	"in two halves": {[]string{simple, simple[:20], simple[20:], simple}, -1, []int{1, 0, 1, 1}},
	"all but the last byte": {
		[]string{simple, simple[:len(simple)-1], simple[len(simple)-1:], simple},
		-1,
		[]int{1, 0, 1, 1},
	},
	"another target":     {[]string{simple, replace("/hello", "/other"), simple}, 1, nil},
	"an absolute target": {[]string{simple, replace("/hello", "http://party.example/hello"), simple}, 2, nil},
	"every kind of answer": {
		[]string{
			simple,
			replace("/hello", "/none"),
			replace("/hello", "/same"),
			replace("/hello", "/long"),
			replace("/hello", "/untyped"),
			replace("/hello", "/empty"),
			replace("/hello", "/twice"),
			simple,
		},
		7,
		nil,
	},
	"headers": {
		[]string{simple, with("A: b\r\nA: c\r\nAccept-Encoding: gzip\r\nPragma: no-cache\r\n"), simple},
		2,
		nil,
	},
	"HEAD": {[]string{simple, replace("GET", "HEAD"), simple}, 1, nil},
	"POST with a body": {
		[]string{simple, replace("GET", "POST", "\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc"), simple},
		1,
		nil,
	},
	"POST with a body in pieces": {
		[]string{simple, replace("GET", "POST", "\r\n\r\n", "\r\nContent-Length: 3\r\n\r\na"), "bc", simple},
		-1,
		[]int{1, 0, 1, 1},
	},
	"POST with a body and a CRLF": {
		[]string{simple, replace("GET", "POST", "\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc\r\n"), simple, simple},
		1,
		nil,
	},
	"a chunked body": {
		[]string{simple, with("Transfer-Encoding: chunked\r\n") + "1\r\na\r\n0\r\n\r\n", simple},
		1,
		nil,
	},
	"GET with a body":           {[]string{simple, with("Content-Length: 3\r\n") + "abc", simple}, 1, nil},
	"a body that does not come": {[]string{simple, with("Content-Length: 4\r\n")}, 0, []int{1, 0}},
	"a body that ends as a head does": {
		[]string{simple, with("Content-Length: 4\r\n"), "\r\n\r\n", simple},
		1,
		[]int{1, 0, 1, 1},
	},
	"a body that is a request": {
		[]string{simple, with("Content-Length: " + strconv.Itoa(len(simple)) + "\r\n"), simple, simple},
		1,
		[]int{1, 0, 1, 1},
	},
	"an empty body": {[]string{simple, with("Content-Length: 0\r\n"), simple}, 2, nil},
	"HTTP/1.0":      {[]string{simple, replace("HTTP/1.1", "HTTP/1.0")}, 0, nil},
	"HTTP/1.0 that goes on": {
		[]string{simple, replace("HTTP/1.1", "HTTP/1.0", "\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"), simple},
		1,
		nil,
	},
	"HTTP/2.0":                  {[]string{simple, replace("HTTP/1.1", "HTTP/2.0")}, 0, nil},
	"the preface of HTTP/2":     {[]string{simple, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}, 0, nil},
	"the last request":          {[]string{simple, with("Connection: close\r\n")}, 0, nil},
	"the handler's last answer": {[]string{simple, replace("/hello", "/last")}, 1, nil},
	"a connection that is kept": {[]string{simple, with("Connection: keep-alive\r\n"), simple}, 2, nil},
	"an expectation":            {[]string{simple, with("Expect: 100-continue\r\n"), simple}, 1, nil},
	"another expectation":       {[]string{simple, with("Expect: the-best\r\n")}, 0, nil},
	"an upgrade": {
		[]string{simple, with("Connection: Upgrade\r\nUpgrade: h2c\r\n"), simple},
		1,
		nil,
	},
	"lines that end with LF":           {[]string{simple, strings.ReplaceAll(simple, "\r\n", "\n"), simple}, 1, nil},
	"LF, and more that ends as a head": {[]string{simple, "GET /hello HTTP/1.1\nHost: a\n\nX\r\n\r\n"}, 0, nil},
	"no host":                          {[]string{simple, "GET /hello HTTP/1.1\r\n\r\n"}, 0, nil},
	"an empty host":                    {[]string{simple, replace("party.example", ""), simple}, 1, nil},
	"two hosts":                        {[]string{simple, with("Host: party.example\r\n")}, 0, nil},
	"a host that is none":              {[]string{simple, replace("party.example", "party example")}, 0, nil},
	"a character that is not allowed":  {[]string{simple, with("A: \x01\r\n")}, 0, nil},
	"a name that is not allowed":       {[]string{simple, with("A B: c\r\n")}, 0, nil},
	"a folded header":                  {[]string{simple, with("A: b\r\n c\r\n"), simple}, 2, nil},
	"a space before the colon":         {[]string{simple, with("A : b\r\n")}, 0, nil},
	"a head longer than the buffer": {
		[]string{simple, with("A: " + strings.Repeat("b", 5000) + "\r\n"), simple},
		1,
		nil,
	},
	"as long as the buffer":             {[]string{simple, ofLength(4096), simple}, 2, nil},
	"a byte longer":                     {[]string{simple, ofLength(4097), simple}, 1, nil},
	"a head over the limit":             {[]string{simple, with("A: " + strings.Repeat("b", 50_000) + "\r\n")}, 0, nil},
	"nonsense":                          {[]string{simple, "GET \r\n\r\n"}, 0, nil},
	"nonsense that begins as a request": {[]string{simple, "GET /hello \r\n\r\n"}, 0, nil},
	"the end of a head":                 {[]string{simple, "\r\n\r\n"}, 0, nil},
	// A front-end that joins the requests of several clients to one connection must not be answered a request that is
	// only the end of another one.
	"a byte before a request": {[]string{simple + "X", simple}, 0, []int{1, 1}},
	"a line before a request": {[]string{simple + "GET /other HTTP/1.1\r\nA: b\r\n", simple, simple}, 0, []int{1, 1, 1}},
}

func replace(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(simple) }

func with(headers string) string { return replace("\r\n\r\n", "\r\n"+headers+"\r\n") }

func ofLength(n int) string {
	head := with("A: \r\n")
	return strings.Replace(head, "A: ", "A: "+strings.Repeat("b", n-len(head)), 1)
}

// TestAnswers: the answers to every stream are those of net/http.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, s := range streams {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, quick := startPlain(t), start(t, &Server{Server: http.Server{Handler: handler(), MaxHeaderBytes: 8 << 10}})
			require.Equal(t, converse(t, plain, s.pieces, s.answers, nil), quick.converse(t, s.pieces, s.answers))
			if s.quick >= 0 {
				require.EqualValues(t, s.quick, quick.answered.Load())
			}
		})
	}
}

// FuzzAnswers sends a stream to net/http, and in two pieces to a Server, on connections that are kept.
func FuzzAnswers(f *testing.F) {
	for _, s := range streams {
		f.Add([]byte(strings.Join(s.pieces, "")), uint16(0))
		f.Add([]byte(strings.Join(s.pieces, "")), uint16(len(s.pieces[0])))
		f.Add([]byte(strings.Join(s.pieces, "")), uint16(17))
	}
	plain, quick := startPlain(f), start(f, &Server{Server: http.Server{Handler: handler(), MaxHeaderBytes: 8 << 10}})
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		at := min(int(cut), len(stream))
		rested := quick.rested.Load()
		got := transcript(t, quick.address, func() {
			require.Eventually(t, func() bool { return quick.rested.Load() > rested }, patience, 10*time.Microsecond)
		}, string(stream[:at]), string(stream[at:]))
		require.Equal(t, transcript(t, plain, func() {}, string(stream)), got)
	})
}

// TestNotAtHand: an answer that is not at hand is net/http's.
func TestNotAtHand(t *testing.T) {
	t.Parallel()
	s := start(
		t,
		&Server{Server: http.Server{Handler: handler()}, AtHand: func(target string) bool { return target != "/hello" }},
	)
	s.converse(t, []string{simple, simple, simple, replace("/hello", "/none")}, nil)
	require.EqualValues(t, 1, s.answered.Load())
}

// TestWrongLength: no client takes one answer for a part of another.
func TestWrongLength(t *testing.T) {
	t.Parallel()
	s := start(t, &Server{Server: http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/short" {
			w.Header().Set("Content-Length", "10")
		}
		_, _ = io.WriteString(w, "hello")
	})}})
	require.Len(t, s.converse(t, []string{simple, simple, replace("/hello", "/short"), simple}, nil), 2)
}

// TestPanic: a handler that gives up ends its connection and no other one.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := start(t, &Server{Server: http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "hello")
	})}})
	require.Len(t, s.converse(t, []string{simple, replace("/hello", "/panic")}, nil), 1)
	require.Len(t, s.converse(t, []string{simple, simple}, nil), 2)
}

// TestShutdown: an answer that takes its time is sent before the server has stopped, and no other one after it.
func TestShutdown(t *testing.T) {
	t.Parallel()
	s, began, goOn := startSlow(t)
	c := dial(t, s.address)
	c.send(t, simple)
	c.receive(t)
	c.send(t, replace("/hello", "/slow"))
	<-began
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(t.Context()) }()
	require.ErrorIs(t, <-s.served, http.ErrServerClosed)
	require.Never(
		t,
		func() bool { return len(stopped) > 0 },
		50*time.Millisecond,
		time.Millisecond,
		"the server did not wait",
	)
	close(goOn)
	require.Contains(t, c.receive(t), "hello")
	require.NoError(t, <-stopped)
	_, err := c.answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

// TestShutdownTakesTooLong: the stop ends when its context does, and Close ends the rest.
func TestShutdownTakesTooLong(t *testing.T) {
	t.Parallel()
	s, began, goOn := startSlow(t)
	c := dial(t, s.address)
	c.send(t, simple)
	c.receive(t)
	c.send(t, replace("/hello", "/slow"))
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(ctx) }()
	<-s.served
	cancel()
	require.ErrorIs(t, <-stopped, context.Canceled)
	close(goOn)
	require.Contains(t, c.receive(t), "hello")
}

// TestClose: the first Close of a connection lets its answer be sent, and the second one does not.
func TestClose(t *testing.T) {
	t.Parallel()
	s, began, goOn := startSlow(t)
	c := dial(t, s.address)
	c.send(t, simple)
	c.receive(t)
	c.send(t, replace("/hello", "/slow"))
	<-began
	accepted := <-s.accepted
	require.NoError(t, accepted.Close())
	require.NoError(t, accepted.Close())
	_, err := c.answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	close(goOn)
}

// TestDeadlines: requests that follow each other keep a connection that would have been idle for too long, and one
// without requests ends.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	s := start(
		t,
		&Server{Server: http.Server{Handler: handler(), IdleTimeout: 4 * time.Second, WriteTimeout: 4 * time.Second}},
	)
	c := dial(t, s.address)
	began, tick := time.Now(), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for sent := 0; time.Since(began) < 6*time.Second; sent++ {
		c.send(t, simple)
		c.receive(t)
		require.EqualValues(t, sent, s.answered.Load())
		<-tick.C
	}
	_, err := c.answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

// TestSlowReader: a client that does not take its answer is left.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	s := start(t, &Server{Server: http.Server{
		Handler:      http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 64<<20)) }),
		WriteTimeout: 100 * time.Millisecond,
	}})
	c := dial(t, s.address)
	c.send(t, simple)
	_, _ = io.Copy(io.Discard, io.LimitReader(c.answers, 64<<20))
	c.send(t, simple)
	select {
	case <-s.left:
	case <-time.After(patience):
		require.Fail(t, "the server still waits")
	}
}

// A running server, whose handler counts the requests that came by the fast path.
type running struct {
	*Server
	address  string
	answered atomic.Int64
	accepted chan net.Conn // the first connection
	left     chan struct{} // a connection has ended
	rested   atomic.Int64  // how often net/http had done with a request, or with a connection
	served   chan error
}

// converse sends each piece when the server has done with the pieces before.
func (r *running) converse(t testing.TB, pieces []string, answers []int) []string {
	t.Helper()
	return converse(t, r.address, pieces, answers, func(answers int) {
		require.Eventually(
			t,
			func() bool { return r.rested.Load()+r.answered.Load() >= int64(answers) },
			patience,
			time.Millisecond,
		)
	})
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
	s.ErrorLog = log.New(io.Discard, "", 0)
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

// startSlow starts a server whose answer to /slow says when it began, and waits until it may go on.
func startSlow(t *testing.T) (s *running, began, goOn chan struct{}) {
	t.Helper()
	began, goOn = make(chan struct{}), make(chan struct{})
	s = start(t, &Server{Server: http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(began)
			<-goOn
		}
		_, _ = io.WriteString(w, "hello")
	})}})
	return s, began, goOn
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

// handler answers with what it was asked, so that each difference between two requests is one between their answers.
func handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Of", r.URL.Path)
		switch r.URL.Path {
		case "/none":
			w.WriteHeader(http.StatusNoContent)
			return
		case "/same":
			w.Header().Set("ETag", `"1"`)
			w.WriteHeader(http.StatusNotModified)
			_, err := io.WriteString(w, "a body that must not be sent")
			w.Header().Set("X-Late", fmt.Sprint(err))
			return
		case "/long":
			w.Header().Set("Content-Length", "250000")
			_, _ = w.Write(bytes.Repeat([]byte("long "), 50_000))
			return
		case "/untyped":
			_, _ = io.WriteString(w, "<html><body>")
			return
		case "/empty":
			return
		case "/twice":
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusOK)
		case "/last":
			w.Header().Set("Connection", "close")
		}
		body, err := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Newline", "a\nb")
		w.Header()["X-Several"] = []string{"a", "b"}
		client, _, _ := net.SplitHostPort(r.RemoteAddr)
		answer := fmt.Sprint(
			r.Method,
			r.URL,
			r.RequestURI,
			r.Proto,
			r.Host,
			r.ContentLength,
			r.Close,
			client,
			string(body),
			err,
			r.Header,
		)
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = io.WriteString(w, answer)
	})
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

// next returns the next answer to a request of that method, without what may differ: the time, and how the end of the
// body is marked.
func (c *client) next(method string) (string, error) {
	r, err := http.ReadResponse(c.answers, &http.Request{Method: method})
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Body.Close() }()
	for _, name := range []string{"Date", "Content-Length"} {
		r.Header.Del(name)
	}
	body, err := io.ReadAll(r.Body)
	return fmt.Sprint(r.Proto, r.Status, r.Header, r.Close, string(body)), err
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

// transcript is all that a server sends for a stream after a first request, as lines without their order and the dates.
// Between the two it calls settle.
func transcript(t testing.TB, address string, settle func(), pieces ...string) []string {
	t.Helper()
	c := dial(t, address)
	defer func() { _ = c.Close() }()
	c.send(t, simple)
	c.receive(t)
	settle()
	for _, piece := range pieces {
		_, _ = io.WriteString(c, piece)
	}
	_ = c.Conn.(*net.TCPConn).CloseWrite()
	all, err := io.ReadAll(c)
	if err != nil {
		t.Skip("the server has reset the connection")
	}
	lines := slices.DeleteFunc(strings.Split(string(all), "\r\n"), func(line string) bool {
		return strings.HasPrefix(line, "Date: ")
	})
	slices.Sort(lines)
	return lines
}
