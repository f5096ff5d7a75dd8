package watchparty

import "time"

// EventState is how far an outbox event has come.
type EventState string

// States of events.
const (
	EventPending   EventState = "pending"   // Temporal does not have it yet
	EventStarted   EventState = "started"   // Temporal has it
	EventAbandoned EventState = "abandoned" // Temporal refused it for 30 days
)

// OutboxEvent is an event that starts a workflow, or signals to one.
type OutboxEvent struct {
	ID         string
	WorkflowID string
	Signal     string // empty for a start
	Workflow   string // the workflow's type
	Queue      string
	State      EventState
	Attempts   int
	LastError  string
	NextAt     time.Time // the next attempt of a pending one
	StartedAt  time.Time
	CreatedAt  time.Time
}

// Outbox sums up the events that Temporal does not have.
type Outbox struct {
	Waiting   int
	Abandoned int
	OldestAt  time.Time // zero if none waits
	LastError string
}
