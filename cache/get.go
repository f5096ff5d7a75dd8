package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/admission"
	"github.com/watchparty/watchparty/coherence"
)

// Query names an entry. All callers of one key must use the same tags, and loaders that do the same.
type Query struct {
	Key  string
	Tags []string
	// TTL limits the entry's life, up to coherence.KeepTime. With 0 the entry is not stored.
	TTL time.Duration

	// Missing is the error for a thing that does not exist. A load that returns it (errors.Is) is stored for MissingTTL,
	// and a hit on such an entry returns Missing itself. With nil or 0, no error is stored.
	Missing    error
	MissingTTL time.Duration
}

// Loader reads a thing from the database and encodes it.
type Loader func(context.Context) (Loaded, error)

// Get returns q's entry from this process' memory or from Redis (hit), or else from load.
//
// One load in this process serves all callers that wait for it, and as a rule one load serves all processes. Its
// context has the first caller's values and ends only after 10 s or at Close, while each caller waits as long as its
// own context. A panic in it is logged and becomes an error for each of them.
func (c *Cache) Get(ctx context.Context, q Query, load Loader) (e *Entry, hit bool, err error) {
	if e := c.inMemory(q); e != nil {
		c.stats.local.Add(1)
		c.logHit(ctx, q.Key)
		c.refresh(ctx, q, e, load)
		return c.found(q, e)
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	return c.wait(ctx, q, load)
}

// inMemory returns the entry that this process has, if it may be used now.
func (c *Cache) inMemory(q Query) *Entry {
	if !c.member.Lease().InForce() {
		return nil
	}
	if e, ok := c.local.GetIfPresent(q.Key); ok && !e.void.Load() {
		return e
	}
	return nil
}

// Memory is this process' memory, for one request. The zero Memory is empty.
type Memory struct{ cache *Cache }

// Memory returns this process' memory for one request. It checks the lease once, for everything that the request reads
// through it. At the time of the check, the process knew every change that was committed before. So every entry that is
// found later is at least as new as the beginning of the request.
func (c *Cache) Memory() Memory {
	if !c.member.Lease().InForce() {
		return Memory{}
	}
	return Memory{c}
}

// Peek returns the entry of a key from memory, unless the entry is missing or due for a refresh.
func (m Memory) Peek(ctx context.Context, key string) (*Entry, bool) {
	e, ok := m.peek(key)
	if ok {
		m.cache.stats.local.Add(1)
		m.cache.logHit(ctx, key)
	}
	return e, ok
}

// Size returns the length of the body of the entry that Peek would return, in bytes.
func (m Memory) Size(key string) (int, bool) {
	e, ok := m.peek(key)
	if !ok {
		return 0, false
	}
	return len(e.Body), true
}

func (m Memory) peek(key string) (*Entry, bool) {
	if m.cache == nil {
		return nil, false
	}
	e, ok := m.cache.local.GetIfPresent(key)
	if !ok || e.void.Load() || e.missing || m.cache.isOld(e) && !e.refreshing.Load() {
		return nil, false
	}
	return e, true
}

// isOld reports whether an entry is due for a refresh in the background. Entries with a short TTL are never due. Their
// TTL often ends when the data itself expires: a refresh would not extend it, and refreshes would become more frequent.
func (c *Cache) isOld(e *Entry) bool {
	life := e.expires.Sub(e.created)
	left := e.expires.Sub(c.now())
	return life >= c.limits.minRefreshTTL && left < time.Duration(float64(life)*(1-c.limits.refreshShare))
}

func (c *Cache) found(q Query, e *Entry) (*Entry, bool, error) {
	if e.missing {
		return nil, true, q.Missing
	}
	return e, true, nil
}

// wait returns the result of a flight: of the caller's own flight, of one that ran already if its result is fresh, or
// else of the next one, which begins after the call.
func (c *Cache) wait(ctx context.Context, q Query, load Loader) (*Entry, bool, error) {
	for began := false; ; began = true {
		fl, result := c.flights.join(q.Key, func(fl *flight) { c.runFlight(ctx, fl, q, load, time.Time{}) })
		if fl == nil {
			return nil, false, fmt.Errorf("cache: get: %w", context.Canceled)
		}
		if result != owner {
			c.stats.joined.Add(1)
		}
		select {
		case <-fl.done:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
		if result != owner && !began && (result == tooLate || !fl.fresh) {
			continue
		}
		if fl.hit {
			c.stats.shared.Add(1)
			c.logHit(ctx, q.Key)
			return c.found(q, fl.entry)
		}
		c.stats.misses.Add(1)
		c.logMiss(ctx, q.Key)
		return fl.entry, false, fl.err
	}
}

// runFlight sets the result of a flight: an entry from Redis that was created after the given time, or else a loaded
// one.
func (c *Cache) runFlight(ctx context.Context, fl *flight, q Query, load Loader, after time.Time) {
	ctx, cancel := detach(ctx, c.limits.loadTimeout)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()

	lease := c.member.Lease()
	if !lease.InForce() {
		fl.entry, fl.err = c.load(ctx, q, coherence.Snapshot{}, load)
		fl.fresh = failed(q, fl.err)
		return
	}
	if after.IsZero() {
		if e := c.inMemory(q); e != nil { // since the flight before this one
			c.flights.seal(fl)
			fl.entry, fl.hit, fl.fresh, fl.err = e, true, c.inMemory(q) == e, nil
			return
		}
	}
	if !isAbsent(ctx, q.Key) {
		entries, err := c.shared.get(ctx, c.member.Generation(), q.Key)
		if errors.Is(err, admission.ErrBusy) { // not a reason for a load, which costs more
			c.stats.refused.Add(1)
			fl.err, fl.fresh = watchparty.ErrBusy, true
			return
		}
		c.report(ctx, err)
		if err == nil && c.useStored(fl, lease, q, entries[0], after) {
			return
		}
	}
	unlock, used := c.lockOrUseStored(ctx, fl, lease, q, after)
	defer unlock()
	if !used {
		c.loadAndStore(ctx, fl, lease, q, load)
	}
}

// failed reports whether a load ended with an error other than Missing. Callers that come later share such a result.
func failed(q Query, err error) bool {
	return err != nil && (q.Missing == nil || !errors.Is(err, q.Missing))
}

func (c *Cache) loadAndStore(ctx context.Context, fl *flight, lease coherence.Lease, q Query, load Loader) {
	generation := c.member.Generation()
	snapshot, err := c.member.Snapshot(ctx, q.Tags)
	if err != nil { // the load will fail for the same reason
		fl.entry, fl.err = c.load(ctx, q, coherence.Snapshot{}, load)
		fl.fresh = failed(q, fl.err)
		return
	}
	e, err := c.load(ctx, q, snapshot, load)
	fl.entry, fl.err = e, err
	ttl := q.TTL
	switch {
	case failed(q, err):
		fl.fresh = true
		return
	case err != nil:
		e, ttl = &Entry{missing: true, snapshot: snapshot, tags: q.Tags}, q.MissingTTL
	}
	e.created = c.now()
	e.expires = e.created.Add(min(ttl, c.limits.maxTTL))
	if !e.lasts.IsZero() && e.lasts.Before(e.expires) {
		e.expires = e.lasts
	}
	keep := ttl > 0 && len(e.Body) <= c.limits.maxBody
	c.flights.seal(fl)
	if fl.fresh = c.admit(lease, q.Key, e, keep); fl.fresh && keep {
		c.report(ctx, c.shared.set(ctx, generation, q.Key, e))
	}
}

// admit reports whether the entry is as new as all commits, and if so keeps it in memory.
func (c *Cache) admit(lease coherence.Lease, key string, e *Entry, keep bool) bool {
	fresh := c.member.Ledger().Admit(e.snapshot, e.tags, &e.void) && lease.InForce()
	if !fresh || !keep {
		defer e.void.Store(true)
		return fresh
	}
	c.local.Set(key, e)
	return true
}

// load runs the loader when the key has its turn.
func (c *Cache) load(ctx context.Context, q Query, s coherence.Snapshot, load Loader) (*Entry, error) {
	release, err := c.loadQueues.acquire(ctx, q.Key)
	if err != nil {
		if errors.Is(err, watchparty.ErrBusy) {
			c.stats.refused.Add(1)
		}
		return nil, err
	}
	defer release()
	c.stats.loads.Add(1)
	began := c.now()
	loaded, err := c.callSafely(ctx, q, load)
	if err != nil {
		return nil, err
	}
	e := &Entry{Body: loaded.Body, Meta: loaded.Meta, ETag: ETag(loaded.Body), snapshot: s, tags: q.Tags}
	if loaded.Lasts > 0 {
		e.lasts = began.Add(loaded.Lasts)
	}
	if len(loaded.Tags) > 0 {
		e.tags = slices.Concat(q.Tags, loaded.Tags)
	}
	return e, nil
}

// callSafely runs load so that a panic in it, which no caller's goroutine could recover, does not end the process.
func (c *Cache) callSafely(ctx context.Context, q Query, load Loader) (loaded Loaded, err error) {
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

// useStored makes an entry from Redis the result of a flight, and keeps it in memory, if it is usable and was made
// later than a time. It reports whether it has done so.
func (c *Cache) useStored(fl *flight, lease coherence.Lease, q Query, e *Entry, after time.Time) bool {
	if !c.usable(e, q) || !e.created.After(after) || !c.member.Ledger().Fresh(e.snapshot, e.tags) {
		return false
	}
	c.flights.seal(fl)
	if !c.admit(lease, q.Key, e, true) {
		return false
	}
	fl.entry, fl.hit, fl.fresh, fl.err = e, true, true, nil
	return true
}

// usable reports whether an entry from Redis is one that this query could have stored.
func (c *Cache) usable(e *Entry, q Query) bool {
	if e == nil || e.missing && q.Missing == nil || !e.expires.After(c.now()) {
		return false
	}
	for _, tag := range q.Tags {
		if !slices.Contains(e.tags, tag) {
			return false
		}
	}
	return true
}

// lockOrUseStored takes the lock for loading the key for all processes. While another process has the lock, it waits
// until that process has stored its entry, and uses the entry. It gives up after limits.lockTTL, or when Redis fails:
// then this process loads, too.
func (c *Cache) lockOrUseStored(
	ctx context.Context, fl *flight, lease coherence.Lease, q Query, after time.Time,
) (unlock func(), used bool) {
	generation := c.member.Generation()
	deadline := time.Now().Add(c.limits.lockTTL)
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		token, e, err := c.shared.lock(ctx, generation, q.Key)
		c.report(ctx, err)
		if err != nil {
			return func() {}, false
		}
		unlock = func() {
			if token != "" {
				c.shared.unlock(ctx, generation, q.Key, token)
			}
		}
		if c.useStored(fl, lease, q, e, after) {
			return unlock, true
		}
		if token != "" || time.Now().After(deadline) || !lease.InForce() {
			return unlock, false
		}
		select {
		case <-ctx.Done():
			return unlock, false
		case <-time.After(pause):
		}
	}
}

// refresh reloads an entry in the background when most of its life is over, so that nobody has to wait for it.
func (c *Cache) refresh(ctx context.Context, q Query, e *Entry, load Loader) {
	if !c.isOld(e) || e.refreshing.Swap(true) {
		return
	}
	c.stats.refreshed.Add(1)
	c.flights.join(q.Key, func(fl *flight) { c.runFlight(ctx, fl, q, load, e.created) })
}

// absent has the keys for which Redis had no entry.
type absent map[string]struct{}

type absentKey struct{}

func isAbsent(ctx context.Context, key string) bool {
	keys, _ := ctx.Value(absentKey{}).(absent)
	_, ok := keys[key]
	return ok
}

// Prefetch requests from Redis, in one round trip, the entries that are not in memory. Get calls with the returned
// context do not request them again.
func (c *Cache) Prefetch(ctx context.Context, queries ...Query) context.Context {
	lease := c.member.Lease()
	if !lease.InForce() {
		return ctx
	}
	var wanted []Query
	for _, q := range queries {
		if e, ok := c.local.GetIfPresent(q.Key); (!ok || e.void.Load()) && !isAbsent(ctx, q.Key) {
			wanted = append(wanted, q)
		}
	}
	if len(wanted) < 2 { // Get does as well
		return ctx
	}
	keys := make([]string, len(wanted))
	for i, q := range wanted {
		keys[i] = q.Key
	}
	entries, err := c.shared.get(ctx, c.member.Generation(), keys...)
	if errors.Is(err, admission.ErrBusy) {
		return ctx // Get decides
	}
	c.report(ctx, err)
	known, _ := ctx.Value(absentKey{}).(absent)
	missing := maps.Clone(known)
	if missing == nil {
		missing = absent{}
	}
	for i, key := range keys {
		if err != nil || !c.usable(entries[i], wanted[i]) || !c.admit(lease, key, entries[i], true) {
			missing[key] = struct{}{}
		}
	}
	return context.WithValue(ctx, absentKey{}, missing)
}

func (c *Cache) logHit(ctx context.Context, key string) {
	if c.log.Enabled(ctx, slog.LevelDebug) {
		c.log.LogAttrs(ctx, slog.LevelDebug, "Cache HIT", slog.String("key", key))
	}
}

func (c *Cache) logMiss(ctx context.Context, key string) {
	if c.log.Enabled(ctx, slog.LevelDebug) {
		c.log.LogAttrs(ctx, slog.LevelDebug, "Cache MISS", slog.String("key", key))
	}
}
