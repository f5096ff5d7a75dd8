package watchparty

import "time"

// Delay is late work of one kind: how many things are late, and since when.
type Delay struct {
	What     DelayKind
	Count    int
	OldestAt time.Time
}

// DelayKind is a kind of late work.
type DelayKind string

// Kinds of late work. Work that waits on purpose is not late: a reminder, an email to a recipient who has had too many,
// or a queue that an admin has paused.
const (
	DelayEvents    DelayKind = "events"    // outbox events that Temporal does not accept
	DelayEmails    DelayKind = "emails"    // emails whose attempt is due
	DelayRefused   DelayKind = "refused"   // emails that the mail server has refused more than ten times
	DelayAvatars   DelayKind = "avatars"   // uploads that are not rendered
	DelayRuns      DelayKind = "runs"      // clean-up runs that do not begin, or make no progress
	DelayDeletions DelayKind = "deletions" // deleted accounts whose data is still there
	DelayWebhooks  DelayKind = "webhooks"  // webhooks that were switched off because they failed
)

// Throughput counts what ended in a span of time.
type Throughput struct {
	From              time.Time
	EmailsSent        int
	EmailsFailed      int
	AvatarsReady      int
	AvatarsFailed     int
	CleanupsCompleted int // runs
	CleanupsFailed    int
	JobsStarted       int
}
