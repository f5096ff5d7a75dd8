package limit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// hourly gives nothing back while a test runs.
func hourly(n int) Rule { return Rule{Name: "test", Rate: n, Period: time.Hour} }

func TestBurstThenRefusalThenRecovery(t *testing.T) {
	t.Parallel()
	l := openCalm(t, calm(t))
	// 100 ms each: more than three take, and little to wait for.
	rule := Rule{Name: "test", Rate: 10, Period: time.Second, Burst: 3}
	for attempt := range 200 {
		subject, began := fmt.Sprint("subject ", attempt), time.Now()
		var results []Result
		for range 4 {
			results = append(results, l.Allow(patient(t), rule, subject))
		}
		if time.Since(began) > 90*time.Millisecond {
			continue // one was earned back meanwhile: the machine is busy
		}
		for i, r := range results[:3] {
			require.True(t, r.Allowed)
			require.Equal(t, []int{3, 2 - i}, []int{r.Limit, r.Remaining})
			require.InDelta(t, float64(i+1)*0.1, r.ResetAfter.Seconds(), 0.09)
			require.Zero(t, r.RetryAfter)
		}
		refused := results[3]
		require.False(t, refused.Allowed)
		require.Equal(t, []int{3, 0}, []int{refused.Limit, refused.Remaining})
		require.Positive(t, refused.RetryAfter)
		require.LessOrEqual(t, refused.RetryAfter, 101*time.Millisecond)
		require.LessOrEqual(t, refused.ResetAfter, 300*time.Millisecond)

		<-time.After(refused.RetryAfter)
		require.True(t, l.Allow(patient(t), rule, subject).Allowed, "after RetryAfter one more is allowed")
		last := l.Allow(patient(t), rule, subject)
		<-time.After(last.ResetAfter)
		require.Equal(t, 2, l.Allow(patient(t), rule, subject).Remaining, "after ResetAfter nothing is used")
		return
	}
	require.Fail(t, "the machine is too busy for this test")
}

func TestSubjectsAndRulesCountApart(t *testing.T) {
	t.Parallel()
	l := openCalm(t, calm(t))
	one, other := hourly(1), hourly(1)
	other.Name = "other"
	for _, rule := range []Rule{one, other} {
		for _, subject := range []string{"a", "b", "", "a\x00", "192.0.2.1", strings.Repeat("é", 500)} {
			require.True(t, l.Allow(patient(t), rule, subject).Allowed, "%s %q", rule.Name, subject)
			require.False(t, l.Allow(patient(t), rule, subject).Allowed, "%s %q", rule.Name, subject)
		}
	}
}

func TestReplicasCountTogether(t *testing.T) {
	t.Parallel()
	cfg := calm(t)
	here, there := openCalm(t, cfg), openCalm(t, cfg)
	rule := hourly(4)
	for i := range 4 {
		l := []*Limiter{here, there}[i%2]
		require.Equal(t, 3-i, l.Allow(patient(t), rule, "a").Remaining)
	}
	require.False(t, here.Allow(patient(t), rule, "a").Allowed)
	require.False(t, there.Allow(patient(t), rule, "a").Allowed)

	cfg.KeyPrefix = stacktest.KeyPrefix(t)
	require.True(t, openCalm(t, cfg).Allow(patient(t), rule, "a").Allowed, "another installation in the same Redis")
}

// Exactly the burst gets through, however many come at once, and through whichever replica.
func TestParallel(t *testing.T) {
	t.Parallel()
	const requests, burst = 200, 50
	cfg := calm(t)
	replicas := []*Limiter{openCalm(t, cfg), openCalm(t, cfg)}
	for round := range 20 {
		var (
			allowed  atomic.Int64
			requests = requests
			callers  sync.WaitGroup
			start    = make(chan struct{})
		)
		for i := range requests {
			callers.Go(func() {
				<-start
				if replicas[i%2].Allow(patient(t), hourly(burst), fmt.Sprint(round)).Allowed {
					allowed.Add(1)
				}
			})
		}
		close(start)
		callers.Wait()
		require.EqualValues(t, burst, allowed.Load(), "round %d", round)
	}
}

func TestRedisKnowsNoSubject(t *testing.T) {
	t.Parallel()
	cfg := calm(t)
	l := openCalm(t, cfg)
	const subject = "alice@example.org"
	l.Allow(patient(t), hourly(5), subject)
	raw := rawClient(t)
	keys, err := raw.Keys(t.Context(), cfg.KeyPrefix+"*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.Regexp(t, "^"+cfg.KeyPrefix+"rate:test:[A-Za-z0-9_-]{22}$", keys[0])
	ttl, err := raw.TTL(t.Context(), keys[0]).Result()
	require.NoError(t, err)
	require.InDelta(t, 720, ttl.Seconds(), 30, "gone when the quota is back")

	other := New(nil, cfg.KeyPrefix, secret+"!", slog.New(slog.DiscardHandler))
	require.NotEqual(t, l.hash(hourly(5), subject), other.hash(hourly(5), subject), "guessing needs the secret")
}

// MaxWait holds whatever the client would wait, and for all that one request asks together. The quickest of several is
// what an operation takes when the machine does not stall.
func TestRedisThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	options, err := redis.ParseURL(silentServer(t))
	require.NoError(t, err)
	options.MaxRetries, options.DialerRetries, options.ContextTimeoutEnabled = -1, 1, true
	slow := redis.NewClient(options) // 3 s, and no breaker
	t.Cleanup(func() { require.NoError(t, slow.Close()) })
	l := New(slow, "", secret, slog.New(slog.DiscardHandler))
	for what, ask := range map[string]func(context.Context) Result{
		"Allow": func(ctx context.Context) Result { return l.Allow(ctx, hourly(1), "a") },
	} {
		const enough, shared = 90 * time.Millisecond, 250 * time.Millisecond // alone, three take 300 ms
		one, three := time.Hour, time.Hour
		for range 20 {
			one = min(one, timed(func() {
				require.Equal(t, Result{Allowed: true, Limit: 1, Remaining: 1}, ask(t.Context()))
			}))
			ctx := Within(t.Context(), MaxWait)
			three = min(three, timed(func() {
				for range 3 {
					require.True(t, ask(ctx).Allowed)
				}
			}))
			if max(one, three) < shared {
				break
			}
		}
		for _, took := range []time.Duration{one, three} {
			require.Less(t, took, shared, what)
			require.Greater(t, took, enough, "%s did not try", what)
		}
	}
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// The cache's breaker is the limits' as well: after a few waits nobody waits.
func TestBreaker(t *testing.T) {
	t.Parallel()
	l := openCalm(t, impatient(t, silentServer(t)))
	require.Less(t, timed(func() {
		for range 1000 {
			require.True(t, l.Allow(t.Context(), hourly(1), "a").Allowed)
		}
	}), 5*time.Second)
}

func TestRedisGoneAndBack(t *testing.T) {
	t.Parallel()
	stack := stacktest.New(t, devstack.Redis)
	var log lines
	l := open(t, impatient(t, stack.RedisURL()), slog.New(slog.NewTextHandler(&log, nil)))
	rule := hourly(1)
	require.Eventually(
		t, func() bool { return !l.Allow(t.Context(), rule, "a").Allowed }, 20*time.Second, time.Millisecond,
	)
	before := log.count("fail open")

	require.NoError(t, stack.Kill(devstack.Redis))
	for range 10 {
		require.True(t, l.Allow(t.Context(), rule, "a").Allowed)
	}
	require.Equal(t, before+1, log.count("fail open"), "said once: %s", &log)
	require.NotContains(t, log.String(), "127.0.0.1")

	require.NoError(t, stack.Restart(t.Context(), devstack.Redis))
	require.Eventually(t, func() bool {
		return !l.Allow(t.Context(), rule, "b").Allowed
	}, 20*time.Second, 5*time.Millisecond)
	require.Positive(t, log.count("kept again"))
}

// A caller who leaves early neither escapes the count nor looks to the breaker like a Redis that is away.
func TestCallersWhoLeave(t *testing.T) {
	t.Parallel()
	l := openCalm(t, calm(t))
	rule := hourly(20)
	gone, cancel := context.WithCancel(patient(t))
	cancel()
	for range 20 {
		require.True(t, l.Allow(gone, rule, "a").Allowed)
	}
	require.False(t, l.Allow(patient(t), rule, "a").Allowed)
}

func TestReasonHasNoAddress(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{
		&net.OpError{Op: "dial", Err: errors.New("connect 10.0.0.7:6379")}: "redis does not answer",
		io.EOF:                           "redis does not answer",
		reply("MOVED 1 10.0.0.7:6379"):   "MOVED",
		reply("ASK 1 10.0.0.7:6379"):     "ASK",
		reply("NOPERM no permissions"):   "NOPERM no permissions",
		reply("OOM command not allowed"): "OOM command not allowed",
	} {
		require.Equal(t, want, reason(err))
	}
}

// reply is an error that Redis answers.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}
