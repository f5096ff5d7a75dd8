package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// shared is the level in Redis: bytes that any process may have stored. Whether an entry counts is decided elsewhere.
type shared struct {
	client redis.UniversalClient
	prefix string
	limits limits
}

// get reads entries in one round trip. Those that are not there, or not whole, are nil. space is the database that the
// entries are from.
func (s *shared) get(ctx context.Context, space string, keys ...string) ([]*Entry, error) {
	ctx, cancel := detach(ctx, s.limits.exchange)
	defer cancel()
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
	ctx, cancel := detach(ctx, s.limits.exchange)
	defer cancel()
	return s.client.Set(ctx, s.entryKey(space, key), encode(e), max(time.Until(e.expires), time.Millisecond)).Err()
}

// lock takes the right to load a key for all processes. Without it another process loads now.
func (s *shared) lock(ctx context.Context, space, key string) (token string, taken bool, err error) {
	ctx, cancel := detach(ctx, s.limits.exchange)
	defer cancel()
	token = rand.Text()
	err = s.client.SetArgs(ctx, s.lockKey(space, key), token, redis.SetArgs{Mode: "NX", TTL: s.limits.lock}).Err()
	if errors.Is(err, redis.Nil) {
		return "", false, nil
	}
	return token, err == nil, err
}

var unlockScript = redis.NewScript(`
if redis.call("GET", KEYS[1]) == ARGV[1] then
  return redis.call("DEL", KEYS[1])
end
return 0`)

func (s *shared) unlock(ctx context.Context, space, key, token string) {
	ctx, cancel := detach(ctx, s.limits.exchange)
	defer cancel()
	_ = unlockScript.Run(ctx, s.client, []string{s.lockKey(space, key)}, token).Err() // else it ends by time
}

func (s *shared) entryKey(space, key string) string { return s.prefix + "e:" + space + ":" + key }
func (s *shared) lockKey(space, key string) string  { return s.prefix + "l:" + space + ":" + key }

// detach keeps ctx's values and replaces its end, so that a caller who leaves early does not break a connection.
func detach(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}
