package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/avatar"
	"github.com/watchparty/watchparty/avatar/probe"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/webhook"
	"github.com/watchparty/watchparty/worker"
	"github.com/watchparty/watchparty/workflows/job"
)

// emailAlarm is the shortest time between two log lines that say that the SMTP server refuses this service.
const emailAlarm = time.Minute

// The end-to-end tests build the program with shorter waits: go build -ldflags "-X main.keepFormer=2s". Empty means the
// default: that of package activities, or of the checks of health.
var laterDelay, keepFormer, healthAge string

func shortened(wait string) time.Duration {
	d, _ := time.ParseDuration(wait) // zero when empty
	return d
}

// worker runs the background work. It also relays the outbox, so that events are started while no API runs.
func (p program) worker(ctx context.Context) error {
	args, check := cutFlag(p.args, "--check-histories")
	queues, err := parseQueues(args)
	if err != nil {
		return err
	}
	cfg, environ, err := p.settings()
	if err != nil {
		return err
	}
	if check {
		return p.checkHistories(ctx, cfg, environ, queues)
	}
	if err := p.executeForImages(); err != nil {
		return err
	}
	cfg.Metrics.Addr = cmp.Or(cfg.Metrics.Addr, ":9091")
	log, flush := newLogger(cfg, p.stderr)
	defer flush()
	return runWorker(ctx, cfg, environ, log, queues)
}

func parseQueues(args []string) ([]string, error) {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	flags.SetOutput(new(strings.Builder))
	list := flags.String("queues", strings.Join(job.ServableTaskQueues(), ","), "task queues")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return nil, errUsage
	}
	queues := strings.Split(*list, ",")
	for _, q := range queues {
		if !slices.Contains(job.ServableTaskQueues(), q) {
			return nil, fmt.Errorf("unknown task queue %q; there are %s", q, strings.Join(job.ServableTaskQueues(), ", "))
		}
	}
	return queues, nil
}

// executeForImages executes the program again if its environment lacks what libvips reads before main.
func (p program) executeForImages() error {
	environ, changed := avatar.Environment(os.Environ())
	if !changed {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program itself: %w", err)
	}
	return fmt.Errorf("execute %s: %w", self, syscall.Exec(self, os.Args, environ)) //nolint:gosec // this very program
}

func runWorker(ctx context.Context, cfg config.Config, environ []string, log *slog.Logger, queues []string) error {
	parts, err := assemble(ctx, "worker", cfg, environ, log, false)
	if err != nil {
		return err
	}
	defer parts.close()
	parts.store.OnCommitted(live.Announce(parts.bus, log))
	parts.coordinate(ctx)
	metrics, err := listenMetrics(ctx, cfg.Metrics.Addr)
	if err != nil {
		return err
	}
	sender, err := mail.New(cfg.Email)
	if err != nil {
		return err
	}
	receivers := webhook.NewSender(cfg.Webhook.Addresses(), nil)
	defer receivers.Close()
	measured := activities.NewMetrics(parts.metrics.Own())
	limits := probe.Limits{MaxBytes: cfg.Avatar.MaxUploadBytes, MaxPixels: cfg.Avatar.MaxPixels}
	deps := worker.Deps{
		Config: cfg, Log: log, Client: parts.temporal,
		Email: &activities.Email{
			Store:       parts.store,
			Sender:      sender,
			OneTime:     auth.NewOneTime(cfg.Auth.Secret, cfg.Auth.FormerSecrets...),
			FrontendURL: cfg.HTTP.FrontendURL,
			PublicURL:   cfg.HTTP.PublicURL,
			LaterDelay:  shortened(laterDelay),
			Report:      cfg.Report,
			Alarm:       rate.Sometimes{Interval: emailAlarm},
			Metrics:     measured,
		},
		Avatar: &activities.Avatar{
			Store:  parts.store,
			Bucket: parts.bucket,
			Renderer: avatar.New(
				worker.RenderConcurrency(cfg.Avatar),
				limits,
			),
			KeepFormer: shortened(keepFormer),
			Metrics:    measured,
		},
		Cleanup: &activities.Cleanup{Store: parts.store, Bucket: parts.bucket, Settings: cfg.Cleanup, Metrics: measured},
		Account: &activities.Account{Store: parts.store, Bucket: parts.bucket, Metrics: measured},
		Party:   &activities.Party{Store: parts.store},
		Report:  &activities.Report{Store: parts.store, Settings: cfg.Report, Metrics: measured},
		Webhook: &activities.Webhook{
			Store: parts.store, Sender: receivers, OffAfter: cfg.Webhook.OffAfter, Metrics: measured,
		},
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return worker.Run(ctx, deps, queues) })
	g.Go(func() error { return serveMetrics(ctx, metrics, cfg.Metrics, parts.metrics) })
	g.Go(func() error { parts.relay.Run(ctx); return nil })
	g.Go(func() error { worker.Sweep(ctx, parts.store, log); return nil })
	return g.Wait()
}
