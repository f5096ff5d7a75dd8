// Package job is what the rest of the program knows of the workflows: their names, IDs, task queues, and the structs
// that go in and come out. It holds no workflow code, so that the API and the store can ask for work without
// importing the code that does it.
//
// Everything here ends up in histories that operators read: identifiers and counts only, no address, no name, no
// token, no message text.
//
// The strings of the constants, and the JSON names of the fields, are in the histories of workflows that run now, and
// in events of the outbox. A Go name can change at any time; such a string cannot.
package job

import (
	"fmt"
	"time"

	"github.com/watchparty/watchparty"
)

// Event asks Temporal to start a workflow or, with a Signal, to signal one. The outbox keeps it until Temporal has it.
type Event struct {
	WorkflowID string // with the signal, unique for ever
	Signal     string // the signal's name; empty for a start. A signal starts its workflow if it does not run yet.
	Workflow   string // the workflow's type
	TaskQueue  string
	Summary    string // one line for the Temporal UI, without personal data
	Input      any    // the workflow's only argument; identifiers and counts

	// UserID and RoomID are the account and the room of the work, by which operators find it. They may be empty.
	UserID, RoomID string

	// Priority orders the outbox's events and, in Temporal, the tasks of one queue: the lowest number goes first. The
	// workflow's activities inherit it. Zero is PriorityNormal.
	Priority watchparty.Priority
}

// Task queues. Each has its own limits, so that a flood of one kind of work does not hold up another.
const (
	TaskQueueEmail       = "email"
	TaskQueueAvatar      = "avatar"
	TaskQueueMaintenance = "maintenance"
	TaskQueueWebhooks    = "webhooks"

	// TaskQueueAvatarSteps has the short steps of avatars. The workers of TaskQueueAvatar serve it too. A rendered
	// picture is thus published at once, and does not wait for pictures that are still to be rendered.
	TaskQueueAvatarSteps = "avatar-steps"
)

// AllTaskQueues returns all queues.
func AllTaskQueues() []string {
	return []string{TaskQueueEmail, TaskQueueAvatar, TaskQueueAvatarSteps, TaskQueueMaintenance, TaskQueueWebhooks}
}

// ServableTaskQueues returns the queues that a worker can be told to serve. Workers of TaskQueueAvatar serve
// TaskQueueAvatarSteps by themselves.
func ServableTaskQueues() []string {
	return []string{TaskQueueEmail, TaskQueueAvatar, TaskQueueMaintenance, TaskQueueWebhooks}
}

// Search attributes of workflows (keywords), by which operators find them: identifiers only, since operators read them.
const (
	AttributeUser = "WatchpartyUserId"
	AttributeRoom = "WatchpartyRoomId"
)

// IDs of schedules.
const (
	ScheduleCleanup       = "cleanup"
	ScheduleWeeklyReport  = "activity-report-weekly"
	ScheduleMonthlyReport = "activity-report-monthly"
)

// ScheduleIDs returns the IDs of all schedules that workers keep.
func ScheduleIDs() []string {
	return []string{ScheduleCleanup, ScheduleWeeklyReport, ScheduleMonthlyReport}
}

// Workflow types.
const (
	WorkflowWelcomeEmail          = "WelcomeEmail"
	WorkflowVerificationEmail     = "VerificationEmail"
	WorkflowPasswordResetEmail    = "PasswordResetEmail"
	WorkflowPasswordChangedNotice = "PasswordChangedNotice"
	WorkflowEmailChangedNotice    = "EmailChangedNotice"
	WorkflowRoomInvitation        = "RoomInvitation"
	WorkflowReportEmail           = "ReportEmail"
	WorkflowResend                = "Resend"
	WorkflowProcessAvatar         = "ProcessAvatar"
	WorkflowCleanup               = "Cleanup"
	WorkflowDeleteAccount         = "DeleteAccount"
	WorkflowActivityReport        = "ActivityReport"
	WorkflowWebhookDelivery       = "WebhookDelivery"
	WorkflowScheduledParty        = "ScheduledParty"
	WorkflowPartyEmail            = "PartyEmail"
)

// WorkflowTypes returns all types of workflows.
func WorkflowTypes() []string {
	return []string{
		WorkflowWelcomeEmail, WorkflowVerificationEmail, WorkflowPasswordResetEmail, WorkflowPasswordChangedNotice,
		WorkflowEmailChangedNotice, WorkflowRoomInvitation, WorkflowReportEmail, WorkflowResend, WorkflowProcessAvatar,
		WorkflowCleanup, WorkflowDeleteAccount, WorkflowActivityReport, WorkflowWebhookDelivery,
		WorkflowScheduledParty, WorkflowPartyEmail,
	}
}

// About returns the event with the account and the room that it is about.
func (e Event) About(userID, roomID string) Event {
	e.UserID, e.RoomID = userID, roomID
	return e
}

// QueryProgress is the query that ProcessAvatar answers with an AvatarProgress and Cleanup with a CleanupProgress,
// while they run and afterwards.
const QueryProgress = "progress"

// EmailInput names the email's row.
type EmailInput struct {
	EmailID string `json:"email_id"`
}

// EmailResult is the state in which the email ended.
type EmailResult struct {
	State    watchparty.EmailState `json:"state"`
	Reminder watchparty.EmailState `json:"reminder,omitempty"` // the state in which its reminder ended, if there was one
}

// emailEvent asks for an email of a kind, with the kind's priority.
func emailEvent(kind watchparty.EmailKind, workflow, id, summary, emailID string) Event {
	rule, _ := kind.Rule()
	return Event{
		WorkflowID: id, Workflow: workflow, TaskQueue: TaskQueueEmail, Summary: summary,
		Input: EmailInput{EmailID: emailID}, Priority: rule.Priority,
	}
}

// WelcomeEmailID is the workflow's ID for a user.
func WelcomeEmailID(userID string) string { return "welcome-email/" + userID }

// WelcomeEmailEvent asks for the email that welcomes a user.
func WelcomeEmailEvent(userID, emailID string) Event {
	return emailEvent(watchparty.EmailWelcome, WorkflowWelcomeEmail, WelcomeEmailID(userID), "Welcome email", emailID)
}

// SignalConfirmed is the signal that the account's address is confirmed, so that it needs no reminder.
const SignalConfirmed = "confirmed"

// AddressConfirmedEvent ends the wait of the workflow that welcomes a user.
func AddressConfirmedEvent(userID, emailID string) Event {
	e := WelcomeEmailEvent(userID, emailID).About(userID, "")
	e.Signal = SignalConfirmed
	return e
}

// VerificationEmailID is the workflow's ID for a verification.
func VerificationEmailID(id string) string { return "email-verification/" + id }

// VerificationEmailEvent asks for the email with the link that confirms an address.
func VerificationEmailEvent(id, emailID string) Event {
	return emailEvent(watchparty.EmailVerification, WorkflowVerificationEmail, VerificationEmailID(id),
		"Email that confirms an address", emailID)
}

// PasswordResetID is the workflow's ID for a reset.
func PasswordResetID(id string) string { return "password-reset/" + id }

// PasswordResetEvent asks for the email with the link that sets a new password.
func PasswordResetEvent(id, emailID string) Event {
	return emailEvent(
		watchparty.EmailReset, WorkflowPasswordResetEmail, PasswordResetID(id), "Password reset email", emailID,
	)
}

// PasswordChangedID is the workflow's ID for a change of a password.
func PasswordChangedID(id string) string { return "password-changed/" + id }

// PasswordChangedEvent asks for the notice that a password was changed.
func PasswordChangedEvent(id, emailID string) Event {
	return emailEvent(watchparty.EmailPasswordChanged, WorkflowPasswordChangedNotice, PasswordChangedID(id),
		"Notice of a new password", emailID)
}

// EmailChangedID is the workflow's ID for the verification that changed an address.
func EmailChangedID(id string) string { return "email-changed/" + id }

// EmailChangedEvent asks for the notice to the address that was replaced.
func EmailChangedEvent(id, emailID string) Event {
	return emailEvent(watchparty.EmailAddressChanged, WorkflowEmailChangedNotice, EmailChangedID(id),
		"Notice to a former address", emailID)
}

// ResendID is the workflow's ID for the row of an email that is sent again.
func ResendID(emailID string) string { return "resend/" + emailID }

// ResendEvent asks for an email that an admin sends again. It has the priority of an email that a person waits for,
// whatever its kind.
func ResendEvent(emailID string) Event {
	return Event{
		WorkflowID: ResendID(emailID), Workflow: WorkflowResend, TaskQueue: TaskQueueEmail,
		Summary: "Email that an admin sends again", Input: EmailInput{EmailID: emailID}, Priority: watchparty.PriorityAwaited,
	}
}

// ReportEmailID is the workflow's ID for one recipient of a report.
func ReportEmailID(id string) string { return "activity-report-email/" + id }

// ReportEmailEvent asks for the email with an activity report.
func ReportEmailEvent(id, emailID string) Event {
	return emailEvent(
		watchparty.EmailActivityReport, WorkflowReportEmail, ReportEmailID(id), "Activity report email", emailID,
	)
}

// ReportInput chooses the period of a report: the latest one that was over at a time. Without At it is the time at
// which the schedule meant to start the workflow.
type ReportInput struct {
	Every watchparty.ReportPeriod `json:"every"`
	At    time.Time               `json:"at,omitzero"` // set when a missing report is made later
}

// MissingReportID is the workflow's ID for a report that its schedule has missed, by the report's first day.
func MissingReportID(every watchparty.ReportPeriod, from watchparty.Day) string {
	return fmt.Sprintf("activity-report/%s/%s", every, from)
}

// ReportResult names the report.
type ReportResult struct {
	ReportID string `json:"report_id"`
	Emails   int    `json:"mails"` // the number of emails that were queued
}

// AccountInput names an account.
type AccountInput struct {
	UserID string `json:"user_id"`
}

// AccountResult counts what a deletion did.
type AccountResult struct {
	// Messages is the number of messages that were made anonymous. It is too low when a worker ended between a batch
	// and the batch's heartbeat.
	Messages int `json:"messages"`
}

// AccountDeletionEvent asks for the removal of what a deleted account has left: its files, its name on messages, its
// row.
func AccountDeletionEvent(userID string) Event {
	return Event{
		WorkflowID: "account-deletion/" + userID, Workflow: WorkflowDeleteAccount, TaskQueue: TaskQueueMaintenance,
		Summary: "Deletion of an account", Input: AccountInput{UserID: userID}, UserID: userID,
	}
}

// RepeatedAccountDeletionEvent asks for the nth repetition of the removal, under a workflow ID of its own.
func RepeatedAccountDeletionEvent(userID string, n int) Event {
	e := AccountDeletionEvent(userID)
	e.WorkflowID = fmt.Sprintf("%s/%d", e.WorkflowID, n)
	return e
}

// RoomInvitationInput names an invitation and the email that carries it.
type RoomInvitationInput struct {
	InvitationID string    `json:"invitation_id"`
	EmailID      string    `json:"email_id"`
	ExpiresAt    time.Time `json:"expires_at"`
}

// RoomInvitationResult is the state in which the invitation ended.
type RoomInvitationResult struct {
	State    watchparty.InvitationState `json:"state,omitempty"` // empty when the invitation's row is gone
	Reminder watchparty.EmailState      `json:"reminder,omitempty"`
}

// RoomInvitationID is the workflow's ID for an invitation.
func RoomInvitationID(invitationID string) string { return "room-invitation/" + invitationID }

// RoomInvitationEvent asks for the workflow that sends an invitation and lives until the invitation ends.
func RoomInvitationEvent(in RoomInvitationInput) Event {
	e := emailEvent(watchparty.EmailRoomInvitation, WorkflowRoomInvitation, RoomInvitationID(in.InvitationID),
		"Room invitation", in.EmailID)
	e.Input = in
	return e
}

// InvitationAnswers returns the states that end an invitation before it expires. Each is the name of a signal.
func InvitationAnswers() []watchparty.InvitationState {
	return []watchparty.InvitationState{
		watchparty.InvitationAccepted, watchparty.InvitationDeclined, watchparty.InvitationRevoked,
	}
}

// InvitationAnswerEvent signals to an invitation's workflow how the invitation has ended.
func InvitationAnswerEvent(in RoomInvitationInput, answer watchparty.InvitationState) Event {
	e := RoomInvitationEvent(in)
	e.Signal = string(answer)
	return e
}

// AvatarInput names one upload.
type AvatarInput struct {
	UserID  string `json:"user_id"`
	Version int    `json:"version"`
}

// AvatarEvent asks for an upload to be rendered and published.
func AvatarEvent(in AvatarInput) Event {
	return Event{
		WorkflowID: fmt.Sprintf("avatar/%s/%d", in.UserID, in.Version), Workflow: WorkflowProcessAvatar,
		TaskQueue: TaskQueueAvatar, Summary: fmt.Sprintf("Avatar version %d", in.Version), Input: in, UserID: in.UserID,
	}
}

// AvatarRemovalEvent asks for the removal of a published upload's files, after its row was marked as superseded. It
// starts ProcessAvatar once more: that finds the row superseded, and removes the files of a superseded upload.
func AvatarRemovalEvent(in AvatarInput) Event {
	e := AvatarEvent(in)
	e.WorkflowID += "/removal"
	e.Summary = fmt.Sprintf("Removal of avatar version %d", in.Version)
	return e
}

// AvatarResult is the state in which the upload ended.
type AvatarResult struct {
	State  watchparty.AvatarState `json:"state"`
	Reason string                 `json:"reason,omitempty"` // a code, when it failed
}

// CleanupInput says what to clean up. A run that the schedule starts has no RunID, and applies all policies that are
// on.
type CleanupInput struct {
	RunID     string              `json:"run_id,omitempty"`
	Policies  []watchparty.Policy `json:"policies,omitempty"`
	DryRun    bool                `json:"dry_run,omitempty"`
	OlderThan int64               `json:"older_than_s,omitempty"` // seconds, in place of the policies' own ages
}

// CleanupResult is what a run did.
type CleanupResult struct {
	RunID  string                      `json:"run_id"`
	Counts map[watchparty.Policy]int64 `json:"counts"`
	Failed []watchparty.Policy         `json:"failed,omitempty"`
}

// CleanupProgress says how far a run is. The number of removed rows is in the run's row.
type CleanupProgress struct {
	Policy watchparty.Policy   `json:"policy,omitempty"` // the policy that is applied now
	Done   []watchparty.Policy `json:"done,omitempty"`
	Failed []watchparty.Policy `json:"failed,omitempty"`
}

// CleanupID is the workflow's ID for a run.
func CleanupID(runID string) string { return "cleanup/" + runID }

// CleanupEvent asks for a run.
func CleanupEvent(in CleanupInput) Event {
	return Event{
		WorkflowID: CleanupID(in.RunID), Workflow: WorkflowCleanup, TaskQueue: TaskQueueMaintenance,
		Summary: "Clean-up on demand", Input: in,
	}
}

// WebhookInput names a delivery to a webhook. Round counts how often the delivery was begun.
type WebhookInput struct {
	DeliveryID string `json:"delivery_id"`
	Round      int    `json:"round"`
}

// WebhookResult is the state in which the delivery ended.
type WebhookResult struct {
	State    watchparty.WebhookState `json:"state"`
	Attempts int                     `json:"attempts"`
}

// WebhookDeliveryPrefix begins the IDs of the workflows that deliver.
const WebhookDeliveryPrefix = "webhook-delivery/"

// WebhookDeliveryID is the workflow's ID for one round of a delivery.
func WebhookDeliveryID(deliveryID string, round int) string {
	return fmt.Sprintf("%s%s/%d", WebhookDeliveryPrefix, deliveryID, round)
}

// WebhookDeliveryEvent asks for a delivery to a webhook. People's emails go first.
func WebhookDeliveryEvent(deliveryID string, round int) Event {
	return Event{
		WorkflowID: WebhookDeliveryID(deliveryID, round), Workflow: WorkflowWebhookDelivery, TaskQueue: TaskQueueWebhooks,
		Summary: "Delivery to a webhook", Input: WebhookInput{DeliveryID: deliveryID, Round: round},
		Priority: watchparty.PriorityBackground,
	}
}

// WebhookPauses returns the pauses between the attempts of a delivery: three days in all.
func WebhookPauses() []time.Duration {
	return []time.Duration{
		5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour,
		14 * time.Hour, 20 * time.Hour, 20 * time.Hour,
	}
}
