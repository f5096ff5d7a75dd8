package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/logging"
)

// testBreaker is a breaker with a clock of its own.
func testBreaker() (b *breaker, pass func(time.Duration)) {
	at := time.Unix(1_700_000_000, 0)
	b = &breaker{limits: newBreakerLimits(50 * time.Millisecond), now: func() time.Time { return at }}
	return b, func(d time.Duration) { at = at.Add(d) }
}

func TestBreakerCountsOnlyFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		open bool
	}{
		"value":       {nil, false},
		"nothing":     {redis.Nil, false},
		"error reply": {redis.ErrCrossSlot, false},
		"caller left": {context.Canceled, false},
		"pool full":   {redis.ErrPoolTimeout, false},
		"closed":      {redis.ErrClosed, false},
		"deadline":    {context.DeadlineExceeded, true},
		"broken":      {io.ErrUnexpectedEOF, true},
		"refused":     {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, pass := testBreaker()
			for range b.limits.failures {
				require.False(t, b.open.Load())
				b.report(time.Millisecond, tt.err)
				pass(b.limits.silence)
			}
			require.Equal(t, tt.open, b.open.Load())
		})
	}
}

func TestBreakerOpensAfterFailuresOverATime(t *testing.T) {
	t.Parallel()
	b, pass := testBreaker()
	for range 100 {
		b.report(0, io.EOF)
		b.report(0, io.EOF)
		pass(time.Minute)
		b.report(0, nil)
	}
	require.False(t, b.open.Load(), "only failures in a row count")

	pass(time.Hour) // this process stood still, and all that it had sent has failed
	for range 100 {
		b.report(time.Hour, context.DeadlineExceeded)
	}
	require.False(t, b.open.Load(), "only failures over a time count")
	pass(b.limits.silence)
	b.report(0, context.DeadlineExceeded)
	require.True(t, b.open.Load())
}

// A busy machine makes exchanges slow, but not each of them.
func TestBreakerGoesByTheQuickestExchange(t *testing.T) {
	t.Parallel()
	b, pass := testBreaker()
	window := func(took ...time.Duration) {
		for _, d := range took {
			b.report(d, nil)
		}
		pass(b.limits.window)
	}
	slow, quick := 45*time.Millisecond, time.Millisecond
	for range 5 {
		window(slow, slow, slow, slow, quick, slow, slow)
		window(slow, slow, slow, slow) // too few
	}
	require.False(t, b.open.Load())
	window(slow, slow, slow, slow, slow)
	require.False(t, b.open.Load())
	window(quick)
	require.True(t, b.open.Load())
}

func breakerOf(p *process) *breaker { return p.Redis().breakers[0] }

func requireTrouble(t *testing.T, p *process, what string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var trouble *RedisError
		err := p.Redis().State(context.Background())
		if what == "" {
			return err == nil
		}
		return errors.As(err, &trouble) && trouble.What == what
	}, patience, time.Millisecond, what)
}

// requireHitSoon waits until Redis is used again.
func requireHitSoon(t *testing.T, p *process, body string) {
	t.Helper()
	require.Eventually(t, func() bool {
		shared := p.Stats().Shared
		p.forget()
		got, hit := get(t, p, roomQuery(), text(body))
		require.Equal(t, body, got)
		return hit && p.Stats().Shared > shared
	}, patience, time.Millisecond)
}

// A single measurement only tells a bounded wait from go-redis' own (5 s), since a machine that is busy with other
// tests stalls for long.
const bound = 4 * time.Second

func requireAnswerFromTheStore(t *testing.T, p *process) {
	t.Helper()
	p.forget()
	start := time.Now()
	requireGet(t, p, text("from the store"), "from the store", false)
	require.Less(t, time.Since(start), bound)
}

func requireOpens(t *testing.T, p *process) {
	t.Helper()
	require.Eventually(t, func() bool {
		requireAnswerFromTheStore(t, p)
		return breakerOf(p).open.Load()
	}, patience, time.Millisecond)
	start := time.Now()
	for range 400 { // each of which would wait for 50 ms
		requireAnswerFromTheStore(t, p)
	}
	require.Less(t, time.Since(start), 15*time.Second, "reads behind an open breaker")
	requireTrouble(t, p, "unreachable")
}

func TestRedisKilledAndBack(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	i := install(t).eager()
	i.busURL = i.redis.URL // which works
	p := i.on(s.url()).start(t)
	requireHitSoon(t, p, "cached")
	requireTrouble(t, p, "")
	s.kill()
	requireOpens(t, p)
	p.change(t, "room:1")
	require.NoError(t, s.start())
	requireHitSoon(t, p, "new")
	requireTrouble(t, p, "")
}

// A Redis that takes connections and never answers, and one that is frozen and has all that it had when it goes on.
func TestRedisIsSilent(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	proxy := badnet.New(t, s.addr())
	for name, fault := range map[string]struct{ begin, end func() }{
		"swallowed": {func() { proxy.Set(badnet.Swallow) }, func() { proxy.Set(badnet.Pass) }},
		"frozen": {
			func() { require.NoError(t, s.cmd.Process.Signal(syscall.SIGSTOP)) },
			func() { require.NoError(t, s.cmd.Process.Signal(syscall.SIGCONT)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := install(t).eager()
			i.busURL = i.redis.URL // which works
			p := i.on("redis://" + proxy.Addr()).start(t)
			requireHitSoon(t, p, "old")
			fault.begin()
			p.change(t, "room:1")
			requireOpens(t, p)
			p.change(t, "room:1")
			fault.end()
			requireHitSoon(t, p, "new")
			requireTrouble(t, p, "")
		})
	}
}

// A Redis that is always slow is not used, and the breaker does not close in between.
func TestRedisIsSlow(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	proxy := badnet.New(t, s.addr())
	i := install(t)
	i.busURL = i.redis.URL
	i.redis.Timeout = 200 * time.Millisecond
	p := i.on("redis://" + proxy.Addr()).start(t)
	requireHitSoon(t, p, "cached")
	proxy.Delay(180 * time.Millisecond) // as 45 of 50
	require.Eventually(t, func() bool {
		var exchanges sync.WaitGroup
		for range 5 {
			exchanges.Go(func() { _ = p.Redis().Client().Ping(context.Background()).Err() })
		}
		exchanges.Wait()
		return breakerOf(p).open.Load()
	}, patience, time.Millisecond)
	limits := breakerOf(p).limits
	require.Never(t, func() bool { return !breakerOf(p).open.Load() },
		time.Duration(limits.probes+1)*(limits.probeWait+180*time.Millisecond), time.Millisecond)
	requireTrouble(t, p, "slow")
	proxy.Delay(0)
	requireHitSoon(t, p, "cached")
	requireTrouble(t, p, "")
}

// A Redis that takes nothing is no reason to give wrong or slow answers, and its state says what is wrong.
func TestRedisTakesNothing(t *testing.T) {
	t.Parallel()
	s := ownServer(t, "--enable-protected-configs", "yes")
	i := install(t)
	i.busURL = i.redis.URL // which works
	p := i.on(s.url()).start(t)
	raw := rawClient(t, s.url())
	for _, fault := range []struct {
		what       string
		begin, end func() error
	}{
		{
			"full",
			func() error { return raw.ConfigSet(t.Context(), "maxmemory", "1").Err() },
			func() error { return raw.ConfigSet(t.Context(), "maxmemory", "0").Err() },
		},
		{
			"read-only",
			func() error { return raw.ReplicaOf(t.Context(), "127.0.0.1", "1").Err() },
			func() error { return raw.ReplicaOf(t.Context(), "NO", "ONE").Err() },
		},
		{
			"read-only",
			func() error { return failSaving(t, raw) },
			func() error { return raw.ConfigSet(t.Context(), "stop-writes-on-bgsave-error", "no").Err() },
		},
	} {
		requireHitSoon(t, p, "cached")
		requireTrouble(t, p, "")
		require.NoError(t, fault.begin())
		requireTrouble(t, p, fault.what)
		p.change(t, "room:1")
		requireGet(t, p, text("new"), "new", false)
		requireGet(t, p, text("not called"), "new", true)
		require.False(t, breakerOf(p).open.Load(), "it answers")
		require.NoError(t, fault.end())
		p.change(t, "room:1")
	}
	requireHitSoon(t, p, "cached")
}

// failSaving has the server unable to write its snapshots, so that it refuses to write anything (MISCONF).
func failSaving(t *testing.T, raw *redis.Client) error {
	dir, err := os.MkdirTemp(t.TempDir(), "gone")
	if err != nil {
		return err
	}
	for _, command := range [][]any{{"config", "set", "dir", dir}, {"config", "set", "save", "3600 1"}} {
		if err := raw.Do(t.Context(), command...).Err(); err != nil {
			return err
		}
	}
	if err := os.Remove(dir); err != nil {
		return err
	}
	return raw.BgSave(t.Context()).Err()
}

// Callers who leave early say nothing about Redis.
func TestCallersContextsDoNotTripTheBreaker(t *testing.T) {
	t.Parallel()
	p := install(t).start(t)
	requireGet(t, p, text("a"), "a", false)
	for n := range 50 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
		_, _, _ = p.Get(ctx, Query{Key: fmt.Sprint(n)}, text("b"))
		cancel()
	}
	require.Zero(t, p.Stats().Errors)
	p.forget()
	requireGet(t, p, text("b"), "a", true)
}

func TestReasonHasNoAddress(t *testing.T) {
	t.Parallel()
	_, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", "1"))
	require.ErrorContains(t, err, "127.0.0.1")
	require.Equal(t, "connect: connection refused", logging.Reason(err))
}
