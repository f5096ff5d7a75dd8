package jobs

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/api/enums/v1"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
)

// attendance is a snapshot of the queues: which are paused, and which have workers.
type attendance struct {
	jobs   *Jobs
	at     time.Time
	pauses map[string]watchparty.QueuePause

	mu      sync.Mutex
	workers map[pollers]bool // whether there are any, of those that were asked for
}

// pollers take the tasks of one kind from a queue.
type pollers struct {
	queue string
	kind  enums.TaskQueueType
}

func (j *Jobs) attendance(ctx context.Context) (*attendance, error) {
	pauses, err := j.readPauses(ctx)
	return &attendance{jobs: j, at: store.Now(), pauses: pauses, workers: map[pollers]bool{}}, err
}

// lacksWorker reports whether no worker takes a task that waits: the queue has none, or none has taken it for long.
func (a *attendance) lacksWorker(
	ctx context.Context, queue string, kind enums.TaskQueueType, waits bool, due time.Time,
) (bool, error) {
	late := a.at.Sub(due)
	switch {
	case !waits, due.IsZero(), late < lateAfter:
		return false, nil
	case late > untakenAfter:
		return true, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := pollers{queue, kind}
	if _, known := a.workers[asked]; !known {
		found := Queue{}
		if err := a.jobs.addKind(ctx, &found, queue, kind); err != nil {
			return false, err
		}
		a.workers[asked] = len(found.Workers) > 0
	}
	return !a.workers[asked], nil
}
