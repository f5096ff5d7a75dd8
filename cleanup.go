package watchparty

import "time"

// Policy names one rule of the clean-up.
type Policy string

const (
	PolicyParticipants Policy = "inactive_participants"
	PolicyMessages     Policy = "old_messages"
	PolicyRooms        Policy = "inactive_rooms"      // archives them
	PolicyArchived     Policy = "archived_rooms"      // deletes those that clean-up archived, and those that their hosts deleted
	PolicyUnverified   Policy = "unverified_accounts" // whose address was never confirmed, and who have not been here since
	PolicyTokens       Policy = "expired_tokens"      // of confirmations and password resets
	PolicySessions     Policy = "ended_sessions"
	PolicyInvitations  Policy = "ended_invitations"
	PolicyKeys         Policy = "idempotency_keys"
	PolicyReports      Policy = "resolved_reports" // of abuse, with what was reported
	PolicyEmails       Policy = "old_mails"        // with their attempts
	PolicyOutbox       Policy = "started_events"
	PolicyActivity     Policy = "old_activity"   // who was active on which day, and in which room when
	PolicyFiles        Policy = "orphaned_files" // whose upload was never committed
)

// Policies are all of them, in the order in which a run applies them.
func Policies() []Policy {
	return []Policy{
		PolicyParticipants, PolicyMessages, PolicyRooms, PolicyArchived, PolicyUnverified, PolicyTokens, PolicySessions,
		PolicyInvitations, PolicyKeys, PolicyReports, PolicyEmails, PolicyOutbox, PolicyActivity, PolicyFiles,
	}
}

// MinPolicyAge is the least age of what a policy applies to, unless a setting allows less.
const MinPolicyAge = time.Hour

// MaxPolicyAge is a hundred years.
const MaxPolicyAge = 100 * 365 * 24 * time.Hour

// RunState is where a clean-up run stands.
type RunState string

const (
	RunQueued    RunState = "queued"
	RunRunning   RunState = "running"
	RunCompleted RunState = "completed"
	RunFailed    RunState = "failed" // at least one policy failed; the others were applied
	RunCancelled RunState = "cancelled"
)

// Trigger says what started a run.
type Trigger string

const (
	TriggerSchedule Trigger = "schedule"
	TriggerAdmin    Trigger = "admin"
)

// NewRun is what an admin asks a clean-up run to do.
type NewRun struct {
	Policies  []Policy
	DryRun    bool
	OlderThan time.Duration // in place of the policies' own ages; 0 leaves them
}

// CleanupRun is one application of policies.
type CleanupRun struct {
	ID          string
	Trigger     Trigger
	StartedBy   string // the admin's user ID; empty for the schedule
	Policies    []Policy
	DryRun      bool
	OlderThan   time.Duration // 0 for the policies' own ages
	State       RunState
	Policy      Policy              // the one that is applied now; empty before and after
	Counts      map[Policy]int64    // rows or files removed, archived for PolicyRooms; would be, in a dry run
	Samples     map[Policy][]string // IDs of some of what a dry run counted; of participants, a room's and a user's
	Errors      map[Policy]string   // what stopped a policy
	WorkflowID  string
	CreatedAt   time.Time
	StartedAt   time.Time
	CancelledAt time.Time // when it was told to stop
	FinishedAt  time.Time
}

// ErrRunEnded refuses to stop what has ended.
var ErrRunEnded = &Error{Kind: KindConflict, Code: "run_ended", Message: "The run has ended."}

// Kinds of reports.
const (
	CleanupReportKind  = "cleanup"
	ActivityReportKind = "activity"
)

// Report is a stored account of what happened.
type Report struct {
	ID          string
	Kind        string // CleanupReportKind or ActivityReportKind
	RunID       string // of a clean-up
	PeriodStart time.Time
	PeriodEnd   time.Time
	Data        []byte // JSON
	CreatedAt   time.Time
}
