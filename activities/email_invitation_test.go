package activities_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestSendInvitation(t *testing.T) {
	t.Parallel()
	l, invitation := newInvitation(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	require.NoError(t, l.send())
	require.Equal(t, watchparty.EmailSent, l.row().State)
	emails := receivedEmails(t, invitation.Email)
	require.Len(t, emails, 1)
	require.Equal(t, "You are invited to a watch party", emails[0].Subject)
	require.Equal(t, l.in.EmailID+"@watchparty.test", emails[0].MessageID)
	stop := oneTime.Token(auth.ForOptOut, invitation.ID)
	var headers map[string][]string
	fetch(t, stacktest.InboxURL()+"/api/v1/message/"+emails[0].ID+"/headers", &headers)
	require.Equal(t, []string{"<https://api.watchparty.test/unsubscribe?token=" + stop + ">"}, headers["List-Unsubscribe"])
	require.Equal(t, []string{"List-Unsubscribe=One-Click"}, headers["List-Unsubscribe-Post"])
	var shown struct{ HTML, Text string }
	fetch(t, stacktest.InboxURL()+"/api/v1/message/"+emails[0].ID, &shown)
	require.Contains(t, shown.Text, "Silents & <b>more</b>")
	require.Contains(t, shown.HTML, "Silents &amp; &lt;b&gt;more&lt;/b&gt;")
	for _, part := range []string{shown.HTML, shown.Text} {
		require.Contains(t, part, l.user.DisplayName)
		require.NotContains(t, part, l.user.Email)
		require.Contains(t, part,
			"http://watchparty.test/invitations#token="+oneTime.Token(auth.ForInvitation, invitation.ID))
		require.Contains(t, part, "http://watchparty.test/unsubscribe#token="+stop)
	}
}

// The email of an invitation that has ended is cancelled.
func TestSendInvitationThatIsNotOpen(t *testing.T) {
	t.Parallel()
	p := &peer{}
	s := serve(t, p)
	reasons := map[string]watchparty.EmailReason{
		"revoked": watchparty.ReasonInvitationEnded, "expired": watchparty.ReasonInvitationEnded,
		"gone": watchparty.ReasonInvitationEnded, "deleted room": watchparty.ReasonRoomEnded,
		"archived": watchparty.ReasonRoomEnded, "unwanted": watchparty.ReasonOptedOut,
		"suspended": watchparty.ReasonMayNotInvite, "another's": watchparty.ReasonMayNotInvite,
		"unproved": watchparty.ReasonMayNotInvite, "banned": watchparty.ReasonMayNotInvite,
		"nobody's": watchparty.ReasonMayNotInvite,
	}
	for name, statement := range map[string]string{
		"revoked": "UPDATE invitations SET state = 'revoked' WHERE id = ?",
		"expired": "UPDATE invitations SET expires_at = now() WHERE id = ?",
		"gone":    "DELETE FROM invitations WHERE id = ?",
		"deleted room": "UPDATE rooms SET archived_at = now(), deleted_at = now() WHERE id = (SELECT room_id " +
			"FROM invitations WHERE id = ?)",
		"suspended": "UPDATE users SET suspended_at = now() WHERE id = (SELECT inviter_id FROM invitations WHERE id = ?)",
		"unwanted": "INSERT INTO invitation_optouts (id, email_hash) " +
			"SELECT id, sha256(convert_to(lower(email), 'UTF8')) FROM invitations WHERE id = ?",
		"archived": "UPDATE rooms SET archived_at = now() WHERE id = (SELECT room_id FROM invitations WHERE id = ?)",
		"another's": "UPDATE invitations SET inviter_id = (SELECT user_id FROM participants " +
			"WHERE user_id <> inviter_id LIMIT 1) WHERE id = ?",
		"unproved": "UPDATE users SET email_verified_at = NULL WHERE id = (SELECT inviter_id FROM invitations " +
			"WHERE id = ?)",
		"banned": "INSERT INTO bans (id, room_id, user_id) SELECT id, room_id, inviter_id FROM invitations " +
			"WHERE id = ?",
		"nobody's": "UPDATE users SET deleted_at = now() WHERE id = (SELECT inviter_id FROM invitations WHERE id = ?)",
	} {
		t.Run(name, func(t *testing.T) {
			l, invitation := newInvitation(t, s)
			execute(t, l.store, statement, invitation.ID)
			require.Empty(t, l.requireSent(invitation.Email, watchparty.EmailCancelled))
			require.Equal(t, reasons[name], l.row().Reason)
		})
	}
	require.Empty(t, p.Contents())
}

func TestReminders(t *testing.T) {
	t.Parallel()
	queued := func(t *testing.T, l *emailFixture) string {
		t.Helper()
		encoded, err := l.ExecuteActivity(job.ActivityQueueReminder, l.in)
		require.NoError(t, err)
		var result job.QueueReminderResult
		require.NoError(t, encoded.Get(&result))
		return result.EmailID
	}
	inbox := sender(t, stacktest.SMTPHost(), stacktest.SMTPPort())

	t.Run("of an address that is not confirmed", func(t *testing.T) {
		l := newEmailFixture(t, inbox)
		l.in.EmailID = queued(t, l)
		require.NoError(t, l.send())
		require.Equal(t, watchparty.EmailSent, l.row().State)
		require.Len(t, receivedEmails(t, l.user.Email), 1)
	})
	t.Run("that came too late", func(t *testing.T) {
		p := &peer{}
		l := newEmailFixture(t, serve(t, p))
		l.in.EmailID = queued(t, l)
		execute(t, l.store, "UPDATE email_verifications SET used_at = now()")
		require.NoError(t, l.send())
		require.Equal(t, watchparty.EmailCancelled, l.row().State)
		require.Empty(t, p.Contents())
	})
	t.Run("of nothing", func(t *testing.T) {
		l := newEmailFixture(t, inbox)
		execute(t, l.store, "UPDATE users SET email_verified_at = now() WHERE id = ?", l.user.ID)
		require.Empty(t, queued(t, l))
		l.in.EmailID = uuid.NewString()
		_, err := l.ExecuteActivity(job.ActivityQueueReminder, l.in)
		requireFailure(t, err, job.ErrorNotFound, true)
	})
	for name, statement := range map[string]string{
		"of an address that was confirmed since": "UPDATE users SET email_verified_at = now() WHERE id = ?",
		"of an account that was suspended since": "UPDATE users SET suspended_at = now() WHERE id = ?",
	} {
		t.Run(name, func(t *testing.T) {
			l := newEmailFixture(t, inbox)
			l.in.EmailID = queued(t, l)
			execute(t, l.store, statement, l.user.ID)
			require.Empty(t, l.requireSent(l.user.Email, watchparty.EmailCancelled))
		})
	}
	t.Run("of an invitation", func(t *testing.T) {
		l, invitation := newInvitation(t, inbox)
		l.in.EmailID = queued(t, l)
		require.NoError(t, l.send())
		emails := receivedEmails(t, invitation.Email)
		require.Len(t, emails, 1)
		var shown struct{ Text string }
		fetch(t, stacktest.InboxURL()+"/api/v1/message/"+emails[0].ID, &shown)
		require.Contains(t, shown.Text,
			"http://watchparty.test/invitations#token="+oneTime.Token(auth.ForInvitation, invitation.ID))
	})
}

func TestExpireInvitation(t *testing.T) {
	t.Parallel()
	l, invitation := newInvitation(t, sender(t, "127.0.0.1", 1))
	in := job.RoomInvitationInput{InvitationID: invitation.ID}
	_, err := l.ExecuteActivity(job.ActivityExpireInvitation, in)
	requireFailure(t, err, "", false)
	execute(t, l.store, "UPDATE invitations SET expires_at = now() WHERE id = ?", invitation.ID)
	encoded, err := l.ExecuteActivity(job.ActivityExpireInvitation, in)
	require.NoError(t, err)
	var result job.ExpireInvitationResult
	require.NoError(t, encoded.Get(&result))
	require.Equal(t, watchparty.InvitationExpired, result.State)
	in.InvitationID = uuid.NewString()
	_, err = l.ExecuteActivity(job.ActivityExpireInvitation, in)
	requireFailure(t, err, job.ErrorNotFound, true)
}

// A server's answer about an invitation's email is stored without the address and the token.
func TestSendInvitationRejected(t *testing.T) {
	t.Parallel()
	p := &peer{answers: map[string]string{}}
	l, invitation := newInvitation(t, serve(t, p))
	token := oneTime.Token(auth.ForInvitation, invitation.ID)
	p.answers["."] = "550 5.6.0 <" + invitation.Email + "> bad link token=" + token
	err := l.send()
	requireFailure(t, err, job.ErrorEmailRejected, true)
	for _, text := range []string{err.Error(), l.row().LastAnswer} {
		require.NotContains(t, text, "guest-of")
		require.NotContains(t, text, token)
	}
	require.Contains(t, l.row().LastAnswer, "bad link")
}
