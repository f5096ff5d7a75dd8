package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// stepOptions is for steps that need only the database, Redis or the bucket. It retries without end, since those come
// back.
var stepOptions = workflow.ActivityOptions{
	StartToCloseTimeout: 30 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
	},
}

// emailOptions retries from 5 s, doubling to 10 min, for about 24 h: 7 attempts reach the longest pause after 11
// minutes, and 143 more take a day. It counts attempts rather than hours: an email that waits for a worker has not been
// tried.
var emailOptions = workflow.ActivityOptions{
	StartToCloseTimeout: 60 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute, MaximumAttempts: 150,
	},
}

// resetEmailOptions retries for as long as a reset's token is valid: after that the email is of no use.
var resetEmailOptions = workflow.ActivityOptions{
	ScheduleToCloseTimeout: watchparty.ResetTTL,
	StartToCloseTimeout:    60 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 2 * time.Minute,
	},
}

// webhookOptions retries without end, since the activity decides when a delivery has ended. The intervals are for the
// database; the activity asks for longer ones when the receiver fails. The time is that of an attempt (webhook.Timeout)
// and of the statements around it.
var webhookOptions = workflow.ActivityOptions{
	StartToCloseTimeout: 45 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
	},
}

// Temporal's names of timeouts, for NonRetryableErrorTypes.
const (
	heartbeatTimeout    = "TemporalTimeout:Heartbeat"
	startToCloseTimeout = "TemporalTimeout:StartToClose"
)

// renderOptions retries without end while the database or the bucket is down. It does not retry after a timeout: the
// picture may have ended the worker, so the workflow counts these.
var renderOptions = workflow.ActivityOptions{
	StartToCloseTimeout: 2 * time.Minute,
	HeartbeatTimeout:    10 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		NonRetryableErrorTypes: []string{heartbeatTimeout, startToCloseTimeout},
	},
}

// policyOptions gives one policy ten attempts. After that the run continues with the next policy.
var policyOptions = workflow.ActivityOptions{
	StartToCloseTimeout: 2 * time.Hour,
	HeartbeatTimeout:    30 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: longestCleaningPause(), MaximumAttempts: 10,
	},
}

// cleaningPause is the longest pause between two attempts. The end-to-end tests build the program with a shorter one.
var cleaningPause = "1m"

func longestCleaningPause() time.Duration {
	pause, err := time.ParseDuration(cleaningPause)
	if err != nil {
		panic(err)
	}
	return pause
}

// noticeOptions is for notices to many guests. It retries without end; each attempt continues after the last page of
// guests.
var noticeOptions = workflow.ActivityOptions{
	StartToCloseTimeout: time.Hour,
	HeartbeatTimeout:    30 * time.Second,
	RetryPolicy:         stepOptions.RetryPolicy,
}

// deletionOptions retries without end: a deletion that was promised has to happen.
var deletionOptions = workflow.ActivityOptions{
	StartToCloseTimeout: 2 * time.Hour,
	HeartbeatTimeout:    30 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
	},
}

// avatarStepOptions is for the short steps of an avatar, on a queue where no rendering holds them up.
var avatarStepOptions = workflow.ActivityOptions{
	TaskQueue:           job.TaskQueueAvatarSteps,
	StartToCloseTimeout: stepOptions.StartToCloseTimeout,
	RetryPolicy:         stepOptions.RetryPolicy,
}

// withLowPriority gives options the lowest priority, for work that nobody waits for.
func withLowPriority(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.PriorityKey = int(watchparty.PriorityBackground)
	return o
}

// run executes an activity with options, and with the line that the Temporal UI shows for it. It waits for the result,
// and stores it in result, unless that is nil.
func run(ctx workflow.Context, o workflow.ActivityOptions, summary, activity string, in, result any) error {
	o.Summary = summary
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), activity, in).Get(ctx, result)
}
