package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// GetOutbox sums up the events that Temporal does not have.
func (s *Server) GetOutbox(
	ctx context.Context,
	_ contract.GetOutboxRequestObject,
) (contract.GetOutboxResponseObject, error) {
	summary, err := s.store.Outbox(ctx)
	return contract.GetOutbox200JSONResponse{Data: outboxSummary(summary)}, err
}

// ListOutboxEvents lists the events that Temporal does not have.
func (s *Server) ListOutboxEvents(
	ctx context.Context,
	r contract.ListOutboxEventsRequestObject,
) (contract.ListOutboxEventsResponseObject, error) {
	state := watchparty.EventPending
	if r.Params.State != nil {
		state = watchparty.EventState(*r.Params.State)
	}
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listOutboxEvents", state)
	if err != nil {
		return nil, err
	}
	events, err := s.store.OutboxEvents(ctx, state, more(p))
	if err != nil {
		return nil, err
	}
	events, next := cut(events, p, func(e watchparty.OutboxEvent) store.Keys { return store.Keys{e.ID} })
	return contract.ListOutboxEvents200JSONResponse{Data: convert(events, outboxEvent), NextCursor: next}, nil
}

// RequeueOutboxEvent makes the relay try an event now.
func (s *Server) RequeueOutboxEvent(
	ctx context.Context,
	r contract.RequeueOutboxEventRequestObject,
) (contract.RequeueOutboxEventResponseObject, error) {
	event, err := s.store.RequeueEvent(ctx, caller(ctx).UserID, r.EventID)
	return contract.RequeueOutboxEvent200JSONResponse{Data: outboxEvent(event)}, err
}

func outboxEvent(e watchparty.OutboxEvent) contract.OutboxEvent {
	out := contract.OutboxEvent{
		ID:         e.ID,
		WorkflowID: e.WorkflowID,
		Signal:     pointer(e.Signal),
		Kind:       e.Workflow,
		Queue:      e.Queue,
		State:      contract.OutboxEventState(e.State),
		Attempts:   e.Attempts,
		LastError:  pointer(e.LastError),
		CreatedAt:  e.CreatedAt,
	}
	if e.State == watchparty.EventPending {
		out.NextAttemptAt = pointer(e.NextAt)
	}
	return out
}

func outboxSummary(o watchparty.Outbox) contract.OutboxSummary {
	return contract.OutboxSummary{
		Waiting: o.Waiting, Abandoned: o.Abandoned, OldestAt: pointer(o.OldestAt), LastError: pointer(o.LastError),
	}
}
