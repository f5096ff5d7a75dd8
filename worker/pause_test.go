package worker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/mail/smtptest"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// TestPausedEmails: none is sent and none is lost, whether it was promised before the pause or in it.
func TestPausedEmails(t *testing.T) {
	p := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	admin := p.createAdmin()
	require.NoError(t, p.store.PauseEmails(t.Context(), admin.ID))
	before, beforeEmail := p.createUser(uniqueName("early"))
	first := p.startEmail(beforeEmail)
	r := p.startWorker(t, job.TaskQueueEmail)
	p.wait(t, logRuns)
	p.requireWaits(first.GetID())

	resume := func() {
		require.NoError(t, p.store.ResumeEmails(t.Context(), admin.ID))
		p.wait(t, logServes)
	}
	resume()
	p.requireResult(first.GetID(), first.GetRunID(), nil)

	require.NoError(t, p.store.PauseEmails(t.Context(), admin.ID))
	p.wait(t, logPauses)
	within, withinEmail := p.createUser(uniqueName("late"))
	second := p.startEmail(withinEmail)
	p.requireWaits(second.GetID())
	p.requireEmail(withinEmail, watchparty.EmailQueued)
	resume()
	p.requireResult(second.GetID(), second.GetRunID(), nil)
	for _, id := range []string{beforeEmail, withinEmail} {
		p.requireEmail(id, watchparty.EmailSent)
		attempts, err := p.store.EmailAttempts(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, attempts, 1, "waiting is no attempt: %v", attempts)
	}
	for _, user := range []watchparty.User{before, within} {
		require.Equal(t, 1, countReceived(t, user.Email))
	}
	r.stop()
	require.NoError(t, r.awaitEnd(t))
}

// TestPauseLetsAMailFinish: what is being sent at the time of the pause is sent to its end.
func TestPauseLetsAMailFinish(t *testing.T) {
	smtp := serveSlowly(t)
	p := newWorkerFixture(t, "127.0.0.1", smtp.Port)
	admin := p.createAdmin()
	_, emailID := p.createUser("bob")
	r := p.startWorker(t, job.TaskQueueEmail)
	p.wait(t, logServes)
	started := p.startEmail(emailID)
	<-smtp.reached
	require.NoError(t, p.store.PauseEmails(t.Context(), admin.ID))
	p.wait(t, logPauses)
	smtp.release()
	p.requireResult(started.GetID(), started.GetRunID(), nil)
	p.requireEmail(emailID, watchparty.EmailSent)
	r.stop()
	require.NoError(t, r.awaitEnd(t))
}

// TestAwaitedEmailsGoFirst: a reset that is asked for last is sent before the reports and invitations that wait, and a
// report that is asked for first is sent last.
func TestAwaitedEmailsGoFirst(t *testing.T) {
	smtp := smtptest.Serve(t, smtptest.Script{})
	p := newWorkerFixture(t, "127.0.0.1", smtp.Port)
	p.Config.Email.PerSecond = 2 // one at a time
	admin := p.createAdmin()
	require.NoError(t, p.store.PauseEmails(t.Context(), admin.ID))
	p.startWorker(t, job.TaskQueueEmail)
	p.wait(t, logRuns)

	const each = 3
	var want []string
	enqueue := func(start func(id, emailID string) job.Event) {
		for range each {
			user, emailID := p.createUser(uniqueName("reader"))
			event := start(emailID, emailID)
			require.NoError(t, outbox.Temporal(p.client)(t.Context(), event))
			p.awaitActivity(event.WorkflowID)
			want = append(want, user.Email)
		}
	}
	enqueue(job.ReportEmailEvent)
	enqueue(func(id, emailID string) job.Event {
		return job.RoomInvitationEvent(job.RoomInvitationInput{InvitationID: id, EmailID: emailID})
	})
	enqueue(job.PasswordChangedEvent)
	enqueue(job.PasswordResetEvent)
	require.NoError(t, p.store.ResumeEmails(t.Context(), admin.ID))
	require.Eventually(t, func() bool { return len(smtp.Accepted()) == len(want) }, patience, 20*time.Millisecond)

	var order []int // the batches by their places in the queue
	for _, email := range smtp.Accepted() {
		order = append(
			order, slices.IndexFunc(want, func(address string) bool { return strings.Contains(email, address) })/each,
		)
	}
	require.Equal(t, []int{3, 3, 3, 2, 2, 2, 1, 1, 1, 0, 0, 0}, order)
}

// awaitActivity returns when a workflow's activity is with Temporal.
func (p *workerFixture) awaitActivity(workflowID string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		description, err := p.client.DescribeWorkflowExecution(p.t.Context(), workflowID, "")
		return err == nil && len(description.PendingActivities) == 1
	}, patience, 5*time.Millisecond)
}

// requireWaits wants a workflow's activity to be with Temporal, and with no worker, for a while.
func (p *workerFixture) requireWaits(workflowID string) {
	p.t.Helper()
	p.awaitActivity(workflowID)
	require.Never(p.t, func() bool {
		description, err := p.client.DescribeWorkflowExecution(p.t.Context(), workflowID, "")
		return err == nil && // a busy Temporal may not answer
			(len(description.PendingActivities) != 1 || description.PendingActivities[0].LastStartedTime != nil)
	}, 3*pausePoll/2, 50*time.Millisecond)
}

// TestNextAttemptIsKnown: the row of an email that the server does not take yet says when it is tried again and when it
// is given up, by the same reckoning as Temporal.
func TestNextAttemptIsKnown(t *testing.T) {
	smtp := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{"RCPT": "451 4.3.0 try again"}})
	p := newWorkerFixture(t, "127.0.0.1", smtp.Port)
	_, id := p.createUser(uniqueName("late"))
	r := p.startWorker(t, job.TaskQueueEmail)
	started := p.startEmail(id)
	var email watchparty.Email
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		description, err := p.client.DescribeWorkflowExecution(t.Context(), started.GetID(), started.GetRunID())
		require.NoError(c, err)
		require.Len(c, description.GetPendingActivities(), 1)
		pending := description.GetPendingActivities()[0]
		email, err = p.store.Email(t.Context(), id)
		require.NoError(c, err)
		require.Equal(c, watchparty.WaitRetry, email.WaitsFor)
		require.Equal(c, pending.GetAttempt(), int32(email.Attempts)+1)
		require.NotNil(c, pending.GetNextAttemptScheduleTime())
		// Temporal hears of the failure after the row, on a busy machine maybe much later: then the next attempt counts.
		require.WithinDuration(c, pending.GetNextAttemptScheduleTime().AsTime(), email.WaitsUntil, 3*time.Second)
	}, patience, 50*time.Millisecond)
	require.WithinDuration(t, time.Now().Add(24*time.Hour), email.DeadlineAt, time.Hour, "as the policy intends")
	r.stop()
	require.NoError(t, r.awaitEnd(t))
}

// TestPausedQueue: while an admin has paused a queue, its work waits, loses no attempt, and goes on afterwards.
func TestPausedQueue(t *testing.T) {
	p := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	admin := p.createAdmin()
	require.NoError(t, p.store.PauseQueue(t.Context(), admin.ID, job.TaskQueueMaintenance))
	r := p.startWorker(t, job.TaskQueueMaintenance)
	p.wait(t, logRuns)
	run, err := p.store.CreateRun(t.Context(), admin.ID, watchparty.NewRun{
		Policies: []watchparty.Policy{watchparty.PolicyMessages}, DryRun: true,
	}, store.IdempotencyKey{})
	require.NoError(t, err)
	event := job.CleanupEvent(job.CleanupInput{RunID: run.ID, Policies: run.Policies, DryRun: true})
	require.NoError(t, outbox.Temporal(p.client)(t.Context(), event))
	p.requireWaits(event.WorkflowID)
	run, err = p.store.Run(t.Context(), run.ID)
	require.NoError(t, err)
	require.Equal(t, watchparty.RunQueued, run.State)

	require.NoError(t, p.store.ResumeQueue(t.Context(), admin.ID, job.TaskQueueMaintenance))
	p.wait(t, logServes)
	p.requireResult(event.WorkflowID, "", nil)
	run, err = p.store.Run(t.Context(), run.ID)
	require.NoError(t, err)
	require.Equal(t, watchparty.RunCompleted, run.State)
	r.stop()
	require.NoError(t, r.awaitEnd(t))
}
