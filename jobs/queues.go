package jobs

import (
	"context"
	"time"

	"go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/health"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// Queue is a task queue.
type Queue struct {
	Name    string
	Backlog int64         // tasks that wait, about
	Age     time.Duration // of the oldest one, about
	Added   float64       // tasks a second, over the last half minute
	Done    float64
	Workers []Worker
}

// Worker is a process that takes tasks of a queue.
type Worker struct {
	Identity   string
	LastPollAt time.Time
	Activities bool // whether it takes activities; while a queue is paused, none does
	Workflows  bool
}

// Queues returns all task queues.
func (j *Jobs) Queues(ctx context.Context) ([]Queue, error) {
	names := job.AllTaskQueues()
	queues := make([]Queue, len(names))
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, name := range names {
		g.Go(func() (err error) {
			queues[i], err = j.queue(ctx, name)
			return err
		})
	}
	return queues, g.Wait()
}

func (j *Jobs) queue(ctx context.Context, name string) (Queue, error) {
	q := Queue{Name: name, Workers: []Worker{}}
	for _, kind := range []enums.TaskQueueType{enums.TASK_QUEUE_TYPE_ACTIVITY, enums.TASK_QUEUE_TYPE_WORKFLOW} {
		if err := j.addKind(ctx, &q, name, kind); err != nil {
			return q, err
		}
	}
	return q, nil
}

// addKind adds the tasks of one kind, and who takes them.
func (j *Jobs) addKind(ctx context.Context, q *Queue, name string, kind enums.TaskQueueType) error {
	answer, err := j.client.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: j.namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: name}, TaskQueueType: kind, ReportStats: true,
	})
	if err != nil {
		return domainError("describe a queue", err)
	}
	stats := answer.GetStats()
	q.Backlog += stats.GetApproximateBacklogCount()
	q.Age = max(q.Age, stats.GetApproximateBacklogAge().AsDuration())
	q.Added += float64(stats.GetTasksAddRate())
	q.Done += float64(stats.GetTasksDispatchRate())
	since := store.Now().Add(-health.PollerAge)
	for _, p := range answer.GetPollers() {
		if last := p.GetLastAccessTime().AsTime(); last.After(since) {
			q.add(p.GetIdentity(), last, kind)
		}
	}
	return nil
}

// add adds a poller: a worker polls for activities and for workflows.
func (q *Queue) add(identity string, last time.Time, kind enums.TaskQueueType) {
	at := -1
	for i, w := range q.Workers {
		if w.Identity == identity {
			at = i
		}
	}
	if at < 0 {
		at = len(q.Workers)
		q.Workers = append(q.Workers, Worker{Identity: identity})
	}
	w := &q.Workers[at]
	if last.After(w.LastPollAt) {
		w.LastPollAt = last
	}
	w.Activities = w.Activities || kind == enums.TASK_QUEUE_TYPE_ACTIVITY
	w.Workflows = w.Workflows || kind == enums.TASK_QUEUE_TYPE_WORKFLOW
}
