package api

import (
	"context"
	"errors"
	"log/slog"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// ListQueues lists the task queues.
func (s *Server) ListQueues(
	ctx context.Context,
	_ contract.ListQueuesRequestObject,
) (contract.ListQueuesResponseObject, error) {
	list, err := s.queues(ctx)
	return contract.ListQueues200JSONResponse(list), err
}

// PauseQueue pauses a kind of work.
func (s *Server) PauseQueue(
	ctx context.Context,
	r contract.PauseQueueRequestObject,
) (contract.PauseQueueResponseObject, error) {
	note, err := adminNote(r.Body)
	if err != nil {
		return nil, err
	}
	if err := s.store.PauseQueue(ctx, caller(ctx).UserID, string(r.Queue), note); err != nil {
		return nil, err
	}
	list, err := s.queues(ctx)
	return contract.PauseQueue200JSONResponse(list), err
}

// ResumeQueue resumes it.
func (s *Server) ResumeQueue(
	ctx context.Context,
	r contract.ResumeQueueRequestObject,
) (contract.ResumeQueueResponseObject, error) {
	note, err := adminNote(r.Body)
	if err != nil {
		return nil, err
	}
	if err := s.store.ResumeQueue(ctx, caller(ctx).UserID, string(r.Queue), note); err != nil {
		return nil, err
	}
	list, err := s.queues(ctx)
	return contract.ResumeQueue200JSONResponse(list), err
}

// queues returns all queues: without figures while Temporal is away.
func (s *Server) queues(ctx context.Context) (contract.TaskQueueList, error) {
	list := contract.TaskQueueList{Data: []contract.TaskQueue{}, Temporal: contract.Connected}
	pauses, err := s.store.QueuePauses(ctx)
	if err != nil {
		return list, err
	}
	found, err := s.jobs.Queues(ctx)
	if errors.Is(err, watchparty.ErrTemporalAway) {
		s.log.WarnContext(ctx, "task queues not described", slog.Any("error", err))
		list.Temporal = contract.Away
	} else if err != nil {
		return list, err
	}
	for i, name := range job.AllTaskQueues() {
		q := contract.TaskQueue{Name: name, Pausable: contract.PausableQueue(name).Valid(), Note: pauses[name].Note}
		q.PausedAt = pointer(pauses[name].PausedAt)
		if list.Temporal != contract.Away {
			addFigures(&q, found[i])
		}
		list.Data = append(list.Data, q)
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

// GetOutbox lists the events that Temporal does not have.
func (s *Server) GetOutbox(
	ctx context.Context,
	r contract.GetOutboxRequestObject,
) (contract.GetOutboxResponseObject, error) {
	state := watchparty.EventPending
	if r.Params.State != nil {
		state = watchparty.EventState(*r.Params.State)
	}
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "getOutbox", state)
	if err != nil {
		return nil, err
	}
	var answer contract.GetOutbox200JSONResponse
	err = s.store.Snapshot(ctx, func(at *store.Store) error {
		events, err := at.OutboxEvents(ctx, state, more(p))
		if err != nil {
			return err
		}
		events, answer.NextCursor = cut(events, p, func(e watchparty.OutboxEvent) store.Keys { return store.Keys{e.ID} })
		answer.Data = convert(events, outboxEvent)
		summary, err := at.Outbox(ctx)
		answer.Summary = outboxSummary(summary)
		return err
	})
	return answer, err
}

// RequeueEvent makes the relay try an event now.
func (s *Server) RequeueEvent(
	ctx context.Context,
	r contract.RequeueEventRequestObject,
) (contract.RequeueEventResponseObject, error) {
	note, err := adminNote(r.Body)
	if err != nil {
		return nil, err
	}
	event, err := s.store.RequeueEvent(ctx, caller(ctx).UserID, r.EventID, note)
	return contract.RequeueEvent200JSONResponse{Data: outboxEvent(event)}, err
}

func outboxEvent(e watchparty.OutboxEvent) contract.OutboxEvent {
	out := contract.OutboxEvent{
		ID: e.ID, WorkflowID: e.WorkflowID, Signal: pointer(e.Signal), Kind: e.Workflow, Queue: e.Queue,
		State: contract.OutboxEventState(e.State), Attempts: e.Attempts, LastError: e.LastError, CreatedAt: e.CreatedAt,
	}
	if e.State == watchparty.EventPending {
		out.NextAt = pointer(e.NextAt)
	}
	return out
}

func outboxSummary(o watchparty.Outbox) contract.OutboxSummary {
	return contract.OutboxSummary{
		Waiting: o.Waiting, Abandoned: o.Abandoned, OldestAt: pointer(o.OldestAt), LastError: o.LastError,
	}
}
