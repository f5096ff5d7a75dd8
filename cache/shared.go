package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/watchparty/watchparty/admission"
)

// shared is the level in Redis: bytes that any process may have stored. Whether an entry is still valid is decided
// elsewhere.
type shared struct {
	client redis.UniversalClient
	prefix string
	limits limits
	now    func() time.Time // as in Cache
	// slots limits the exchanges that run at once. On a busy machine many exchanges wait. Without the limit, each would
	// take longer than its timeout, and all of them would load from the database, which costs far more.
	slots *admission.Queue
	size  int // of slots
}

// newShared leaves some of the connections to other users of Redis.
func newShared(client redis.UniversalClient, prefix string, connections int, now func() time.Time, l limits) *shared {
	size := max(1, connections-connections/4)
	return &shared{client: client, prefix: prefix, limits: l, now: now, slots: admission.NewQueue(size), size: size}
}

// waitingEach is the largest number of waiters for each slot. An exchange takes so little time that even the last
// waiter waits for a fraction of a second, and refusing a request would cost a busy machine about as much as the
// exchange.
const waitingEach = 50

// begin waits for a slot. The exchange uses the returned context, and calls end. Work that has begun already is not
// refused because of the number of waiters. begin returns admission.ErrBusy if the exchange is refused.
func (s *shared) begin(ctx context.Context, begun bool) (exchange context.Context, end func(), err error) {
	if !begun && s.slots.Waiting() >= int64(waitingEach*s.size) {
		return ctx, nil, admission.ErrBusy
	}
	if err := s.slots.Acquire(ctx, s.limits.queueTimeout, true); err != nil {
		return ctx, nil, err
	}
	exchange, cancel := detach(ctx, s.limits.exchangeTimeout)
	return exchange, func() { cancel(); s.slots.Release() }, nil
}

// get reads entries in one round trip. Missing and incomplete entries are nil. generation is the one that the
// entries are of. It returns admission.ErrBusy when too many wait for Redis already.
func (s *shared) get(ctx context.Context, generation string, keys ...string) ([]*Entry, error) {
	ctx, end, err := s.begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer end()
	pipe := s.client.Pipeline()
	values := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		values[i] = pipe.Get(ctx, s.entryKey(generation, key))
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	entries := make([]*Entry, len(keys))
	for i, value := range values {
		if body, err := value.Bytes(); err == nil {
			entries[i], _ = decode(body)
		}
	}
	return entries, nil
}

// set stores an entry until it expires.
func (s *shared) set(ctx context.Context, generation, key string, e *Entry) error {
	ctx, end, err := s.begin(ctx, true)
	if err != nil {
		return err
	}
	defer end()
	return s.client.Set(ctx, s.entryKey(generation, key), encode(e), max(e.expires.Sub(s.now()), time.Millisecond)).Err()
}

// lock takes the lock for loading a key for all processes, and then reads the entry, in one round trip: the former
// holder of the lock may have stored it. An empty token means that another process has the lock.
func (s *shared) lock(ctx context.Context, generation, key string) (token string, e *Entry, err error) {
	ctx, end, err := s.begin(ctx, true)
	if err != nil {
		return "", nil, err
	}
	defer end()
	pipe := s.client.Pipeline()
	token = rand.Text()
	taken := pipe.SetArgs(ctx, s.lockKey(generation, key), token, redis.SetArgs{Mode: "NX", TTL: s.limits.lockTTL})
	value := pipe.Get(ctx, s.entryKey(generation, key))
	_, _ = pipe.Exec(ctx) // its error is one of the two
	if body, err := value.Bytes(); err == nil {
		e, _ = decode(body)
	}
	if errors.Is(taken.Err(), redis.Nil) {
		return "", e, nil
	}
	if taken.Err() != nil {
		return "", e, taken.Err()
	}
	return token, e, nil
}

var unlockScript = redis.NewScript(`
if redis.call("GET", KEYS[1]) == ARGV[1] then
  return redis.call("DEL", KEYS[1])
end
return 0`)

func (s *shared) unlock(ctx context.Context, generation, key, token string) {
	ctx, end, err := s.begin(ctx, true)
	if err != nil {
		return // it ends by time
	}
	defer end()
	_ = unlockScript.Run(ctx, s.client, []string{s.lockKey(generation, key)}, token).Err() // the same
}

// Braces keep an entry and its lock on one node of a cluster, so that commands in one pipeline are executed in order.
func (s *shared) entryKey(generation, key string) string {
	return s.prefix + "e:" + generation + ":{" + key + "}"
}
func (s *shared) lockKey(generation, key string) string {
	return s.prefix + "l:" + generation + ":{" + key + "}"
}

// detach keeps ctx's values and replaces its end, so that a caller that gives up early does not break a connection.
func detach(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}
