package activities_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/mail/smtptest"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

var oneTime = auth.NewOneTime("a secret of the tests")

// letter is a user whose welcome email is queued, and the activities that send it.
type letter struct {
	*testsuite.TestActivityEnvironment
	t          *testing.T
	store      *store.Store
	activities *activities.Email
	user       watchparty.User
	in         job.EmailInput
}

func newLetter(t *testing.T, s *mail.Sender) *letter {
	t.Helper()
	l := &letter{t: t, store: openStore(t)}
	l.activities = &activities.Email{
		Store:       l.store,
		Sender:      s,
		OneTime:     oneTime,
		FrontendURL: "http://watchparty.test",
		PublicURL:   "https://api.watchparty.test",
	}
	l.TestActivityEnvironment = environment(l.activities)
	l.user = register(
		t,
		l.store,
		"alice"+strings.ToLower(stacktest.KeyPrefix(t)[len(stacktest.KeyPrefix(t))-13:len(stacktest.KeyPrefix(t))-1]),
	)
	err := l.store.DB().
		NewSelect().
		Table("emails").
		Column("id").
		Where("user_id = ?", l.user.ID).
		Scan(t.Context(), &l.in.EmailID)
	require.NoError(t, err)
	return l
}

func (l *letter) send() error {
	_, err := l.ExecuteActivity(job.ActivitySendEmail, l.in)
	return err
}

func (l *letter) row() watchparty.Email {
	l.t.Helper()
	row, err := l.store.Email(l.t.Context(), l.in.EmailID)
	require.NoError(l.t, err)
	return row
}

// requireNothingPersonal wants a text to name neither the user nor what the server said.
func (l *letter) requireNothingPersonal(text string) {
	l.t.Helper()
	for _, word := range []string{l.user.Email, l.user.Username, l.user.DisplayName, "@", "mailbox"} {
		require.NotContains(l.t, strings.ToLower(text), strings.ToLower(word))
	}
}

type inboxMessage struct {
	ID, MessageID, Subject string
	To                     []struct{ Address string }
}

// receivedEmails are the emails that the inbox has for an address.
func receivedEmails(t *testing.T, address string) (found []inboxMessage) {
	t.Helper()
	require.NotEmpty(t, stacktest.InboxURL(), "with SMTP_HOST, INBOX_URL has to be set too")
	var list struct{ Messages []inboxMessage }
	fetch(t, stacktest.InboxURL()+"/api/v1/messages?limit=1000", &list)
	for _, m := range list.Messages {
		if len(m.To) == 1 && m.To[0].Address == address {
			found = append(found, m)
		}
	}
	return found
}

func fetch(t *testing.T, url string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read to its end
	require.NoError(t, json.NewDecoder(response.Body).Decode(into))
}

func TestSendEmail(t *testing.T) {
	t.Parallel()
	l := newLetter(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	require.Equal(t, watchparty.EmailQueued, l.row().State)

	require.NoError(t, l.send())
	sent := l.row()
	require.Equal(t, watchparty.EmailSent, sent.State)
	require.Equal(t, 1, sent.Attempts)
	require.Empty(t, sent.LastAnswer)
	require.WithinDuration(t, time.Now(), sent.SentAt, time.Minute)

	require.NoError(t, l.send())
	require.Equal(t, sent, l.row())
	mails := receivedEmails(t, l.user.Email)
	require.Len(t, mails, 1)
	require.Equal(t, "Welcome to WatchParty", mails[0].Subject)
	require.Equal(t, l.in.EmailID+"@watchparty.test", mails[0].MessageID)
	var shown struct{ HTML, Text string }
	fetch(t, stacktest.InboxURL()+"/api/v1/message/"+mails[0].ID, &shown)
	for _, part := range []string{shown.HTML, shown.Text} {
		require.Contains(t, part, l.user.DisplayName)
		require.Contains(t, part, "http://watchparty.test")
	}
}

func TestEmailsAreInTheirReadersLanguage(t *testing.T) {
	t.Parallel()
	inbox := sender(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	welcomed := newLetter(t, inbox)
	execute(t, welcomed.store, "UPDATE users SET language = 'de'")
	require.NoError(t, welcomed.send())
	require.Equal(t, "Willkommen bei WatchParty", receivedEmails(t, welcomed.user.Email)[0].Subject)

	inviter, invitation := newInvitation(t, inbox) // whose guest has no account, and so no language
	execute(t, inviter.store, "UPDATE users SET language = 'de'")
	require.NoError(t, inviter.send())
	require.Equal(t, "Du bist zu einer WatchParty eingeladen", receivedEmails(t, invitation.Email)[0].Subject)
}

func TestSendEmailRejected(t *testing.T) {
	t.Parallel()
	p := &peer{answers: map[string]string{}}
	l := newLetter(t, serve(t, p))
	p.answers["RCPT"] = "550 5.1.1 <" + l.user.Email + "> mailbox of " + l.user.DisplayName + " is unknown"

	err := l.send()
	requireFailure(t, err, job.ErrorEmailRejected, true)
	l.requireNothingPersonal(err.Error())
	require.Contains(t, err.Error(), "550")
	row := l.row()
	require.Equal(t, watchparty.EmailSending, row.State)
	require.Regexp(t, `^550 .*mailbox.*is unknown$`, row.LastAnswer)
	require.NotContains(t, row.LastAnswer, "@")
	require.NotContains(t, row.LastAnswer, l.user.Username)

	for range 2 {
		_, err = l.ExecuteActivity(job.ActivityFailEmail, l.in)
		require.NoError(t, err)
		failed := l.row()
		require.Equal(t, watchparty.EmailFailed, failed.State)
		require.Equal(t, row.LastAnswer, failed.LastAnswer)
	}
	delete(p.answers, "RCPT")
	require.NoError(t, l.send())
	require.Empty(t, p.Contents(), "a mail that has failed is not sent again")
	require.Equal(t, watchparty.EmailFailed, l.row().State)
}

func TestFailEmailLeavesASentMail(t *testing.T) {
	t.Parallel()
	l := newLetter(t, serve(t, &peer{}))
	require.NoError(t, l.send())
	_, err := l.ExecuteActivity(job.ActivityFailEmail, l.in)
	require.NoError(t, err)
	require.Equal(t, watchparty.EmailSent, l.row().State)
}

func TestSendEmailIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers map[string]string
		kind    mail.Kind
		delay   time.Duration
		answer  string
	}{
		"temporary":           {map[string]string{"RCPT": "451 4.3.0 try again"}, mail.Temporary, 0, "451 4.3.0 try again"},
		"later":               {map[string]string{"MAIL": "421 4.3.2 closing"}, mail.Later, 10 * time.Minute, "421 4.3.2 closing"},
		"later by its detail": {map[string]string{"RCPT": "450 4.7.1 greylisted"}, mail.Later, 10 * time.Minute, "450 4.7.1 greylisted"},
		"refuses the service": {
			map[string]string{"RCPT": "504 5.5.2 <c0ffee>: Helo command rejected: need fully-qualified hostname"},
			mail.Later, 10 * time.Minute, "504 5.5.2 ",
		},
		"hangs up":           {map[string]string{"MAIL": smtptest.HangUp}, mail.Unreachable, 0, "the server closed the connection"},
		"hangs up after all": {map[string]string{".": smtptest.HangUp}, mail.Ambiguous, 0, "the server closed the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &peer{answers: c.answers}
			l := newLetter(t, serve(t, p))
			err := l.send()
			failure := requireFailure(t, err, string(c.kind), false)
			require.Equal(t, c.delay, failure.NextRetryDelay())
			l.requireNothingPersonal(err.Error())
			row := l.row()
			require.Equal(t, watchparty.EmailSending, row.State)
			require.Contains(t, row.LastAnswer, c.answer)

			clear(p.answers)
			require.NoError(t, l.send())
			row = l.row()
			require.Equal(t, watchparty.EmailSent, row.State)
			require.Equal(t, 2, row.Attempts)
			require.Empty(t, row.LastAnswer)
		})
	}
}

// However often a server refuses the service, an email goes out once that is mended: the first attempt does not end it.
func TestSendEmailWaitsForTheService(t *testing.T) {
	t.Parallel()
	const refusals = 30
	var sessions atomic.Int32
	server := smtptest.ServeEach(t, func() smtptest.Script {
		if sessions.Add(1) > refusals {
			return smtptest.Script{}
		}
		answer := "504 5.5.2 <c0ffee>: Helo command rejected: need fully-qualified hostname"
		return smtptest.Script{Answers: map[string]string{"RCPT": answer}}
	})
	l := newLetter(t, sender(t, server.Host, server.Port))
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(discard))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(20 * time.Second)
	env.RegisterWorkflowWithOptions(
		workflows.VerificationEmail,
		workflow.RegisterOptions{Name: job.WorkflowVerificationEmail},
	)
	activities.Register(env, l.activities)
	env.ExecuteWorkflow(job.WorkflowVerificationEmail, l.in)

	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, watchparty.EmailSent, l.row().State)
	require.Equal(t, refusals+1, l.row().Attempts)
	require.Len(t, server.Contents(), 1)
}

// A server that says yes with nothing but a code has the email, which is not sent again.
func TestSendEmailOnceWhateverTheAnswerLooksLike(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"250", "250 ", "250-\r\n250", "250-queued" + smtptest.HangUp, "250" + smtptest.BreakOff, "250\r\n421" + smtptest.HangUp,
	} {
		p := &peer{answers: map[string]string{".": answer}}
		l := newLetter(t, serve(t, p))
		for range 2 {
			require.NoError(t, l.send(), "%q", answer)
		}
		require.Len(t, p.Contents(), 1, "%q", answer)
		require.Equal(t, watchparty.EmailSent, l.row().State)
		require.Equal(t, 1, l.row().Attempts)
	}
}

// Operators are told that the server refuses the service, at an interval, and not that it refuses an email.
func TestSendEmailRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	const message = "emails wait: the SMTP server refuses this service, or cannot be used"
	for name, c := range map[string]struct {
		answers map[string]string
		every   time.Duration
		alarms  int
		says    string
	}{
		"once in the interval": {
			map[string]string{"RCPT": "504 5.5.2 <c0ffee>: Helo command rejected: need fully-qualified hostname"},
			time.Hour, 1,
			`"step":"RCPT","code":504,"answer":"5.5.2 <c0ffee>: Helo command rejected: need fully-qualified hostname"`,
		},
		"again after it": {
			map[string]string{"greeting": "554 5.7.1 no"}, time.Nanosecond, 2, `"step":"connect","code":554`,
		},
		"no answer at all": {
			map[string]string{"greeting": smtptest.HangUp}, time.Hour, 1, `"step":"connect","code":0`,
		},
		"without what may be of the email": {
			map[string]string{".": "550 5.7.26 Dear Alice, Welcome to WatchParty"}, time.Hour, 1, `"code":550`,
		},
		"not for a recipient": {map[string]string{"RCPT": "550 5.1.1 nobody"}, time.Hour, 0, ""},
		"not for greylisting": {map[string]string{"RCPT": "450 4.7.1 greylisted"}, time.Hour, 0, ""},
		"not for a content":   {map[string]string{".": "554 5.7.1 spam"}, time.Hour, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLetter(t, serve(t, &peer{answers: c.answers}))
			l.activities.Alarm.Interval = c.every
			var log bytes.Buffer
			l.TestActivityEnvironment = environmentWithLog(l.activities, slog.New(slog.NewJSONHandler(&log, nil)))
			for range 2 {
				require.Error(t, l.send())
			}
			var alarms []string
			for line := range strings.Lines(log.String()) {
				if strings.Contains(line, message) {
					alarms = append(alarms, line)
				}
			}
			require.Len(t, alarms, c.alarms)
			for _, line := range alarms {
				require.Contains(t, line, `"level":"ERROR"`)
				require.Contains(t, line, `"email_id":"`+l.in.EmailID+`"`)
				require.Contains(t, line, c.says)
				require.NotContains(t, line, "Welcome")
				l.requireNothingPersonal(line)
			}
		})
	}
}

func TestSendEmailToNobody(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	l := newLetter(t, sender(t, "127.0.0.1", closed.Addr().(*net.TCPAddr).Port))
	requireFailure(t, l.send(), string(mail.Unreachable), false)
	require.Contains(t, l.row().LastAnswer, "refused the connection")
}

// A server that takes an email and does not say so is left alone after some attempts, each with the same Message-ID.
func TestSendEmailAmbiguous(t *testing.T) {
	t.Parallel()
	p := &peer{answers: map[string]string{".": smtptest.HangUp}}
	l := newLetter(t, serve(t, p))
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(discard))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(20 * time.Second)
	env.RegisterWorkflowWithOptions(workflows.WelcomeEmail, workflow.RegisterOptions{Name: job.WorkflowWelcomeEmail})
	activities.Register(env, l.activities)
	env.ExecuteWorkflow(job.WorkflowWelcomeEmail, l.in)

	requireFailure(t, env.GetWorkflowError(), job.ErrorEmailRejected, true)
	row := l.row()
	require.Equal(t, watchparty.EmailFailed, row.State)
	require.Equal(t, 4, row.Attempts)
	require.Len(t, p.Contents(), 4)
	for _, content := range p.Contents() {
		require.Contains(t, content, "Message-ID: <"+l.in.EmailID+"@watchparty.test>")
	}
}

func TestSendEmailWithoutItsRows(t *testing.T) {
	t.Parallel()
	p := &peer{}
	s := serve(t, p)
	t.Run("user", func(t *testing.T) {
		l := newLetter(t, s)
		execute(t, l.store, "DELETE FROM users WHERE id = ?", l.user.ID)
		for range 2 {
			require.NoError(t, l.send())
			require.Equal(t, watchparty.EmailCancelled, l.row().State)
		}
	})
	t.Run("mail", func(t *testing.T) {
		l := newLetter(t, s)
		execute(t, l.store, "DELETE FROM emails WHERE id = ?", l.in.EmailID)
		requireFailure(t, l.send(), job.ErrorNotFound, true)
	})
	require.Empty(t, p.Contents())
}

// A worker that is told to stop while the server says yes still notes that, or the email would be sent twice.
func TestSendEmailNotesSuccessWhenStopped(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	p := &peer{before: map[string]func(){"QUIT": stop}} // the client has read the answer to the content by then
	l := newLetter(t, serve(t, p))
	l.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	_ = l.send()
	require.Error(t, ctx.Err())
	require.Len(t, p.Contents(), 1)
	require.Equal(t, watchparty.EmailSent, l.row().State)
}

func TestSendEmailWithoutDatabase(t *testing.T) {
	t.Parallel()
	p := &peer{}
	l := newLetter(t, serve(t, p))
	execute(t, l.store, "ALTER TABLE emails RENAME TO elsewhere")
	err := l.send()
	require.Error(t, err)
	requireFailure(t, err, "wrapError", false)
	require.Empty(t, p.Contents())
}

// newInvitation is a letter that brings an invitation of its user's to an address without an account.
func newInvitation(t *testing.T, s *mail.Sender) (*letter, watchparty.Invitation) {
	t.Helper()
	l := newLetter(t, s)
	room, err := l.store.CreateRoom(
		t.Context(),
		l.user.ID,
		watchparty.NewRoom{
			Name:       "Silents & <b>more</b>",
			Visibility: watchparty.Private,
			Capacity:   5,
		},
		store.IdempotencyKey{},
	)
	require.NoError(t, err)
	execute(t, l.store, "UPDATE users SET email_verified_at = now() WHERE id = ?", l.user.ID)
	guest := watchparty.NewInvitation{Email: "guest-of-" + l.user.Email}
	invitation, err := l.store.Invite(t.Context(), room.ID, l.user.ID, guest, store.IdempotencyKey{})
	require.NoError(t, err)
	err = l.store.DB().
		NewSelect().
		Table("emails").
		Column("id").
		Where("subject_id = ?", invitation.ID).
		Scan(t.Context(), &l.in.EmailID)
	require.NoError(t, err)
	return l, invitation
}

func TestSendInvitation(t *testing.T) {
	t.Parallel()
	l, invitation := newInvitation(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	require.NoError(t, l.send())
	require.Equal(t, watchparty.EmailSent, l.row().State)
	mails := receivedEmails(t, invitation.Email)
	require.Len(t, mails, 1)
	require.Equal(t, "You are invited to a watch party", mails[0].Subject)
	require.Equal(t, l.in.EmailID+"@watchparty.test", mails[0].MessageID)
	stop := oneTime.Token(auth.ForOptOut, invitation.ID)
	var headers map[string][]string
	fetch(t, stacktest.InboxURL()+"/api/v1/message/"+mails[0].ID+"/headers", &headers)
	require.Equal(t, []string{"<https://api.watchparty.test/unsubscribe?token=" + stop + ">"}, headers["List-Unsubscribe"])
	require.Equal(t, []string{"List-Unsubscribe=One-Click"}, headers["List-Unsubscribe-Post"])
	var shown struct{ HTML, Text string }
	fetch(t, stacktest.InboxURL()+"/api/v1/message/"+mails[0].ID, &shown)
	require.Contains(t, shown.Text, "Silents & <b>more</b>")
	require.Contains(t, shown.HTML, "Silents &amp; &lt;b&gt;more&lt;/b&gt;")
	for _, part := range []string{shown.HTML, shown.Text} {
		require.Contains(t, part, l.user.DisplayName)
		require.NotContains(t, part, l.user.Email)
		require.Contains(
			t,
			part,
			"http://watchparty.test/invitations#token="+oneTime.Token(auth.ForInvitation, invitation.ID),
		)
		require.Contains(t, part, "http://watchparty.test/unsubscribe#token="+stop)
	}
}

// What the server has is noted by the same attempt, though the database fails at first: the email is not sent again.
func TestSentIsNotedThoughTheDatabaseFails(t *testing.T) {
	t.Parallel()
	l := newLetter(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
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

// The email of an invitation that has ended is cancelled.
func TestSendInvitationThatIsNotOpen(t *testing.T) {
	t.Parallel()
	p := &peer{}
	s := serve(t, p)
	for name, statement := range map[string]string{
		"revoked":      "UPDATE invitations SET state = 'revoked' WHERE id = ?",
		"expired":      "UPDATE invitations SET expires_at = now() WHERE id = ?",
		"gone":         "DELETE FROM invitations WHERE id = ?",
		"deleted room": "UPDATE rooms SET archived_at = now(), deleted_at = now() WHERE id = (SELECT room_id FROM invitations WHERE id = ?)",
		"suspended":    "UPDATE users SET suspended_at = now() WHERE id = (SELECT inviter_id FROM invitations WHERE id = ?)",
		"unwanted":     "INSERT INTO invitation_optouts (id, email_hash) SELECT id, sha256(convert_to(lower(email), 'UTF8')) FROM invitations WHERE id = ?",
		"archived":     "UPDATE rooms SET archived_at = now() WHERE id = (SELECT room_id FROM invitations WHERE id = ?)",
		"another's":    "UPDATE invitations SET inviter_id = (SELECT user_id FROM participants WHERE user_id <> inviter_id LIMIT 1) WHERE id = ?",
		"unproved":     "UPDATE users SET email_verified_at = NULL WHERE id = (SELECT inviter_id FROM invitations WHERE id = ?)",
		"banned":       "INSERT INTO bans (id, room_id, user_id) SELECT id, room_id, inviter_id FROM invitations WHERE id = ?",
		"nobody's":     "UPDATE users SET deleted_at = now() WHERE id = (SELECT inviter_id FROM invitations WHERE id = ?)",
	} {
		t.Run(name, func(t *testing.T) {
			l, invitation := newInvitation(t, s)
			execute(t, l.store, statement, invitation.ID)
			require.Empty(t, l.requireSent(invitation.Email, watchparty.EmailCancelled))
			why := watchparty.ReasonCancelled
			if name == "unwanted" {
				why = watchparty.ReasonOptedOut
			}
			require.Equal(t, why, l.row().Reason)
		})
	}
	require.Empty(t, p.Contents())
}

func TestReminders(t *testing.T) {
	t.Parallel()
	queued := func(t *testing.T, l *letter) string {
		t.Helper()
		encoded, err := l.ExecuteActivity(job.ActivityQueueReminder, l.in)
		require.NoError(t, err)
		var result job.QueueReminderResult
		require.NoError(t, encoded.Get(&result))
		return result.EmailID
	}
	inbox := sender(t, stacktest.SMTPHost(), stacktest.SMTPPort())

	t.Run("of an address that is not confirmed", func(t *testing.T) {
		l := newLetter(t, inbox)
		l.in.EmailID = queued(t, l)
		require.NoError(t, l.send())
		require.Equal(t, watchparty.EmailSent, l.row().State)
		require.Len(t, receivedEmails(t, l.user.Email), 1)
	})
	t.Run("that came too late", func(t *testing.T) {
		p := &peer{}
		l := newLetter(t, serve(t, p))
		l.in.EmailID = queued(t, l)
		execute(t, l.store, "UPDATE email_verifications SET used_at = now()")
		require.NoError(t, l.send())
		require.Equal(t, watchparty.EmailCancelled, l.row().State)
		require.Empty(t, p.Contents())
	})
	t.Run("of nothing", func(t *testing.T) {
		l := newLetter(t, inbox)
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
			l := newLetter(t, inbox)
			l.in.EmailID = queued(t, l)
			execute(t, l.store, statement, l.user.ID)
			require.Empty(t, l.requireSent(l.user.Email, watchparty.EmailCancelled))
		})
	}
	t.Run("of an invitation", func(t *testing.T) {
		l, invitation := newInvitation(t, inbox)
		l.in.EmailID = queued(t, l)
		require.NoError(t, l.send())
		mails := receivedEmails(t, invitation.Email)
		require.Len(t, mails, 1)
		var shown struct{ Text string }
		fetch(t, stacktest.InboxURL()+"/api/v1/message/"+mails[0].ID, &shown)
		require.Contains(
			t,
			shown.Text,
			"http://watchparty.test/invitations#token="+oneTime.Token(auth.ForInvitation, invitation.ID),
		)
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

// What a server says of an invitation's email is kept without the address and the token.
func TestSendInvitationRejected(t *testing.T) {
	t.Parallel()
	p := &peer{answers: map[string]string{}}
	l, invitation := newInvitation(t, serve(t, p))
	token := oneTime.Token(auth.ForInvitation, invitation.ID)
	p.answers["."] = "550 5.7.1 <" + invitation.Email + "> bad link token=" + token
	err := l.send()
	requireFailure(t, err, job.ErrorEmailRejected, true)
	for _, text := range []string{err.Error(), l.row().LastAnswer} {
		require.NotContains(t, text, "guest-of")
		require.NotContains(t, text, token)
	}
	require.Contains(t, l.row().LastAnswer, "bad link")
}

// letterOf is the email of that kind that is queued last.
func (l *letter) letterOf(kind watchparty.EmailKind) *letter {
	l.t.Helper()
	err := l.store.DB().
		NewSelect().
		Table("emails").
		Column("id").
		Where("kind = ?", string(kind)).
		Order("id DESC").
		Limit(1).
		Scan(l.t.Context(), &l.in.EmailID)
	require.NoError(l.t, err)
	return l
}

// requireSent sends the email and returns what came to an address; none for one that was cancelled.
func (l *letter) requireSent(to string, state watchparty.EmailState) (text string) {
	l.t.Helper()
	for range 2 {
		value, err := l.ExecuteActivity(job.ActivitySendEmail, l.in)
		require.NoError(l.t, err)
		var result job.EmailResult
		require.NoError(l.t, value.Get(&result))
		require.Equal(l.t, state, result.State)
		require.Equal(l.t, state, l.row().State)
	}
	var shown struct{ Text string }
	for _, m := range receivedEmails(l.t, to) {
		if m.MessageID == l.in.EmailID+"@watchparty.test" {
			require.Empty(l.t, shown.Text, "it came twice")
			fetch(l.t, stacktest.InboxURL()+"/api/v1/message/"+m.ID, &shown)
		}
	}
	return shown.Text
}

func TestAccountEmails(t *testing.T) {
	t.Parallel()
	l := newLetter(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	tokens := oneTime
	newAddress := "new-" + l.user.Email
	subject := func() (id string) {
		require.NoError(
			t,
			l.store.DB().NewRaw("SELECT subject_id FROM emails WHERE id = ?", l.in.EmailID).Scan(t.Context(), &id),
		)
		return id
	}
	rowsToken := func(page string, purpose auth.Purpose) string {
		return "http://watchparty.test" + page + "#token=" + tokens.Token(purpose, subject())
	}
	var first string
	require.NoError(t, l.store.DB().NewRaw("SELECT id FROM email_verifications").Scan(t.Context(), &first))

	welcome := l.letterOf(watchparty.EmailWelcome).requireSent(l.user.Email, watchparty.EmailSent)
	require.Contains(t, welcome, "http://watchparty.test/verify-email#token="+tokens.Token(auth.ForEmail, first))

	require.NoError(t, l.store.RequestReset(t.Context(), l.user.Email, store.IdempotencyKey{}))
	require.Contains(
		t,
		l.letterOf(watchparty.EmailReset).requireSent(l.user.Email, watchparty.EmailSent),
		rowsToken("/password-reset", auth.ForReset),
	)

	require.NoError(t, l.store.ChangePassword(t.Context(), l.user.ID, "hash", "another hash", ""))
	require.Contains(
		t,
		l.letterOf(watchparty.EmailPasswordChanged).requireSent(l.user.Email, watchparty.EmailSent),
		"password of your WatchParty account was changed",
	)
	require.NoError(t, l.store.ChangePassword(t.Context(), l.user.ID, "another hash", "hash", ""))

	require.NoError(t, l.store.RequestEmailChange(t.Context(), l.user.ID, "hash", newAddress))
	text := l.letterOf(watchparty.EmailVerification).requireSent(newAddress, watchparty.EmailSent)
	require.Contains(t, text, rowsToken("/verify-email", auth.ForEmail))
	require.Empty(t, l.requireSent(l.user.Email, watchparty.EmailSent), "not to the address that she has")

	require.NoError(t, l.store.VerifyEmail(t.Context(), subject()))
	notice := l.letterOf(watchparty.EmailAddressChanged).requireSent(l.user.Email, watchparty.EmailSent)
	require.Contains(t, notice, "was changed")
	require.NotContains(t, notice, newAddress)

	t.Run("cancelled", func(t *testing.T) {
		other := register(t, l.store, "other"+l.user.Username)
		for name, c := range map[string]struct {
			kind watchparty.EmailKind
			ask  func() error
			then string
		}{
			"a reset of nobody": {watchparty.EmailReset, func() error {
				return l.store.RequestReset(t.Context(), "nobody@watchparty.test", store.IdempotencyKey{})
			}, ""},
			"a reset that has expired": {watchparty.EmailReset, func() error { return l.store.RequestReset(t.Context(), newAddress, store.IdempotencyKey{}) }, "UPDATE password_resets SET expires_at = now()"},
			"an address that is taken": {watchparty.EmailVerification, func() error {
				return l.store.RequestEmailChange(t.Context(), l.user.ID, "hash", strings.ToUpper(other.Email))
			}, ""},
			"an address that was confirmed": {watchparty.EmailVerification, func() error { return l.store.ResendVerification(t.Context(), other.ID, store.IdempotencyKey{}) }, "UPDATE email_verifications SET used_at = now()"},
		} {
			require.NoError(t, c.ask(), name)
			if c.then != "" {
				execute(t, l.store, c.then)
			}
			before := len(receivedEmails(t, other.Email))
			l.letterOf(c.kind).requireSent(l.user.Email, watchparty.EmailCancelled)
			require.Len(t, receivedEmails(t, other.Email), before, name)
		}
	})
}

// TestSendReport: a report goes to those whom the settings name when it is sent, and to nobody whom they do not name
// any more.
func TestSendReport(t *testing.T) {
	t.Parallel()
	l := newLetter(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	reportID, err := l.store.CreateActivityReport(t.Context(), watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.NoError(t, err)
	boss, ops := "boss-"+l.user.Email, "ops-"+l.user.Email
	queue := &activities.Report{Store: l.store, Settings: config.Report{Recipients: []string{boss, ops}}}
	_, err = environment(
		queue,
	).ExecuteActivity(job.ActivityQueueReportEmails, job.QueueReportEmailsInput{ReportID: reportID})
	require.NoError(t, err)
	var mails []string
	require.NoError(
		t,
		l.store.DB().NewRaw("SELECT id FROM emails WHERE kind = 'activity_report' ORDER BY id").Scan(t.Context(), &mails),
	)
	require.Len(t, mails, 2)

	local, domain, _ := strings.Cut(strings.ToUpper(ops), "@") // the domain is mailed to in lower case
	l.activities.Report = config.Report{
		Recipients: []string{"new-" + l.user.Email, local + "@" + domain},
		Language:   watchparty.German,
	}
	l.in.EmailID = mails[1]
	text := l.requireSent(local+"@"+strings.ToLower(domain), watchparty.EmailSent)
	require.Contains(t, text, "https://api.watchparty.test/reports#token="+oneTime.Token(auth.ForReport, reportID))
	require.Contains(t, text, "Februar")
	l.in.EmailID = mails[0]
	require.Empty(t, l.requireSent(boss, watchparty.EmailCancelled), "it is not in the settings any more")
	for _, address := range []string{boss, "new-" + l.user.Email} {
		require.Empty(t, receivedEmails(t, address), address)
	}
}
