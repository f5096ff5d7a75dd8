package watchparty

import "time"

// Policy names one rule of the clean-up.
type Policy string

const (
	PolicyParticipants Policy = "inactive_participants"
	PolicyMessages     Policy = "old_messages"
	PolicyRooms        Policy = "inactive_rooms"
	PolicyFiles        Policy = "orphaned_files"
)

// Policies are all of them, in the order in which a run applies them.
func Policies() []Policy {
	return []Policy{PolicyParticipants, PolicyMessages, PolicyRooms, PolicyFiles}
}

// RunState is where a clean-up run stands.
type RunState string

const (
	RunQueued    RunState = "queued"
	RunRunning   RunState = "running"
	RunCompleted RunState = "completed"
	RunFailed    RunState = "failed" // at least one policy failed; the others were applied
)

// Trigger says what started a run.
type Trigger string

const (
	TriggerSchedule Trigger = "schedule"
	TriggerAdmin    Trigger = "admin"
)

// CleanupRun is one application of policies.
type CleanupRun struct {
	ID         string
	Trigger    Trigger
	StartedBy  string // the admin's user ID; empty for the schedule
	Policies   []Policy
	DryRun     bool
	State      RunState
	Counts     map[Policy]int64  // rows or files removed, archived for rooms; would be, in a dry run
	Errors     map[Policy]string // what stopped a policy
	WorkflowID string
	CreatedAt  time.Time
	StartedAt  time.Time
	FinishedAt time.Time
}

// Report is a stored account of what happened.
type Report struct {
	ID          string
	Kind        string // "cleanup"
	RunID       string
	PeriodStart time.Time
	PeriodEnd   time.Time
	Data        []byte // JSON
	CreatedAt   time.Time
}
