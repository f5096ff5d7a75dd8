package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// patient is for steps that need only the database, Redis or the bucket: those come back, so it never gives up.
var patient = workflow.ActivityOptions{
	StartToCloseTimeout: 30 * time.Second,
	RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
}

// mailing retries from 5 s, doubling to 10 min, for about 24 h: 7 attempts reach the longest pause after 11 minutes,
// and 143 more take a day. It counts attempts rather than hours, since a mail that waited for a worker has not been
// tried.
var mailing = workflow.ActivityOptions{
	StartToCloseTimeout: 60 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute, MaximumAttempts: 150,
	},
}

// resetMailing retries for as long as a reset's token lives: after that its mail is of no use.
var resetMailing = workflow.ActivityOptions{
	ScheduleToCloseTimeout: watchparty.ResetTTL,
	StartToCloseTimeout:    60 * time.Second,
	RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 2 * time.Minute},
}

// Temporal's names for time-outs where a retry policy excludes them.
const (
	heartbeatTimeout    = "TemporalTimeout:Heartbeat"
	startToCloseTimeout = "TemporalTimeout:StartToClose"
)

// rendering waits for a database or bucket that is away, but not for a worker that ended in the middle: that may be
// the picture's doing, and is counted by the workflow.
var rendering = workflow.ActivityOptions{
	StartToCloseTimeout: 2 * time.Minute,
	HeartbeatTimeout:    10 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		NonRetryableErrorTypes: []string{heartbeatTimeout, startToCloseTimeout},
	},
}

// cleaning gives one policy ten attempts; the run goes on with the next policy after that.
var cleaning = workflow.ActivityOptions{
	StartToCloseTimeout: 2 * time.Hour,
	HeartbeatTimeout:    30 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute, MaximumAttempts: 10,
	},
}

// erasing never gives up: what a deletion has promised has to happen.
var erasing = workflow.ActivityOptions{
	StartToCloseTimeout: 2 * time.Hour,
	HeartbeatTimeout:    30 * time.Second,
	RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
}

// publishing is for the short steps of an avatar, which do not wait for pictures that are to be rendered.
var publishing = workflow.ActivityOptions{
	TaskQueue: job.TaskQueueAvatarSteps, StartToCloseTimeout: patient.StartToCloseTimeout, RetryPolicy: patient.RetryPolicy,
}

// inBackground lets everything go first that somebody waits for.
func inBackground(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.PriorityKey = int(watchparty.PriorityBackground)
	return o
}

// with sets options and the line that the Temporal UI shows for the activity.
func with(ctx workflow.Context, o workflow.ActivityOptions, summary string) workflow.Context {
	o.Summary = summary
	return workflow.WithActivityOptions(ctx, o)
}
