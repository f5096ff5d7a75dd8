package cache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/watchparty/watchparty/config"
)

// errURL says nothing of the value, which may hold a password.
var errURL = errors.New("REDIS_URL must be redis://, rediss:// or unix://, or several of the first two, " +
	"separated by commas, for a cluster")

// connect makes a client that never retries by itself. A repeated SET of a tag could be executed a second time after
// a later one, and bring back a version that entries still have.
func (c *Cache) connect(cfg config.Redis) (redis.UniversalClient, error) {
	var nodes []*redis.Options
	for address := range strings.SplitSeq(cfg.URL, ",") {
		o, err := redis.ParseURL(strings.TrimSpace(address))
		if err != nil {
			return nil, errURL
		}
		nodes = append(nodes, o)
	}
	if len(nodes) > 1 {
		return c.connectCluster(cfg, nodes)
	}
	o := nodes[0]
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = cfg.Timeout, cfg.Timeout, cfg.Timeout
	// Shorter than a step, so that a full pool is told from a Redis that does not answer.
	o.PoolTimeout = cfg.Timeout / 2
	o.PoolSize = cfg.PoolSize
	o.OnConnect = c.life.onConnect
	plain(o)
	return c.guarded(o), nil
}

func (c *Cache) connectCluster(cfg config.Redis, nodes []*redis.Options) (redis.UniversalClient, error) {
	first := nodes[0]
	var addrs []string
	for _, o := range nodes {
		if o.Network != "tcp" || o.DB != 0 || (o.TLSConfig == nil) != (first.TLSConfig == nil) {
			return nil, fmt.Errorf("%w; all with the same scheme and without a database number", errURL)
		}
		addrs = append(addrs, o.Addr)
	}
	c.life.set(unknownLife)
	return redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:                 addrs,
		Username:              first.Username,
		Password:              first.Password,
		TLSConfig:             first.TLSConfig,
		DialTimeout:           cfg.Timeout,
		ReadTimeout:           cfg.Timeout,
		WriteTimeout:          cfg.Timeout,
		PoolTimeout:           cfg.Timeout / 2,
		PoolSize:              cfg.PoolSize,
		ContextTimeoutEnabled: true,
		MaxRedirects:          -1, // also its retries; a moved slot is learnt in the background
		MinRetryBackoff:       -1,
		DialerRetries:         1,
		NewClient: func(o *redis.Options) *redis.Client {
			plain(o)
			return c.guarded(o)
		},
	}), nil
}

// plain switches off what this package has no use for: retries, a second pool for pipelines, pushes.
func plain(o *redis.Options) {
	o.MaxRetries = -1
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.Protocol = 2
	o.PipelinePoolSize = -1
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// guarded is a client of one server behind a breaker of its own.
func (c *Cache) guarded(o *redis.Options) *redis.Client {
	b := &breaker{limits: c.limits, due: c.probes}
	o.Limiter = b
	client := redis.NewClient(o)
	resolved := client.Options()
	b.dial = func(ctx context.Context) (net.Conn, error) {
		return resolved.Dialer(ctx, resolved.Network, resolved.Addr)
	}
	return client
}

// unknownLife stands for a server that does not tell its run ID, and for a cluster.
const unknownLife = "-"

// life is the run ID of the server behind the newest connection. A command's answer comes from that life or an
// earlier one, so a run ID that is the same before and after a command is the one that answered.
type life struct {
	mu      sync.Mutex
	started uint64 // handshakes begun
	newest  uint64 // the handshake that id is from
	id      atomic.Pointer[string]
}

// onConnect runs before a connection's first command. Of two handshakes that overlap, the one that began later
// decides: it cannot have talked to an earlier life of the server.
func (l *life) onConnect(ctx context.Context, conn *redis.Conn) error {
	l.mu.Lock()
	l.started++
	turn := l.started
	l.mu.Unlock()

	id := unknownLife
	info, err := conn.Info(ctx, "server").Result()
	switch {
	case err == nil:
		if _, rest, ok := strings.Cut(info, "run_id:"); ok {
			id, _, _ = strings.Cut(rest, "\r\n")
		}
	case !answered(err):
		return err
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if turn > l.newest {
		l.newest = turn
		l.set(id)
	}
	return nil
}

func (l *life) set(id string) { l.id.Store(&id) }

// get is empty until there was a connection.
func (l *life) get() string {
	if id := l.id.Load(); id != nil {
		return *id
	}
	return ""
}
