package cache

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// KindOf returns the part of a key before its first colon. Loads of one kind are bounded apart from those of others, so
// that a lock or a slow query holds up only what needs it.
func KindOf(key string) string {
	kind, _, _ := strings.Cut(key, ":")
	return kind
}

// turns bound the loads of each kind: those that run at once, and those that wait.
type turns struct {
	limits limits
	kinds  sync.Map // of *line, by kind; never removed, since the program has few
}

// line is where loads of one kind wait for their turn.
type line struct {
	running *semaphore.Weighted
	waiting atomic.Int64
}

func (t *turns) of(key string) *line {
	kind := KindOf(key)
	if l, ok := t.kinds.Load(kind); ok {
		return l.(*line)
	}
	l, _ := t.kinds.LoadOrStore(kind, &line{running: semaphore.NewWeighted(int64(t.limits.loads))})
	return l.(*line)
}

// acquire waits for the key's turn, and returns what ends it. It returns ErrBusy when too many wait already.
func (t *turns) acquire(ctx context.Context, key string) (release func(), err error) {
	l := t.of(key)
	release = func() { l.running.Release(1) }
	if l.running.TryAcquire(1) {
		return release, nil
	}
	defer l.waiting.Add(-1)
	if l.waiting.Add(1) > int64(t.limits.waiting) {
		return nil, ErrBusy
	}
	if err := l.running.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return release, nil
}
