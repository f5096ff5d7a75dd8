package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Query names an entry. All callers of one key must give the same tags in the same order, and loaders that do the
// same.
type Query struct {
	Key  string
	Tags []string
	// TTL bounds the entry's life, up to a day; with 0 it is not stored.
	TTL time.Duration

	// Missing is the error of a thing that does not exist: a load whose error is it (errors.Is) is stored for
	// MissingTTL, and a hit on that returns Missing itself. With nil or 0 no error is stored.
	Missing    error
	MissingTTL time.Duration
}

// Loader reads a thing from where it is kept and encodes it.
type Loader func(context.Context) (Loaded, error)

var (
	errRestarted = errors.New("redis restarted during the lookup")
	errEvicted   = errors.New("a tag vanished at once")
)

// Get gives q's entry from Redis (hit), or else from load.
//
// One load in this process serves all who wait for it. It runs on a context with the first caller's values that ends
// only after 10 s or at Close, while each caller waits as long as its own context. A panic in it is logged and
// becomes an error for each of them. Where Redis cannot be used, load runs in the caller's goroutine, on its context.
func (c *Cache) Get(ctx context.Context, q Query, load Loader) (e Entry, hit bool, err error) {
	if err := ctx.Err(); err != nil {
		return Entry{}, false, err
	}
	// Before the lookup: an invalidation that is no longer kept has changed the versions that it will find.
	if c.pending.any(q.Tags) {
		c.miss(ctx, q)
		return direct(ctx, load)
	}
	found, err := c.lookup(ctx, q)
	if err != nil {
		c.miss(ctx, q)
		return direct(ctx, load)
	}
	if e, missing, ok := decode(found.value, found.versions); ok && (!missing || q.Missing != nil) {
		c.hit(ctx, q)
		if missing {
			return Entry{}, true, q.Missing
		}
		return e, true, nil
	}
	c.miss(ctx, q)
	fl := c.flights.join(flightKey(q.Key, found.versions), func() (Entry, error) {
		return c.load(ctx, q, found.versions, load)
	})
	if fl == nil {
		return direct(ctx, load)
	}
	select {
	case <-fl.done:
		return fl.entry, false, fl.err
	case <-ctx.Done():
		return Entry{}, false, ctx.Err()
	}
}

func direct(ctx context.Context, load Loader) (Entry, bool, error) {
	loaded, err := load(ctx)
	if err != nil {
		return Entry{}, false, err
	}
	return loaded.entry(), false, nil
}

// flightKey holds the versions, so that a reader who comes after an invalidation joins no load from before it.
func flightKey(key string, versions []string) string {
	return key + "\x00" + strings.Join(versions, "\x00")
}

// load runs a shared load and stores what it gives, under the versions from before it.
func (c *Cache) load(ctx context.Context, q Query, versions []string, load Loader) (Entry, error) {
	ctx, cancel := detach(ctx, c.limits.load)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()

	loaded, err := c.contain(ctx, q, load)
	switch {
	case err == nil:
		e := loaded.entry()
		if len(e.Body) <= c.limits.maxBody {
			c.store(ctx, q, encode(versions, e, false), q.TTL)
		}
		return e, nil
	case q.Missing != nil && errors.Is(err, q.Missing):
		c.store(ctx, q, encode(versions, Entry{}, true), q.MissingTTL)
		return Entry{}, err
	default:
		return Entry{}, err
	}
}

// contain runs load so that a panic in it, which no caller's goroutine could recover, does not end the process.
func (c *Cache) contain(ctx context.Context, q Query, load Loader) (loaded Loaded, err error) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		c.log.ErrorContext(ctx, "Cache load panicked", slog.String("key", q.Key), slog.Any("cause", cause),
			slog.String("stack", string(debug.Stack())))
		loaded, err = Loaded{}, fmt.Errorf("cache: load of %s panicked: %v", q.Key, cause)
	}()
	return load(ctx)
}

// found is what a lookup saw: the stored value, if any, and the versions to check it by and to load under. The first
// version is the server's life.
type found struct {
	value    []byte
	versions []string
}

func (c *Cache) lookup(ctx context.Context, q Query) (found, error) {
	ctx, cancel := detach(ctx, c.limits.step)
	defer cancel()
	err := errRestarted
	// The second time is for a lookup that made the first connection, or the first one after a restart.
	for range 2 {
		life := c.life.get()
		var f found
		if f, err = c.lookupOnce(ctx, q); err != nil {
			break
		}
		if life != "" && life == c.life.get() {
			f.versions[0] = life
			c.report(ctx, nil)
			return f, nil
		}
		err = errRestarted
	}
	c.report(ctx, err)
	return found{}, err
}

func (c *Cache) lookupOnce(ctx context.Context, q Query) (found, error) {
	pipe := c.client.Pipeline()
	value := pipe.Get(ctx, c.entryKey(q.Key))
	tags := make([]*redis.StringCmd, len(q.Tags))
	for i, tag := range q.Tags {
		tags[i] = pipe.Get(ctx, c.tagKey(tag))
	}
	if _, err := pipe.Exec(ctx); unlessNil(err) != nil {
		return found{}, err
	}
	if err := unlessNil(value.Err()); err != nil {
		return found{}, err
	}
	f := found{versions: make([]string, 1+len(q.Tags))}
	f.value, _ = value.Bytes()
	var lost []int
	for i, tag := range tags {
		if err := unlessNil(tag.Err()); err != nil {
			return found{}, err
		}
		if tag.Err() != nil {
			lost = append(lost, i)
		}
		f.versions[1+i] = tag.Val()
	}
	if len(lost) == 0 {
		return f, nil
	}
	return f, c.renew(ctx, q, lost, f.versions[1:])
}

// renew gives tags that Redis does not know a version, and reads the one that they then have: another reader may
// have been first.
func (c *Cache) renew(ctx context.Context, q Query, lost []int, versions []string) error {
	pipe := c.client.Pipeline()
	tags := make([]*redis.StringCmd, len(lost))
	for i, n := range lost {
		key := c.tagKey(q.Tags[n])
		pipe.SetArgs(ctx, key, newVersion(), redis.SetArgs{Mode: "NX", TTL: c.limits.tagTTL})
		tags[i] = pipe.Get(ctx, key)
	}
	if _, err := pipe.Exec(ctx); unlessNil(err) != nil {
		return err
	}
	for i, n := range lost {
		if err := tags[i].Err(); err != nil {
			if errors.Is(err, redis.Nil) {
				return errEvicted
			}
			return err
		}
		versions[n] = tags[i].Val()
	}
	return nil
}

// store is best effort: what is not stored is loaded again.
func (c *Cache) store(ctx context.Context, q Query, value []byte, ttl time.Duration) {
	if ttl <= 0 || c.pending.any(q.Tags) {
		return
	}
	ctx, cancel := detach(ctx, c.limits.step)
	defer cancel()
	c.report(ctx, c.client.Set(ctx, c.entryKey(q.Key), value, min(ttl, c.limits.tagTTL)).Err())
}

func (c *Cache) entryKey(key string) string { return c.prefix + "e:" + key }
func (c *Cache) tagKey(tag string) string   { return c.prefix + "t:" + tag }

func unlessNil(err error) error {
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

func (c *Cache) hit(ctx context.Context, q Query) {
	c.hits.Add(1)
	if c.log.Enabled(ctx, slog.LevelDebug) {
		c.log.LogAttrs(ctx, slog.LevelDebug, "Cache HIT", slog.String("key", q.Key))
	}
}

func (c *Cache) miss(ctx context.Context, q Query) {
	c.misses.Add(1)
	if c.log.Enabled(ctx, slog.LevelDebug) {
		c.log.LogAttrs(ctx, slog.LevelDebug, "Cache MISS", slog.String("key", q.Key))
	}
}
