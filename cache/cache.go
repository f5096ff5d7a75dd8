package cache

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/logging"
)

// limits are the package's limits. Tests raise the timeouts so that they also pass on slow machines.
type limits struct {
	exchangeTimeout time.Duration // longest exchange with Redis, including the wait for a connection
	loadTimeout     time.Duration // longest run of a loader
	lockTTL         time.Duration // longest time for which one process holds the lock of a load
	maxTTL          time.Duration
	maxBody         int           // in bytes; a larger body is not stored
	loads           int           // number of concurrent loads of one kind of key
	queueTimeout    time.Duration // longest wait of a load or an exchange in its queue
	refreshShare    float64       // share of an entry's TTL after which it is refreshed in the background
	minRefreshTTL   time.Duration // an entry with a shorter TTL is not refreshed in the background
}

func defaultLimits(c config.Redis) limits {
	return limits{
		exchangeTimeout: 2 * c.Timeout,
		loadTimeout:     10 * time.Second,
		lockTTL:         3 * time.Second,
		maxTTL:          coherence.KeepTime,
		maxBody:         1 << 20,
		loads:           6,
		queueTimeout:    2 * time.Second,
		refreshShare:    0.8,
		minRefreshTTL:   5 * time.Second,
	}
}

// Cache is safe for concurrent use. One process needs one.
type Cache struct {
	member *coherence.Member
	local  *otter.Cache[string, *Entry]
	redis  *Redis
	shared *shared
	log    *slog.Logger
	limits limits
	now    func() time.Time // one clock for all processes

	flights    flights
	loadQueues loadQueues
	ctx        context.Context
	cancel     context.CancelFunc
	close      func() error

	failing atomic.Bool // the last exchange with Redis failed; only for the log
	stats   counters
}

type counters struct {
	local, shared, misses, loads, joined, refreshed, refused, errors atomic.Uint64
}

// New connects at first use. It fails only for settings that cannot work, never because Redis is unreachable. now
// returns the time by Postgres' clock (store.Now): entries carry times that other processes compare.
func New(
	r config.Redis, c config.Cache, member *coherence.Member, now func() time.Time, log *slog.Logger,
) (*Cache, error) {
	return open(r, c, member, now, log, defaultLimits(r))
}

func open(
	r config.Redis, c config.Cache, member *coherence.Member, now func() time.Time, log *slog.Logger, l limits,
) (*Cache, error) {
	cache := &Cache{
		member:     member,
		log:        logging.Sparse(log, slog.LevelInfo, "key"),
		limits:     l,
		now:        now,
		loadQueues: loadQueues{limits: l},
	}
	var err error
	if cache.redis, err = OpenRedis(r); err != nil {
		return nil, err
	}
	cache.shared = newShared(cache.redis.Client(), r.KeyPrefix, r.PoolSize, now, l)
	cache.local, err = otter.New(&otter.Options[string, *Entry]{
		MaximumWeight: uint64(c.Memory), //nolint:gosec // validated
		Weigher: func(key string, e *Entry) uint32 {
			return uint32(len(key) + e.size()) //nolint:gosec // at most about 1 MB
		},
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *Entry]) time.Duration {
			return max(e.Value.expires.Sub(now()), 1)
		}),
		OnDeletion: func(e otter.DeletionEvent[string, *Entry]) { e.Value.void.Store(true) },
	})
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	cache.ctx, cache.cancel = context.WithCancel(context.Background())
	cache.close = sync.OnceValue(cache.stop)
	return cache, nil
}

// Redis returns the client of the shared level, for other data in Redis. Close closes it.
func (c *Cache) Redis() *Redis { return c.redis }

// Close cancels loads in flight, waits for them, and disconnects.
func (c *Cache) Close() error { return c.close() }

func (c *Cache) stop() error {
	c.cancel()
	c.flights.close()
	c.local.StopAllGoroutines()
	return c.redis.Close()
}

// Stats are counts since New, and present sizes.
type Stats struct {
	Local     uint64 // lookups that this process' memory answered
	Shared    uint64 // lookups that Redis answered
	Misses    uint64 // all other lookups
	Loads     uint64 // from the database
	Joined    uint64 // lookups that waited for another one's load
	Refreshed uint64 // loads ahead of an entry's end
	Refused   uint64 // lookups that would have had to wait behind too many others, for Redis or for a load
	Errors    uint64 // exchanges with Redis that failed or that the breaker refused
	Entries   int    // in memory
	Bytes     uint64 // of memory, approximately
}

// Stats is cheap enough to be called at each scrape.
func (c *Cache) Stats() Stats {
	return Stats{
		Local: c.stats.local.Load(), Shared: c.stats.shared.Load(), Misses: c.stats.misses.Load(),
		Loads: c.stats.loads.Load(), Joined: c.stats.joined.Load(), Refreshed: c.stats.refreshed.Load(),
		Refused: c.stats.refused.Load(), Errors: c.stats.errors.Load(),
		Entries: c.local.EstimatedSize(), Bytes: c.local.WeightedSize(),
	}
}

// report counts the outcome of an exchange with Redis and logs when it turns from good to bad or back.
func (c *Cache) report(ctx context.Context, err error) {
	if err == nil {
		if c.failing.Load() && c.failing.CompareAndSwap(true, false) {
			c.log.InfoContext(ctx, "Cache answers again")
		}
		return
	}
	c.stats.errors.Add(1)
	if c.failing.CompareAndSwap(false, true) {
		c.log.WarnContext(ctx, "Cache fails; reads go to the store", slog.String("reason", logging.Reason(err)))
	}
}
