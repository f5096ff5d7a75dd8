package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type eventRow struct {
	bun.BaseModel `bun:"table:outbox,alias:o"`

	ID          string     `bun:"id,pk"`
	WorkflowID  string     `bun:"workflow_id"`
	Signal      string     `bun:"signal"`
	Workflow    string     `bun:"workflow"`
	TaskQueue   string     `bun:"task_queue"`
	State       string     `bun:"state"`
	Attempts    int        `bun:"attempts"`
	LastError   string     `bun:"last_error"`
	AvailableAt time.Time  `bun:"available_at"`
	StartedAt   *time.Time `bun:"started_at"`
	CreatedAt   time.Time  `bun:"created_at"`
}

func (r eventRow) event() watchparty.OutboxEvent {
	return watchparty.OutboxEvent{
		ID: r.ID, WorkflowID: r.WorkflowID, Signal: r.Signal, Workflow: r.Workflow, Queue: r.TaskQueue,
		State: watchparty.EventState(r.State), Attempts: r.Attempts, LastError: r.LastError,
		NextAt: r.AvailableAt.UTC(), StartedAt: valueOrZero(r.StartedAt).UTC(), CreatedAt: r.CreatedAt.UTC(),
	}
}

// OutboxEvents lists the events in a state, newest first.
func (s *Store) OutboxEvents(
	ctx context.Context, state watchparty.EventState, p Page,
) ([]watchparty.OutboxEvent, error) {
	var rows []eventRow
	q := s.db.NewSelect().Model(&rows).Where("o.state = ?", string(state))
	if err := p.of(q, descending, "o.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: outbox events: %w", err)
	}
	return mapRows(rows, eventRow.event), nil
}

// Outbox sums up the events that Temporal does not have.
func (s *Store) Outbox(ctx context.Context) (watchparty.Outbox, error) {
	var row struct {
		Waiting   int        `bun:"waiting"`
		Abandoned int        `bun:"abandoned"`
		Oldest    *time.Time `bun:"oldest"`
		LastError *string    `bun:"last_error"`
	}
	err := s.db.NewRaw(`
		SELECT count(*) FILTER (WHERE state = 'pending') AS waiting,
			count(*) FILTER (WHERE state = 'abandoned') AS abandoned,
			min(created_at) FILTER (WHERE state = 'pending') AS oldest,
			(SELECT last_error FROM outbox WHERE state = 'pending' AND last_error <> '' ORDER BY updated_at DESC LIMIT 1)
				AS last_error
		FROM outbox WHERE state IN ('pending', 'abandoned')`).Scan(ctx, &row)
	if err != nil {
		return watchparty.Outbox{}, fmt.Errorf("store: outbox: %w", err)
	}
	return watchparty.Outbox{
		Waiting:   row.Waiting,
		Abandoned: row.Abandoned,
		OldestAt:  valueOrZero(row.Oldest).UTC(),
		LastError: valueOrZero(row.LastError),
	}, nil
}

// RequeueEvent makes the relay try an event at once, also one that was abandoned. It returns ErrNotFound, and
// ErrEventStarted for an event that Temporal has.
func (s *Store) RequeueEvent(ctx context.Context, adminID, id string) (watchparty.OutboxEvent, error) {
	var row eventRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		if err := tx.NewSelect().Model(&row).Where("id = ?", id).For("NO KEY UPDATE").Scan(ctx); err != nil {
			return err
		}
		if row.State == string(watchparty.EventStarted) {
			return watchparty.ErrEventStarted
		}
		details := map[string]any{"workflow_id": row.WorkflowID, "state": row.State}
		// The time of its making counts for when it is abandoned.
		err := tx.NewUpdate().Model(&row).Set("created_at = CASE state WHEN 'abandoned' THEN now() ELSE created_at END").
			Set("state = 'pending'").Set("attempts = 0").Set("available_at = now()").Set("updated_at = now()").WherePK().
			Returning("*").Scan(ctx)
		if err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditEventRequeued, watchparty.AuditOutboxEvent, id, details)
	})
	if err == nil {
		s.events.Send()
	}
	return row.event(), wrapErr(err, "requeue event")
}

// EventState returns the state of the event that starts a workflow. It returns ErrNotFound if the outbox has none, or
// none any more.
func (s *Store) EventState(ctx context.Context, workflowID string) (watchparty.EventState, error) {
	var state string
	err := s.db.NewRaw("SELECT state FROM outbox WHERE workflow_id = ? ORDER BY signal <> '', id LIMIT 1", workflowID).
		Scan(ctx, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return "", watchparty.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("store: event's state: %w", err)
	}
	return watchparty.EventState(state), nil
}
