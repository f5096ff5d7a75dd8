package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/caarlos0/env/v11"
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
	"github.com/watchparty/watchparty/telemetry"
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
	metrics  *telemetry.Registry
	tracing  *telemetry.Tracing
	// endTemporalMetrics ends those of Temporal's SDK.
	endTemporalMetrics func(context.Context) error
	busRedis           redis.UniversalClient
	stop               context.CancelFunc // of what keeps the caches of all processes coherent
	running            errgroup.Group
}

// clockTime is how long the start waits for Postgres' time.
const clockTime = 2 * time.Second

// setClock sets the clock by Postgres' before anything is judged by it, such as a token. If Postgres is down, the first
// connection does so.
func setClock(ctx context.Context, s *store.Store, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, clockTime)
	defer cancel()
	if _, _, _, err := s.ReadClock(ctx); err != nil {
		log.WarnContext(ctx, "the clock is not set by Postgres' yet", slog.Any("error", err))
	}
}

// assemble creates the parts. All of them connect lazily, so that the program starts when one is down. reads says
// whether the process uses cached data. name is "api" or "worker".
func assemble(
	ctx context.Context, name string, cfg config.Config, environ []string, log *slog.Logger, reads bool,
) (_ *parts, err error) {
	p := &parts{cfg: cfg, log: log, metrics: telemetry.NewRegistry()}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.tracing, err = telemetry.StartTracing(ctx, environ, name, log); err != nil {
		return nil, err
	}
	if p.store, err = store.Open(cfg.Database, auth.NewDigests(cfg.Auth.Secret, cfg.Auth.FormerSecrets...)); err != nil {
		return nil, err
	}
	p.store.SetLogger(log)
	setClock(ctx, p.store, log)
	if tracer := p.tracing.Tracer(); tracer != nil {
		p.store.DB().AddQueryHook(telemetry.Queries{Tracer: tracer})
	}
	p.store.SetEmailLimit(cfg.RateLimit.EmailLimit())
	if p.busRedis, err = cache.Connect(cfg.Redis, bus.Timeout, nil); err != nil {
		return nil, err
	}
	redis.SetLogger(redisLog{log})
	p.bus = bus.New(p.busRedis, cfg.Redis, log)
	p.member = coherence.NewMember(p.store.Journal(), p.bus, coherence.Options{
		Reads: reads, Timing: coherence.DefaultTiming(), Log: log,
	})
	p.store.OnChange(p.member.Announce)
	version, err := cacheVersion(cfg)
	if err != nil {
		return nil, err
	}
	shared := cfg.Redis
	shared.KeyPrefix += version + ":"
	if p.cache, err = cache.New(shared, cfg.Cache, p.member, store.Now, log); err != nil {
		return nil, err
	}
	if p.bucket, err = blob.OpenBucket(ctx, cfg.Blob.URL); err != nil {
		return nil, fmt.Errorf("BLOB_URL: %w", err)
	}
	if err = p.dialTemporal(environ); err != nil {
		return nil, err
	}
	p.relay = outbox.NewRelay(p.store.DB(), outbox.Temporal(p.temporal), p.store.Events(), log)
	p.relay.Trace(p.tracing.Tracer())
	p.measure()
	return p, nil
}

// coordinate starts the exchange with other processes. All parts have to be subscribed to the bus. It continues until
// close, since requests are still served during a stop.
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
	err := p.tracing.Stop(context.Background())
	if p.endTemporalMetrics != nil {
		err = errors.Join(err, p.endTemporalMetrics(context.Background()))
	}
	if p.stop != nil {
		p.stop()
		err = errors.Join(err, p.running.Wait())
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

// dialTemporal makes the client, with metrics and traces.
func (p *parts) dialTemporal(environ []string) error {
	metrics, end, err := p.metrics.Temporal()
	if err != nil {
		return err
	}
	p.endTemporalMetrics = end
	interceptors, err := p.tracing.Interceptors()
	if err != nil {
		return err
	}
	interceptors = append(interceptors, &telemetry.ActivityIDs{})
	p.temporal, err = dialTemporal(environ, p.log, func(o *client.Options) {
		o.MetricsHandler, o.Interceptors = metrics, interceptors
	})
	return err
}

// temporalNames are the names that the log has for attributes of Temporal's SDK.
var temporalNames = map[string]string{
	"WorkflowID": "workflow_id", "RunID": "run_id", "TraceID": "trace_id", "SpanID": "span_id",
	"WorkflowType": "workflow", "ActivityType": "activity", "TaskQueue": "queue", "Attempt": "attempt", "Error": "error",
}

func dialTemporal(environ []string, log *slog.Logger, extend func(*client.Options)) (client.Client, error) {
	options, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{
		DisableFile: true, EnvLookup: lookup{environ, env.ToMap(environ)},
	})
	if err != nil {
		return nil, fmt.Errorf("TEMPORAL_*: %w", err)
	}
	options.Logger = temporallog.NewStructuredLogger(
		logging.Sparse(slog.New(logging.Renamed(log.Handler(), temporalNames)), slog.LevelWarn,
			"Namespace", "TaskQueue", "WorkflowType", "ActivityType"))
	extend(&options)
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

// newLogger returns a logger that writes to w, and a function that flushes its buffer.
func newLogger(cfg config.Config, w io.Writer) (log *slog.Logger, flush func()) {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // validated
	options := &slog.HandlerOptions{Level: level}
	buffer := logging.NewBuffer(w)
	if cfg.LogFormat == "text" {
		return slog.New(logging.Identified(buffer.Prompt(slog.NewTextHandler(buffer, options)))), buffer.Flush
	}
	return slog.New(logging.Identified(buffer.Prompt(slog.NewJSONHandler(buffer, options)))), buffer.Flush
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
