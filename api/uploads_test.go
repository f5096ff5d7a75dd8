package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

// TestSlowUploads: slow uploads do not delay other requests, however many they are, and leave no files behind.
func TestSlowUploads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.user(t, "bob")
	slow := maxBuffered + 3*uploadsAtOnce()
	people := make([]person, slow)
	for i := range people {
		people[i] = b.user(t, fmt.Sprint("slow", i))
	}
	r := b.upload(t, bob.token, part{"avatar", "me.png", "image/png", picture(8, 8)})
	form, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	answers := make(chan answer, slow)
	var senders []*io.PipeWriter
	for _, p := range people {
		body, send := io.Pipe()
		contentType := r.Header.Get("Content-Type")
		r := b.upload(t, p.token, part{"avatar", "me.png", "image/png", picture(8, 8)})
		r.Header.Set("Content-Type", contentType)
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
	for _, p := range people {
		b.do(t, "GET", avatarPath, p.token, nil).requireProblem(t, 404, "not_found")
	}
}

// TestUploadsOfOneAccount: it has a few places, and others have theirs.
func TestUploadsOfOneAccount(t *testing.T) {
	t.Parallel()
	u := newUploads()
	var leave []func()
	for range uploadsPerAccount {
		done, err := u.enter("alice")
		require.NoError(t, err)
		leave = append(leave, done)
	}
	_, err := u.enter("alice")
	require.ErrorIs(t, err, errTooManyOwnUploads)
	done, err := u.enter("bob")
	require.NoError(t, err)
	done()
	leave[0]()
	done, err = u.enter("alice")
	require.NoError(t, err)
	for _, done := range append(leave[1:], done) {
		done()
	}
	require.Empty(t, u.own)
}

// TestUploadPlacesOfOneAccount: slow uploads of one account keep that account waiting, and nobody else.
func TestUploadPlacesOfOneAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	photo := part{"avatar", "me.png", "image/png", picture(8, 8)}
	answers := make(chan answer, uploadsPerAccount)
	var senders []*io.PipeWriter
	for range uploadsPerAccount {
		body, send := io.Pipe()
		r := b.upload(t, alice.token, photo)
		form := r.Body
		r.Body, r.ContentLength = body, -1
		go func() { answers <- b.serve(t, r) }()
		_, err := io.CopyN(send, form, 100) // returns when it has been read
		require.NoError(t, err)
		t.Cleanup(func() { _ = form.Close() })
		senders = append(senders, send)
	}
	refused := b.serve(t, b.upload(t, alice.token, photo))
	refused.requireProblem(t, 429, "rate_limited")
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	require.Equal(t, 202, b.serve(t, b.upload(t, bob.token, photo)).status)
	for _, send := range senders {
		require.NoError(t, send.CloseWithError(io.ErrUnexpectedEOF))
		a := <-answers
		a.requireProblem(t, 400, "invalid_request")
	}
	require.Equal(t, 202, b.serve(t, b.upload(t, alice.token, photo)).status)
}

// TestReceive: few uploads are received into memory, and the others into files.
func TestReceive(t *testing.T) {
	t.Parallel()
	u := newUploads()
	var bodies []io.ReadCloser
	receive := func() io.ReadCloser {
		body, size, err := u.receive(strings.NewReader("a picture"), int64(len("a picture")))
		require.NoError(t, err)
		require.EqualValues(t, len("a picture"), size)
		bodies = append(bodies, body)
		return body
	}
	for range maxBuffered {
		require.IsType(t, &buffered{}, receive())
	}
	require.IsType(t, &os.File{}, receive())
	_, _, err := u.receive(io.MultiReader(strings.NewReader("half a"), iotest.ErrReader(io.ErrUnexpectedEOF)), -1)
	require.Error(t, err)
	for _, body := range bodies {
		data, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, "a picture", string(data))
		require.NoError(t, body.Close())
	}

	_, _, err = u.receive(io.MultiReader(strings.NewReader("half a"), iotest.ErrReader(io.ErrUnexpectedEOF)), -1)
	require.Error(t, err)
	for range maxBuffered {
		body := receive()
		require.IsType(t, &buffered{}, body, "the places of uploads that have ended are free")
		data, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, "a picture", string(data), "nothing is left of another upload")
	}
	require.IsType(t, &os.File{}, receive())
	for _, body := range bodies[len(bodies)-maxBuffered-1:] {
		require.NoError(t, body.Close())
	}
}

// TestUploadThatTrickles: an upload that is too slow is aborted long before the server's read time-out.
func TestUploadThatTrickles(t *testing.T) {
	t.Parallel()
	var due time.Time
	p := &paced{
		body: strings.NewReader(strings.Repeat("x", 3*leastUploadRate)), begun: time.Now(), last: time.Now().Add(time.Hour),
		setDeadline: func(at time.Time) error { due = at; return nil },
	}
	buffer := make([]byte, leastUploadRate)
	for second := range 3 {
		_, err := io.ReadFull(p, buffer)
		require.NoError(t, err)
		require.LessOrEqual(t, due.Sub(p.begun), uploadGrace+time.Duration(second+1)*time.Second)
	}
	p.last = p.begun.Add(time.Second)
	_, err := p.Read(buffer)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, p.last, due, "nor is it waited for longer than for any request")
}

// TestUploadsOfStrangers: a caller who is not signed in cannot upload, and other bodies may not be as large as uploads.
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
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), maxBodyBytes+1
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

// TestTooManyUploads: uploads beyond the limit on disk get a 503 with Retry-After.
func TestTooManyUploads(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	spool := (&Server{}).spool()
	e := echo.New()
	send := func(body io.Reader) error {
		c := e.NewContext(uploadRequest(t, body), httptest.NewRecorder())
		c.SetPath(avatarRoute)
		return spool(func(echo.Context) error { return nil })(c)
	}
	var wg sync.WaitGroup
	for range maxSpooled {
		wg.Go(func() {
			if err := send(
				readerFunc(func([]byte) (int, error) { entered <- struct{}{}; <-release; return 0, io.EOF }),
			); err != nil {
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
		"Content-Type: %s\r\nContent-Length: %d\r\n\r\n", basePath+avatarPath, alice.token, r.Header.Get("Content-Type"),
		len(form))
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
		"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n--x\r\n", basePath+avatarPath,
		alice.token)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 408, response.StatusCode)
}

// dial connects to the server as it listens in production.
func (b *bundle) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", b.listening())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

// uploadRequest is one of an account of its own.
func uploadRequest(t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	ctx := context.WithValue(t.Context(), callerKey{}, auth.Identity{UserID: uuid.NewString()})
	r := httptest.NewRequestWithContext(ctx, http.MethodPut, basePath+avatarPath, body)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	return r
}

// TestUploadsAtOnce: never more go on than are allowed, and everyone's turn comes.
func TestUploadsAtOnce(t *testing.T) {
	t.Parallel()
	uploads, atOnce := 5*uploadsAtOnce(), int64(uploadsAtOnce())
	var inside, most, done atomic.Int64
	full, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s := &Server{}
	s.cfg.HTTP.WriteTimeout = time.Minute
	spool := s.spool()
	handler := func(c echo.Context) error {
		n := inside.Add(1)
		defer inside.Add(-1)
		for seen := most.Load(); n > seen; seen = most.Load() {
			most.CompareAndSwap(seen, n)
		}
		if n == atOnce {
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
			c := e.NewContext(uploadRequest(t, strings.NewReader("the whole picture")), httptest.NewRecorder())
			c.SetPath(avatarRoute)
			if err := spool(handler)(c); err != nil { // as Echo does it
				t.Error(err)
			}
		})
	}
	<-full
	close(release)
	wg.Wait()
	require.EqualValues(t, atOnce, most.Load())
	require.EqualValues(t, uploads, done.Load())
}
