package limit

import (
	"context"
	"sync/atomic"
	"time"
)

// MaxWait is how long one operation waits for Redis, unless Within says otherwise.
const MaxWait = 100 * time.Millisecond

// minWait is the shortest wait for Redis. With less, a healthy Redis would look slow to the breaker.
const minWait = 10 * time.Millisecond

type patienceKey struct{}

// patience is the remaining budget, in nanoseconds.
type patience struct{ ns atomic.Int64 }

// Within returns a context whose operations together wait for Redis for at most d.
func Within(ctx context.Context, d time.Duration) context.Context {
	p := new(patience)
	p.ns.Store(int64(d))
	return context.WithValue(ctx, patienceKey{}, p)
}

func patienceOf(ctx context.Context) *patience {
	if p, ok := ctx.Value(patienceKey{}).(*patience); ok {
		return p
	}
	return patienceOf(Within(ctx, MaxWait))
}

func (p *patience) left() time.Duration   { return time.Duration(p.ns.Load()) }
func (p *patience) spend(d time.Duration) { p.ns.Add(-int64(d)) }
