package limit

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// charges are of one rule each, for the same subject.
func charges(subject string, rules ...Rule) (all []Charge) {
	for _, rule := range rules {
		all = append(all, Charge{rule, subject})
	}
	return all
}

// unreachable is a limiter whose Redis is down.
func unreachable(t testing.TB) *Limiter {
	t.Helper()
	return open(t, impatient(t, "redis://127.0.0.1:1"), slog.New(slog.DiscardHandler))
}

func TestGuard(t *testing.T) {
	t.Parallel()
	for name, limiter := range map[string]*Limiter{"in Redis": openCalm(t, calm(t)), "in this process": unreachable(t)} {
		t.Run(name, func(t *testing.T) {
			g := NewGuard(limiter)
			var reservations []*Reservation
			for range 3 {
				result, r := g.Reserve(patient(t), "a", charges("a", hourly(3))...)
				require.True(t, result.Allowed)
				reservations = append(reservations, r)
			}
			for range 3 {
				result, r := g.Reserve(patient(t), "a", charges("a", hourly(3))...)
				require.Nil(t, r)
				require.Equal(t, []any{false, 3, 0}, []any{result.Allowed, result.Limit, result.Remaining})
				require.InDelta(t, 3600, result.RetryAfter.Seconds(), 30)
				require.GreaterOrEqual(t, result.ResetAfter, result.RetryAfter)
			}
			result, _ := g.Reserve(patient(t), "b", charges("b", hourly(3))...)
			require.True(t, result.Allowed, "subjects count apart")

			reservations[1].Cancel(patient(t))
			reservations[1].Cancel(patient(t)) // takes back no more than was taken
			result, _ = g.Reserve(patient(t), "a", charges("a", hourly(3))...)
			require.True(t, result.Allowed)
			result, _ = g.Reserve(patient(t), "a", charges("a", hourly(3))...)
			require.False(t, result.Allowed)
		})
	}
}

// What one rule refuses counts for none.
func TestGuardChargesAllOrNone(t *testing.T) {
	t.Parallel()
	one, three := hourly(1), hourly(3)
	one.Name, three.Name = "one", "three"
	for name, limiter := range map[string]*Limiter{"in Redis": openCalm(t, calm(t)), "in this process": unreachable(t)} {
		t.Run(name, func(t *testing.T) {
			g := NewGuard(limiter)
			for i := range 5 {
				result, _ := g.Reserve(patient(t), "a", charges("a", three, one)...)
				require.Equal(t, i == 0, result.Allowed)
				if i > 0 {
					require.Equal(t, 1, result.Limit, "the rule that refuses")
				}
			}
			for i := range 5 {
				result, _ := g.Reserve(patient(t), "a", charges("a", three)...)
				require.Equal(t, i < 2, result.Allowed, "two of three places are left")
			}
		})
	}
}

// In no period are there more events than the rule allows, and one place is free as soon as an event is a period old.
func TestGuardIsExact(t *testing.T) {
	t.Parallel()
	g := NewGuard(unreachable(t))
	now := time.Now()
	g.now = func() time.Time { return now }
	rule := Rule{Name: "test", Rate: 10, Period: time.Hour}
	var allowed []time.Time
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // no secret
	for range 2000 {
		now = now.Add(time.Duration(random.Int64N(int64(5 * time.Minute))))
		result, _ := g.Reserve(t.Context(), "a", charges("a", rule)...)
		recent := 0
		for _, at := range allowed {
			if now.Sub(at) < time.Hour {
				recent++
			}
		}
		require.Equal(t, recent < 10, result.Allowed)
		if result.Allowed {
			allowed = append(allowed, now)
			continue
		}
		retry := now.Add(result.RetryAfter)
		require.InDelta(t, allowed[len(allowed)-10].Add(time.Hour).UnixMicro(), retry.UnixMicro(), 10)
		require.InDelta(t, allowed[len(allowed)-1].Add(time.Hour).UnixMicro(), now.Add(result.ResetAfter).UnixMicro(), 10)
	}
	require.Greater(t, len(allowed), 100)
}

func TestGuardInRedisRecovers(t *testing.T) {
	t.Parallel()
	g := NewGuard(openCalm(t, calm(t)))
	g.now = func() time.Time { return time.Time{} } // this process forgets nothing, so it must be asked about others
	rule := Rule{Name: "test", Rate: 2, Period: time.Second}
	for attempt := range 20 {
		subject, began := fmt.Sprint("subject ", attempt), time.Now()
		refused, _ := g.Reserve(patient(t), subject, charges(subject, rule)...)
		for refused.Allowed {
			g.windows.InvalidateAll()
			refused, _ = g.Reserve(patient(t), subject, charges(subject, rule)...)
		}
		if time.Since(began) > 900*time.Millisecond {
			continue // the machine is busy
		}
		require.LessOrEqual(t, refused.RetryAfter, rule.Period)
		require.Equal(t, 2, refused.Limit)
		<-time.After(refused.RetryAfter)
		g.windows.InvalidateAll()
		result, _ := g.Reserve(patient(t), subject, charges(subject, rule)...)
		require.True(t, result.Allowed)
		return
	}
	require.Fail(t, "the machine is too busy for this test")
}

// However many come at once, through whichever replica, and however many are taken back meanwhile.
func TestGuardInParallel(t *testing.T) {
	t.Parallel()
	const rate = 20
	cfg := calm(t)
	replicas := []*Guard{NewGuard(openCalm(t, cfg)), NewGuard(openCalm(t, cfg))}
	for round := range 5 {
		subject := fmt.Sprint(round)
		var (
			open, kept atomic.Int64
			exceeded   atomic.Bool
			wg         sync.WaitGroup
		)
		for i := range 200 {
			wg.Go(func() {
				result, r := replicas[i%2].Reserve(patient(t), subject, charges(subject, hourly(rate))...)
				if !result.Allowed {
					return
				}
				if open.Add(1) > rate {
					exceeded.Store(true)
				}
				if i%3 == 0 {
					open.Add(-1)
					r.Cancel(patient(t))
					return
				}
				kept.Add(1)
			})
		}
		wg.Wait()
		require.False(t, exceeded.Load(), "round %d", round)
		for {
			result, _ := replicas[0].Reserve(patient(t), subject, charges(subject, hourly(rate))...)
			if !result.Allowed {
				break
			}
			kept.Add(1)
		}
		require.EqualValues(t, rate, kept.Load(), "round %d: what was taken back is free again", round)
	}
}

// Redis may lose what it was told, be it that it evicts keys: one process still allows no more.
func TestGuardOutlivesRedis(t *testing.T) {
	t.Parallel()
	cfg := calm(t)
	g := NewGuard(openCalm(t, cfg))
	raw := rawClient(t)
	allowed := 0
	for range 20 {
		result, _ := g.Reserve(patient(t), "a", charges("a", hourly(5))...)
		if result.Allowed {
			allowed++
		}
		keys, err := raw.Keys(t.Context(), cfg.KeyPrefix+"*").Result()
		require.NoError(t, err)
		if len(keys) > 0 {
			require.NoError(t, raw.Del(t.Context(), keys...).Err())
		}
	}
	require.Equal(t, 5, allowed)
}

func TestGuardTellsRedisNoSubject(t *testing.T) {
	t.Parallel()
	cfg := calm(t)
	g := NewGuard(openCalm(t, cfg))
	one, two := hourly(5), hourly(5)
	two.Name = "other"
	g.Reserve(patient(t), "alice@example.org", charges("alice@example.org", one, two)...)
	raw := rawClient(t)
	keys, err := raw.Keys(t.Context(), cfg.KeyPrefix+"*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 2)
	for _, key := range keys {
		require.Regexp(t, "^"+cfg.KeyPrefix+`guard:\{[A-Za-z0-9_-]{22}\}:(test|other):[A-Za-z0-9_-]{22}$`, key)
		ttl, err := raw.PTTL(t.Context(), key).Result()
		require.NoError(t, err)
		require.InDelta(t, 3600, ttl.Seconds(), 30, "gone when nothing counts any more")
	}
}
