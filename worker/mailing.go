package worker

import (
	"context"
	"log/slog"
	"time"

	"go.temporal.io/sdk/worker"

	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/workflows/job"
)

// pausePoll is the pause between two looks at whether emails are paused.
const pausePoll = time.Second

// mailing runs the email queue's activities until ctx ends, except while emails are paused: they wait in Temporal's
// queue then, where no attempt is counted. Attempts that last at the time of the pause go on to their end.
func mailing(ctx context.Context, d Deps, fatal chan<- error) {
	var running worker.Worker
	defer func() {
		if running != nil {
			running.Stop()
		}
	}()
	tick := time.NewTicker(pausePoll)
	defer tick.Stop()
	for {
		paused, err := d.Email.Store.EmailsPaused(ctx)
		switch {
		case err != nil:
			d.Log.WarnContext(ctx, "worker cannot see whether emails are paused", slog.Any("error", err))
		case paused && running != nil:
			d.Log.InfoContext(ctx, "emails are paused")
			running.Stop()
			running = nil
		case !paused && running == nil:
			options := newOptions(d, fatal)
			options.TaskQueueActivitiesPerSecond = d.Config.Email.PerSecond
			options.DisableWorkflowWorker = true
			w := worker.New(d.Client, job.TaskQueueEmail, options)
			activities.Register(w, d.Email)
			if err := w.Start(); err != nil {
				d.Log.WarnContext(
					ctx,
					"worker waits for Temporal",
					slog.String("queue", job.TaskQueueEmail),
					slog.Any("error", err),
				)
				break
			}
			d.Log.InfoContext(ctx, "emails are sent")
			running = w
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
