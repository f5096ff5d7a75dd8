package cache

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	goleak.VerifyTestMain(stacktest.With(m, devstack.Redis))
}

// silent drops what go-redis prints of failed dials.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// server is a redis-server for one test, which may freeze it, kill it, give it old data or make it part of a cluster.
type server struct {
	cmd  *exec.Cmd
	dir  string
	port int
	args []string
}

func (s *server) start() error {
	s.cmd = exec.Command("redis-server", append([]string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "no",
	}, s.args...)...)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	client := redis.NewClient(&redis.Options{Addr: s.addr(), MaxRetries: -1, DialerRetries: 1})
	defer client.Close() //nolint:errcheck // a test's helper
	var err error
	for range 200 {
		if err = client.Ping(context.Background()).Err(); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.kill()
	return fmt.Errorf("redis-server does not answer: %w", err)
}

func (s *server) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }
func (s *server) url() string  { return "redis://" + s.addr() }

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close() //nolint:errcheck // only its number is wanted
	return l.Addr().(*net.TCPAddr).Port
}

func ownServer(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), port: freePort(t), args: args}
	require.NoError(t, s.start())
	t.Cleanup(s.kill)
	return s
}

func settings(t testing.TB, url string) config.Redis {
	return config.Redis{URL: url, KeyPrefix: stacktest.KeyPrefix(t), Timeout: 50 * time.Millisecond, PoolSize: 20}
}

// calm has time enough for a machine that is busy with other tests.
func calm(c config.Redis) (config.Redis, limits) {
	c.Timeout = 20 * time.Second
	l := defaultLimits(c)
	l.step, l.write = c.Timeout, c.Timeout
	return c, l
}

var discard = slog.New(slog.DiscardHandler)

// openCalm is one process' cache on cfg.
func openCalm(t testing.TB, cfg config.Redis, change ...func(*limits)) *Cache {
	t.Helper()
	cfg, l := calm(cfg)
	for _, f := range change {
		f(&l)
	}
	c, err := open(cfg, discard, l)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// openReal has the limits of production.
func openReal(t testing.TB, cfg config.Redis) *Cache {
	t.Helper()
	c, err := New(cfg, discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// rawClient reaches the keys behind the cache's back.
func rawClient(t testing.TB, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	client := redis.NewClient(options)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func roomQuery() Query {
	return Query{Key: "room:1", Tags: []string{"room:1", "movie:9"}, TTL: time.Minute}
}

// text is a loader that always gives the same.
func text(body string) Loader {
	return func(context.Context) (Loaded, error) { return Loaded{Body: []byte(body)}, nil }
}

func get(t testing.TB, c *Cache, q Query, load Loader) (body string, hit bool) {
	t.Helper()
	e, hit, err := c.Get(context.Background(), q, load)
	require.NoError(t, err)
	return string(e.Body), hit
}

func requireGet(t testing.TB, c *Cache, load Loader, body string, hit bool) {
	t.Helper()
	gotBody, gotHit := get(t, c, roomQuery(), load)
	require.Equal(t, body, gotBody)
	require.Equal(t, hit, gotHit, "hit")
}
