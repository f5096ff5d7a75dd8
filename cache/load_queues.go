package cache

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/admission"
)

// KindOf returns the part of a key before its first colon. Loads of one kind are bounded apart from those of others, so
// that a lock or a slow query holds up only what needs it.
func KindOf(key string) string {
	kind, _, _ := strings.Cut(key, ":")
	return kind
}

// loadQueues has a queue for each kind of key. It limits the loads that run at once, and those that wait.
type loadQueues struct {
	limits limits
	kinds  sync.Map // of *admission.Queue, by kind; never removed, since the program has few
}

func (t *loadQueues) of(key string) *admission.Queue {
	kind := KindOf(key)
	if q, ok := t.kinds.Load(kind); ok {
		return q.(*admission.Queue)
	}
	q, _ := t.kinds.LoadOrStore(kind, admission.NewQueue(t.limits.loads))
	return q.(*admission.Queue)
}

// acquire waits for the key's turn, and returns the function that ends the turn. It returns watchparty.ErrBusy when too
// many wait already.
func (t *loadQueues) acquire(ctx context.Context, key string) (release func(), err error) {
	q := t.of(key)
	err = q.Acquire(ctx, t.limits.queueTimeout, false)
	if errors.Is(err, admission.ErrBusy) {
		return nil, watchparty.ErrBusy
	}
	return q.Release, err
}
