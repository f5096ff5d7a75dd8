package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty/api"
	"github.com/watchparty/watchparty/config"
)

const (
	// healthTimeout is the longest duration of a health check.
	healthTimeout = 5 * time.Second
	// pollerAge is the longest time since the last poll of a running worker. A poll ends within a minute.
	pollerAge = 2 * time.Minute
)

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
	if err := checkTemporal(c, cfg.Namespace)(ctx); err != nil {
		return err
	}
	for _, queue := range queues {
		described, err := c.DescribeTaskQueue(ctx, queue, enums.TASK_QUEUE_TYPE_WORKFLOW)
		if err != nil {
			return fmt.Errorf("describe task queue %s: %w", queue, err)
		}
		if !slices.ContainsFunc(described.GetPollers(), polledFrom(host, time.Now().Add(-pollerAge))) {
			return fmt.Errorf("no worker on %s polls task queue %s", host, queue)
		}
	}
	return nil
}

// polledFrom returns a condition that finds a poller on the machine that has polled since then. Identities of the SDK
// are PID@host@.
func polledFrom(host string, since time.Time) func(*taskqueue.PollerInfo) bool {
	return func(p *taskqueue.PollerInfo) bool {
		return strings.Contains(p.GetIdentity(), "@"+host+"@") && p.GetLastAccessTime().AsTime().After(since)
	}
}

// checkTemporal returns a check of the namespace: without it Temporal answers, but takes no work.
func checkTemporal(c client.Client, namespace string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
		var missing *serviceerror.NamespaceNotFound
		if errors.As(err, &missing) {
			return api.Missing{What: "namespace", Err: fmt.Errorf("TEMPORAL_NAMESPACE %q does not exist", namespace)}
		}
		if err != nil {
			return fmt.Errorf("describe the namespace: %w", err)
		}
		return nil
	}
}
