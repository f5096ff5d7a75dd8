package watchparty

import "time"

// Policy names a rule of the clean-up.
type Policy string

const (
	PolicyParticipants Policy = "inactive_participants"
	PolicyMessages     Policy = "old_messages"
	PolicyRooms        Policy = "inactive_rooms"      // archives them
	PolicyArchived     Policy = "archived_rooms"      // deletes rooms that clean-up archived or their hosts deleted
	PolicyUnverified   Policy = "unverified_accounts" // accounts that were never confirmed and not used
	PolicyTokens       Policy = "expired_tokens"      // of verifications and password resets
	PolicySessions     Policy = "ended_sessions"
	PolicyInvitations  Policy = "ended_invitations"
	PolicyParties      Policy = "past_parties" // with their answers
	PolicyKeys         Policy = "idempotency_keys"
	PolicyReports      Policy = "resolved_reports"       // reports of abuse, with the copied content
	PolicyEmails       Policy = "old_emails"             // the state of emails, with their attempts
	PolicyWebhooks     Policy = "old_webhook_deliveries" // the history of webhooks, and webhooks that were removed
	PolicyOutbox       Policy = "started_events"
	PolicyActivity     Policy = "old_activity"   // which account was active on which day, and in which room when
	PolicyFiles        Policy = "orphaned_files" // files whose upload was never committed
)

// Policies lists all policies, in the order in which a run applies them.
func Policies() []Policy {
	return []Policy{
		PolicyParticipants,
		PolicyMessages,
		PolicyRooms,
		PolicyArchived,
		PolicyUnverified,
		PolicyTokens,
		PolicySessions,
		PolicyInvitations,
		PolicyParties,
		PolicyKeys,
		PolicyReports,
		PolicyEmails,
		PolicyWebhooks,
		PolicyOutbox,
		PolicyActivity,
		PolicyFiles,
	}
}

// MinPolicyAge is the smallest age in a policy, unless a setting allows less.
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

// NewRun is a clean-up run to be started by an admin.
type NewRun struct {
	Policies  []Policy
	DryRun    bool
	OlderThan time.Duration // replaces the policies' own ages; 0 keeps them
}

// CleanupRun is a run of the clean-up, which applies policies.
type CleanupRun struct {
	ID          string
	Trigger     Trigger
	StartedBy   Person // the admin; zero for the schedule, and when the account is deleted
	Policies    []Policy
	DryRun      bool
	OlderThan   time.Duration // 0 for the policies' own ages
	State       RunState
	Policy      Policy              // the policy that is applied now; empty before and after
	Counts      map[Policy]int64    // rows or files removed (rooms archived), or what a dry run counted
	Samples     map[Policy][]string // IDs of some of what a dry run counted; of participants, the room's and the user's
	Errors      map[Policy]string   // why a policy stopped
	WorkflowID  string
	CreatedAt   time.Time
	StartedAt   time.Time
	CancelledAt time.Time // when an admin cancelled it
	FinishedAt  time.Time
}

// ErrRunEnded refuses to cancel a run that has ended.
var ErrRunEnded = &Error{Kind: KindConflict, Code: "run_ended", Message: "The run has ended."}
