package cache

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/stacktest"
)

// table is a row with a version that only grows. Once a write's Invalidate has returned, the write is visible:
// no read that begins later may see less.
type table struct {
	tag     string
	mu      sync.Mutex
	version int
	visible atomic.Int64
}

func (r *table) write(ctx context.Context, c *Cache) {
	r.mu.Lock()
	r.version++
	committed := int64(r.version)
	r.mu.Unlock()
	c.Invalidate(ctx, r.tag)
	for {
		now := r.visible.Load()
		if now >= committed || r.visible.CompareAndSwap(now, committed) {
			return
		}
	}
}

func (r *table) query() Query {
	return Query{Key: "row:" + r.tag, Tags: []string{r.tag, "all"}, TTL: time.Minute}
}

// load reads, and lingers now and then before it gives what it read.
func (r *table) load(context.Context) (Loaded, error) {
	r.mu.Lock()
	version := r.version
	r.mu.Unlock()
	time.Sleep(rand.N(300 * time.Microsecond)) // what a query takes
	return Loaded{Body: []byte(strconv.Itoa(version))}, nil
}

// read is false when it saw less than was visible before it began.
func (r *table) read(ctx context.Context, c *Cache) (ok bool, err error) {
	least := r.visible.Load()
	e, _, err := c.Get(ctx, r.query(), r.load)
	if err != nil {
		return false, err
	}
	saw, err := strconv.ParseInt(string(e.Body), 10, 64)
	return saw >= least, err
}

// storm reads and writes through caches for as long as course takes.
func storm(t *testing.T, caches []*Cache, course func(ctx context.Context)) {
	const readers, writers = 4, 2
	rows := []*table{{tag: "a"}, {tag: "b"}, {tag: "c"}}
	ctx, stop := context.WithCancel(context.Background())
	var busy sync.WaitGroup
	var stale atomic.Int64
	for _, c := range caches {
		for range readers {
			busy.Go(func() {
				for ctx.Err() == nil {
					ok, err := rows[rand.IntN(len(rows))].read(context.Background(), c)
					if err != nil {
						t.Errorf("read: %v", err)
						return
					}
					if !ok {
						stale.Add(1)
					}
				}
			})
		}
		for range writers {
			busy.Go(func() {
				for ctx.Err() == nil {
					rows[rand.IntN(len(rows))].write(context.Background(), c)
					time.Sleep(rand.N(4 * time.Millisecond)) // so that there are hits between writes
				}
			})
		}
	}
	course(ctx)
	stop()
	busy.Wait()
	require.Zero(t, stale.Load(), "reads that saw less than was visible before they began")
}

// Two processes, one Redis that loses any key at any time.
func TestNoReadSeesLessThanWasVisible(t *testing.T) {
	t.Parallel()
	cfg := settings(t, stacktest.RedisURL())
	caches := []*Cache{openCalm(t, cfg), openCalm(t, cfg)}
	raw := rawClient(t, stacktest.RedisURL())
	storm(t, caches, func(ctx context.Context) {
		keys := []string{"t:a", "t:b", "t:c", "t:all", "e:row:a", "e:row:b", "e:row:c"}
		for !enough(caches) {
			_ = raw.Del(ctx, cfg.KeyPrefix+keys[rand.IntN(len(keys))]).Err()
			time.Sleep(rand.N(2 * time.Millisecond))
		}
	})
	for _, c := range caches {
		stats := c.Stats()
		require.Zero(t, stats.Errors)
		require.Zero(t, stats.Pending)
	}
}

// enough is when each process had many hits and many misses: a storm without either proves nothing.
func enough(caches []*Cache) bool {
	for _, c := range caches {
		if stats := c.Stats(); stats.Hits < 500 || stats.Misses < 500 {
			return false
		}
	}
	return true
}

// One process whose Redis comes and goes: refused, silent, and back with what it had.
func TestNoReadSeesLessThanWasVisibleWhenRedisComesAndGoes(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	c := openImpatient(t, settings(t, p.url()))
	storm(t, []*Cache{c}, func(ctx context.Context) {
		for range 3 {
			for _, bad := range []mode{swallow, refuse} {
				p.set(bad)
				errors := c.Stats().Errors
				waitFor(ctx, func() bool { return c.Stats().Errors > errors+20 })
				p.set(pass)
				hits := c.Stats().Hits
				waitFor(ctx, func() bool { return c.Stats().Hits > hits+20 })
			}
		}
	})
	p.set(pass)
	require.Eventually(t, func() bool { return c.Stats().Pending == 0 }, 20*time.Second, 5*time.Millisecond)
	require.NotZero(t, c.Stats().Hits)
	require.NotZero(t, c.Stats().Errors)
}

// waitFor polls until cond, for a bounded time: progress depends on what the storm does.
func waitFor(ctx context.Context, cond func() bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
