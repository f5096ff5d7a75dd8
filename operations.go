package watchparty

import "time"

// QueuePause is an admin's pause of a task queue.
type QueuePause struct {
	Note     string
	PausedAt time.Time
}

// SchedulePause is an admin's pause of a schedule's work.
type SchedulePause struct {
	Queue    bool // whether the queue that the runs use was paused, and not the schedule
	PausedAt time.Time
	EndedAt  time.Time // zero while it lasts
}

// Holds reports whether the schedule itself is paused now.
func (p SchedulePause) Holds() bool { return !p.Queue && p.EndedAt.IsZero() }

// Covers reports whether a run that was due at that time may be missing because of the pause, which may have
// consequences for a while after its end.
func (p SchedulePause) Covers(due time.Time, after time.Duration) bool {
	return !due.Before(p.PausedAt) && (p.EndedAt.IsZero() || !due.After(p.EndedAt.Add(after)))
}

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

// Delay is late work of one kind: how many things are late, and since when.
type Delay struct {
	What     DelayKind
	Count    int
	OldestAt time.Time
}

// DelayKind is a kind of late work.
type DelayKind string

// Kinds of late work. Work that waits on purpose is not late: a reminder, an email to a recipient who has had too many,
// or a queue that an admin has paused.
const (
	DelayEvents    DelayKind = "events"    // outbox events that Temporal does not accept
	DelayEmails    DelayKind = "emails"    // emails whose attempt is due
	DelayRefused   DelayKind = "refused"   // emails that the mail server has refused more than ten times
	DelayAvatars   DelayKind = "avatars"   // uploads that are not rendered
	DelayRuns      DelayKind = "runs"      // clean-up runs that do not begin, or make no progress
	DelayDeletions DelayKind = "deletions" // deleted accounts whose data is still there
	DelayWebhooks  DelayKind = "webhooks"  // webhooks that were switched off because they failed
)

// Throughput counts what ended in a span of time.
type Throughput struct {
	From              time.Time
	EmailsSent        int
	EmailsFailed      int
	AvatarsReady      int
	AvatarsFailed     int
	CleanupsCompleted int // runs
	CleanupsFailed    int
	JobsStarted       int
}
