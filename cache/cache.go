package cache

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/logging"
)

// maxWait bounds what one operation may wait for Redis in all.
const maxWait = 100 * time.Millisecond

// limits are the package's numbers; tests stretch them where a slow machine must not matter.
type limits struct {
	step     time.Duration // one exchange with Redis in a read: the lookup, or storing
	write    time.Duration // one exchange of an invalidation or a ping
	load     time.Duration // one run of a loader
	tagTTL   time.Duration // also the longest life of an entry
	maxBody  int           // bytes; a larger body is not stored
	failures int32         // in a row, until the breaker opens
	cooldown time.Duration // between two probes of an open breaker
	retryMin time.Duration // between two tries of an invalidation, doubling
	retryMax time.Duration
}

func defaultLimits(c config.Redis) limits {
	return limits{
		step:     min(c.Timeout, maxWait/2),
		write:    maxWait,
		load:     10 * time.Second,
		tagTTL:   24 * time.Hour,
		maxBody:  1 << 20,
		failures: 3,
		cooldown: 500 * time.Millisecond,
		retryMin: 50 * time.Millisecond,
		retryMax: time.Second,
	}
}

// Cache is safe for concurrent use. One process needs one.
type Cache struct {
	client  redis.UniversalClient
	log     *slog.Logger
	prefix  string
	limits  limits
	life    life
	flights flights
	pending pending

	probes chan *breaker // breakers that are due for a probe
	wake   chan struct{} // an invalidation waits, or Redis is back
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when the background goroutine has ended
	close  func() error

	failing              atomic.Bool // the last exchange with Redis failed; only for the log
	hits, misses, errors atomic.Uint64
}

// New connects lazily: it fails only on settings that cannot work, never because Redis is away.
func New(c config.Redis, log *slog.Logger) (*Cache, error) {
	return open(c, log, defaultLimits(c))
}

func open(c config.Redis, log *slog.Logger, l limits) (*Cache, error) {
	cache := &Cache{
		log:    logging.Sparse(log, slog.LevelInfo, "key"),
		prefix: c.KeyPrefix,
		limits: l,
		probes: make(chan *breaker, 16),
		wake:   make(chan struct{}, 1),
		done:   make(chan struct{}),
	}
	client, err := cache.connect(c)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	cache.client = client
	cache.ctx, cache.cancel = context.WithCancel(context.Background())
	cache.close = sync.OnceValue(cache.stop)
	go cache.maintain()
	return cache, nil
}

// Redis is the client behind the breaker, for what else is kept there. It never retries; Close closes it.
func (c *Cache) Redis() redis.UniversalClient { return c.client }

// Ping asks Redis for an answer, for at most 100 ms. While the breaker is open it fails at once.
func (c *Cache) Ping(ctx context.Context) error {
	ctx, cancel := detach(ctx, c.limits.write)
	defer cancel()
	if err := c.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("cache: ping: %w", err)
	}
	return nil
}

// Close cancels loads in flight and waits for them, tries once more what invalidations are kept, and disconnects.
func (c *Cache) Close() error { return c.close() }

func (c *Cache) stop() error {
	c.cancel()
	<-c.done
	c.flights.close()
	if err := c.client.Close(); err != nil {
		return fmt.Errorf("cache: close: %w", err)
	}
	return nil
}

// Stats are counts since New, and the present number of kept invalidations.
type Stats struct {
	Hits    uint64 // lookups that Redis answered with an entry that counts
	Misses  uint64 // all other lookups
	Errors  uint64 // exchanges with Redis that failed or that the breaker refused
	Pending int    // tags whose invalidation Redis has not taken yet
}

// Stats is cheap enough to be called at each scrape.
func (c *Cache) Stats() Stats {
	return Stats{
		Hits:    c.hits.Load(),
		Misses:  c.misses.Load(),
		Errors:  c.errors.Load(),
		Pending: c.pending.len(),
	}
}

// maintain owns what happens in the background: probes of open breakers and retries of kept invalidations.
func (c *Cache) maintain() {
	defer close(c.done)
	delay := c.limits.retryMin
	timer := time.NewTimer(delay)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-c.ctx.Done():
			c.lastTry()
			return
		case b := <-c.probes:
			if b.probe(c.ctx) {
				c.kick()
			}
			continue
		case <-c.wake:
			delay = c.limits.retryMin
		case <-timer.C:
		}
		if c.retry(c.ctx) {
			timer.Stop()
			continue
		}
		timer.Reset(delay)
		delay = min(2*delay, c.limits.retryMax)
	}
}

func (c *Cache) kick() {
	select {
	case c.wake <- struct{}{}:
	default:
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
	c.errors.Add(1)
	if c.failing.CompareAndSwap(false, true) {
		c.log.WarnContext(ctx, "Cache fails; reads go to the store", slog.String("reason", reason(err)))
	}
}

// detach keeps ctx's values and replaces its end, so that a caller who leaves early neither breaks a connection nor
// looks like a slow Redis to the breaker.
func detach(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}
