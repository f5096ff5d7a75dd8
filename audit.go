package watchparty

import "time"

// AuditEntry is an act of an admin, of an operator's command, or of the service itself.
type AuditEntry struct {
	ID         string
	Actor      Person // with the username at the time; zero for an operator's command and for the service
	Action     AuditAction
	TargetKind AuditKind
	TargetID   string
	Target     Person // an account that it was done to; zero for anything else, and when it is deleted
	Details    map[string]any
	Outcome    AuditOutcome
	CreatedAt  time.Time
}

// AuditOutcome says what became of an act. An act on the database is committed together with its entry. The entry of
// any other act is committed before the act.
type AuditOutcome string

const (
	AuditPending AuditOutcome = "pending" // in progress
	AuditDone    AuditOutcome = "done"
	AuditFailed  AuditOutcome = "failed"  // refused, so that nothing changed
	AuditUnknown AuditOutcome = "unknown" // no answer, or the process ended in the middle
)

// AuditPendingFor is how long an act may be pending. After that its outcome is unknown.
const AuditPendingFor = time.Minute

// AuditAction says what was done. The details of every act also have the admin's note, if there is one.
type AuditAction string

const (
	AuditUserSuspended      AuditAction = "user_suspended" // details: reason, hide_content
	AuditUserReinstated     AuditAction = "user_reinstated"
	AuditUserSessionsEnded  AuditAction = "user_sessions_ended"
	AuditUserSessionEnded   AuditAction = "user_session_ended" // details: session_id
	AuditAdminGranted       AuditAction = "admin_granted"
	AuditAdminRevoked       AuditAction = "admin_revoked"
	AuditMovieCreated       AuditAction = "movie_created"
	AuditMovieUpdated       AuditAction = "movie_updated"
	AuditMovieDeleted       AuditAction = "movie_deleted"   // details: title, year
	AuditCleanupStarted     AuditAction = "cleanup_started" // details: policies, dry_run, older_than
	AuditCleanupCancelled   AuditAction = "cleanup_cancelled"
	AuditRoomRestored       AuditAction = "room_restored"
	AuditRoomClosed         AuditAction = "room_closed"   // details: reason
	AuditRoomReopened       AuditAction = "room_reopened" // details: reason
	AuditPrivateRoomRead    AuditAction = "private_room_read"
	AuditMessageRemoved     AuditAction = "message_removed"       // details: reason, room_id
	AuditReportResolved     AuditAction = "abuse_report_resolved" // details: outcome
	AuditSchedulePaused     AuditAction = "schedule_paused"       // details of these: schedule, start, end
	AuditScheduleResumed    AuditAction = "schedule_resumed"
	AuditScheduleTriggered  AuditAction = "schedule_triggered"
	AuditScheduleBackfilled AuditAction = "schedule_backfilled"
	AuditEmailResent        AuditAction = "email_resent"    // details: kind, resend_of
	AuditEmailCancelled     AuditAction = "email_cancelled" // details: kind
	AuditJobCancelled       AuditAction = "job_cancelled"   // details of these: workflow_id, run_id, kind, batch
	AuditJobTerminated      AuditAction = "job_terminated"
	AuditJobRetried         AuditAction = "job_retried"
	AuditQueuePaused        AuditAction = "queue_paused" // details: queue
	AuditQueueResumed       AuditAction = "queue_resumed"
	AuditEventRequeued      AuditAction = "event_requeued" // details: workflow_id, state

	AuditWebhookCreated       AuditAction = "webhook_created" // details: kinds
	AuditWebhookUpdated       AuditAction = "webhook_updated" // details: fields
	AuditWebhookDeleted       AuditAction = "webhook_deleted"
	AuditWebhookSecretRotated AuditAction = "webhook_secret_rotated" // details: overlap_seconds
	AuditWebhookSwitchedOn    AuditAction = "webhook_switched_on"
	AuditWebhookSwitchedOff   AuditAction = "webhook_switched_off" // by an admin or the service; details: reason
	AuditWebhookTested        AuditAction = "webhook_tested"       // details: delivery_id
	AuditWebhookRedelivered   AuditAction = "webhook_redelivered"  // details: kind
	AuditWebhookReplayed      AuditAction = "webhook_replayed"     // details: since, queued
)

// AuditKind is the kind of thing that an act was done to.
type AuditKind string

const (
	AuditUser       AuditKind = "user"
	AuditMovie      AuditKind = "movie"
	AuditCleanupRun AuditKind = "cleanup_run"
	AuditRoom       AuditKind = "room"
	AuditMessage    AuditKind = "message"
	AuditReport     AuditKind = "abuse_report"
	AuditSchedule   AuditKind = "schedule" // by an ID that is derived from its name
	AuditEmail      AuditKind = "email"

	AuditJob         AuditKind = "job" // by an ID that is derived from its workflow's
	AuditQueuePause  AuditKind = "queue_pause"
	AuditOutboxEvent AuditKind = "outbox_event"

	AuditWebhook         AuditKind = "webhook"
	AuditWebhookDelivery AuditKind = "webhook_delivery"
)

// AuditFilter selects entries. Empty fields select all.
type AuditFilter struct {
	ActorID  string
	TargetID string
	Action   AuditAction
}
