package activities_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestSendEmail(t *testing.T) {
	t.Parallel()
	l := newEmailFixture(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	require.Equal(t, watchparty.EmailQueued, l.row().State)

	require.NoError(t, l.send())
	sent := l.row()
	require.Equal(t, watchparty.EmailSent, sent.State)
	require.Equal(t, 1, sent.Attempts)
	require.Empty(t, sent.LastAnswer)
	require.WithinDuration(t, time.Now(), sent.SentAt, time.Minute)

	require.NoError(t, l.send())
	require.Equal(t, sent, l.row())
	emails := receivedEmails(t, l.user.Email)
	require.Len(t, emails, 1)
	require.Equal(t, "Welcome to WatchParty", emails[0].Subject)
	require.Equal(t, l.in.EmailID+"@watchparty.test", emails[0].MessageID)
	var shown struct{ HTML, Text string }
	fetch(t, stacktest.InboxURL()+"/api/v1/message/"+emails[0].ID, &shown)
	for _, part := range []string{shown.HTML, shown.Text} {
		require.Contains(t, part, l.user.DisplayName)
		require.Contains(t, part, "http://watchparty.test")
	}
}

func TestEmailsAreInTheirReadersLanguage(t *testing.T) {
	t.Parallel()
	inbox := sender(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	welcomed := newEmailFixture(t, inbox)
	execute(t, welcomed.store, "UPDATE users SET language = 'de'")
	require.NoError(t, welcomed.send())
	require.Equal(t, "Willkommen bei WatchParty", receivedEmails(t, welcomed.user.Email)[0].Subject)

	inviter, invitation := newInvitation(t, inbox) // whose guest has no account, and so no language
	execute(t, inviter.store, "UPDATE users SET language = 'de'")
	require.NoError(t, inviter.send())
	require.Equal(t, "Du bist zu einer WatchParty eingeladen", receivedEmails(t, invitation.Email)[0].Subject)
}

func TestFailEmailLeavesASentMail(t *testing.T) {
	t.Parallel()
	l := newEmailFixture(t, serve(t, &peer{}))
	require.NoError(t, l.send())
	_, err := l.ExecuteActivity(job.ActivityFailEmail, l.in)
	require.NoError(t, err)
	require.Equal(t, watchparty.EmailSent, l.row().State)
}

func TestSendEmailToNobody(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	l := newEmailFixture(t, sender(t, "127.0.0.1", closed.Addr().(*net.TCPAddr).Port))
	requireFailure(t, l.send(), string(mail.Unreachable), false)
	require.Contains(t, l.row().LastAnswer, "refused the connection")
}

func TestSendEmailWithoutItsRows(t *testing.T) {
	t.Parallel()
	p := &peer{}
	s := serve(t, p)
	t.Run("user", func(t *testing.T) {
		l := newEmailFixture(t, s)
		execute(t, l.store, "DELETE FROM users WHERE id = ?", l.user.ID)
		for range 2 {
			require.NoError(t, l.send())
			require.Equal(t, watchparty.EmailCancelled, l.row().State)
		}
	})
	t.Run("mail", func(t *testing.T) {
		l := newEmailFixture(t, s)
		execute(t, l.store, "DELETE FROM emails WHERE id = ?", l.in.EmailID)
		requireFailure(t, l.send(), job.ErrorNotFound, true)
	})
	require.Empty(t, p.Contents())
}

// A worker that is told to stop while the server accepts an email still stores that; otherwise the email would be sent
// twice.
func TestSendEmailNotesSuccessWhenStopped(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	p := &peer{before: map[string]func(){"QUIT": stop}} // the client has read the answer to the content by then
	l := newEmailFixture(t, serve(t, p))
	l.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	_ = l.send()
	require.Error(t, ctx.Err())
	require.Len(t, p.Contents(), 1)
	require.Equal(t, watchparty.EmailSent, l.row().State)
}

func TestSendEmailWithoutDatabase(t *testing.T) {
	t.Parallel()
	p := &peer{}
	l := newEmailFixture(t, serve(t, p))
	execute(t, l.store, "ALTER TABLE emails RENAME TO elsewhere")
	err := l.send()
	require.Error(t, err)
	requireFailure(t, err, "wrapError", false)
	require.Empty(t, p.Contents())
}

// The attempt stores that the server has accepted the email, even if the database fails at first: the email is not sent
// again.
func TestSentIsNotedThoughTheDatabaseFails(t *testing.T) {
	t.Parallel()
	l := newEmailFixture(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	for _, statement := range []string{
		"CREATE SEQUENCE failures", // it counts on when a transaction does not come to its end
		`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN IF nextval('failures') <= 2 THEN RAISE EXCEPTION 'the disk is full'; END IF; RETURN NEW; END $$`,
		"CREATE TRIGGER fail BEFORE UPDATE ON emails FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION fail()",
	} {
		execute(t, l.store, statement)
	}
	require.NoError(t, l.send())
	require.Equal(t, []any{watchparty.EmailSent, 1}, []any{l.row().State, l.row().Attempts})
	require.Len(t, receivedEmails(t, l.user.Email), 1)
	var failed int
	require.NoError(t, l.store.DB().NewRaw("SELECT last_value - 1 FROM failures").Scan(t.Context(), &failed))
	require.Equal(t, 2, failed)
}
