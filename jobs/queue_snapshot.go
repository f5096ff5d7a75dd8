package jobs

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/api/enums/v1"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
)

// queueSnapshot is the state of the task queues at one time: which are paused, and which have workers.
type queueSnapshot struct {
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

func (j *Jobs) snapshotQueues(ctx context.Context) (*queueSnapshot, error) {
	pauses, err := j.readPauses(ctx)
	return &queueSnapshot{jobs: j, at: store.Now(), pauses: pauses, workers: map[pollers]bool{}}, err
}

// lacksWorker reports whether no worker takes a task that waits: the queue has none, or none has taken it for long.
func (q *queueSnapshot) lacksWorker(
	ctx context.Context, queue string, kind enums.TaskQueueType, waits bool, due time.Time,
) (bool, error) {
	late := q.at.Sub(due)
	switch {
	case !waits, due.IsZero(), late < lateAfter:
		return false, nil
	case late > untakenAfter:
		return true, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	asked := pollers{queue, kind}
	if _, known := q.workers[asked]; !known {
		found := Queue{}
		if err := q.jobs.addKind(ctx, &found, queue, kind); err != nil {
			return false, err
		}
		q.workers[asked] = len(found.Workers) > 0
	}
	return !q.workers[asked], nil
}
