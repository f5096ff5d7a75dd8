package workflows_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

// stickyQueue stands in the histories for the queue of one worker, whose name has the machine's in it.
const stickyQueue = "sticky"

// recording is a run whose history is saved: a workflow, and the activities that it meets.
type recording struct {
	file       string
	workflow   string
	queue      string
	id         string
	input      any
	activities map[string]any
	scheduled  bool   // started by a schedule
	cancelled  bool   // as soon as an activity runs
	signal     string // sent when a timer runs
	open       bool   // saved while a timer runs that is too long
}

func recordings() []recording {
	email := func(file string, send any) recording {
		return recording{
			file:     file,
			workflow: job.WorkflowWelcomeEmail,
			queue:    job.TaskQueueEmail,
			id:       job.WelcomeEmailID(userID),
			input:    welcome,
			activities: map[string]any{
				job.ActivitySendEmail: send,
				job.ActivityFailEmail: func(context.Context, job.EmailInput) error { return nil },
			},
		}
	}
	kind := func(r recording, workflow, id string) recording {
		r.workflow, r.id = workflow, id
		return r
	}
	ends := func(state watchparty.EmailState) any {
		return func(context.Context, job.EmailInput) (job.EmailResult, error) {
			return job.EmailResult{State: state}, nil
		}
	}
	unreachable := func(context.Context, job.EmailInput) (job.EmailResult, error) {
		// Until after the reset has expired, as the server sees it.
		return job.EmailResult{}, temporal.NewApplicationErrorWithOptions("unreachable (code 0)", "unreachable",
			temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour})
	}
	deletion := recording{
		file:     "account-deletion",
		workflow: job.WorkflowDeleteAccount,
		queue:    job.TaskQueueMaintenance,
		id:       job.AccountDeletionEvent(userID).WorkflowID,
		input:    account,
		activities: map[string]any{
			job.ActivityRemoveAccountFiles: func(context.Context, job.AccountInput) error { return nil },
			job.ActivityAnonymiseMessages: func(context.Context, job.AccountInput) (job.AccountResult, error) {
				return erased,
					nil
			},
			job.ActivityRemoveAccount: func(context.Context, job.AccountInput) error { return nil },
		},
	}
	// invited is an invitation that is open for a time from now on, however short.
	invited := func(file string, open time.Duration, send any) recording {
		r := email(file, send)
		r.workflow, r.id = job.WorkflowRoomInvitation, job.RoomInvitationID(inviteID)
		r.input = job.RoomInvitationInput{InvitationID: inviteID, EmailID: emailID, ExpiresAt: time.Now().Add(open).UTC()}
		r.activities[job.ActivityQueueReminder] = func(context.Context, job.EmailInput) (job.QueueReminderResult, error) {
			return job.QueueReminderResult{EmailID: subjectID}, nil
		}
		r.activities[job.ActivityExpireInvitation] = func(context.Context,
			job.RoomInvitationInput) (job.ExpireInvitationResult, error) {
			return job.ExpireInvitationResult{State: watchparty.InvitationExpired}, nil
		}
		return r
	}
	declined := invited("room-invitation-declined", time.Hour, ends(watchparty.EmailSent))
	declined.signal = string(watchparty.InvitationDeclined)
	avatar := func(file string, published watchparty.AvatarState, render any) recording {
		return recording{
			file:     file,
			workflow: job.WorkflowProcessAvatar,
			queue:    job.TaskQueueAvatar,
			id:       job.AvatarEvent(picture).WorkflowID,
			input:    picture,
			activities: map[string]any{
				job.ActivityRenderAvatar: render,
				job.ActivityPublishAvatar: func(context.Context, job.AvatarInput) (job.PublishResult, error) {
					return job.PublishResult{State: published}, nil
				},
				job.ActivityFailAvatar:         func(context.Context, job.FailAvatarInput) error { return nil },
				job.ActivityRemoveAvatarFiles:  func(context.Context, job.AvatarInput) error { return nil },
				job.ActivityRemoveOriginal:     func(context.Context, job.AvatarInput) error { return nil },
				job.ActivityRemoveFormerAvatar: func(context.Context, job.AvatarInput) error { return nil },
			},
		}
	}
	tallied := func(context.Context) (job.TallyResult, error) { return job.TallyResult{Days: 1}, nil }
	cleanup := func(file string, in job.CleanupInput, apply any) recording {
		return recording{
			file: file, workflow: job.WorkflowCleanup, queue: job.TaskQueueMaintenance, id: job.CleanupID(runID), input: in,
			activities: map[string]any{
				job.ActivityBeginCleanup: func(context.Context, job.CleanupInput) (job.BeginCleanupResult, error) {
					return begun,
						nil
				},
				job.ActivityTally:       tallied,
				job.ActivityApplyPolicy: apply,
				job.ActivityFinishCleanup: func(_ context.Context, in job.FinishCleanupInput) (job.CleanupResult, error) {
					result := job.CleanupResult{RunID: in.RunID, Counts: map[watchparty.Policy]int64{watchparty.PolicyMessages: 7}}
					for _, policy := range watchparty.Policies() {
						if in.Failed[policy] != "" {
							result.Failed = append(result.Failed, policy)
						}
					}
					return result, nil
				},
			},
		}
	}
	// party starts after a time from now on; statuses are what is read of it, one after the other.
	party := func(file string, after time.Duration, statuses ...job.PartyStatus) recording {
		in := job.PartyInput{PartyID: subjectID, StartsAt: time.Now().Add(after).UTC()}
		reads := 0
		return recording{
			file: file, workflow: job.WorkflowScheduledParty, queue: job.TaskQueueEmail, id: job.ScheduledPartyID(subjectID),
			input: in,
			activities: map[string]any{
				job.ActivityReadParty: func(context.Context, job.PartyInput) (job.PartyStatus, error) {
					status := statuses[min(reads, len(statuses)-1)]
					reads++
					if status.StartsAt.IsZero() {
						status.StartsAt = in.StartsAt
					}
					return status, nil
				},
				job.ActivityQueuePartyNotices: func(context.Context, job.PartyNoticesInput) (job.PartyNoticesResult, error) {
					return job.PartyNoticesResult{Emails: 2}, nil
				},
				job.ActivityArmParty: func(context.Context, job.PartyInput) error { return nil },
			},
		}
	}
	scheduled := job.PartyStatus{State: watchparty.PartyScheduled}
	cancelledParty := party("scheduled-party-cancelled", time.Hour, scheduled,
		job.PartyStatus{State: watchparty.PartyCancelled, Moves: 1})
	cancelledParty.signal = job.PartyChangedSignal(1)
	movedParty := party("scheduled-party-moved", time.Hour, scheduled,
		job.PartyStatus{State: watchparty.PartyScheduled, Moves: 1},
		job.PartyStatus{State: watchparty.PartyStarted, Moves: 1})
	movedParty.signal = job.PartyChangedSignal(1)
	rendered := func(context.Context, job.AvatarInput) error { return nil }
	keeping := avatar("avatar-that-keeps-the-former", "", rendered)
	keeping.activities[job.ActivityPublishAvatar] = func(context.Context, job.AvatarInput) (job.PublishResult, error) {
		return job.PublishResult{State: watchparty.AvatarReady, KeepFormerSeconds: 1}, nil
	}
	stopped := avatar("avatar-cancelled", "",
		func(ctx context.Context, _ job.AvatarInput) error { return untilCancelled(ctx, job.ApplyPolicyInput{}) })
	stopped.cancelled = true
	applied := func(context.Context, job.ApplyPolicyInput) error { return nil }

	bySchedule := cleanup("cleanup-by-schedule", job.CleanupInput{}, applied)
	bySchedule.id, bySchedule.scheduled = "cleanup/scheduled", true
	cancelled := cleanup("cleanup-cancelled", job.CleanupInput{RunID: runID}, untilCancelled)
	cancelled.cancelled = true
	reported := cancelled
	reported.file = "cleanup-cancelled-with-report"
	report := recording{
		file:      "activity-report-by-schedule",
		workflow:  job.WorkflowActivityReport,
		queue:     job.TaskQueueMaintenance,
		id:        "activity-report/week",
		input:     job.ReportInput{Every: watchparty.ReportWeek},
		scheduled: true,
		activities: map[string]any{
			job.ActivityTally: tallied,
			job.ActivityCreateReport: func(context.Context, job.CreateReportInput) (string, error) {
				return subjectID,
					nil
			},
			job.ActivityQueueReportEmails: func(context.Context, job.QueueReportEmailsInput) (int, error) { return 2, nil },
		},
	}
	madeUp := report
	madeUp.file, madeUp.id, madeUp.scheduled = "activity-report-made-up-for", job.MissingReportID(
		watchparty.ReportWeek, "2026-02-23",
	), false
	madeUp.input = job.ReportInput{Every: watchparty.ReportWeek, At: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	waiting := email("welcome-email-waiting", ends(watchparty.EmailSent))
	waiting.open = true
	waitingForConfirmation := waiting // the version of the wait that a signal ends
	waitingForConfirmation.file = "welcome-email-waiting-for-confirmation"
	confirmed := email("welcome-email-confirmed", ends(watchparty.EmailSent))
	confirmed.signal = job.SignalConfirmed
	attempts := 0
	delivery := webhookRecording("webhook-delivered", func(context.Context, job.WebhookInput) (job.WebhookResult, error) {
		if attempts++; attempts == 1 {
			return job.WebhookResult{}, temporal.NewApplicationErrorWithOptions("not taken: status", job.ErrorWebhookRefused,
				temporal.ApplicationErrorOptions{NextRetryDelay: time.Millisecond})
		}
		return job.WebhookResult{State: watchparty.WebhookDelivered, Attempts: attempts}, nil
	})
	undelivered := webhookRecording("webhook-cancelled",
		func(ctx context.Context, _ job.WebhookInput) (job.WebhookResult, error) {
			<-ctx.Done()
			return job.WebhookResult{}, ctx.Err()
		})
	undelivered.cancelled = true
	return []recording{
		delivery,
		undelivered,
		waiting,
		waitingForConfirmation,
		confirmed,
		// As the worker of the first version did it, whose activity gave no result.
		email("welcome-email-sent", func(context.Context, job.EmailInput) error { return nil }),
		email("welcome-email-rejected", func(context.Context, job.EmailInput) error {
			return temporal.NewNonRetryableApplicationError("permanent (code 550)", job.ErrorEmailRejected, nil)
		}),
		kind(email("verification-email-sent", ends(watchparty.EmailSent)), job.WorkflowVerificationEmail,
			job.VerificationEmailID(subjectID)),
		kind(email("verification-email-cancelled", ends(watchparty.EmailCancelled)), job.WorkflowVerificationEmail,
			job.VerificationEmailID(subjectID)),
		kind(email("password-reset-sent", ends(watchparty.EmailSent)), job.WorkflowPasswordResetEmail,
			job.PasswordResetID(subjectID)),
		kind(email("password-reset-cancelled", ends(watchparty.EmailCancelled)), job.WorkflowPasswordResetEmail,
			job.PasswordResetID(subjectID)),
		kind(email("password-reset-expired", unreachable), job.WorkflowPasswordResetEmail, job.PasswordResetID(subjectID)),
		kind(email("password-changed-sent", ends(watchparty.EmailSent)), job.WorkflowPasswordChangedNotice,
			job.PasswordChangedID(subjectID)),
		kind(email("email-changed-sent", ends(watchparty.EmailSent)), job.WorkflowEmailChangedNotice,
			job.EmailChangedID(subjectID)),
		kind(email("resend-sent", ends(watchparty.EmailSent)), job.WorkflowResend, job.ResendID(emailID)),
		deletion,
		invited("room-invitation-expired", 5*time.Second, ends(watchparty.EmailSent)),
		declined,
		invited("room-invitation-rejected", time.Hour, func(context.Context, job.EmailInput) (job.EmailResult, error) {
			return job.EmailResult{}, temporal.NewNonRetryableApplicationError(
				"permanent (code 550)", job.ErrorEmailRejected, nil,
			)
		}),
		avatar("avatar-ready", watchparty.AvatarReady, rendered),
		keeping,
		stopped,
		avatar("avatar-superseded", watchparty.AvatarSuperseded, rendered),
		avatar("avatar-failed", "", func(context.Context, job.AvatarInput) error {
			return refusal("avatar_unreadable")
		}),
		// As the worker of the first version did it, which did not wait between crashes.
		avatar("avatar-crashed", "", func(context.Context, job.AvatarInput) error { return activity.ErrResultPending }),
		avatar("avatar-crashed-with-pauses", "",
			func(context.Context, job.AvatarInput) error { return activity.ErrResultPending }),
		avatar("avatar-crashed-once", watchparty.AvatarReady, onceNoResult()),
		// As the worker of the first version did it, which tallied nothing.
		cleanup("cleanup-on-demand", job.CleanupInput{RunID: runID, Policies: watchparty.Policies()}, applied),
		cleanup(
			"cleanup-with-failure",
			job.CleanupInput{RunID: runID},
			func(_ context.Context, in job.ApplyPolicyInput) error {
				if in.Policy == watchparty.PolicyMessages {
					return temporal.NewNonRetryableApplicationError("store: clean-up old_messages", "Example", nil)
				}
				return nil
			},
		),
		bySchedule,
		cancelled, // as the worker of the first version did it, which stored no report then
		reported,
		cleanup("cleanup-that-tallies", job.CleanupInput{RunID: runID}, applied),
		report,
		madeUp,
		party("scheduled-party-reminded", watchparty.PartyHourBefore+time.Second, scheduled,
			job.PartyStatus{State: watchparty.PartyStarted}),
		party("scheduled-party-armed", watchparty.PartyArming+time.Second, scheduled,
			job.PartyStatus{State: watchparty.PartyStarted}),
		cancelledParty,
		movedParty,
		kind(email("party-email-sent", ends(watchparty.EmailSent)), job.WorkflowPartyEmail, job.PartyEmailID(subjectID)),
		kind(email("report-email-sent", ends(watchparty.EmailSent)), job.WorkflowReportEmail, job.ReportEmailID(subjectID)),
	}
}

// onceNoResult is an activity whose worker ends during the first attempt.
func onceNoResult() any {
	var tried atomic.Bool
	return func(context.Context, job.AvatarInput) error {
		if tried.Swap(true) {
			return nil
		}
		return activity.ErrResultPending
	}
}

// untilCancelled is an activity that hears of its cancellation by its heartbeat.
func untilCancelled(ctx context.Context, _ job.ApplyPolicyInput) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			activity.RecordHeartbeat(ctx)
		}
	}
}

// record runs those that have no file yet on a real server and saves what it kept. Those in which workers crash wait
// for real time-outs, about two minutes in all.
func record(t *testing.T) {
	// Without a name of its own, the client gives each event the machine's.
	c, err := client.Dial(client.Options{
		HostPort: stacktest.TemporalAddress(), Identity: "recorder", Logger: temporallog.NewStructuredLogger(discard),
	})
	require.NoError(t, err)
	defer c.Close()
	for _, r := range recordings() {
		file := filepath.Join("testdata", r.file+".json")
		if _, err := os.Stat(file); err == nil {
			continue
		}
		saved := r.record(t, c)
		encoded, err := temporalproto.CustomJSONMarshalOptions{Indent: "  "}.Marshal(saved)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(encoded, '\n'), 0o644))
	}
}

func (r recording) record(t *testing.T, c client.Client) *history.History {
	t.Helper()
	w := worker.New(c, r.queue, worker.Options{})
	w.RegisterWorkflowWithOptions(registered[r.workflow], workflow.RegisterOptions{Name: r.workflow})
	for name, fn := range r.activities {
		w.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	require.NoError(t, w.Start())
	defer w.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	id, run := r.start(t, ctx, c)
	if r.cancelled {
		waitForActivity(t, ctx, c, id, run)
		require.NoError(t, c.CancelWorkflow(ctx, id, run))
	}
	if r.open || r.signal != "" {
		waitForTimer(t, ctx, c, id, run)
	}
	if r.signal != "" {
		require.NoError(t, c.SignalWorkflow(ctx, id, run, r.signal, nil))
	}
	if r.open {
		defer c.TerminateWorkflow(ctx, id, run, "recorded") //nolint:errcheck // the server ends with the test
	} else {
		_ = c.GetWorkflow(ctx, id, run).Get(ctx, nil) // some are to fail
	}
	require.NoError(t, ctx.Err(), "%s does not end", r.file)
	return historyOf(t, ctx, c, id, run)
}

func historyOf(t *testing.T, ctx context.Context, c client.Client, id, run string) *history.History {
	t.Helper()
	saved := &history.History{}
	for events := c.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		require.NoError(t, err)
		if queue := event.GetWorkflowTaskScheduledEventAttributes().
			GetTaskQueue(); queue.GetKind() == enums.TASK_QUEUE_KIND_STICKY {
			queue.Name = stickyQueue
		}
		saved.Events = append(saved.Events, event)
	}
	return saved
}

func (r recording) start(t *testing.T, ctx context.Context, c client.Client) (id, run string) {
	t.Helper()
	if !r.scheduled {
		started, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: r.id, TaskQueue: r.queue}, r.workflow, r.input)
		require.NoError(t, err)
		return started.GetID(), started.GetRunID()
	}
	schedule, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: r.file,
		Action: &client.ScheduleWorkflowAction{
			ID:        r.id,
			Workflow:  r.workflow,
			TaskQueue: r.queue,
			Args:      []any{r.input},
		},
		TriggerImmediately: true,
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		description, err := schedule.Describe(ctx)
		if err != nil || len(description.Info.RecentActions) == 0 {
			return false
		}
		started := description.Info.RecentActions[0].StartWorkflowResult
		id, run = started.WorkflowID, started.FirstExecutionRunID
		return true
	}, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, schedule.Delete(ctx))
	return id, run
}

func waitForTimer(t *testing.T, ctx context.Context, c client.Client, id, run string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return slices.ContainsFunc(historyOf(t, ctx, c, id, run).Events, func(e *history.HistoryEvent) bool {
			return e.EventType == enums.EVENT_TYPE_TIMER_STARTED
		})
	}, 20*time.Second, 50*time.Millisecond)
}

func waitForActivity(t *testing.T, ctx context.Context, c client.Client, id, run string) {
	t.Helper()
	require.Eventually(t, func() bool {
		description, err := c.DescribeWorkflowExecution(ctx, id, run)
		return err == nil && len(description.PendingActivities) == 1 &&
			description.PendingActivities[0].State == enums.PENDING_ACTIVITY_STATE_STARTED &&
			slices.Contains([]string{job.ActivityApplyPolicy, job.ActivityRenderAvatar, job.ActivityDeliverWebhook},
				description.PendingActivities[0].ActivityType.Name)
	}, 20*time.Second, 50*time.Millisecond)
}

// webhookRecording is a delivery to a webhook.
func webhookRecording(file string, deliver any) recording {
	return recording{
		file: file, workflow: job.WorkflowWebhookDelivery, queue: job.TaskQueueWebhooks,
		id: job.WebhookDeliveryID(deliveryID, 1), input: toWebhook,
		activities: map[string]any{
			job.ActivityDeliverWebhook: deliver,
			job.ActivityCancelDelivery: func(context.Context, job.WebhookInput) (job.WebhookResult, error) {
				return job.WebhookResult{State: watchparty.WebhookCancelled}, nil
			},
		},
	}
}
