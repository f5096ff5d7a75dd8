package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/watchparty/watchparty/admission"
)

// shared is the level in Redis: bytes that any process may have stored. Whether an entry counts is decided elsewhere.
type shared struct {
	client redis.UniversalClient
	prefix string
	limits limits
	// places bound the exchanges that run at once. On a busy machine those that wait are many, and each would otherwise
	// take longer than Redis is given: then all of them would load from the database, which costs far more.
	places *admission.Queue
	size   int // of places
}

// newShared leaves some of the connections to what else asks Redis.
func newShared(client redis.UniversalClient, prefix string, connections int, l limits) *shared {
	size := max(1, connections-connections/4)
	return &shared{client: client, prefix: prefix, limits: l, places: admission.NewQueue(size), size: size}
}

// waitingEach is how many wait for each place. An exchange takes so little time that the last of them waits for a
// fraction of a second, and to refuse a request takes about as much of a busy machine's time as the exchange would.
const waitingEach = 50

// begin waits for a place. The exchange has the context that it returns, and calls end. Work that has begun already is
// not refused for the number of those that wait. It returns admission.ErrBusy to those who are refused.
func (s *shared) begin(ctx context.Context, begun bool) (exchange context.Context, end func(), err error) {
	if !begun && s.places.Waiting() >= int64(waitingEach*s.size) {
		return ctx, nil, admission.ErrBusy
	}
	if err := s.places.Acquire(ctx, s.limits.turn, true); err != nil {
		return ctx, nil, err
	}
	exchange, cancel := detach(ctx, s.limits.exchange)
	return exchange, func() { cancel(); s.places.Release() }, nil
}

// get reads entries in one round trip. Those that are not there, or not whole, are nil. space is the database that the
// entries are from. It returns admission.ErrBusy when too many wait for Redis already.
func (s *shared) get(ctx context.Context, space string, keys ...string) ([]*Entry, error) {
	ctx, end, err := s.begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer end()
	pipe := s.client.Pipeline()
	values := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		values[i] = pipe.Get(ctx, s.entryKey(space, key))
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
func (s *shared) set(ctx context.Context, space, key string, e *Entry) error {
	ctx, end, err := s.begin(ctx, true)
	if err != nil {
		return err
	}
	defer end()
	return s.client.Set(ctx, s.entryKey(space, key), encode(e), max(time.Until(e.expires), time.Millisecond)).Err()
}

// lock takes the right to load a key for all processes, and then reads the entry, in one round trip: the one who had
// the right before may have stored it. Without a token another process loads now.
func (s *shared) lock(ctx context.Context, space, key string) (token string, e *Entry, err error) {
	ctx, end, err := s.begin(ctx, true)
	if err != nil {
		return "", nil, err
	}
	defer end()
	pipe := s.client.Pipeline()
	token = rand.Text()
	taken := pipe.SetArgs(ctx, s.lockKey(space, key), token, redis.SetArgs{Mode: "NX", TTL: s.limits.lock})
	value := pipe.Get(ctx, s.entryKey(space, key))
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

func (s *shared) unlock(ctx context.Context, space, key, token string) {
	ctx, end, err := s.begin(ctx, true)
	if err != nil {
		return // it ends by time
	}
	defer end()
	_ = unlockScript.Run(ctx, s.client, []string{s.lockKey(space, key)}, token).Err() // the same
}

// Braces keep an entry and its lock on one node of a cluster, so that what is sent together is executed in order.
func (s *shared) entryKey(space, key string) string {
	return s.prefix + "e:" + space + ":{" + key + "}"
}
func (s *shared) lockKey(space, key string) string { return s.prefix + "l:" + space + ":{" + key + "}" }

// detach keeps ctx's values and replaces its end, so that a caller who leaves early does not break a connection.
func detach(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}
