package outbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type row struct {
	bun.BaseModel `bun:"table:outbox,alias:o"`

	ID          string          `bun:"id,pk"`
	WorkflowID  string          `bun:"workflow_id"`
	Signal      string          `bun:"signal"`
	Workflow    string          `bun:"workflow"`
	TaskQueue   string          `bun:"task_queue"`
	Summary     string          `bun:"summary"`
	Input       json.RawMessage `bun:"input,type:jsonb"`
	Priority    int             `bun:"priority"`
	UserID      *string         `bun:"user_id"`
	RoomID      *string         `bun:"room_id"`
	Attempts    int             `bun:"attempts,scanonly"`
	AvailableAt time.Time       `bun:"available_at,scanonly"`
	TraceParent string          `bun:"trace_parent"`
}

// Add stores events in the caller's transaction, with the trace of ctx, in one statement.
func Add(ctx context.Context, tx bun.Tx, events ...job.Event) error {
	rows := make([]*row, 0, len(events))
	for _, e := range events {
		r, err := newRow(ctx, e)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("outbox: add %s: %w", events[0].Workflow, err)
	}
	return nil
}

func newRow(ctx context.Context, e job.Event) (*row, error) {
	input, err := json.Marshal(e.Input)
	if err != nil {
		return nil, fmt.Errorf("outbox: encode the input of %s: %w", e.Workflow, err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return &row{
		ID:         id.String(),
		WorkflowID: e.WorkflowID,
		Signal:     e.Signal,
		Workflow:   e.Workflow,
		TaskQueue:  e.TaskQueue,
		Summary:    e.Summary,
		Input:      input,
		Priority:   int(cmp.Or(e.Priority, watchparty.PriorityNormal)),
		UserID:     nullable(e.UserID),
		RoomID:     nullable(e.RoomID),

		TraceParent: traceParent(ctx),
	}, nil
}

func nullable(id string) *string {
	if id == "" {
		return nil
	}
	return &id
}

func (r row) event() job.Event {
	e := job.Event{
		WorkflowID: r.WorkflowID, Signal: r.Signal, Workflow: r.Workflow, TaskQueue: r.TaskQueue, Summary: r.Summary,
		Input: r.Input, Priority: watchparty.Priority(r.Priority),
	}
	if r.UserID != nil {
		e.UserID = *r.UserID
	}
	if r.RoomID != nil {
		e.RoomID = *r.RoomID
	}
	return e
}
