package worker

import (
	"context"
	"log/slog"
	"time"

	"go.temporal.io/sdk/worker"

	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/workflows/job"
)

// pausePoll is the pause between two looks at whether a queue is paused.
const pausePoll = time.Second

// pausable are the activities of a queue that an admin can pause.
type pausable struct {
	queue    string
	paused   func(ctx context.Context) (bool, error)
	options  func(*worker.Options)
	register func(worker.Worker)
}

// pausables returns the pausable activities of a queue. The short steps of avatars and all workflows are never paused:
// they only publish what is rendered, and decide.
func pausables(d Deps, queue string) (pausable, bool) {
	p := pausable{queue: queue, options: func(*worker.Options) {}}
	switch queue {
	case job.TaskQueueEmail:
		p.paused = d.Email.Store.EmailsPaused
		p.options = func(o *worker.Options) { o.TaskQueueActivitiesPerSecond = d.Config.Email.PerSecond }
		p.register = func(w worker.Worker) {
			activities.Register(w, d.Email)
			activities.Register(w, d.Party)
		}
	case job.TaskQueueAvatar:
		p.paused = func(ctx context.Context) (bool, error) { return d.Avatar.Store.QueuePaused(ctx, queue) }
		p.options = func(o *worker.Options) { o.MaxConcurrentActivityExecutionSize = RenderConcurrency(d.Config.Avatar) }
		// All of them: workflows of an earlier version run the short steps here.
		p.register = func(w worker.Worker) { activities.Register(w, d.Avatar) }
	case job.TaskQueueMaintenance:
		p.paused = func(ctx context.Context) (bool, error) { return d.Cleanup.Store.QueuePaused(ctx, queue) }
		p.register = func(w worker.Worker) {
			activities.Register(w, d.Cleanup)
			activities.Register(w, d.Account)
			activities.Register(w, d.Report)
		}
	case job.TaskQueueWebhooks:
		p.paused = func(ctx context.Context) (bool, error) { return d.Webhook.Store.QueuePaused(ctx, queue) }
		p.options = func(o *worker.Options) { o.MaxConcurrentActivityExecutionSize = activities.MaxDeliveries }
		p.register = func(w worker.Worker) { activities.Register(w, d.Webhook) }
	default:
		return pausable{}, false
	}
	return p, true
}

// serve runs the activities until ctx ends, except while an admin has paused the queue: they wait in Temporal's queue
// then, where no attempt is counted. Activities that run at the time of the pause have the stop timeout to end; one
// that is cut short is run again after the pause, from its last heartbeat.
func (p pausable) serve(ctx context.Context, d Deps, fatal chan<- error) {
	var running worker.Worker
	defer func() {
		if running != nil {
			running.Stop()
		}
	}()
	tick := time.NewTicker(pausePoll)
	defer tick.Stop()
	for {
		paused, err := p.paused(ctx)
		switch {
		case err != nil:
			d.Log.WarnContext(ctx, "worker cannot see whether its queue is paused", slog.String("queue", p.queue),
				slog.Any("error", err))
		case paused && running != nil:
			d.Log.InfoContext(ctx, "queue is paused", slog.String("queue", p.queue))
			running.Stop()
			running = nil
		case !paused && running == nil:
			options := newOptions(d, fatal)
			options.DisableWorkflowWorker = true
			p.options(&options)
			w := worker.New(d.Client, p.queue, options)
			p.register(w)
			if err := w.Start(); err != nil {
				d.Log.WarnContext(ctx, "worker waits for Temporal", slog.String("queue", p.queue), slog.Any("error", err))
				break
			}
			d.Log.InfoContext(ctx, "queue is served", slog.String("queue", p.queue))
			running = w
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
