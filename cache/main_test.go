package cache

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/dialect/pgdialect"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/bus"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	goleak.VerifyTestMain(stacktest.With(m, devstack.Redis, devstack.Postgres), stacktest.Redialing())
}

// silent drops what go-redis prints of failed dials.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// server is a redis-server for one test, which may freeze it, kill it, give it old data or make it part of a cluster.
type server struct {
	cmd    *exec.Cmd
	dir    string
	port   int
	args   []string
	config string // the file of a sentinel; empty for others
}

func (s *server) start() error {
	args := []string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir}
	if s.config != "" {
		args = append([]string{s.config, "--sentinel"}, args...)
	} else {
		args = append(args, "--save", "", "--appendonly", "no")
	}
	s.cmd = exec.Command("redis-server", append(args, s.args...)...)
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

func ownServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), port: stacktest.FreePort(t), args: args}
	require.NoError(t, s.start())
	t.Cleanup(s.kill)
	return s
}

// calm is a timing for a machine that is busy with other tests: leases do not get lost.
func calm() coherence.Timing {
	timing := coherence.DefaultTiming()
	timing.Lease, timing.AckTimeout, timing.Call = time.Minute, 20*time.Second, 20*time.Second
	timing.RenewSoon, timing.List = time.Millisecond, 5*time.Millisecond
	return timing
}

// installation is a database and a Redis that processes share.
type installation struct {
	database config.Database
	redis    config.Redis
	busURL   string // redis.URL if empty
	cache    config.Cache
	timing   coherence.Timing
	log      *slog.Logger
	limits   func(*limits) // changes them; may be nil
	ahead    time.Duration // of Postgres' clock before that of the machine
}

func install(t testing.TB) installation {
	return installation{
		database: config.Database{URL: stacktest.MigratedURL(t), MaxConns: 10, StatementTimeout: 20 * time.Second},
		redis: config.Redis{
			URL: stacktest.RedisURL(), KeyPrefix: stacktest.KeyPrefix(t), Timeout: 10 * time.Second, PoolSize: 20,
		},
		cache:  config.Cache{Memory: 1 << 24},
		timing: calm(),
		log:    slog.New(slog.DiscardHandler),
	}
}

// on is the installation with another Redis.
func (i installation) on(url string) installation {
	i.redis.URL = url
	return i
}

// eager is the installation with the waits of production for Redis.
func (i installation) eager() installation {
	i.redis.Timeout = 50 * time.Millisecond
	return i
}

func (i installation) with(change func(*limits)) installation {
	i.limits = change
	return i
}

// process is one of an installation's.
type process struct {
	*Cache
	store *store.Store
	bus   *bus.Bus
	stop  func() // ends it before the end of the test
}

// start starts a process and waits until it uses its cache. Until its bus hears, it would do so only while it is alone.
func (i installation) start(t testing.TB) *process {
	t.Helper()
	p := i.startAway(t)
	require.Eventually(
		t, func() bool { return p.member.Lease().InForce() && p.bus.Healthy() }, 30*time.Second, time.Millisecond,
	)
	return p
}

// startAway starts a process that may never use its cache.
func (i installation) startAway(t testing.TB) *process {
	t.Helper()
	s, err := store.Open(i.database, auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	busRedis := i.redis
	if i.busURL != "" {
		busRedis.URL = i.busURL
	}
	client, err := Connect(busRedis, bus.Timeout, nil)
	require.NoError(t, err)
	messages := bus.New(client, i.redis, i.log)
	member := coherence.NewMember(s.Journal(), messages, coherence.Options{Reads: true, Timing: i.timing, Log: i.log})
	s.OnChange(member.Announce)
	l := defaultLimits(i.redis)
	if i.limits != nil {
		i.limits(&l)
	}
	now := func() time.Time { return store.Now().Add(i.ahead) }
	c, err := open(i.redis, i.cache, member, now, i.log, l)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = messages.Run(ctx) })
	running.Go(func() { _ = member.Run(ctx) })
	stop := sync.OnceFunc(func() {
		cancel()
		running.Wait()
		require.NoError(t, c.Close())
		require.NoError(t, client.Close())
		require.NoError(t, s.Close())
	})
	t.Cleanup(stop)
	return &process{Cache: c, store: s, bus: messages, stop: stop}
}

// change commits a transaction that changes the tags. A busy machine may refuse it at first.
func (p *process) change(t testing.TB, tags ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		require.NoError(c, p.tryChange(t.Context(), tags...))
	}, patience, time.Millisecond)
}

func (p *process) tryChange(ctx context.Context, tags ...string) error {
	tx, err := p.store.DB().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	var transaction uint64
	err = tx.NewRaw("INSERT INTO cache_changes (tags) VALUES (?) RETURNING transaction::text::bigint",
		pgdialect.Array(tags)).Scan(ctx, &transaction)
	if err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := p.member.Announce(ctx, coherence.Change{Transaction: transaction, Tags: tags}); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// forget empties the memory of the process, so that it asks Redis.
func (p *process) forget() { p.local.InvalidateAll() }

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

func get(t testing.TB, c *process, q Query, load Loader) (body string, hit bool) {
	t.Helper()
	e, hit, err := c.Get(context.Background(), q, load)
	require.NoError(t, err)
	return string(e.Body), hit
}

func requireGet(t testing.TB, c *process, load Loader, body string, hit bool) {
	t.Helper()
	gotBody, gotHit := get(t, c, roomQuery(), load)
	require.Equal(t, body, gotBody)
	require.Equal(t, hit, gotHit, "hit")
}
