package limit

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// at is a Local whose time stands still until it is moved.
func at(rule Rule) (l *Local, move func(time.Duration)) {
	var now atomic.Int64
	now.Store(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	l = NewLocal(rule)
	l.now = func() time.Time { return time.Unix(0, now.Load()) }
	return l, func(d time.Duration) { now.Add(int64(d)) }
}

func TestLocal(t *testing.T) {
	t.Parallel()
	for _, rule := range []Rule{
		{Rate: 1, Period: time.Second}, {Rate: 3, Period: time.Second}, {Rate: 100, Period: time.Second, Burst: 200},
		{Rate: 7, Period: time.Minute, Burst: 50}, {Rate: 100_000, Period: time.Second, Burst: 200_000},
	} {
		t.Run(fmt.Sprint(rule), func(t *testing.T) {
			t.Parallel()
			l, move := at(rule)
			burst := rule.burst()
			for i := range burst {
				r := l.Allow("a")
				require.Equal(t, []any{true, burst, burst - 1 - i}, []any{r.Allowed, r.Limit, r.Remaining})
				require.InDelta(t, float64(i+1)*rule.interval(), float64(r.ResetAfter), 1000)
				require.Zero(t, r.RetryAfter)
			}
			r := l.Allow("a")
			require.Equal(t, []any{false, burst, 0}, []any{r.Allowed, r.Limit, r.Remaining})
			require.InDelta(t, rule.interval(), float64(r.RetryAfter), 10_000)
			require.True(t, l.Allow("b").Allowed, "subjects count apart")

			move(r.RetryAfter)
			require.True(t, l.Allow("a").Allowed, "after RetryAfter one more is allowed")
			r = l.Allow("a")
			require.False(t, r.Allowed)
			move(r.ResetAfter + time.Microsecond)
			require.Equal(t, burst-1, l.Allow("a").Remaining, "after ResetAfter nothing is used")
		})
	}
}

// Two who come first, and at the same moment, find one bucket.
func TestLocalParallel(t *testing.T) {
	t.Parallel()
	l, _ := at(Rule{Rate: 1, Period: time.Second})
	for round := range 5000 {
		var (
			ready, allowed atomic.Int64
			callers        sync.WaitGroup
		)
		for range 2 {
			callers.Go(func() {
				subject := strconv.Itoa(round)
				for ready.Add(1); ready.Load() < 2; {
					runtime.Gosched()
				}
				if l.Allow(subject).Allowed {
					allowed.Add(1)
				}
			})
		}
		callers.Wait()
		require.EqualValues(t, 1, allowed.Load(), "round %d", round)
	}
}

// A flood of addresses takes no more than the bound, and does not free one who is over the limit.
func TestLocalIsBounded(t *testing.T) {
	t.Parallel()
	l, _ := at(Rule{Rate: 10, Period: time.Second})
	for range 20 {
		l.Allow("busy")
	}
	for i := range 4 * maxSubjects {
		l.Allow(strconv.Itoa(i))
		if i%1000 == 0 {
			l.Allow("busy")
		}
	}
	require.Less(t, l.buckets.EstimatedSize(), 2*maxSubjects, "while it goes on")
	l.buckets.CleanUp()
	require.LessOrEqual(t, l.buckets.EstimatedSize(), maxSubjects)
	require.False(t, l.Allow("busy").Allowed)
}

// BenchmarkLocal is what a read pays.
func BenchmarkLocal(b *testing.B) {
	rule := Rule{Rate: 100_000, Period: time.Second, Burst: 200_000}
	b.Run("one subject", func(b *testing.B) {
		l := NewLocal(rule)
		b.ReportAllocs()
		for b.Loop() {
			l.Allow("192.0.2.1")
		}
	})
	b.Run("parallel, many subjects", func(b *testing.B) {
		l := NewLocal(rule)
		subjects := make([]string, 1000)
		for i := range subjects {
			subjects[i] = "192.0.2." + strconv.Itoa(i)
		}
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				l.Allow(subjects[i%len(subjects)])
			}
		})
	})
	b.Run("new subjects", func(b *testing.B) {
		l := NewLocal(rule)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			l.Allow(strconv.Itoa(i))
		}
	})
}

// BenchmarkLocalMemory is what a full Local takes.
func BenchmarkLocalMemory(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		l := NewLocal(Rule{Rate: 1, Period: time.Second})
		for i := range 2 * maxSubjects {
			l.Allow("2001:db8:1:" + strconv.FormatInt(int64(i), 16) + "::/64")
		}
		l.buckets.CleanUp()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB")
		runtime.KeepAlive(l)
	}
}

// BenchmarkLimiter is what a write pays.
func BenchmarkLimiter(b *testing.B) {
	l := openCalm(b, calm(b))
	rule := Rule{Name: "bench", Rate: 100_000, Period: time.Second}
	b.ReportAllocs()
	for b.Loop() {
		l.Allow(patient(b), rule, "192.0.2.1")
	}
}
