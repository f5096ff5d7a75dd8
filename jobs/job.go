package jobs

import (
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// State is how a job has ended, or that it runs.
type State string

// States.
const (
	Running    State = "running"
	Completed  State = "completed"
	Failed     State = "failed"
	Cancelled  State = "cancelled"
	Terminated State = "terminated"
	TimedOut   State = "timed_out"
)

// States returns all states.
func States() []State { return []State{Running, Completed, Failed, Cancelled, Terminated, TimedOut} }

// statuses are Temporal's names of the states.
var statuses = map[State]enums.WorkflowExecutionStatus{
	Running:    enums.WORKFLOW_EXECUTION_STATUS_RUNNING,
	Completed:  enums.WORKFLOW_EXECUTION_STATUS_COMPLETED,
	Failed:     enums.WORKFLOW_EXECUTION_STATUS_FAILED,
	Cancelled:  enums.WORKFLOW_EXECUTION_STATUS_CANCELED,
	Terminated: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED,
	TimedOut:   enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
}

func stateOf(status enums.WorkflowExecutionStatus) State {
	for state, s := range statuses {
		if s == status {
			return state
		}
	}
	return Completed // continued as new, which no workflow here does
}

// Phase says what a running job does. It is empty for one that has ended.
type Phase string

// Phases.
const (
	Working  Phase = "working"   // a step is under way, or about to begin
	Waiting  Phase = "waiting"   // on purpose: for a time, an answer, or the end of a pause
	Retrying Phase = "retrying"  // a step has failed, and is tried again by itself
	Stuck    Phase = "stuck"     // a step has failed many times
	NoWorker Phase = "no_worker" // its work is due, and the queue has no worker, or none that takes it
)

const (
	// lateAfter is how long a task may be due before it is checked whether its queue has a worker.
	lateAfter = 5 * time.Second
	// untakenAfter is how long a task may be due before it counts as one that no worker takes.
	untakenAfter = 2 * time.Minute
	// stuckAttempts is the attempt from which on a step is stuck. With the pauses of workflows/options.go that is after
	// about 20 minutes for emails, and 7 minutes for others.
	stuckAttempts = 10
)

// Job is one run of a workflow.
type Job struct {
	WorkflowID string
	RunID      string
	Kind       string // the workflow's type
	Queue      string
	Summary    string
	State      State
	Phase      Phase
	UserID     string // whom it is about; empty if it has none, or began before the search attributes were registered
	RoomID     string
	StartedAt  time.Time
	EndedAt    time.Time // zero while it runs
	Events     int64     // of its history
}

// ID identifies the job in addresses.
func (j Job) ID() string { return EncodeID(j.WorkflowID, j.RunID) }

// EncodeID returns the ID of a job. Without a run it is the latest run of the workflow.
func EncodeID(workflowID, runID string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(workflowID + "\n" + runID))
}

// uuidLength is the length of the only form of a UUID that Temporal has; uuid.Validate takes others, too.
const uuidLength = 36

// DecodeID returns the workflow and the run of a job's ID. It returns ErrNotFound for what is no ID: Temporal's error
// for a run that is no UUID cannot be told from others.
func DecodeID(id string) (workflowID, runID string, err error) {
	text, err := base64.RawURLEncoding.DecodeString(id)
	workflowID, runID, found := strings.Cut(string(text), "\n")
	if err != nil || !found || workflowID == "" || !utf8.Valid(text) || len(text) > 1000 {
		return "", "", watchparty.ErrNotFound
	}
	if runID != "" && (len(runID) != uuidLength || uuid.Validate(runID) != nil) {
		return "", "", watchparty.ErrNotFound
	}
	return workflowID, runID, nil
}

// Step is an activity that a job has not ended yet.
type Step struct {
	ID          string
	Activity    string // its type
	Queue       string
	QueuePaused bool   // whether it waits for the end of a pause of its queue
	State       string // scheduled, started, paused, or cancel_requested
	Attempt     int
	MaxAttempts int       // 0 for no limit
	LastFailure string    // empty before the first
	ScheduledAt time.Time // of the first attempt
	StartedAt   time.Time // of the last attempt
	HeartbeatAt time.Time
	NextAt      time.Time // of the next attempt; zero unless it waits for that
	DeadlineAt  time.Time // zero if only attempts limit it
	Worker      string    // of the last attempt
}

// AwaitsRetry reports whether the step has failed and waits for its next attempt.
func (s Step) AwaitsRetry() bool { return s.State == "scheduled" && s.LastFailure != "" }

// Event is an entry of a job's history.
type Event struct {
	ID     int64
	At     time.Time
	Type   string
	Detail string
}

// Detail is a job with all that is known of it.
type Detail struct {
	Job
	Steps      []Step
	Timeline   []Event
	Truncated  bool      // the timeline is too long, and lacks its middle
	Failure    string    // why the job failed
	WaitsFor   string    // what the job waits for; empty if it does not wait
	WaitsUntil time.Time // zero if it does not wait for a time
}

// Filter selects jobs. Empty fields select all.
type Filter struct {
	Kind       string
	State      State
	Queue      string // whose workers run the workflow; its activities may be on others
	UserID     string
	RoomID     string
	WorkflowID string
	From, To   time.Time // when it began: From and later, before To
	// EndedFrom and EndedTo are the same for when it ended.
	EndedFrom, EndedTo time.Time
}

// query is the filter in Temporal's language. Values are IDs, kinds and states that the caller has checked; quotes are
// escaped nevertheless.
func (f Filter) query() string {
	var all []string
	equal := func(attribute, value string) {
		if value != "" {
			all = append(all, attribute+" = '"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value)+"'")
		}
	}
	equal("WorkflowType", f.Kind)
	if f.State != "" {
		equal("ExecutionStatus", statuses[f.State].String())
	}
	equal("TaskQueue", f.Queue)
	equal(job.AttributeUser, f.UserID)
	equal(job.AttributeRoom, f.RoomID)
	equal("WorkflowId", f.WorkflowID)
	compare := func(attribute, operator string, at time.Time) {
		if !at.IsZero() {
			all = append(all, attribute+" "+operator+" '"+at.UTC().Format(time.RFC3339Nano)+"'")
		}
	}
	compare("StartTime", ">=", f.From)
	compare("StartTime", "<", f.To)
	compare("CloseTime", ">=", f.EndedFrom)
	compare("CloseTime", "<", f.EndedTo)
	if f.Kind == "" && f.WorkflowID == "" {
		// Temporal's schedules are workflows, too.
		all = append(all, "TemporalNamespaceDivision IS NULL")
	}
	return strings.Join(all, " AND ")
}
