// Package worker registers workflows and activities on their task queues, runs them, and keeps the schedules as the
// settings say.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/workflows/job"
)

// retryStart is the pause between two attempts to reach Temporal when a worker starts.
const retryStart = time.Second

// Deps has the parts that the worker is built on. The activities of a queue that it does not serve may be nil.
type Deps struct {
	Config  config.Config
	Log     *slog.Logger
	Client  client.Client
	Email   *activities.Email
	Avatar  *activities.Avatar
	Cleanup *activities.Cleanup
	Account *activities.Account
	Report  *activities.Report
	Webhook *activities.Webhook
	Party   *activities.Party
}

// Run serves the queues until ctx ends. Then running activities have the stop timeout to finish. While Temporal is down
// it waits.
func Run(ctx context.Context, d Deps, queues []string) error {
	d.Log = logging.Sparse(d.Log, slog.LevelWarn, "queue", "schedule", "every")
	fatal := make(chan error, len(queues))
	var (
		running  []worker.Worker
		stopping sync.WaitGroup
	)
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		// All workers stop at the same time. One after the other, a worker would still take new work while the one
		// before it waits for its activities.
		cancel()
		for _, w := range running {
			stopping.Go(w.Stop)
		}
		stopping.Wait()
	}()
	for _, queue := range taskQueues(queues) {
		w, err := start(ctx, d, queue, fatal)
		if err != nil {
			return stopped(ctx, err)
		}
		running = append(running, w)
		if p, ok := pausables(d, queue); ok {
			stopping.Go(func() { p.serve(ctx, d, fatal) })
		}
	}
	if slices.Contains(queues, job.TaskQueueMaintenance) {
		if err := keepSchedules(ctx, d); err != nil {
			return stopped(ctx, err)
		}
		stopping.Go(func() { startMissingReports(ctx, d) })
		stopping.Go(func() { watchSchedules(ctx, d) })
	}
	d.Log.InfoContext(ctx, "worker runs", slog.Any("queues", queues))
	select {
	case <-ctx.Done():
		return nil
	case err := <-fatal:
		return fmt.Errorf("worker: %w", err)
	}
}

// taskQueues adds the queue of the avatars' short steps if the avatars' queue is served.
func taskQueues(queues []string) []string {
	if slices.Contains(queues, job.TaskQueueAvatar) {
		return append(slices.Clone(queues), job.TaskQueueAvatarSteps)
	}
	return queues
}

// stopped returns nil if ctx has ended, which is an orderly stop, and else err.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // an orderly stop is no failure
	}
	return err
}

// start starts a worker for a queue, and tries again until Temporal answers. Each attempt makes a new worker, since a
// worker that failed to start cannot be started again.
func start(ctx context.Context, d Deps, queue string, fatal chan<- error) (worker.Worker, error) {
	for {
		w, err := build(d, queue, fatal)
		if err != nil {
			return nil, err
		}
		if err = w.Start(); err == nil {
			return w, nil
		}
		d.Log.WarnContext(ctx, "worker waits for Temporal", slog.String("queue", queue), slog.Any("error", err))
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(retryStart):
		}
	}
}

// build makes the worker of a queue's workflows, or of activities that are never paused.
func build(d Deps, queue string, fatal chan<- error) (worker.Worker, error) {
	options := newOptions(d, fatal)
	switch queue {
	case job.TaskQueueEmail, job.TaskQueueAvatar, job.TaskQueueMaintenance, job.TaskQueueWebhooks:
		options.LocalActivityWorkerOnly = true // pausable.serve runs the activities
		w := worker.New(d.Client, queue, options)
		registerWorkflows(w, queue)
		return w, nil
	case job.TaskQueueAvatarSteps:
		options.DisableWorkflowWorker = true
		w := worker.New(d.Client, queue, options)
		activities.Register(w, d.Avatar)
		return w, nil
	}
	return nil, errors.New("worker: unknown task queue " + queue)
}

func newOptions(d Deps, fatal chan<- error) worker.Options {
	return worker.Options{
		DeploymentOptions: deploymentOptions(d.Config.Worker),
		WorkerStopTimeout: d.Config.Worker.StopTimeout,
		OnFatalError: func(err error) {
			select {
			case fatal <- err:
			default:
			}
		},
	}
}

// RenderConcurrency returns the number of pictures that one worker renders at a time: the setting, or the number of
// cores.
func RenderConcurrency(c config.Avatar) int {
	if c.Concurrency > 0 {
		return c.Concurrency
	}
	return runtime.GOMAXPROCS(0)
}
