// Package job is what the rest of the program knows of the workflows: their names, IDs, task queues, and the structs
// that go in and come out. It holds no workflow code, so that the API and the store can ask for work without
// importing what does it.
//
// Everything here ends up in histories that operators read: identifiers and counts only, no address, no name, no
// token, no message text.
package job

import (
	"fmt"

	"github.com/watchparty/watchparty"
)

// Event asks for one workflow; the outbox keeps it until it has been started.
type Event struct {
	WorkflowID string // unique for ever
	Workflow   string // the workflow's type
	TaskQueue  string
	Summary    string // one line for the Temporal UI, without personal data
	Input      any    // the workflow's only argument; identifiers and counts
}

// Task queues. Each has its own limits, so that a flood of one kind of work does not hold up another.
const (
	QueueEmail       = "email"
	QueueAvatar      = "avatar"
	QueueMaintenance = "maintenance"
)

// Queues are all of them.
func Queues() []string { return []string{QueueEmail, QueueAvatar, QueueMaintenance} }

// Workflow types.
const (
	WelcomeEmail  = "WelcomeEmail"
	ProcessAvatar = "ProcessAvatar"
	Cleanup       = "Cleanup"
)

// EmailInput names the mail's row.
type EmailInput struct {
	EmailID string `json:"email_id"`
}

// EmailResult says how it ended.
type EmailResult struct {
	State watchparty.MailState `json:"state"`
}

// WelcomeEmailID is the workflow's ID for a user.
func WelcomeEmailID(userID string) string { return "welcome-email/" + userID }

// StartWelcomeEmail asks for the mail that greets a user.
func StartWelcomeEmail(userID, emailID string) Event {
	return Event{
		WorkflowID: WelcomeEmailID(userID), Workflow: WelcomeEmail, TaskQueue: QueueEmail,
		Summary: "Welcome mail", Input: EmailInput{EmailID: emailID},
	}
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

// CleanupInput says what to clean up. A run that the schedule starts has no RunID and takes all policies.
type CleanupInput struct {
	RunID    string              `json:"run_id,omitempty"`
	Policies []watchparty.Policy `json:"policies,omitempty"`
	DryRun   bool                `json:"dry_run,omitempty"`
}

// CleanupResult is what was done.
type CleanupResult struct {
	RunID  string                      `json:"run_id"`
	Counts map[watchparty.Policy]int64 `json:"counts"`
	Failed []watchparty.Policy         `json:"failed,omitempty"`
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
