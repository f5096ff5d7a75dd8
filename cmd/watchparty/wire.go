package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	temporallog "go.temporal.io/sdk/log"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/bus"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/store"
)

// parts are the dependencies that the API and the worker share.
type parts struct {
	cfg      config.Config
	log      *slog.Logger
	store    *store.Store
	cache    *cache.Cache
	bus      *bus.Bus
	member   *coherence.Member
	bucket   *blob.Bucket
	temporal client.Client
	relay    *outbox.Relay
	metrics  *prometheus.Registry
	busRedis redis.UniversalClient
	stop     context.CancelFunc // of what keeps the caches of all processes coherent
	running  errgroup.Group
}

// assemble creates the parts. All of them connect lazily, so that the program starts when one is away. reads says
// whether the process uses cached data.
func assemble(
	ctx context.Context, cfg config.Config, environ []string, log *slog.Logger, reads bool,
) (_ *parts, err error) {
	p := &parts{cfg: cfg, log: log, metrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.store, err = store.Open(cfg.Database, auth.NewDigests(cfg.Auth.Secret, cfg.Auth.FormerSecrets...)); err != nil {
		return nil, err
	}
	p.store.LogTo(log)
	p.store.LimitEmails(cfg.RateLimit.EmailLimit())
	if p.busRedis, err = cache.Connect(cfg.Redis, bus.Timeout, nil); err != nil {
		return nil, err
	}
	redis.SetLogger(redisLog{log})
	p.bus = bus.New(p.busRedis, cfg.Redis, log)
	p.member = coherence.NewMember(p.store.Journal(), p.bus, coherence.Options{
		Reads: reads, Timing: coherence.DefaultTiming(), Log: log,
	})
	p.store.OnChange(p.member.Announce)
	if p.cache, err = cache.New(cfg.Redis, cfg.Cache, p.member, log); err != nil {
		return nil, err
	}
	if p.bucket, err = blob.OpenBucket(ctx, cfg.Blob.URL); err != nil {
		return nil, fmt.Errorf("BLOB_URL: %w", err)
	}
	if p.temporal, err = dialTemporal(environ, log); err != nil {
		return nil, err
	}
	p.relay = outbox.NewRelay(p.store.DB(), outbox.Temporal(p.temporal), p.store.Events(), log)
	p.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	p.metrics.MustRegister(cacheMetrics(p.cache, p.member)...)
	p.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "database_refused_total", Help: "Requests that were refused, since too many others waited for the database.",
	}, func() float64 { return float64(p.store.Refused()) }))
	return p, nil
}

// coordinate begins to hear of other processes, once all parts have subscribed to the bus. It goes on until close:
// requests in flight read and write at a stop.
func (p *parts) coordinate(ctx context.Context) {
	coordination, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	p.running.Go(func() error { return p.bus.Run(coordination) })
	p.running.Go(func() error { return p.member.Run(coordination) })
}

// close closes all connections, each before those that it uses.
func (p *parts) close() {
	if p.temporal != nil {
		p.temporal.Close()
	}
	var err error
	if p.stop != nil {
		p.stop()
		err = p.running.Wait()
	}
	if p.bucket != nil {
		err = errors.Join(err, p.bucket.Close())
	}
	if p.cache != nil {
		err = errors.Join(err, p.cache.Close())
	}
	if p.busRedis != nil {
		err = errors.Join(err, p.busRedis.Close())
	}
	if p.store != nil {
		err = errors.Join(err, p.store.Close())
	}
	if err != nil {
		p.log.Warn("not everything closed", slog.Any("error", err))
	}
}

func dialTemporal(environ []string, log *slog.Logger) (client.Client, error) {
	options, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{
		DisableFile: true, EnvLookup: lookup{environ, env.ToMap(environ)},
	})
	if err != nil {
		return nil, fmt.Errorf("TEMPORAL_*: %w", err)
	}
	options.Logger = temporallog.NewStructuredLogger(
		logging.Sparse(log, slog.LevelWarn, "Namespace", "TaskQueue", "WorkflowType", "ActivityType"))
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("TEMPORAL_*: %w", err)
	}
	return c, nil
}

// lookup gives envconfig the environment of the command instead of that of the process.
type lookup struct {
	lines []string
	vars  map[string]string
}

func (l lookup) Environ() []string { return l.lines }

func (l lookup) LookupEnv(name string) (string, bool) {
	v := l.vars[name]
	return v, v != "" // an empty value means the default
}

// redisLog receives the messages of the Redis client, which would go to stderr. Package cache logs what matters.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "redis client", slog.String("message", fmt.Sprintf(format, args...)))
}

// newLogger returns a logger that writes to w, and what writes the lines that wait at the end.
func newLogger(cfg config.Config, w io.Writer) (log *slog.Logger, flush func()) {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // validated
	options := &slog.HandlerOptions{Level: level}
	buffer := logging.NewBuffer(w)
	if cfg.LogFormat == "text" {
		return slog.New(buffer.Prompt(slog.NewTextHandler(buffer, options))), buffer.Flush
	}
	return slog.New(buffer.Prompt(slog.NewJSONHandler(buffer, options))), buffer.Flush
}

func cacheMetrics(c *cache.Cache, m *coherence.Member) []prometheus.Collector {
	counter := func(name, help string, read func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(read()) })
	}
	hits := func(level string, read func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cache_hits_total", Help: "Lookups answered from the cache, by level: process or redis.",
			ConstLabels: prometheus.Labels{"level": level},
		}, func() float64 { return float64(read()) })
	}
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	return []prometheus.Collector{
		hits("process", func() uint64 { return c.Stats().Local }),
		hits("redis", func() uint64 { return c.Stats().Shared }),
		counter("cache_misses_total", "Lookups that the cache did not answer.", func() uint64 { return c.Stats().Misses }),
		counter("cache_loads_total", "Loads from the database.", func() uint64 { return c.Stats().Loads }),
		counter("cache_waits_total", "Lookups that waited for another one's load.",
			func() uint64 { return c.Stats().Joined }),
		counter("cache_refreshes_total", "Loads ahead of an entry's end.", func() uint64 { return c.Stats().Refreshed }),
		counter("cache_refused_total", "Loads that were refused, since too many others waited.",
			func() uint64 { return c.Stats().Refused }),
		counter("cache_errors_total", "Exchanges with Redis that failed.", func() uint64 { return c.Stats().Errors }),
		gauge("cache_entries", "Entries in this process' memory.", func() float64 { return float64(c.Stats().Entries) }),
		gauge("cache_bytes", "Memory that they take, about.", func() float64 { return float64(c.Stats().Bytes) }),
		counter("cache_invalidations_total", "Changes of cached data by this process that another one had to know.",
			func() uint64 { return m.Stats().Announced }),
		counter("cache_invalidations_late_total", "Those of them that the message bus did not bring in time.",
			func() uint64 { return m.Stats().Recorded }),
		counter("cache_leases_lost_total", "Leases that ended without being given back.",
			func() uint64 { return m.Stats().Lost }),
		gauge("cache_lease_held", "1 while this process may use cached data, else 0.", func() float64 {
			if m.Stats().Held {
				return 1
			}
			return 0
		}),
		gauge("cache_tags", "Tags that this process knows changes or entries of.",
			func() float64 { return float64(m.Stats().Tags) }),
	}
}

// listenMetrics returns nil for "off".
func listenMetrics(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "off" {
		return nil, nil
	}
	return listen(ctx, addr, "METRICS_ADDR")
}

// serveMetrics serves Prometheus until ctx ends. Without a listener it does nothing.
func serveMetrics(ctx context.Context, l net.Listener, metrics *prometheus.Registry) error {
	if l == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

// listen opens a port. Its error names the setting that changes the port.
func listen(ctx context.Context, addr, setting string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (%w); set %s to another address", addr, err, setting)
	}
	return l, nil
}
