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

// OpenRedis connects lazily: it fails only on settings that cannot work, never because Redis is away.
func OpenRedis(c config.Redis) (*Redis, error) {
	r := &Redis{limits: newBreakerLimits(c.Timeout), probeKey: c.KeyPrefix + "probe"}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	var err error
	r.client, err = Connect(c, c.Timeout, r.guard)
	return r, err
}

// Client is for everything that is kept in Redis.
func (r *Redis) Client() redis.UniversalClient { return r.client }

// guard puts a breaker before a server.
func (r *Redis) guard(client *redis.Client) {
	b := &breaker{limits: r.limits, client: client, now: time.Now}
	client.AddHook(b)
	r.mu.Lock()
	r.breakers = append(r.breakers, b)
	r.mu.Unlock()
	r.watching.Go(func() { b.watch(r.ctx, r.probeKey) })
}

// Trouble is why Redis is not used, or does not take what is stored.
type Trouble struct {
	What string // unreachable, slow, full, read-only, or refusing
	Err  error
}

func (t *Trouble) Error() string { return "cache: redis is " + t.What + ": " + t.Err.Error() }

// Unwrap returns the cause.
func (t *Trouble) Unwrap() error { return t.Err }

// State is nil while Redis answers, quickly enough, and takes what is stored. Otherwise it is a *Trouble.
func (r *Redis) State(ctx context.Context) error {
	r.mu.Lock()
	breakers := slices.Clone(r.breakers)
	r.mu.Unlock()
	if len(breakers) == 0 { // no node of a cluster is known yet
		return troubled(r.client.Ping(ctx).Err())
	}
	for _, b := range breakers {
		if err := b.state(ctx, r.probeKey); err != nil {
			return troubled(err)
		}
	}
	return nil
}

func troubled(err error) error {
	if err == nil {
		return nil
	}
	t := &Trouble{What: "unreachable", Err: err}
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
