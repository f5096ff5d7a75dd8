package limit

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	goleak.VerifyTestMain(stacktest.With(m, devstack.Redis), stacktest.Redialing())
}

// silent drops what go-redis prints of failed dials.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

const secret = "a secret of the tests, not of anybody"

// patient is a context for a machine that is busy with other tests: a limit that fails open would fail them.
func patient(t testing.TB) context.Context { return Within(t.Context(), time.Minute) }

func calm(t testing.TB) config.Redis {
	return config.Redis{
		URL:       stacktest.RedisURL(),
		KeyPrefix: stacktest.KeyPrefix(t),
		Timeout:   20 * time.Second,
		PoolSize:  20,
	}
}

// impatient has the waits of production.
func impatient(t testing.TB, url string) config.Redis {
	return config.Redis{URL: url, KeyPrefix: stacktest.KeyPrefix(t), Timeout: 50 * time.Millisecond, PoolSize: 20}
}

// open is one process' limiter.
func open(t testing.TB, cfg config.Redis, log *slog.Logger) *Limiter {
	t.Helper()
	c, err := cache.OpenRedis(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return New(c.Client(), cfg.KeyPrefix, secret, log)
}

func openCalm(t testing.TB, cfg config.Redis) *Limiter {
	t.Helper()
	return open(t, cfg, slog.New(slog.DiscardHandler))
}

// rawClient sees the keys.
func rawClient(t testing.TB) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(stacktest.RedisURL())
	require.NoError(t, err)
	client := redis.NewClient(options)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// silentServer takes connections, in its backlog, and never answers.
func silentServer(t testing.TB) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return "redis://" + l.Addr().String()
}

// lines is a log that counts.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) count(message string) int { return strings.Count(l.String(), message) }
