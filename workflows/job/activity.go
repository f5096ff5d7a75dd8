package job

import (
	"time"

	"github.com/watchparty/watchparty"
)

// Activity types, by the task queue on which they run.
const (
	// email
	SendMail         = "SendMail"
	FailMail         = "FailMail"
	QueueReminder    = "QueueReminder"
	ExpireInvitation = "ExpireInvitation"

	// avatar
	RenderAvatar = "RenderAvatar"

	// avatar-steps
	PublishAvatar      = "PublishAvatar"
	FailAvatar         = "FailAvatar"
	RemoveAvatarFiles  = "RemoveAvatarFiles"
	RemoveOriginal     = "RemoveOriginal"
	RemoveFormerAvatar = "RemoveFormerAvatar"

	// maintenance
	BeginCleanup  = "BeginCleanup"
	ApplyPolicy   = "ApplyPolicy"
	FinishCleanup = "FinishCleanup"

	TallyActivity        = "TallyActivity"
	CreateActivityReport = "CreateActivityReport"
	QueueReportMails     = "QueueReportMails"

	RemoveAccountFiles = "RemoveAccountFiles"
	AnonymiseMessages  = "AnonymiseMessages"
	RemoveAccount      = "RemoveAccount"
)

// Types of errors that no retry mends.
const (
	ErrorMailRejected   = "MailRejected"   // the server refuses it, or may have it and does not say so
	ErrorMailExpired    = "MailExpired"    // no attempt got it to the server while it was of use
	ErrorAvatarRejected = "AvatarRejected" // the picture cannot be rendered; its details are a code and a reason
	ErrorNotFound       = "NotFound"       // the row is gone
	ErrorPeriodGone     = "PeriodGone"     // it is not kept any more who was active then
)

// ErrorRecipientLimit is the type of an error that ends by itself: the mail waits, because its recipient has had too
// many.
const ErrorRecipientLimit = "RecipientLimit"

// QueueReminderResult names the mail; it is empty when there is nothing to remember somebody of.
type QueueReminderResult struct {
	EmailID string `json:"email_id,omitempty"`
}

// ExpireInvitationResult is what the invitation's state is.
type ExpireInvitationResult struct {
	State watchparty.InvitationState `json:"state"`
}

// FailAvatarInput ends an upload with a reason that its user can act on.
type FailAvatarInput struct {
	AvatarInput
	Reason string `json:"reason"`
}

// AvatarProgress is the answer to the query of that name: how far an upload is, and how many workers ended over it.
type AvatarProgress struct {
	Step    watchparty.AvatarStep `json:"step"`
	Crashes int                   `json:"crashes"`
}

// PublishResult says whether the upload is its user's avatar now.
type PublishResult struct {
	State             watchparty.AvatarState `json:"state"`
	KeepFormerSeconds int                    `json:"keep_former_s,omitempty"` // before the former avatar's files are removed
}

// BeginCleanupResult fixes what the run's policies compare with.
type BeginCleanupResult struct {
	Policies   []watchparty.Policy             `json:"policies"`
	Thresholds map[watchparty.Policy]time.Time `json:"thresholds"`
}

// ApplyPolicyInput is one policy of a run.
type ApplyPolicyInput struct {
	RunID     string            `json:"run_id"`
	Policy    watchparty.Policy `json:"policy"`
	Threshold time.Time         `json:"threshold"`
	DryRun    bool              `json:"dry_run,omitempty"`
}

// FinishCleanupInput ends a run.
type FinishCleanupInput struct {
	RunID     string                       `json:"run_id"`
	Failed    map[watchparty.Policy]string `json:"failed,omitempty"`
	Cancelled bool                         `json:"cancelled,omitempty"` // in Temporal
}

// TallyResult counts the days whose figures were stored.
type TallyResult struct {
	Days int `json:"days"`
}

// CreateReportInput is the first and the last day of a report.
type CreateReportInput struct {
	Every watchparty.ReportPeriod `json:"every"`
	From  watchparty.Day          `json:"from"`
	To    watchparty.Day          `json:"to"`
}

// QueueReportMailsInput names the report.
type QueueReportMailsInput struct {
	ReportID string `json:"report_id"`
}
