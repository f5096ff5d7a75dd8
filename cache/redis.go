package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/watchparty/watchparty/config"
)

// Redis is a client with a breaker before each server. It never retries.
type Redis struct {
	client   redis.UniversalClient
	limits   breakerLimits
	probeKey string

	ctx      context.Context // of the probes
	cancel   context.CancelFunc
	watching sync.WaitGroup
	mu       sync.Mutex
	breakers []*breaker
}

// OpenRedis connects at first use. It fails only for settings that cannot work, never because Redis is down.
func OpenRedis(c config.Redis) (*Redis, error) {
	r := &Redis{limits: newBreakerLimits(c.Timeout), probeKey: c.KeyPrefix + "probe"}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	var err error
	r.client, err = Connect(c, c.Timeout, r.guard)
	return r, err
}

// Client returns the client.
func (r *Redis) Client() redis.UniversalClient { return r.client }

// guard puts a breaker before a server.
func (r *Redis) guard(client *redis.Client) {
	b := &breaker{limits: r.limits, client: client, now: time.Now}
	client.AddHook(b)
	r.mu.Lock()
	r.breakers = append(r.breakers, b)
	r.mu.Unlock()
	r.watching.Go(func() {
		b.watch(r.ctx, r.probeKey)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.breakers = slices.DeleteFunc(r.breakers, func(other *breaker) bool { return other == b })
	})
}

// RedisError says why Redis is not used, or does not accept writes.
type RedisError struct {
	What string // unreachable, slow, full, read-only, or refusing
	Err  error
}

func (t *RedisError) Error() string { return "cache: redis is " + t.What + ": " + t.Err.Error() }

// Unwrap returns the cause.
func (t *RedisError) Unwrap() error { return t.Err }

// State returns nil while Redis answers quickly enough and accepts writes. Otherwise it returns a *RedisError.
func (r *Redis) State(ctx context.Context) error {
	switch client := r.client.(type) {
	case *redis.ClusterClient: // only the masters count
		return redisError(client.ForEachMaster(ctx, r.stateOf))
	case *redis.Client:
		return redisError(r.stateOf(ctx, client))
	default:
		return redisError(client.Ping(ctx).Err())
	}
}

func (r *Redis) stateOf(ctx context.Context, client *redis.Client) error {
	r.mu.Lock()
	i := slices.IndexFunc(r.breakers, func(b *breaker) bool { return b.client == client })
	if i < 0 {
		r.mu.Unlock()
		return redis.ErrClosed
	}
	b := r.breakers[i]
	r.mu.Unlock()
	return b.state(ctx, r.probeKey)
}

func redisError(err error) error {
	if err == nil {
		return nil
	}
	t := &RedisError{What: "unreachable", Err: err}
	var reply redis.Error
	switch {
	case errors.Is(err, errSlow):
		t.What = "slow"
	case errors.As(err, &reply):
		t.What = "refusing"
		for code, what := range map[string]string{"OOM": "full", "READONLY": "read-only", "MISCONF": "read-only"} {
			if strings.HasPrefix(reply.Error(), code+" ") {
				t.What = what
			}
		}
	}
	return t
}

// Close ends the probes and disconnects.
func (r *Redis) Close() error {
	r.cancel()
	r.watching.Wait()
	if err := r.client.Close(); err != nil {
		return fmt.Errorf("cache: close redis: %w", err)
	}
	return nil
}
