package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/health"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// healthTimeout is the longest duration of a health check.
const healthTimeout = 5 * time.Second

// health fails unless the API or the worker on this machine works. It is the health check of containers; processes on
// other machines do not count.
func (p program) health(ctx context.Context) error {
	if len(p.args) == 0 {
		return errUsage
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	switch p.args[0] {
	case "api":
		if len(p.args) > 1 {
			return errUsage
		}
		cfg, _, err := p.settings()
		if err != nil {
			return err
		}
		return checkAPI(ctx, cfg.HTTP)
	case "worker":
		queues, err := parseQueues(p.args[1:])
		if err != nil {
			return err
		}
		cfg, environ, err := p.settings()
		if err != nil {
			return err
		}
		return checkWorker(ctx, cfg.Temporal, environ, queues)
	}
	return errUsage
}

// checkAPI checks whether the API takes requests.
func checkAPI(ctx context.Context, cfg config.HTTP) error {
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return fmt.Errorf("HTTP_ADDR: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	url := "http://" + net.JoinHostPort(host, port) + "/api/health/ready"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("ask the API: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the API does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the API is not ready: it answers %d", response.StatusCode)
	}
	return nil
}

// checkWorker asks Temporal whether a worker on this machine polls each queue.
func checkWorker(ctx context.Context, cfg config.Temporal, environ, queues []string) error {
	c, err := dialTemporal(environ, slog.New(slog.DiscardHandler), func(*client.Options) {})
	if err != nil {
		return err
	}
	defer c.Close()
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("find this machine's name: %w", err)
	}
	if err := health.CheckNamespace(ctx, c, cfg.Namespace); err != nil {
		return err
	}
	return checkPolls(ctx, c, host, queues)
}

// checkPolls checks that a worker on the host polls each queue. It compares times of Temporal's clock only: those of
// the host's pollers with that of the newest poller of any queue and host. If no worker at all runs any more, it passes
// until Temporal has forgotten the last pollers, which takes some minutes.
func checkPolls(ctx context.Context, c client.Client, host string, queues []string) error {
	var newest time.Time
	last := map[string]time.Time{} // of the host, by queue
	asked := slices.Compact(slices.Sorted(slices.Values(append(job.ServableTaskQueues(), queues...))))
	for _, queue := range asked {
		described, err := c.DescribeTaskQueue(ctx, queue, enums.TASK_QUEUE_TYPE_WORKFLOW)
		if err != nil {
			return fmt.Errorf("describe task queue %s: %w", queue, err)
		}
		for _, p := range described.GetPollers() {
			at := p.GetLastAccessTime().AsTime()
			newest = later(newest, at)
			if strings.Contains(p.GetIdentity(), "@"+host+"@") { // identities of the SDK are PID@host@
				last[queue] = later(last[queue], at)
			}
		}
	}
	for _, queue := range queues {
		if at, polled := last[queue]; !polled || newest.Sub(at) >= health.PollerAge {
			return fmt.Errorf("no worker on %s polls task queue %s", host, queue)
		}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// checks are those of the parts that background work needs.
func (p *parts) checks(sender *mail.Sender) []health.Check {
	reads := p.store.ForHealth()
	emails := &health.EmailCheck{Read: reads.Workload, Probe: sender.Probe}
	age := func(usual time.Duration) time.Duration { return cmp.Or(shortened(healthAge), usual) }
	return []health.Check{
		{Part: health.Temporal, Every: time.Second, Run: func(ctx context.Context) error {
			return health.CheckNamespace(ctx, p.temporal, p.cfg.Temporal.Namespace)
		}},
		{Part: health.Workers, Every: age(workersEvery), Run: func(ctx context.Context) error {
			return health.CheckWorkers(ctx, p.temporal, reads.QueuePauses)
		}},
		{Part: health.Schedules, Every: age(schedulesEvery), Run: func(ctx context.Context) error {
			return health.CheckSchedules(ctx, p.temporal, p.cfg.Temporal.Namespace, reads.SchedulePauses, store.Now())
		}},
		{Part: health.Emails, Every: age(emailsEvery), Run: emails.Run, LastSuccess: emails.LastSuccess},
	}
}

// How long the answers of checks count. The SMTP server is asked seldom, since a provider may count sessions.
const (
	workersEvery   = 5 * time.Second
	schedulesEvery = 15 * time.Second
	emailsEvery    = 30 * time.Second
)
