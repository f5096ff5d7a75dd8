package job

import (
	"time"

	"github.com/watchparty/watchparty"
)

// Activity types, by the task queue on which they run.
const (
	// email
	ActivitySendEmail        = "SendMail"
	ActivityFailEmail        = "FailMail"
	ActivityQueueReminder    = "QueueReminder"
	ActivityExpireInvitation = "ExpireInvitation"

	ActivityReadParty         = "ReadParty"
	ActivityQueuePartyNotices = "QueuePartyNotices"
	ActivityArmParty          = "ArmParty"

	// avatar
	ActivityRenderAvatar = "RenderAvatar"

	// avatar-steps
	ActivityPublishAvatar      = "PublishAvatar"
	ActivityFailAvatar         = "FailAvatar"
	ActivityRemoveAvatarFiles  = "RemoveAvatarFiles"
	ActivityRemoveOriginal     = "RemoveOriginal"
	ActivityRemoveFormerAvatar = "RemoveFormerAvatar"

	// maintenance
	ActivityBeginCleanup  = "BeginCleanup"
	ActivityApplyPolicy   = "ApplyPolicy"
	ActivityFinishCleanup = "FinishCleanup"

	ActivityTally             = "TallyActivity"
	ActivityCreateReport      = "CreateActivityReport"
	ActivityQueueReportEmails = "QueueReportMails"

	ActivityRemoveAccountFiles = "RemoveAccountFiles"
	ActivityAnonymiseMessages  = "AnonymiseMessages"
	ActivityRemoveAccount      = "RemoveAccount"

	// webhooks
	ActivityDeliverWebhook = "DeliverWebhook"
	ActivityCancelDelivery = "CancelDelivery"
)

// Types of errors that a retry cannot mend.
const (
	ErrorEmailRejected  = "MailRejected"   // the server refuses the email, or may have it and has not confirmed it
	ErrorEmailExpired   = "MailExpired"    // no attempt handed the email to the server while it was of use
	ErrorAvatarRejected = "AvatarRejected" // the picture cannot be rendered; the details are a code and a reason
	ErrorNotFound       = "NotFound"       // the row is gone
	ErrorPeriodGone     = "PeriodGone"     // the records of who was active in the period are no longer kept
)

// ErrorRecipientLimit is the type of an error that later retries mend: the email waits, because its recipient has had
// too many.
const ErrorRecipientLimit = "RecipientLimit"

// Types of errors of attempts to deliver to a webhook, which later ones mend.
const (
	ErrorWebhookRefused = "WebhookRefused" // the receiver did not take the message
	ErrorWebhookBusy    = "WebhookBusy"    // as many deliveries to the webhook as allowed are under way
)

// QueueReminderResult names the reminder's email. It is empty when a reminder is of no use.
type QueueReminderResult struct {
	EmailID string `json:"email_id,omitempty"`
}

// ExpireInvitationResult is the state of the invitation.
type ExpireInvitationResult struct {
	State watchparty.InvitationState `json:"state"`
}

// FailAvatarInput ends an upload with a reason that its user can act on.
type FailAvatarInput struct {
	AvatarInput
	Reason string `json:"reason"`
}

// AvatarProgress says how far an upload is, and how many workers ended while they rendered it.
type AvatarProgress struct {
	Step    watchparty.AvatarStep `json:"step"`
	Crashes int                   `json:"crashes"`
}

// PublishResult says whether the upload is its user's avatar now.
type PublishResult struct {
	State watchparty.AvatarState `json:"state"`
	// KeepFormerSeconds is how long the files of the former avatar stay.
	KeepFormerSeconds int `json:"keep_former_s,omitempty"`
}

// BeginCleanupResult fixes the run's policies, and the time that each compares its rows with.
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
	Cancelled bool                         `json:"cancelled,omitempty"` // the workflow was cancelled in Temporal
}

// TallyResult counts the days whose figures were stored.
type TallyResult struct {
	Days int `json:"days"`
}

// CreateReportInput has the first and the last day of a report.
type CreateReportInput struct {
	Every watchparty.ReportPeriod `json:"every"`
	From  watchparty.Day          `json:"from"`
	To    watchparty.Day          `json:"to"`
}

// QueueReportEmailsInput names the report.
type QueueReportEmailsInput struct {
	ReportID string `json:"report_id"`
}
