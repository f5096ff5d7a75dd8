package cache

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// A single measurement only tells a bounded wait from go-redis' own (5 s), since a machine that is busy with other
// tests stalls for long. TestFirstOperationsWaitAtMost100ms is exact.
const bound = 2 * time.Second

func timed(t *testing.T, what string, f func()) time.Duration {
	t.Helper()
	start := time.Now()
	f()
	took := time.Since(start)
	require.Less(t, took, bound, what)
	return took
}

// The quickest of several is what an operation takes when the machine does not stall.
func TestFirstOperationsWaitAtMost100ms(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	p.set(swallow)
	for name, operation := range map[string]func(c *Cache){
		"get":        func(c *Cache) { requireGet(t, c, text("from the store"), "from the store", false) },
		"invalidate": func(c *Cache) { c.Invalidate(t.Context(), "room:1") },
		"ping":       func(c *Cache) { require.Error(t, c.Ping(t.Context())) },
	} {
		quickest := time.Hour
		for range 5 {
			c := openReal(t, settings(t, p.url()))
			quickest = min(quickest, timed(t, name, func() { operation(c) }))
		}
		require.Less(t, quickest, 120*time.Millisecond, name)
		require.Greater(t, quickest, 10*time.Millisecond, "%s did not try", name)
	}
}

// breakerOf is a single server's breaker.
func breakerOf(c *Cache) *breaker {
	return c.client.(*redis.Client).Options().Limiter.(*breaker)
}

// openImpatient has short waits, so that faults are met often.
func openImpatient(t *testing.T, cfg config.Redis) *Cache {
	t.Helper()
	cfg.Timeout = 20 * time.Millisecond
	l := defaultLimits(cfg)
	l.write, l.cooldown, l.retryMin, l.retryMax = cfg.Timeout, 5*time.Millisecond, time.Millisecond, 10*time.Millisecond
	c, err := open(cfg, discard, l)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func requireTaken(t *testing.T, c *Cache) {
	t.Helper()
	require.Eventually(t, func() bool { return c.Stats().Pending == 0 }, 20*time.Second, 5*time.Millisecond)
}

// requireHitSoon waits until the cache is used again.
func requireHitSoon(t *testing.T, c *Cache, body string) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, hit := get(t, c, roomQuery(), text(body))
		require.Equal(t, body, got)
		return hit
	}, 20*time.Second, 5*time.Millisecond)
}

func TestRedisKilledAndBackEmpty(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	c := openReal(t, settings(t, s.url()))
	requireHitSoon(t, c, "old")
	s.kill()

	for range 10 {
		timed(t, "Get", func() { requireGet(t, c, text("from the store"), "from the store", false) })
		timed(t, "Invalidate", func() { c.Invalidate(t.Context(), "room:1") })
		timed(t, "Ping", func() { require.Error(t, c.Ping(t.Context())) })
	}
	require.True(t, breakerOf(c).open.Load())
	require.Equal(t, 1, c.Stats().Pending)

	require.NoError(t, s.start())
	requireTaken(t, c)
	requireHitSoon(t, c, "new")
	require.NoError(t, c.Ping(t.Context()))
}

// A frozen Redis has everything it had, and executes what was sent to it meanwhile.
func TestRedisFrozenGivesNothingStaleWhenItThaws(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	c := openReal(t, settings(t, s.url()))
	requireHitSoon(t, c, "old")

	require.NoError(t, s.cmd.Process.Signal(syscall.SIGSTOP))
	timed(t, "Invalidate", func() { c.Invalidate(t.Context(), "room:1") })
	require.Equal(t, 1, c.Stats().Pending)
	timed(t, "Get", func() { requireGet(t, c, text("new"), "new", false) })

	require.NoError(t, s.cmd.Process.Signal(syscall.SIGCONT))
	for c.Stats().Pending > 0 {
		requireGet(t, c, text("new"), "new", false)
	}
	requireHitSoon(t, c, "new")
}

// The same by a partition: Redis has the old entry, whole and with its old tags, and is out of reach.
func TestPendingTagIsPassedByUntilTaken(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	cfg := settings(t, p.url())
	c := openReal(t, cfg)
	cfg.URL = stacktest.RedisURL()
	other := openCalm(t, cfg) // reaches Redis all the time
	requireHitSoon(t, c, "old")

	p.set(refuse)
	c.Invalidate(t.Context(), "room:1")
	require.Equal(t, 1, c.Stats().Pending)
	requireGet(t, c, text("new"), "new", false)
	requireGet(t, other, text("not called"), "old", true) // it cannot know: see the package's documentation

	p.set(pass)
	for c.Stats().Pending > 0 {
		requireGet(t, c, text("new"), "new", false)
	}
	body, _ := get(t, other, roomQuery(), text("new")) // by now c may have stored it
	require.Equal(t, "new", body)
	requireHitSoon(t, c, "new")
}

// While a tag is kept, a read with it stores nothing: Redis still has the tag's old version.
func TestPendingTagStoresNothing(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()), func(l *limits) { l.retryMin, l.retryMax = time.Hour, time.Hour })
	raw := rawClient(t, stacktest.RedisURL())
	c.pending.add([]string{"movie:9"})
	requireGet(t, c, text("a"), "a", false)
	requireGet(t, c, text("b"), "b", false)
	stored, err := raw.Exists(t.Context(), c.entryKey("room:1")).Result()
	require.NoError(t, err)
	require.Zero(t, stored)

	_, hit := get(t, c, Query{Key: "other", Tags: []string{"room:2"}, TTL: time.Minute}, text("x"))
	require.False(t, hit)
	_, hit = get(t, c, Query{Key: "other", Tags: []string{"room:2"}, TTL: time.Minute}, text("x"))
	require.True(t, hit, "other tags are not concerned")

	// A load that had begun before stores nothing either.
	load := newGate("slow")
	done := make(chan struct{})
	q := Query{Key: "slow", Tags: []string{"room:3"}, TTL: time.Minute}
	go func() { defer close(done); get(t, c, q, load.run) }()
	<-load.began
	c.pending.add([]string{"room:3"})
	close(load.release)
	<-done
	stored, err = raw.Exists(t.Context(), c.entryKey("slow")).Result()
	require.NoError(t, err)
	require.Zero(t, stored)
	c.kick()
	requireTaken(t, c)
}

// A retry that was sent before a later commit does not stand for that commit's invalidation.
func TestPendingKeepsWhatCameDuringARetry(t *testing.T) {
	t.Parallel()
	var p pending
	p.add([]string{"a", "b", "c"})
	kept := p.snapshot()
	p.add([]string{"a"})
	p.drop(kept, []string{"a", "b", "c"}, []string{"c"})
	require.Equal(t, 2, p.len())
	require.True(t, p.any([]string{"a"}))
	require.False(t, p.any([]string{"b"}))
	require.True(t, p.any([]string{"b", "c"}))
}

// Redis may come back with a snapshot from before invalidations that it had taken.
func TestOldDataAfterARestartIsVoid(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	cfg := settings(t, s.url())
	here, there := openCalm(t, cfg), openCalm(t, cfg)
	requireGet(t, here, text("old"), "old", false)
	requireGet(t, there, text("not called"), "old", true)
	raw := rawClient(t, s.url())
	require.NoError(t, raw.Save(t.Context()).Err())
	snapshot, err := raw.MGet(t.Context(), here.entryKey("room:1"), here.tagKey("room:1")).Result()
	require.NoError(t, err)

	here.Invalidate(t.Context(), "room:1")
	require.Zero(t, here.Stats().Pending, "Redis has taken it")
	s.kill()
	require.NoError(t, s.start())
	restored, err := raw.MGet(t.Context(), here.entryKey("room:1"), here.tagKey("room:1")).Result()
	require.NoError(t, err)
	require.Equal(t, snapshot, restored, "the old entry and its old tag are back")

	requireGet(t, there, text("new"), "new", false)
	requireGet(t, here, text("not called"), "new", true)
	late := openCalm(t, cfg)
	requireGet(t, late, text("not called"), "new", true)
}

// A Redis that takes connections and never answers costs the first few operations at most 100 ms each, then nothing.
func TestBlackhole(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	p.set(swallow)
	c := openReal(t, settings(t, p.url()))
	for range c.limits.failures {
		timed(t, "Get", func() { requireGet(t, c, text("from the store"), "from the store", false) })
	}
	require.True(t, breakerOf(c).open.Load())
	timed(t, "a thousand reads behind an open breaker", func() {
		for range 1000 {
			requireGet(t, c, text("from the store"), "from the store", false)
		}
	})
	timed(t, "Invalidate", func() { c.Invalidate(t.Context(), "room:1") })

	p.set(pass)
	requireTaken(t, c)
	require.False(t, breakerOf(c).open.Load())
	requireHitSoon(t, c, "from the store")
}

// The same with connections that had worked, and all callers at once.
func TestBlackholeUnderLoad(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	c := openReal(t, settings(t, p.url()))
	requireHitSoon(t, c, "old")
	p.set(swallow)
	var callers sync.WaitGroup
	for range 100 {
		callers.Go(func() {
			timed(t, "Get", func() { get(t, c, roomQuery(), text("from the store")) })
			timed(t, "Invalidate", func() { c.Invalidate(t.Context(), "room:1") })
		})
	}
	callers.Wait()
	require.True(t, breakerOf(c).open.Load())
	require.Equal(t, 1, c.Stats().Pending)
	p.set(pass)
	requireTaken(t, c)
	requireHitSoon(t, c, "new")
}

// A caller who leaves early says nothing about Redis.
func TestCallersContextsDoNotTripTheBreaker(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	requireGet(t, c, text("a"), "a", false)
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
		_, _, _ = c.Get(ctx, roomQuery(), text("b"))
		c.Invalidate(ctx, "room:2")
		cancel()
	}
	require.Zero(t, c.Stats().Errors)
	require.Zero(t, breakerOf(c).failures.Load())
	requireGet(t, c, text("b"), "a", true)
}

func TestBreakerCountsOnlyFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		open bool
	}{
		"value":          {nil, false},
		"nothing":        {redis.Nil, false},
		"error reply":    {redis.ErrCrossSlot, false},
		"caller left":    {context.Canceled, false},
		"pool full":      {redis.ErrPoolTimeout, false},
		"refused itself": {errOpen, false},
		"closed":         {redis.ErrClosed, false},
		"deadline":       {context.DeadlineExceeded, true},
		"broken":         {io.ErrUnexpectedEOF, true},
		"refused":        {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &breaker{limits: defaultLimits(config.Redis{}), due: make(chan *breaker, 1)}
			for range b.limits.failures {
				require.NoError(t, b.Allow())
				b.ReportResult(tt.err)
			}
			require.Equal(t, tt.open, b.Allow() != nil)
		})
	}
	b := &breaker{limits: defaultLimits(config.Redis{}), due: make(chan *breaker, 1)}
	for range 10 {
		b.ReportResult(io.EOF)
		b.ReportResult(io.EOF)
		b.ReportResult(nil)
	}
	require.NoError(t, b.Allow(), "only failures in a row count")
}

func TestReasonHasNoAddress(t *testing.T) {
	t.Parallel()
	_, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", "1"))
	require.ErrorContains(t, err, "127.0.0.1")
	require.Equal(t, "connect: connection refused", reason(err))
}

func TestCloseGivesUpKeptInvalidations(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	c, err := New(settings(t, s.url()), discard)
	require.NoError(t, err)
	s.kill()
	c.Invalidate(t.Context(), "room:1")
	timed(t, "Close", func() { require.NoError(t, c.Close()) })
	require.Equal(t, 1, c.Stats().Pending)
}

type mode int

const (
	pass    mode = iota
	refuse       // every connection is closed at once
	swallow      // connections stay, and nothing comes through
)

// proxy stands between a cache and Redis and can be a bad network.
type proxy struct {
	listener net.Listener
	target   *url.URL
	tasks    sync.WaitGroup

	mu      sync.Mutex
	mode    mode
	conns   map[net.Conn]struct{}
	changed chan struct{} // closed and replaced at each change
	closed  bool
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	target, err := url.Parse(stacktest.RedisURL())
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: l, target: target, conns: map[net.Conn]struct{}{}, changed: make(chan struct{})}
	p.tasks.Go(p.accept)
	t.Cleanup(func() {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.set(refuse)
		require.NoError(t, l.Close())
		p.tasks.Wait()
	})
	return p
}

func (p *proxy) url() string {
	through := *p.target
	through.Host = p.listener.Addr().String()
	return through.String()
}

// set changes the weather. Leaving swallow breaks the connections: what was sent meanwhile is lost.
func (p *proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m == refuse || p.mode == swallow {
		for c := range p.conns {
			_ = c.Close()
		}
	}
	p.mode = m
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *proxy) track(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode == refuse || p.closed {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		if !p.track(client) {
			continue
		}
		server, err := net.Dial("tcp", p.target.Host)
		if err != nil || !p.track(server) {
			_ = client.Close()
			continue
		}
		p.tasks.Go(func() { p.copy(server, client) })
		p.tasks.Go(func() { p.copy(client, server) })
	}
}

func (p *proxy) copy(to, from net.Conn) {
	defer func() {
		_, _ = to.Close(), from.Close()
		p.mu.Lock()
		delete(p.conns, from)
		p.mu.Unlock()
	}()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil || !p.passes() {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// passes waits while the network swallows.
func (p *proxy) passes() bool {
	for {
		p.mu.Lock()
		m, changed := p.mode, p.changed
		p.mu.Unlock()
		if m != swallow {
			return m == pass
		}
		<-changed
	}
}
