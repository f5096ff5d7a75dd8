// Package job is what the rest of the program knows of the workflows: their names, IDs, task queues, and the structs
// that go in and come out. It holds no workflow code, so that the API and the store can ask for work without
// importing what does it.
//
// Everything here ends up in histories that operators read: identifiers and counts only, no address, no name, no
// token, no message text.
package job

import (
	"fmt"
	"time"

	"github.com/watchparty/watchparty"
)

// Event asks for one workflow, or tells one something; the outbox keeps it until Temporal has it.
type Event struct {
	WorkflowID string // unique for ever, with the signal
	Signal     string // the signal's name, without one the event is a start; a start's other fields go with it
	Workflow   string // the workflow's type
	TaskQueue  string
	Summary    string // one line for the Temporal UI, without personal data
	Input      any    // the workflow's only argument; identifiers and counts

	// Priority says which events and, in Temporal, which tasks of one queue go first: the lowest number. The workflow's
	// activities inherit it. Zero is PriorityNormal.
	Priority watchparty.EmailPriority
}

// Task queues. Each has its own limits, so that a flood of one kind of work does not hold up another.
const (
	QueueEmail       = "email"
	QueueAvatar      = "avatar"
	QueueMaintenance = "maintenance"

	// QueueAvatarSteps has the short steps of avatars, beside QueueAvatar and by the same workers: what is rendered is
	// published at once, and does not wait for the pictures that are still to be rendered.
	QueueAvatarSteps = "avatar-steps"
)

// Queues are the ones that a worker can be told to run.
func Queues() []string { return []string{QueueEmail, QueueAvatar, QueueMaintenance} }

// IDs of schedules.
const (
	CleanupSchedule       = "cleanup"
	WeeklyReportSchedule  = "activity-report-weekly"
	MonthlyReportSchedule = "activity-report-monthly"
)

// Schedules are the IDs of all that a worker keeps.
func Schedules() []string {
	return []string{CleanupSchedule, WeeklyReportSchedule, MonthlyReportSchedule}
}

// Workflow types.
const (
	WelcomeEmail       = "WelcomeEmail"
	VerificationEmail  = "VerificationEmail"
	PasswordResetEmail = "PasswordResetEmail"
	EmailChangedNotice = "EmailChangedNotice"
	ProcessAvatar      = "ProcessAvatar"
	Cleanup            = "Cleanup"
	DeleteAccount      = "DeleteAccount"
	RoomInvitation     = "RoomInvitation"
	Resend             = "Resend"
	ActivityReport     = "ActivityReport"
	ReportEmail        = "ReportEmail"

	PasswordChangedNotice = "PasswordChangedNotice"
)

// EmailInput names the mail's row.
type EmailInput struct {
	EmailID string `json:"email_id"`
}

// EmailResult says how it ended.
type EmailResult struct {
	State    watchparty.EmailState `json:"state"`
	Reminder watchparty.EmailState `json:"reminder,omitempty"` // how the mail ended that came after it, if one did
}

// Progress is the query that ProcessAvatar answers with an AvatarProgress and Cleanup with a CleanupProgress, running
// or ended.
const Progress = "progress"

// startEmail asks for an email of a kind, with the kind's priority.
func startEmail(kind watchparty.EmailKind, workflow, id, summary, emailID string) Event {
	rule, _ := kind.Rule()
	return Event{
		WorkflowID: id, Workflow: workflow, TaskQueue: QueueEmail, Summary: summary, Input: EmailInput{EmailID: emailID},
		Priority: rule.Priority,
	}
}

// WelcomeEmailID is the workflow's ID for a user.
func WelcomeEmailID(userID string) string { return "welcome-email/" + userID }

// StartWelcomeEmail asks for the mail that greets a user.
func StartWelcomeEmail(userID, emailID string) Event {
	return startEmail(watchparty.EmailWelcome, WelcomeEmail, WelcomeEmailID(userID), "Welcome mail", emailID)
}

// VerificationEmailID is the workflow's ID for a verification.
func VerificationEmailID(id string) string { return "email-verification/" + id }

// StartVerificationEmail asks for the mail with the link that confirms an address.
func StartVerificationEmail(id, emailID string) Event {
	return startEmail(watchparty.EmailVerification, VerificationEmail, VerificationEmailID(id), "Mail that confirms an address", emailID)
}

// PasswordResetID is the workflow's ID for a reset.
func PasswordResetID(id string) string { return "password-reset/" + id }

// StartPasswordReset asks for the mail with the link that sets a new password.
func StartPasswordReset(id, emailID string) Event {
	return startEmail(watchparty.EmailReset, PasswordResetEmail, PasswordResetID(id), "Password reset mail", emailID)
}

// PasswordChangedID is the workflow's ID for a change of a password.
func PasswordChangedID(id string) string { return "password-changed/" + id }

// StartPasswordChanged asks for the notice that a password was changed.
func StartPasswordChanged(id, emailID string) Event {
	return startEmail(watchparty.EmailPasswordChanged, PasswordChangedNotice, PasswordChangedID(id), "Notice of a new password", emailID)
}

// EmailChangedID is the workflow's ID for the verification that changed an address.
func EmailChangedID(id string) string { return "email-changed/" + id }

// StartEmailChanged asks for the notice to the address that was replaced.
func StartEmailChanged(id, emailID string) Event {
	return startEmail(watchparty.EmailAddressChanged, EmailChangedNotice, EmailChangedID(id), "Notice to a former address", emailID)
}

// StartResend asks for a mail that an admin sends again, and waits for, whatever its kind.
func StartResend(emailID string) Event {
	return Event{
		WorkflowID: ResendID(emailID), Workflow: Resend, TaskQueue: QueueEmail,
		Summary: "Mail that an admin sends again", Input: EmailInput{EmailID: emailID}, Priority: watchparty.PriorityAwaited,
	}
}

// ResendID is the workflow's ID for the row of a mail that is sent again.
func ResendID(emailID string) string { return "resend/" + emailID }

// ReportEmailID is the workflow's ID for one recipient of a report.
func ReportEmailID(id string) string { return "activity-report-email/" + id }

// StartReportEmail asks for the mail with an activity report.
func StartReportEmail(id, emailID string) Event {
	return startEmail(watchparty.EmailActivityReport, ReportEmail, ReportEmailID(id), "Activity report mail", emailID)
}

// ReportInput says what period a report is of: the latest that was over at a time, or when the schedule started it.
type ReportInput struct {
	Every watchparty.ReportPeriod `json:"every"`
	At    time.Time               `json:"at,omitzero"` // of a report that is made up for
}

// MissingReportID is the workflow's ID for a report that is made up for, by its first day.
func MissingReportID(every watchparty.ReportPeriod, from watchparty.Day) string {
	return fmt.Sprintf("activity-report/%s/%s", every, from)
}

// ReportResult names the report.
type ReportResult struct {
	ReportID string `json:"report_id"`
	Mails    int    `json:"mails"` // that were queued
}

// AccountInput names an account.
type AccountInput struct {
	UserID string `json:"user_id"`
}

// AccountResult counts what a deletion did.
type AccountResult struct {
	Messages int `json:"messages"` // made anonymous; fewer than all when a worker ended between a batch and its heartbeat
}

// StartAccountDeletion asks for the end of what a deleted account has left: files, its name on messages, its row.
func StartAccountDeletion(userID string) Event {
	return Event{
		WorkflowID: "account-deletion/" + userID, Workflow: DeleteAccount, TaskQueue: QueueMaintenance,
		Summary: "Deletion of an account", Input: AccountInput{UserID: userID},
	}
}

// RepeatAccountDeletion asks for it again, for the nth time.
func RepeatAccountDeletion(userID string, n int) Event {
	e := StartAccountDeletion(userID)
	e.WorkflowID = fmt.Sprintf("%s/%d", e.WorkflowID, n)
	return e
}

// RoomInvitationInput names an invitation and the mail that brings it.
type RoomInvitationInput struct {
	InvitationID string    `json:"invitation_id"`
	EmailID      string    `json:"email_id"`
	ExpiresAt    time.Time `json:"expires_at"`
}

// RoomInvitationResult says how it ended.
type RoomInvitationResult struct {
	State    watchparty.InvitationState `json:"state,omitempty"` // empty when the invitation is gone
	Reminder watchparty.EmailState      `json:"reminder,omitempty"`
}

// RoomInvitationID is the workflow's ID for an invitation.
func RoomInvitationID(invitationID string) string { return "room-invitation/" + invitationID }

// StartRoomInvitation asks for an invitation to be brought, and for what follows until it ends.
func StartRoomInvitation(in RoomInvitationInput) Event {
	e := startEmail(watchparty.EmailRoomInvitation, RoomInvitation, RoomInvitationID(in.InvitationID), "Room invitation", in.EmailID)
	e.Input = in
	return e
}

// InvitationAnswers are what ends an invitation before its time. Each is the name of a signal.
func InvitationAnswers() []watchparty.InvitationState {
	return []watchparty.InvitationState{watchparty.InvitationAccepted, watchparty.InvitationDeclined, watchparty.InvitationRevoked}
}

// AnswerRoomInvitation tells an invitation's workflow what became of it.
func AnswerRoomInvitation(in RoomInvitationInput, answer watchparty.InvitationState) Event {
	e := StartRoomInvitation(in)
	e.Signal = string(answer)
	return e
}

// AvatarInput names one upload.
type AvatarInput struct {
	UserID  string `json:"user_id"`
	Version int    `json:"version"`
}

// StartAvatarRemoval asks for the files of a published upload to be removed, after its row was marked as superseded: to
// process it again is to find that out, and to leave nothing of it.
func StartAvatarRemoval(in AvatarInput) Event {
	e := StartAvatar(in)
	e.WorkflowID += "/removal"
	e.Summary = fmt.Sprintf("Removal of avatar version %d", in.Version)
	return e
}

// AvatarResult says how it ended.
type AvatarResult struct {
	State  watchparty.AvatarState `json:"state"`
	Reason string                 `json:"reason,omitempty"` // a code, when failed
}

// StartAvatar asks for an upload to be rendered and published.
func StartAvatar(in AvatarInput) Event {
	return Event{
		WorkflowID: fmt.Sprintf("avatar/%s/%d", in.UserID, in.Version), Workflow: ProcessAvatar, TaskQueue: QueueAvatar,
		Summary: fmt.Sprintf("Avatar version %d", in.Version), Input: in,
	}
}

// CleanupInput says what to clean up. A run that the schedule starts has no RunID and takes all policies that are on.
type CleanupInput struct {
	RunID     string              `json:"run_id,omitempty"`
	Policies  []watchparty.Policy `json:"policies,omitempty"`
	DryRun    bool                `json:"dry_run,omitempty"`
	OlderThan int64               `json:"older_than_s,omitempty"` // seconds, in place of the policies' own ages
}

// CleanupResult is what was done.
type CleanupResult struct {
	RunID  string                      `json:"run_id"`
	Counts map[watchparty.Policy]int64 `json:"counts"`
	Failed []watchparty.Policy         `json:"failed,omitempty"`
}

// CleanupProgress is how far a run is. How much it has removed is in its row.
type CleanupProgress struct {
	Policy watchparty.Policy   `json:"policy,omitempty"` // the one that is applied now
	Done   []watchparty.Policy `json:"done,omitempty"`
	Failed []watchparty.Policy `json:"failed,omitempty"`
}

// CleanupID is the workflow's ID for a run.
func CleanupID(runID string) string { return "cleanup/" + runID }

// StartCleanup asks for a run.
func StartCleanup(in CleanupInput) Event {
	return Event{
		WorkflowID: CleanupID(in.RunID), Workflow: Cleanup, TaskQueue: QueueMaintenance,
		Summary: "Clean-up on demand", Input: in,
	}
}
