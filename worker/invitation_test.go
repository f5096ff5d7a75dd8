package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// createInvitation makes an invitation that is open for a while, with what its workflow starts with.
func (p *workerFixture) createInvitation(
	open time.Duration,
) (inviter watchparty.User, guest string, in job.RoomInvitationInput) {
	p.t.Helper()
	inviter, _ = p.createUser(uniqueName("host"))
	guest = uniqueName("guest") + "@watchparty.test"
	in.ExpiresAt = time.Now().Add(open).Truncate(time.Microsecond).UTC()
	p.execSQL("UPDATE users SET email_verified_at = now() WHERE id = ?", inviter.ID)
	room, err := p.store.CreateRoom(p.t.Context(), inviter.ID,
		watchparty.NewRoom{Name: "Secret screening", Visibility: watchparty.Private, Capacity: 5}, store.IdempotencyKey{})
	require.NoError(p.t, err)
	invited, err := p.store.Invite(
		p.t.Context(), room.ID, inviter.ID, watchparty.NewInvitation{Email: guest}, store.IdempotencyKey{},
	)
	require.NoError(p.t, err)
	p.execSQL("UPDATE invitations SET expires_at = ? WHERE id = ?", in.ExpiresAt, invited.ID)
	in.InvitationID = invited.ID
	require.NoError(p.t,
		p.store.DB().NewRaw("SELECT id FROM emails WHERE subject_id = ?", invited.ID).Scan(p.t.Context(), &in.EmailID))
	return inviter, guest, in
}

func (p *workerFixture) execSQL(query string, args ...any) {
	p.t.Helper()
	_, err := p.store.DB().NewRaw(query, args...).Exec(p.t.Context())
	require.NoError(p.t, err)
}

// TestInvitationLives: with the end less than a day away, the reminder comes at once.
func TestInvitationLives(t *testing.T) {
	p := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	p.startWorker(t, job.TaskQueueEmail)
	p.wait(t, logRuns)
	inviter, guest, in := p.createInvitation(15 * time.Second) // in which both emails are sent
	event := job.RoomInvitationEvent(in)
	require.NoError(t, outbox.Temporal(p.client)(t.Context(), event))
	var result job.RoomInvitationResult
	p.requireResult(event.WorkflowID, "", &result)
	require.Equal(t, job.RoomInvitationResult{State: watchparty.InvitationExpired, Reminder: watchparty.EmailSent}, result)
	require.Equal(t, 2, countReceived(t, guest))
	invited, err := p.store.Invitation(t.Context(), in.InvitationID)
	require.NoError(t, err)
	require.Equal(t, watchparty.InvitationExpired, invited.State)
	requireNothingPersonal(t, p.client, event.WorkflowID, inviter)
}

// TestInvitationRevokedInVain: nobody waits for a mail server when there is nothing to send any more.
func TestInvitationRevokedInVain(t *testing.T) {
	p := newWorkerFixture(t, "127.0.0.1", 1)
	p.startWorker(t, job.TaskQueueEmail)
	inviter, _, in := p.createInvitation(time.Hour)
	tell := outbox.Temporal(p.client)
	start := job.RoomInvitationEvent(in)
	require.NoError(t, tell(t.Context(), start))
	require.Eventually(t, func() bool {
		email, err := p.store.Email(t.Context(), in.EmailID)
		return err == nil && email.LastAnswer != ""
	}, patience, 20*time.Millisecond)
	require.NoError(t, p.store.RevokeInvitation(t.Context(), in.InvitationID, inviter.ID))
	require.NoError(t, tell(t.Context(), job.InvitationAnswerEvent(in, watchparty.InvitationRevoked)))
	var result job.RoomInvitationResult
	p.requireResult(start.WorkflowID, "", &result)
	require.Equal(t, job.RoomInvitationResult{State: watchparty.InvitationRevoked}, result)
	p.requireEmail(in.EmailID, watchparty.EmailCancelled)
}

// TestSignalsInAnyOrder: an answer may reach Temporal before the start, or after the end.
func TestSignalsInAnyOrder(t *testing.T) {
	p := newWorkerFixture(t, "127.0.0.1", 1)
	_, _, in := p.createInvitation(time.Hour)
	tell := outbox.Temporal(p.client)
	require.NoError(t, tell(t.Context(), job.InvitationAnswerEvent(in, watchparty.InvitationDeclined)))
	require.NoError(t, tell(t.Context(), job.RoomInvitationEvent(in)))
	p.startWorker(t, job.TaskQueueEmail)
	var result job.RoomInvitationResult
	p.requireResult(job.RoomInvitationID(in.InvitationID), "", &result)
	require.Equal(t, job.RoomInvitationResult{State: watchparty.InvitationDeclined}, result)
	require.NoError(t, tell(t.Context(), job.InvitationAnswerEvent(in, watchparty.InvitationDeclined)))
	require.NoError(t, tell(t.Context(), job.RoomInvitationEvent(in)))
}
