package watchparty

// Errors of the operations of admins on jobs.
var (
	ErrJobEnded = &Error{Kind: KindConflict, Code: "job_ended", Message: "The job has ended."}
	// ErrJobExpired is for a job whose event the outbox has, and that Temporal has removed.
	ErrJobExpired = &Error{Kind: KindNotFound, Code: "job_expired",
		Message: "Temporal has removed the job: its retention is over."}
	ErrJobNotStarted = &Error{Kind: KindConflict, Code: "job_not_started",
		Message: "Temporal does not have the job yet: its event waits in the outbox."}
	ErrNothingToRetry = &Error{Kind: KindConflict, Code: "nothing_to_retry",
		Message: "The job cannot be retried: it succeeded, or it is still running."}
	ErrQueuePaused = &Error{Kind: KindConflict, Code: "queue_paused",
		Message: "The job's task queue is paused. Resume it first."}
	ErrJobsChanged = &Error{Kind: KindConflict, Code: "jobs_changed",
		Message: "The number of matching jobs has changed. Count them again."}
	ErrEventStarted = &Error{Kind: KindConflict, Code: "event_started", Message: "Temporal has received the event."}
)
