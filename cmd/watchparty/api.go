package main

import (
	"cmp"
	"context"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/api"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/mail"
)

// api serves HTTP and relays the outbox.
func (p program) api(ctx context.Context) error {
	if len(p.args) > 0 {
		return errUsage
	}
	cfg, environ, err := p.settings()
	if err != nil {
		return err
	}
	cfg.Metrics.Addr = cmp.Or(cfg.Metrics.Addr, ":9090")
	log, flush := newLogger(cfg, p.stderr)
	defer flush()
	return runAPI(ctx, cfg, environ, log)
}

func runAPI(ctx context.Context, cfg config.Config, environ []string, log *slog.Logger) error {
	defer collectLessOften()()
	parts, err := assemble(ctx, "api", cfg, environ, log, true)
	if err != nil {
		return err
	}
	defer parts.close()
	// The API sends no email: it only sees whether the server takes a session. So it has no need of the signing key.
	cfg.Email.DKIMSelector, cfg.Email.DKIMKeyFile = "", ""
	sender, err := mail.New(cfg.Email)
	if err != nil {
		return err
	}
	background := jobs.New(parts.temporal, cfg.Temporal.Namespace, parts.store.QueuePauses)
	background.RegisterMetrics(parts.metrics.Own(), log)
	server, err := api.New(api.Deps{
		Config:    cfg,
		Log:       log,
		Store:     parts.store,
		Cache:     parts.cache,
		Bus:       parts.bus,
		Bucket:    parts.bucket,
		Checks:    parts.checks(sender),
		Schedules: parts.temporal.ScheduleClient(),
		Jobs:      background,
		Metrics:   parts.metrics.Own(),
		Tracer:    parts.tracing.Tracer(),
	})
	if err != nil {
		return err
	}
	parts.coordinate(ctx)
	metrics, err := listenMetrics(ctx, cfg.Metrics.Addr)
	if err != nil {
		return err
	}
	l, err := listen(ctx, cfg.HTTP.Addr, "HTTP_ADDR")
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "API listens", slog.String("addr", l.Addr().String()))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Serve(ctx, l) })
	g.Go(func() error { return serveMetrics(ctx, metrics, cfg.Metrics, parts.metrics) })
	g.Go(func() error { parts.relay.Run(ctx); return nil })
	g.Go(func() error {
		jobs.RegisterSearchAttributes(ctx, parts.temporal, cfg.Temporal.Namespace, log)
		return nil
	})
	return g.Wait()
}
