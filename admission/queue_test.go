package admission

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// line begins n more that wait, and returns what each was told. Those who got a place keep it.
func line(ctx context.Context, q *Queue, n int, patience time.Duration) (results chan error) {
	results = make(chan error, n)
	for range n {
		go func() { results <- q.Acquire(ctx, patience, false) }()
	}
	return results
}

func TestABurstWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(2)
		results := line(t.Context(), q, 100, 2*time.Second)
		for range 98 {
			time.Sleep(10 * time.Millisecond)
			q.Release()
		}
		for range 100 {
			require.NoError(t, <-results)
		}
		require.Zero(t, q.Refused())
		require.Zero(t, q.Waiting())
	})
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(1)
		require.NoError(t, q.Acquire(t.Context(), time.Second, false))
		began := time.Now()
		require.ErrorIs(t, q.Acquire(t.Context(), time.Second, false), ErrBusy)
		require.Equal(t, time.Second, time.Since(began))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		require.ErrorIs(t, q.Acquire(ctx, time.Second, false), context.Canceled)
		q.Release()
		require.NoError(t, q.Acquire(t.Context(), 0, false))
	})
}

func TestABurstIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(1)
		results := line(t.Context(), q, 1+burst, time.Second)
		require.NoError(t, <-results)
		synctest.Wait()
		require.True(t, q.Full())
		require.ErrorIs(t, q.Acquire(t.Context(), time.Second, false), ErrBusy)
		for range burst {
			require.ErrorIs(t, <-results, ErrBusy)
		}
	})
}

// A queue that stands stays short: the newest are refused at once, others after a short wait, and work that has begun
// goes on waiting.
func TestAStandingQueueStaysShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(2)
		first := line(t.Context(), q, 2+backlog*2, time.Minute)
		require.NoError(t, <-first)
		require.NoError(t, <-first)
		synctest.Wait()
		require.False(t, q.Full())
		time.Sleep(standsAfter + time.Millisecond)
		require.True(t, q.Full())

		began := time.Now()
		require.ErrorIs(t, q.Acquire(t.Context(), time.Minute, false), ErrBusy)
		require.Zero(t, time.Since(began))
		q.Release()
		require.NoError(t, <-first)
		require.ErrorIs(t, q.Acquire(t.Context(), time.Minute, false), ErrBusy)
		require.Equal(t, shortWait, time.Since(began))
		begun := make(chan error)
		go func() { begun <- q.Acquire(t.Context(), time.Minute, true) }()
		time.Sleep(10 * shortWait)
		for range 2*backlog - 1 {
			q.Release()
			require.NoError(t, <-first)
		}
		q.Release()
		require.NoError(t, <-begun)
		require.EqualValues(t, 2, q.Refused())

		q.Release()
		q.Release()
		require.False(t, q.Full())
		require.NoError(t, q.Acquire(t.Context(), 0, false), "there is room")
	})
}

// Under twice as much as it serves, as many are served as without.
func TestAllPlacesAreUsedUnderOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const (
			size  = 4
			takes = 10 * time.Millisecond
			long  = 10 * time.Second
		)
		q := NewQueue(size)
		var all sync.WaitGroup
		var mu sync.Mutex
		served, slowest := 0, time.Duration(0)
		for began := time.Now(); time.Since(began) < long; time.Sleep(takes / size / 2) {
			all.Go(func() {
				came := time.Now()
				if q.Acquire(t.Context(), 2*time.Second, false) != nil {
					return
				}
				defer q.Release()
				waited := time.Since(came)
				time.Sleep(takes)
				mu.Lock()
				defer mu.Unlock()
				served++
				if time.Since(began) > 3*time.Second {
					slowest = max(slowest, waited)
				}
			})
		}
		all.Wait()
		require.Greater(t, served, int(0.99*float64(size*long/takes)))
		require.LessOrEqual(t, slowest, shortWait)
		require.NotZero(t, q.Refused())
	})
}
