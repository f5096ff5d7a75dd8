package api

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/workflows/job"
)

// ListTaskQueues answers with the task queues.
func (s *Server) ListTaskQueues(
	ctx context.Context,
	_ contract.ListTaskQueuesRequestObject,
) (contract.ListTaskQueuesResponseObject, error) {
	all, err := s.queues(ctx)
	return contract.ListTaskQueues200JSONResponse{Data: all}, err
}

// PauseTaskQueue pauses a kind of work.
func (s *Server) PauseTaskQueue(
	ctx context.Context,
	r contract.PauseTaskQueueRequestObject,
) (contract.PauseTaskQueueResponseObject, error) {
	if !pausable(r.Queue) {
		return nil, watchparty.ErrNotFound
	}
	if err := s.store.PauseQueue(ctx, caller(ctx).UserID, r.Queue); err != nil {
		return nil, err
	}
	all, err := s.queues(ctx)
	return contract.PauseTaskQueue200JSONResponse{Data: all}, err
}

// ResumeTaskQueue resumes it.
func (s *Server) ResumeTaskQueue(
	ctx context.Context,
	r contract.ResumeTaskQueueRequestObject,
) (contract.ResumeTaskQueueResponseObject, error) {
	if !pausable(r.Queue) {
		return nil, watchparty.ErrNotFound
	}
	if err := s.store.ResumeQueue(ctx, caller(ctx).UserID, r.Queue); err != nil {
		return nil, err
	}
	all, err := s.queues(ctx)
	return contract.ResumeTaskQueue200JSONResponse{Data: all}, err
}

// pausable reports whether a task queue is a kind of work of its own, which can be paused.
func pausable(queue string) bool { return slices.Contains(job.ServableTaskQueues(), queue) }

// queues returns all queues: without figures while Temporal is down.
func (s *Server) queues(ctx context.Context) (contract.TaskQueues, error) {
	list := contract.TaskQueues{Queues: []contract.TaskQueue{}, Temporal: contract.TemporalStateConnected}
	pauses, err := s.store.QueuePauses(ctx)
	if err != nil {
		return list, err
	}
	found, err := s.jobs.Queues(ctx)
	if errors.Is(err, watchparty.ErrTemporalDown) {
		s.log.WarnContext(ctx, "task queues not described", slog.Any("error", err))
		list.Temporal = contract.TemporalStateDown
	} else if err != nil {
		return list, err
	}
	for i, name := range job.AllTaskQueues() {
		q := contract.TaskQueue{Name: contract.TaskQueueName(name), Pausable: pausable(name), Note: pauses[name].Note}
		q.PausedAt = pointer(pauses[name].PausedAt)
		if list.Temporal != contract.TemporalStateDown {
			addFigures(&q, found[i])
		}
		list.Queues = append(list.Queues, q)
	}
	return list, nil
}

func addFigures(q *contract.TaskQueue, found jobs.Queue) {
	age := int(found.Age.Seconds())
	workers := convert(found.Workers, func(w jobs.Worker) contract.QueueWorker {
		return contract.QueueWorker{
			Identity: w.Identity, LastPollAt: w.LastPollAt, Activities: w.Activities, Workflows: w.Workflows,
		}
	})
	added, done := float32(found.Added), float32(found.Done)
	q.Backlog, q.BacklogAgeSeconds, q.AddedPerSecond, q.DonePerSecond, q.Workers =
		&found.Backlog, &age, &added, &done, &workers
}
