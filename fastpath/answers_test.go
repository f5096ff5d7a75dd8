package fastpath

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
	"another target": {[]string{simple, replace("/hello", "/other"), simple}, 1, nil},
	"an absolute target and no host": {
		[]string{simple, "GET http://party.example/hello HTTP/1.1\r\n\r\n"},
		0,
		nil,
	},
	"a long body": {
		[]string{
			simple,
			replace("GET", "POST", "\r\n\r\n", "\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("a", 100_000)),
			simple,
			simple,
		},
		2,
		nil,
	},
	"an absolute target": {[]string{simple, replace("/hello", "http://party.example/hello"), simple}, 1, nil},
	"every kind of answer": {
		[]string{
			simple,
			replace("/hello", "/none"),
			replace("/hello", "/same"),
			replace("/hello", "/long"),
			replace("/hello", "/untyped"),
			replace("/hello", "/typeless"),
			replace("/hello", "/coded"),
			replace("/hello", "/dated"),
			replace("/hello", "/undated"),
			replace("/hello", "/strange"),
			replace("/hello", "/empty"),
			replace("/hello", "/twice"),
			simple,
		},
		12,
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
		want := transcript(t, plain, func() {}, string(stream))
		if want == nil || got == nil { // what arrives before a reset depends on the moment
			return
		}
		require.Equal(t, want, got)
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

// TestUnfitAnswers: no client takes one answer for a part of another.
func TestUnfitAnswers(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{
		"too short":         {"Content-Length": {"10"}},
		"too long":          {"Content-Length": {"1"}},
		"not a number":      {"Content-Length": {"x"}},
		"two lengths":       {"Content-Length": {"5", "5"}},
		"a transfer coding": {"Transfer-Encoding": {"chunked"}},
		"a trailer":         {"Trailer": {"X-Later"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, &Server{Server: http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/unfit" {
					maps.Copy(w.Header(), header)
				}
				_, _ = io.WriteString(w, "hello")
			})}})
			require.Len(t, s.converse(t, []string{simple, simple, replace("/hello", "/unfit"), simple}, nil), 2)
			require.Contains(t, s.log.String(), "fastpath: ")
		})
	}
}

// handler answers with what it was asked, so that each difference between two requests is one between their answers.
func handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Of", r.URL.Path)
		switch r.URL.Path {
		case "/none":
			w.Header().Set("Content-Length", "1")
			w.WriteHeader(http.StatusNoContent)
			return
		case "/same":
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", "1")
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
		case "/typeless":
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "<html><body>")
			return
		case "/coded":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "<html><body>")
			return
		case "/strange":
			w.WriteHeader(299)
			return
		case "/empty":
			return
		case "/dated":
			w.Header().Set("Date", time.Unix(0, 0).UTC().Format(http.TimeFormat))
		case "/undated":
			w.Header()["Date"] = nil
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

// transcript is all that a server sends for a stream after a first request, as lines without their order and the dates.
// Between the two it calls settle. It is nil if the server has reset the connection.
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
		return nil
	}
	lines := slices.DeleteFunc(strings.Split(string(all), "\r\n"), func(line string) bool {
		return strings.HasPrefix(line, "Date: ")
	})
	slices.Sort(lines)
	return lines
}
