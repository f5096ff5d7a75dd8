// Package admission decides which work may wait for something that only a limited number can use at a time.
//
// A queue that is empty now and then absorbs bursts, so work may wait in it. A queue that has not been empty for a
// while absorbs nothing: more work arrives than is served, and each additional waiter only makes all others wait
// longer. Such a queue is kept short, and the newest work is refused at once, while the admitted work is served as
// quickly as before. The idea is that of CoDel (Nichols and Jacobson, "Controlling Queue Delay", 2012) in the form for
// servers (Maurer, "Fail at Scale", 2015). Limits that are found by measuring response times, such as those of Netflix'
// and Failsafe's adaptive limiters, fit work of one kind whose limit is not known. Here the limit is known, and the
// times of one kind of work differ by a factor of a thousand.
package admission

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// ErrBusy is returned for refused work.
var ErrBusy = errors.New("admission: the queue is full")

const (
	// standsAfter is the time for which a queue has not been empty when it counts as standing.
	standsAfter = 500 * time.Millisecond
	// shortWait is the longest wait in a standing queue.
	shortWait = 50 * time.Millisecond
	// backlog is the largest length of a standing queue, as a multiple of the number of places: long enough that no place
	// is idle.
	backlog = 4
	// burst is the largest length of any queue, as a multiple of the number of places.
	burst = 50
)

// Queue lets a limited number of callers work at a time, while others wait. It is safe for concurrent use. If nobody
// waits, it costs as much as a mutex.
type Queue struct {
	size    int64
	served  *semaphore.Weighted
	waiting atomic.Int64
	since   atomic.Int64 // since when somebody has waited, on the clock of now; 0 for nobody
	refused atomic.Uint64
}

// NewQueue makes a queue with that many places.
func NewQueue(size int) *Queue {
	return &Queue{size: int64(size), served: semaphore.NewWeighted(int64(size))}
}

// started is when the clock of now began.
var started = time.Now()

func now() int64 { return int64(time.Since(started)) + 1 }

// Acquire waits for a place, and no longer than patience. After nil, call Release. Work that has begun already is not
// refused because of the queue's length, since its effort would be lost. It returns ErrBusy if the work is refused, and
// ctx's error.
func (q *Queue) Acquire(ctx context.Context, patience time.Duration, begun bool) error {
	if q.served.TryAcquire(1) {
		return nil
	}
	waiting := q.waiting.Add(1)
	defer q.leave()
	q.since.CompareAndSwap(0, now())
	if !begun {
		most := burst * q.size
		if q.stands() {
			most, patience = backlog*q.size, min(patience, shortWait)
		}
		if waiting > most {
			q.refused.Add(1)
			return ErrBusy
		}
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := q.served.Acquire(limited, 1); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		q.refused.Add(1)
		return ErrBusy
	}
	return nil
}

func (q *Queue) leave() {
	if q.waiting.Add(-1) == 0 {
		q.since.Store(0)
	}
}

// Release gives a place back.
func (q *Queue) Release() { q.served.Release(1) }

// Full reports whether Acquire would refuse new work at once.
func (q *Queue) Full() bool {
	waiting := q.waiting.Load()
	return waiting >= burst*q.size || waiting >= backlog*q.size && q.stands()
}

// Waiting returns the number of waiters.
func (q *Queue) Waiting() int64 { return q.waiting.Load() }

// Refused returns the number of refusals so far.
func (q *Queue) Refused() uint64 { return q.refused.Load() }

// stands reports whether the queue has not been empty for standsAfter.
func (q *Queue) stands() bool {
	since := q.since.Load()
	return since != 0 && now()-since > int64(standsAfter)
}
