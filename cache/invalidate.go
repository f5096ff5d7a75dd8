package cache

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// tagBatch is how many tags go into one pipeline.
const tagBatch = 500

// Invalidate voids every entry that has one of the tags. Call it after the commit and before the answer: no Get that
// begins in this process after it returns, nor in another one if Redis took it, sees what was before. It waits for
// at most 100 ms, goes on when ctx has ended, and what Redis does not take is retried in the background. It reports
// whether Redis took all of it.
func (c *Cache) Invalidate(ctx context.Context, tags ...string) (taken bool) {
	if len(tags) == 0 {
		return true
	}
	ctx, cancel := detach(ctx, c.limits.write)
	defer cancel()
	var untaken []string
	for batch := range slices.Chunk(tags, tagBatch) {
		untaken = append(untaken, c.void(ctx, batch)...)
	}
	if len(untaken) == 0 {
		return true
	}
	c.pending.add(untaken)
	c.kick()
	return false
}

// void gives tags new versions and returns those for which Redis did not say that it has.
func (c *Cache) void(ctx context.Context, tags []string) (untaken []string) {
	pipe := c.client.Pipeline()
	sets := make([]*redis.StatusCmd, len(tags))
	for i, tag := range tags {
		sets[i] = pipe.Set(ctx, c.tagKey(tag), newVersion(), c.limits.tagTTL)
	}
	_, err := pipe.Exec(ctx)
	c.report(ctx, err)
	for i, set := range sets {
		// A command that was never sent has no error of its own, and no answer either.
		if set.Err() != nil || set.Val() != "OK" {
			untaken = append(untaken, tags[i])
		}
	}
	return untaken
}

// retry tries all that is kept and reports whether nothing is left.
func (c *Cache) retry(ctx context.Context) bool {
	kept := c.pending.snapshot()
	if len(kept) == 0 {
		return true
	}
	for batch := range slices.Chunk(slices.Collect(maps.Keys(kept)), tagBatch) {
		untaken := c.voidDetached(ctx, batch)
		c.pending.drop(kept, batch, untaken)
		if len(untaken) > 0 {
			return false
		}
	}
	c.log.InfoContext(ctx, "Kept invalidations taken", slog.Int("tags", len(kept)))
	return c.pending.len() == 0
}

func (c *Cache) voidDetached(ctx context.Context, tags []string) []string {
	ctx, cancel := detach(ctx, c.limits.write)
	defer cancel()
	return c.void(ctx, tags)
}

// lastTry is for Close: what is left after it is bounded by the entries' time to live.
func (c *Cache) lastTry() {
	if !c.retry(c.ctx) {
		c.log.WarnContext(c.ctx, "Kept invalidations given up", slog.Int("tags", c.pending.len()))
	}
}

// pending are the tags whose invalidation Redis has not taken. It is bounded by the number of distinct tags.
type pending struct {
	count atomic.Int64 // of tags, so that the usual read takes no lock
	mu    sync.RWMutex
	seq   uint64
	tags  map[string]uint64 // to the invalidation that came last
}

func (p *pending) len() int { return int(p.count.Load()) }

func (p *pending) add(tags []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tags == nil {
		p.tags = make(map[string]uint64)
	}
	p.seq++
	for _, tag := range tags {
		p.tags[tag] = p.seq
	}
	p.count.Store(int64(len(p.tags)))
}

func (p *pending) any(tags []string) bool {
	if p.count.Load() == 0 {
		return false
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.ContainsFunc(tags, func(tag string) bool {
		_, ok := p.tags[tag]
		return ok
	})
}

func (p *pending) snapshot() map[string]uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return maps.Clone(p.tags)
}

// drop removes the tags that were tried and taken. A tag that was invalidated once more since the snapshot stays: the
// try may have been executed before that later commit.
func (p *pending) drop(snapshot map[string]uint64, tried, untaken []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tag := range tried {
		if p.tags[tag] == snapshot[tag] && !slices.Contains(untaken, tag) {
			delete(p.tags, tag)
		}
	}
	p.count.Store(int64(len(p.tags)))
}

// newVersion is unique: 130 random bits.
func newVersion() string { return rand.Text() }
