package cache

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/watchparty/watchparty/config"
)

// errURL does not contain the value, which may contain a password.
var errURL = errors.New("REDIS_URL must be redis://, rediss:// or unix://; several of the first two, separated by " +
	"commas, for a cluster; or redis+sentinel:// or rediss+sentinel:// with a sentinel's address and the name of the " +
	"master as its path, once for each sentinel")

// Connect makes a client that never retries, and whose exchanges with Redis each take at most the timeout. It connects
// at first use. guard, if any, sees all exchanges with each server.
func Connect(cfg config.Redis, timeout time.Duration, guard func(*redis.Client)) (redis.UniversalClient, error) {
	nodes, master, err := parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	if guard == nil {
		guard = func(*redis.Client) {}
	}
	switch {
	case master != "":
		return connectSentinel(cfg, timeout, nodes, master, guard)
	case len(nodes) > 1:
		return connectCluster(cfg, timeout, nodes, guard)
	}
	o := nodes[0]
	configure(o, cfg, timeout)
	client := redis.NewClient(o)
	guard(client)
	return client, nil
}

// parse reads REDIS_URL. master is empty without sentinels.
func parse(addresses string) (nodes []*redis.Options, master string, err error) {
	for i, address := range strings.Split(addresses, ",") {
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil {
			return nil, "", errURL
		}
		name := ""
		if scheme, watched := strings.CutSuffix(u.Scheme, "+sentinel"); watched {
			u.Scheme, name, u.Path = scheme, strings.Trim(u.Path, "/"), ""
			if name == "" {
				return nil, "", errURL
			}
		}
		if i > 0 && name != master {
			return nil, "", fmt.Errorf("%w; all of one kind and of the same master", errURL)
		}
		master = name
		o, err := redis.ParseURL(u.String())
		if err != nil {
			return nil, "", errURL
		}
		nodes = append(nodes, o)
	}
	return nodes, master, nil
}

// configure sets the options that all kinds of servers share. It switches off retries, which would take longer than a
// load from the database, a second pool for pipelines, and pushes.
func configure(o *redis.Options, cfg config.Redis, timeout time.Duration) {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
	o.PoolSize = cfg.PoolSize
	o.MaxRetries = -1
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.Protocol = 2
	o.PipelinePoolSize = -1
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// commonAddrs returns the addresses of the nodes, which must have the same scheme and no database number.
func commonAddrs(nodes []*redis.Options) ([]string, error) {
	first := nodes[0]
	var addrs []string
	for _, o := range nodes {
		if o.Network != "tcp" || o.DB != 0 || (o.TLSConfig == nil) != (first.TLSConfig == nil) {
			return nil, fmt.Errorf("cache: %w; all with the same scheme and without a database number", errURL)
		}
		addrs = append(addrs, o.Addr)
	}
	return addrs, nil
}

// clusterReload is the time after which the nodes and slots of a cluster are read again.
const clusterReload = 2 * time.Second

func connectCluster(
	cfg config.Redis, timeout time.Duration, nodes []*redis.Options, guard func(*redis.Client),
) (redis.UniversalClient, error) {
	addrs, err := commonAddrs(nodes)
	if err != nil {
		return nil, err
	}
	first := nodes[0]
	return redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:                 addrs,
		Username:              first.Username,
		Password:              first.Password,
		TLSConfig:             first.TLSConfig,
		DialTimeout:           timeout,
		ReadTimeout:           timeout,
		WriteTimeout:          timeout,
		PoolTimeout:           timeout,
		PoolSize:              cfg.PoolSize,
		ContextTimeoutEnabled: true,
		MaxRedirects:          -1, // also its retries; a moved slot is learnt in the background
		MinRetryBackoff:       -1,
		DialerRetries:         1,
		// Only a node that answers says that a slot has moved. After a failover nothing but this finds the new master.
		ClusterStateReloadInterval: clusterReload,
		NewClient: func(o *redis.Options) *redis.Client {
			configure(o, cfg, timeout)
			client := redis.NewClient(o)
			guard(client)
			return client
		},
	}), nil
}

func connectSentinel(
	cfg config.Redis, timeout time.Duration, nodes []*redis.Options, master string, guard func(*redis.Client),
) (redis.UniversalClient, error) {
	addrs, err := commonAddrs(nodes)
	if err != nil {
		return nil, err
	}
	first := nodes[0]
	var o redis.Options
	configure(&o, cfg, timeout)
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:            master,
		SentinelAddrs:         addrs,
		Username:              first.Username,
		Password:              first.Password,
		SentinelUsername:      first.Username,
		SentinelPassword:      first.Password,
		TLSConfig:             first.TLSConfig,
		DialTimeout:           o.DialTimeout,
		ReadTimeout:           o.ReadTimeout,
		WriteTimeout:          o.WriteTimeout,
		PoolTimeout:           o.PoolTimeout,
		PoolSize:              o.PoolSize,
		MaxRetries:            o.MaxRetries,
		DialerRetries:         o.DialerRetries,
		ContextTimeoutEnabled: true,
		Protocol:              o.Protocol,
		PipelinePoolSize:      o.PipelinePoolSize,
		DisableIdentity:       true,
	})
	guard(client)
	return client, nil
}
