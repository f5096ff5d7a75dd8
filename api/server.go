// Package api serves the contract in openapi.yaml over HTTP.
//
// A request passes, in this order: request ID, log and metrics, recovery, CORS, admission, body limit, identity, rate
// limits, the repetition of cached reads, authorisation, a check of its form, for an upload the spool, validation
// against the contract, the reading of an admin's note, a check of its conditions, and then its operation, a method of
// Server in the file of its resource. HEAD is GET after the rate limits. Operations return domain errors; handleError
// makes problems of them. The way is the same if package fastpath hands in the request, which it does for a cached read
// whose answer is in memory.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"gocloud.dev/blob"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/fastpath"
	"github.com/watchparty/watchparty/health"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/web"
)

// basePath is the contract's server address.
const basePath = "/api"

// Deps are the parts that the API is built on.
type Deps struct {
	Config config.Config
	Log    *slog.Logger
	Store  *store.Store
	Cache  *cache.Cache
	Bus    live.Bus // not running yet
	Bucket *blob.Bucket
	// Checks are those of the parts that only background work needs. Only /health and its metric run them.
	Checks    []health.Check
	Schedules Schedules
	Jobs      *jobs.Jobs
	Metrics   prometheus.Registerer
	Tracer    trace.Tracer // nil without traces
}

// Server implements the generated StrictServerInterface.
type Server struct {
	cfg         config.Config
	log         *slog.Logger
	refusedLog  *slog.Logger
	store       *store.Store
	cache       *cache.Cache
	live        *live.Hub
	bucket      *blob.Bucket
	bucketProbe *bucketProbe
	health      *health.Checker
	schedules   Schedules
	jobs        *jobs.Jobs
	passwords   *auth.Passwords
	tokens      *auth.Tokens
	oneTime     *auth.OneTime
	digests     *auth.Digests
	limits      *limits // nil if RATE_LIMIT_ENABLED is false
	routes      contractRoutes
	problems    map[string]web.Problem // by code
	targets     *otter.Cache[string, *target]
	draining    atomic.Bool
	tellState   func(playback.Snapshot) // see OnPlayback
	tellQueue   func(roomID string)
	echo        *echo.Echo
}

var _ contract.StrictServerInterface = (*Server)(nil)

// New builds the handler; Serve runs it.
func New(d Deps) (*Server, error) {
	s := &Server{
		cfg: d.Config, log: d.Log, refusedLog: logging.Sparse(d.Log, slog.LevelWarn, "part", "code"),
		store: d.Store, cache: d.Cache,
		bucket:      d.Bucket,
		bucketProbe: &bucketProbe{bucket: d.Bucket, inFolder: strings.HasPrefix(d.Config.Blob.URL, "file:")},
		schedules:   d.Schedules,
		jobs:        d.Jobs,
		passwords:   auth.NewPasswords(d.Config.Auth.HashParallel, auth.OWASP),
		tokens:      auth.NewTokens(d.Config.Auth.Secret, d.Config.Auth.AccessTTL, d.Config.Auth.FormerSecrets...),
		oneTime:     auth.NewOneTime(d.Config.Auth.Secret, d.Config.Auth.FormerSecrets...),
		digests:     auth.NewDigests(d.Config.Auth.Secret, d.Config.Auth.FormerSecrets...),
		tellState:   func(playback.Snapshot) {}, tellQueue: func(string) {},
		targets: otter.Must(&otter.Options[string, *target]{MaximumSize: maxTargets}),
	}
	s.health = health.NewChecker(d.Log, s.checks(d.Checks)...)
	s.health.Register(d.Metrics)
	if d.Config.RateLimit.Enabled {
		s.limits = newLimits(d.Config, d.Cache.Redis().Client(), d.Log)
	}
	s.live = s.newHub(d)
	d.Store.OnCommitted(s.live.PublishTags)
	s.OnPlayback(s.live.PublishState, s.live.QueueChanged)
	spec, err := readSpec()
	if err != nil {
		return nil, fmt.Errorf("api: read the contract: %w", err)
	}
	if s.routes, err = newContractRoutes(spec); err != nil {
		return nil, err
	}
	if s.problems, err = problemsIn(spec); err != nil {
		return nil, err
	}
	e := echo.New()
	e.HTTPErrorHandler = s.handleError
	e.IPExtractor = clientAddresses(d.Config.HTTP.TrustedProxies)
	e.Use(compose(
		beginExchange(d.Config.HTTP.PublicURL, d.Tracer),
		observe(s.log, d.Metrics),
		middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: s.logPanic}),
		crossOrigin(d.Config.HTTP.Origins),
		s.admitEarly,
		s.limitBody,
		s.identify,
		s.limitRate,
		s.answerFromMemory,
		headAsGet,
		informStore,
		s.routes.wholePath,
		s.authorize,
		wellFormed(s.routes),
		s.spool(),
		validate(spec),
		s.takeNote,
		s.judgeConditions,
	))
	routes := withHead{e}
	contract.RegisterHandlersWithBaseURL(
		routes, contract.NewStrictHandler(s, []contract.StrictMiddlewareFunc{markReplays, s.decideAgain}), basePath,
	)
	if err := s.routePages(routes); err != nil {
		return nil, err
	}
	s.echo = e
	return s, nil
}

// ServeHTTP lets tests use the server without a listener.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Live is the hub of live connections.
func (s *Server) Live() *live.Hub { return s.live }

// Serve serves on l until ctx ends. Then readiness goes red, live connections are sent away, requests in flight finish
// or are cut off after HTTP_SHUTDOWN_TIMEOUT, and it returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	hub, stopHub := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- s.live.Run(hub) }()
	err := s.serve(ctx, l)
	stopHub()
	return errors.Join(err, <-ended)
}

func (s *Server) serve(ctx context.Context, l net.Listener) error {
	server := &fastpath.Server{
		Server: http.Server{
			Handler:           s.echo,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       s.cfg.HTTP.ReadTimeout,
			WriteTimeout:      s.cfg.HTTP.WriteTimeout,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    32 << 10,
			ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		},
		AtHand: s.atHand,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("api: serve: %w", err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	s.live.Drain(s.cfg.HTTP.DrainDelay)
	select {
	case err := <-failed:
		return fmt.Errorf("api: serve: %w", err)
	case <-time.After(s.cfg.HTTP.DrainDelay):
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.HTTP.ShutdownTimeout)
	defer cancel()
	err := server.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.WarnContext(ctx, "requests were cut short at the stop", slog.Duration("after", s.cfg.HTTP.ShutdownTimeout))
		err = server.Close()
	}
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("api: stop: %w", err)
	}
	return nil
}

func (s *Server) logPanic(c echo.Context, err error, stack []byte) error {
	s.log.ErrorContext(c.Request().Context(), "handler panicked", slog.String("route", c.Path()),
		slog.Any("error", err), slog.String("stack", string(stack)))
	return err
}
