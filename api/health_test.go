package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // s3://

	"github.com/watchparty/watchparty/health"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	temporalAway := func(s *settings) {
		s.checkTemporal = func(context.Context) error { return errors.New("no answer from 10.0.0.7:7233") }
	}
	parts := func(a answer) []any {
		return []any{
			a.status, a.data()["status"], a.data()["database"], a.data()["redis"], a.data()["temporal"], a.data()["bucket"],
		}
	}
	t.Run("all connected", func(t *testing.T) {
		b := setup(t)
		require.EventuallyWithT(t, func(c *assert.CollectT) { // a busy machine may be slower than a ping's patience
			a := b.do(t, "GET", "/health", "", nil)
			assert.Equal(c, []any{200, "ok", "connected", "connected", "connected", "connected"}, parts(a))
		}, 30*time.Second, time.Millisecond)
		require.Equal(t, 204, b.do(t, "GET", "/health/live", "", nil).status)
		require.Equal(t, 204, b.do(t, "GET", "/health/ready", "", nil).status)
	})
	t.Run("without Redis", func(t *testing.T) {
		b := setup(t, redisAway)
		a := b.do(t, "GET", "/health", "", nil)
		require.Equal(t, []any{200, "degraded", "connected", "unreachable", "connected", "connected"}, parts(a))
		require.Equal(t, 204, b.do(t, "GET", "/health/ready", "", nil).status)
		degraded := a.data()["degraded"].([]any)
		require.Len(t, degraded, 1)
		part := degraded[0].(map[string]any)
		require.Equal(t, []any{"redis", "unreachable", health.Effect(health.Redis)},
			[]any{part["part"], part["state"], part["effect"]})
		since, err := time.Parse(time.RFC3339, part["since"].(string))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), since, time.Minute)
	})
	t.Run("without Temporal", func(t *testing.T) {
		b := setup(t, temporalAway)
		a := b.do(t, "GET", "/health", "", nil)
		require.Equal(t, []any{200, "degraded", "connected", "unreachable"}, append(parts(a)[:3], a.data()["temporal"]))
		require.NotContains(t, string(a.raw), "10.0.0.7")
		require.Equal(t, 204, b.do(t, "GET", "/health/ready", "", nil).status)
	})
	t.Run("without Temporal's namespace", func(t *testing.T) {
		b := setup(t, func(s *settings) {
			s.checkTemporal = func(context.Context) error {
				return fmt.Errorf(
					"asked: %w",
					health.Trouble{What: "namespace is missing", Err: errors.New(`"party" does not exist on 10.0.0.7:7233`)},
				)
			}
		})
		for range 3 {
			a := b.do(t, "GET", "/health", "", nil)
			require.Equal(t, []any{200, "degraded", "connected", "namespace is missing"},
				append(parts(a)[:3], a.data()["temporal"]))
			require.NotContains(t, string(a.raw), "10.0.0.7")
		}
		require.Equal(t, 1, strings.Count(b.logs.String(), "health check failed"), "once an interval")
		require.Contains(t, b.logs.String(), "party")
	})
	t.Run("without the bucket's folder", func(t *testing.T) {
		b := setup(t)
		folder := filepath.Join(t.TempDir(), "files")
		bucket, err := fileblob.OpenBucket(folder, &fileblob.Options{CreateDir: true})
		require.NoError(t, err)
		b.server.bucketProbe = &bucketProbe{bucket: bucket, inFolder: true}
		require.NoError(t, os.Remove(folder))
		a := b.do(t, "GET", "/health", "", nil)
		require.Equal(t, []any{200, "degraded", "folder is missing"}, append(parts(a)[:2], a.data()["bucket"]))
		require.Equal(t, 204, b.do(t, "GET", "/health/ready", "", nil).status)
		require.NoError(t, os.Mkdir(folder, 0o700))
		require.Eventually(t, func() bool { // the former answer counts for a second
			return b.do(t, "GET", "/health", "", nil).data()["bucket"] == "connected"
		}, 30*time.Second, 100*time.Millisecond)
	})
	t.Run("without a migration", func(t *testing.T) {
		b := setup(t)
		_, err := b.store.DB().ExecContext(t.Context(),
			"DELETE FROM bun_migrations WHERE id = (SELECT max(id) FROM bun_migrations)")
		require.NoError(t, err)
		a := b.do(t, "GET", "/health", "", nil)
		require.Equal(t, []any{503, "down", "migration is missing"}, parts(a)[:3])
	})
	t.Run("while all connections for requests are used", func(t *testing.T) {
		const connections = 2
		b := setup(t, func(s *settings) { s.config.Database.MaxConns = connections })
		for range connections {
			tx, err := b.store.DB().BeginTx(t.Context(), nil)
			require.NoError(t, err)
			t.Cleanup(func() { _ = tx.Rollback() })
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) { // a busy machine may be slower than a look's patience
			a := b.do(t, "GET", "/health", "", nil)
			assert.Equal(c, []any{200, "ok", "connected", "connected"}, append(parts(a)[:3], a.data()["emails"]))
		}, 30*time.Second, time.Millisecond)
		for _, check := range b.server.checks(nil) {
			require.True(t, check.Part == health.Redis || check.Every == time.Second, check.Part)
		}
	})
	t.Run("without a database", func(t *testing.T) {
		b := setup(t, databaseAway, redisAway)
		a := b.do(t, "GET", "/health", "", nil)
		require.Equal(t, []any{503, "down", "unreachable", "unreachable", "connected", "connected"}, parts(a))
		require.NotRegexp(t, internals, string(a.raw))
		require.Equal(t, 204, b.do(t, "GET", "/health/live", "", nil).status)
		b.do(t, "GET", "/health/ready", "", nil).requireProblem(t, 503, "not_ready")
	})
	t.Run("when an email was last sent", func(t *testing.T) {
		b := setup(t)
		require.Nil(t, b.do(t, "GET", "/health", "", nil).data()["emails_sent_at"])
		emailID := b.welcomeEmail(t, b.register(t, "ada"))
		b.exec(t, "UPDATE emails SET state = 'sent', sent_at = now() WHERE id = ?", emailID)
		require.NotNil(t, b.do(t, "GET", "/health", "", nil).data()["emails_sent_at"])
	})
	t.Run("a part that does not answer", func(t *testing.T) {
		b := setup(t, databaseAway, func(s *settings) {
			s.checkTemporal = func(ctx context.Context) error {
				deadline, ok := ctx.Deadline()
				require.True(t, ok)
				require.WithinRange(t, deadline, time.Now(), time.Now().Add(time.Minute))
				return context.DeadlineExceeded
			}
		})
		require.Equal(t, "unreachable", b.do(t, "GET", "/health", "", nil).data()["temporal"])
	})
}

// TestBucketProbe asks a server that speaks S3.
func TestBucketProbe(t *testing.T) {
	t.Parallel()
	objects := s3mem.New()
	require.NoError(t, objects.CreateBucket("party"))
	answer := gofakes3.New(objects).Server()
	open := func(t *testing.T, name string, handler http.HandlerFunc) *bucketProbe {
		t.Helper()
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		bucket, err := blob.OpenBucket(t.Context(),
			"s3://"+name+"?region=eu-central-1&use_path_style=true&anonymous=true&endpoint="+server.URL)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, bucket.Close()) })
		return &bucketProbe{bucket: bucket}
	}
	t.Run("a bucket that does not exist", func(t *testing.T) {
		t.Parallel()
		var missing health.Trouble
		require.ErrorAs(t, open(t, "other", answer.ServeHTTP).check(t.Context()), &missing)
		require.Equal(t, "bucket is missing", missing.What)
	})
	t.Run("no permission", func(t *testing.T) {
		t.Parallel()
		p := open(t, "party", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
		})
		var missing health.Trouble
		require.ErrorAs(t, p.check(t.Context()), &missing)
		require.Equal(t, "permission is missing", missing.What)
	})
}

// TestStop: readiness goes red, the request in flight is answered, and Serve returns nil.
func TestStop(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) { s.config.HTTP.DrainDelay = 5 * time.Second })
	alice := b.user(t, "alice")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(ctx, l) }()

	// The server says 100 Continue when the handler asks for the body: then the request is in flight.
	upload := b.upload(t, alice.token, part{"avatar", "me.png", "image/png", picture(8, 8)})
	form, err := io.ReadAll(upload.Body)
	require.NoError(t, err)
	started := make(chan struct{})
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got100Continue: func() { close(started) },
	}), http.MethodPut, "http://"+l.Addr().String()+basePath+avatarPath, body)
	require.NoError(t, err)
	r.Header = upload.Header
	r.Header.Set("Expect", "100-continue")
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	type outcome struct {
		response *http.Response
		err      error
	}
	answered := make(chan outcome, 1)
	go func() {
		response, err := transport.RoundTrip(r) //nolint:bodyclose // accept closes it
		answered <- outcome{response, err}
	}()
	<-started

	stop()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		response, err := b.client.Get("http://" + l.Addr().String() + "/api/health/ready")
		require.NoError(c, err, "it still listens")
		_ = response.Body.Close()
		assert.Equal(c, http.StatusServiceUnavailable, response.StatusCode)
	}, 30*time.Second, time.Millisecond)
	b.do(t, "GET", "/health/ready", "", nil).requireProblem(t, 503, "not_ready")
	require.Equal(t, 204, b.do(t, "GET", "/health/live", "", nil).status)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		conn, err := net.Dial("tcp", l.Addr().String())
		if !assert.Error(c, err, "it takes no new connections") {
			_ = conn.Close()
		}
	}, 30*time.Second, time.Millisecond)
	select {
	case err := <-served:
		require.Fail(t, "it did not wait for the request", err)
	case <-answered:
		require.Fail(t, "answered before it was asked")
	default:
	}

	_, err = send.Write(form)
	require.NoError(t, err)
	require.NoError(t, send.Close())
	a := <-answered
	require.NoError(t, a.err)
	require.Equal(t, http.StatusAccepted, b.accept(t, upload, a.response).status)
	require.NoError(t, <-served)
}

// TestStopCutsSlowUploads: a client that goes on sending keeps a stop waiting for HTTP_SHUTDOWN_TIMEOUT, and is no
// error.
func TestStopCutsSlowUploads(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) { s.config.HTTP.DrainDelay, s.config.HTTP.ShutdownTimeout = 0, 200*time.Millisecond })
	alice := b.user(t, "alice")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(ctx, l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = fmt.Fprintf(
		conn,
		"PUT %s HTTP/1.1\r\nHost: party.example\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\n"+
			"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n",
		basePath+avatarPath,
		alice.token,
	)
	require.NoError(t, err)
	answer, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, answer, "100 Continue")
	stop()
	require.NoError(t, <-served)
}

func TestServeFails(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.ErrorContains(t, b.server.Serve(t.Context(), l), "api: serve:")
}

// TestHostileHeaders needs the server that Serve makes, with its limits.
func TestHostileHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(ctx, l) }()
	defer func() {
		stop()
		require.NoError(t, <-served)
	}()
	readStatus := func(t *testing.T, request string) string {
		conn, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer conn.Close() //nolint:errcheck // read to its end
		require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
		go func() { _, _ = conn.Write([]byte(request)) }()
		status := make([]byte, len("HTTP/1.1 200"))
		_, err = io.ReadFull(conn, status)
		require.NoError(t, err)
		return string(status)
	}
	require.Equal(t, "HTTP/1.1 204", readStatus(t, "GET /api/health/live HTTP/1.1\r\nHost: x\r\n\r\n"))
	for name, request := range map[string]string{
		"one that is large": "GET /api/rooms HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 200_000) + "\r\n\r\n",
		"many":              "GET /api/rooms HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 40_000) + "\r\n",
		"a long address":    "GET /api/rooms?" + strings.Repeat("a", 200_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"a large token": "GET /api/users/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + strings.Repeat("x",
			30_000) + "\r\n\r\n",
		"no host":             "GET /api/rooms HTTP/1.1\r\n\r\n",
		"a negative length":   "POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"two lengths":         "POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"a control character": "GET /api/rooms HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
		"a smuggled request": "POST /api/rooms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: " +
			"x\r\n\r\n0\r\n\r\n",
		"a broken chunk": "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: " +
			"application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"a body that is short": "POST /api/auth/login HTTP/1.0\r\nHost: x\r\nContent-Type: " +
			"application/json\r\nContent-Length: 0\r\n\r\n",
		"an unknown method": "BREW /api/rooms HTTP/1.1\r\nHost: x\r\n\r\n",
		"a path with a dot": "GET /api/rooms/../users/me HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			status := readStatus(t, request)
			require.Regexp(t, `^HTTP/1\.[01] [45]\d\d$`, status)
			if !strings.HasSuffix(status, "501") { // Go's answer to an unknown Transfer-Encoding
				require.Regexp(t, ` 4\d\d$`, status)
			}
		})
	}
}
