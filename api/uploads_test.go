package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
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

// TestUploadThatNeverEnds: the server's read time-out ends it, with an answer.
func TestUploadThatNeverEnds(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) { s.config.HTTP.ReadTimeout = time.Second })
	alice := b.user(t, "alice")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(ctx, l) }()
	defer func() { stop(); require.NoError(t, <-served) }()

	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: party.example\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n--x\r\n", basePath+avatarPath, alice.token)
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 400, response.StatusCode)
}

// TestUploadsInMemory: never more than are allowed, and everyone's turn comes.
func TestUploadsInMemory(t *testing.T) {
	t.Parallel()
	const uploads = 5 * uploadsAtOnce
	var inside, most, done atomic.Int64
	full, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	handler := spool()(func(c echo.Context) error {
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
	})
	e := echo.New()
	var wg sync.WaitGroup
	for range uploads {
		wg.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, basePath+avatarPath, strings.NewReader("the whole picture"))
			c := e.NewContext(r, httptest.NewRecorder())
			c.SetPath(avatarRoute)
			if err := handler(c); err != nil {
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
