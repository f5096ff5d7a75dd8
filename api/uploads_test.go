package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

// TestSlowUploads: those who send slowly keep nobody waiting, however many they are, and leave nothing when they go.
func TestSlowUploads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	form, err := io.ReadAll(b.upload(t, alice.token, part{"avatar", "me.png", "image/png", picture(8, 8)}).Body)
	require.NoError(t, err)
	const slow = 3 * uploadsAtOnce
	answers := make(chan answer, slow)
	var senders []*io.PipeWriter
	for range slow {
		body, send := io.Pipe()
		r := b.upload(t, alice.token, part{"avatar", "me.png", "image/png", picture(8, 8)})
		r.Body, r.ContentLength = body, -1
		go func() { answers <- b.serve(t, r) }()
		_, err := send.Write(form[:len(form)/2]) // returns when it has been read
		require.NoError(t, err)
		senders = append(senders, send)
	}
	require.Equal(t, 202, b.send(t, b.upload(t, bob.token, part{"avatar", "me.png", "image/png", picture(8, 8)})).status)

	for _, send := range senders {
		require.NoError(t, send.CloseWithError(io.ErrUnexpectedEOF))
	}
	for range slow {
		a := <-answers
		a.requireProblem(t, 400, "invalid_request")
		require.Equal(t, []string{"body"}, a.fields())
	}
	b.do(t, "GET", avatarPath, alice.token, nil).requireProblem(t, 404, "not_found")
}

// TestUploadsOfStrangers: who is not signed in uploads nothing, and what is no upload may not be as large as one.
func TestUploadsOfStrangers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, token := range []string{"", "x.y.z"} {
		r := b.upload(t, token, part{"avatar", "me.png", "image/png", picture(8, 8)})
		unread := &counted{ReadCloser: r.Body}
		r.Body = unread
		b.serve(t, r).requireProblem(t, 401, "unauthenticated")
		require.Zero(t, unread.bytes, "nothing was kept of it")
	}
	alice := b.user(t, "alice")
	for _, method := range []string{"GET", "DELETE"} {
		r := b.request(t, method, avatarPath, alice.token, nil)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), b.cfg.HTTP.MaxBodyBytes+1
		b.serve(t, r).requireProblem(t, 413, "body_too_large")
	}
}

// counted is a body that knows how much was read of it.
type counted struct {
	io.ReadCloser
	bytes int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes += n
	return n, err
}

// TestTooManyUploads: more than there is disk for are told to come again.
func TestTooManyUploads(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	spool := (&Server{}).spool()
	e := echo.New()
	send := func(body io.Reader) error {
		c := e.NewContext(httptest.NewRequestWithContext(signedIn(t), http.MethodPut, basePath+avatarPath, body), httptest.NewRecorder())
		c.SetPath(avatarRoute)
		return spool(func(echo.Context) error { return nil })(c)
	}
	var wg sync.WaitGroup
	for range maxSpooled {
		wg.Go(func() {
			if err := send(readerFunc(func([]byte) (int, error) { entered <- struct{}{}; <-release; return 0, io.EOF })); err != nil {
				t.Error(err)
			}
		})
	}
	for range maxSpooled {
		<-entered
	}
	require.ErrorIs(t, send(strings.NewReader("one more")), errTooManyUploads)
	close(release)
	wg.Wait()
	require.NoError(t, send(strings.NewReader("later")))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestSlowUploadIsAnswered: one that takes longer than an answer may is answered all the same.
func TestSlowUploadIsAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) {
		s.config.HTTP.ReadTimeout, s.config.HTTP.WriteTimeout = 20*time.Second, 2*time.Second
	})
	alice := b.user(t, "alice")
	r := b.upload(t, alice.token, part{"avatar", "me.png", "image/png", picture(8, 8)})
	form, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	conn := b.dial(t)
	_, err = fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: party.example\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: %s\r\nContent-Length: %d\r\n\r\n", basePath+avatarPath, alice.token, r.Header.Get("Content-Type"), len(form))
	require.NoError(t, err)
	for chunk := range slices.Chunk(form, len(form)/6+1) { // three seconds in all
		time.Sleep(500 * time.Millisecond)
		_, err = conn.Write(chunk)
		require.NoError(t, err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 202, response.StatusCode)
}

// TestUploadThatNeverEnds: the server's read time-out ends it, with an answer.
func TestUploadThatNeverEnds(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) { s.config.HTTP.ReadTimeout, s.config.HTTP.WriteTimeout = 2*time.Second, time.Second })
	alice := b.user(t, "alice")
	conn := b.dial(t)
	_, err := fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: party.example\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n--x\r\n", basePath+avatarPath, alice.token)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 400, response.StatusCode)
}

// dial connects to the server as it listens in production.
func (b *bundle) dial(t *testing.T) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(ctx, l) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-served) })
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

func signedIn(t *testing.T) context.Context {
	t.Helper()
	return context.WithValue(t.Context(), identityKey{}, identity{claimed: auth.Identity{UserID: unknownID}, confirm: func() error { return nil }})
}

// TestUploadsInMemory: never more than are allowed, and everyone's turn comes.
func TestUploadsInMemory(t *testing.T) {
	t.Parallel()
	const uploads = 5 * uploadsAtOnce
	var inside, most, done atomic.Int64
	full, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s := &Server{}
	s.cfg.HTTP.WriteTimeout = time.Minute
	spool := s.spool()
	inMemory := func(c echo.Context) error {
		n := inside.Add(1)
		defer inside.Add(-1)
		for seen := most.Load(); n > seen; seen = most.Load() {
			most.CompareAndSwap(seen, n)
		}
		if n == uploadsAtOnce {
			once.Do(func() { close(full) })
		}
		<-release
		body, err := io.ReadAll(c.Request().Body)
		if err == nil && string(body) == "the whole picture" {
			done.Add(1)
		}
		return err
	}
	e := echo.New()
	var wg sync.WaitGroup
	for range uploads {
		wg.Go(func() {
			r := httptest.NewRequestWithContext(signedIn(t), http.MethodPut, basePath+avatarPath, strings.NewReader("the whole picture"))
			c := e.NewContext(r, httptest.NewRecorder())
			c.SetPath(avatarRoute)
			if err := spool(inMemory)(c); err != nil { // as Echo does it
				t.Error(err)
			}
		})
	}
	<-full
	close(release)
	wg.Wait()
	require.EqualValues(t, uploadsAtOnce, most.Load())
	require.EqualValues(t, uploads, done.Load())
}
