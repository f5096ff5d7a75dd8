package activities_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

// letter is a user whose welcome mail is queued, and the activities that send it.
type letter struct {
	*testsuite.TestActivityEnvironment
	t          *testing.T
	store      *store.Store
	activities *activities.Mail
	user       watchparty.User
	in         job.EmailInput
}

func newLetter(t *testing.T, s *mail.Sender) *letter {
	t.Helper()
	l := &letter{t: t, store: openStore(t)}
	l.activities = &activities.Mail{Store: l.store, Sender: s, PublicURL: "http://watchparty.test"}
	l.TestActivityEnvironment = environment(l.activities)
	l.user = register(t, l.store, "alice"+strings.ToLower(stacktest.KeyPrefix(t)[len(stacktest.KeyPrefix(t))-13:len(stacktest.KeyPrefix(t))-1]))
	err := l.store.DB().NewSelect().Table("emails").Column("id").Where("user_id = ?", l.user.ID).Scan(t.Context(), &l.in.EmailID)
	require.NoError(t, err)
	return l
}

func (l *letter) send() error {
	_, err := l.ExecuteActivity(job.SendMail, l.in)
	return err
}

func (l *letter) row() watchparty.Mail {
	l.t.Helper()
	row, err := l.store.Mail(l.t.Context(), l.in.EmailID)
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

// received are the mails that the inbox has for an address.
func received(t *testing.T, address string) (found []inboxMessage) {
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

func TestSendMail(t *testing.T) {
	t.Parallel()
	l := newLetter(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	require.Equal(t, watchparty.MailQueued, l.row().State)

	require.NoError(t, l.send())
	sent := l.row()
	require.Equal(t, watchparty.MailSent, sent.State)
	require.Equal(t, 1, sent.Attempts)
	require.Empty(t, sent.LastAnswer)
	require.WithinDuration(t, time.Now(), sent.SentAt, time.Minute)

	require.NoError(t, l.send())
	require.Equal(t, sent, l.row())
	mails := received(t, l.user.Email)
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

func TestSendMailRejected(t *testing.T) {
	t.Parallel()
	p := &peer{answers: map[string]string{}}
	l := newLetter(t, serve(t, p))
	p.answers["RCPT"] = "550 5.1.1 <" + l.user.Email + "> mailbox of " + l.user.DisplayName + " is unknown"

	err := l.send()
	requireFailure(t, err, job.ErrorMailRejected, true)
	l.requireNothingPersonal(err.Error())
	require.Contains(t, err.Error(), "550")
	row := l.row()
	require.Equal(t, watchparty.MailSending, row.State)
	require.Regexp(t, `^550 .*mailbox.*is unknown$`, row.LastAnswer)
	require.NotContains(t, row.LastAnswer, "@")
	require.NotContains(t, row.LastAnswer, l.user.Username)

	for range 2 {
		_, err = l.ExecuteActivity(job.FailMail, l.in)
		require.NoError(t, err)
		failed := l.row()
		require.Equal(t, watchparty.MailFailed, failed.State)
		require.Equal(t, row.LastAnswer, failed.LastAnswer)
	}
	delete(p.answers, "RCPT")
	require.NoError(t, l.send())
	require.Empty(t, p.Mails(), "a mail that has failed is not sent again")
	require.Equal(t, watchparty.MailFailed, l.row().State)
}

func TestFailMailLeavesASentMail(t *testing.T) {
	t.Parallel()
	l := newLetter(t, serve(t, &peer{}))
	require.NoError(t, l.send())
	_, err := l.ExecuteActivity(job.FailMail, l.in)
	require.NoError(t, err)
	require.Equal(t, watchparty.MailSent, l.row().State)
}

func TestSendMailIsTriedAgain(t *testing.T) {
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
		"hangs up":            {map[string]string{"MAIL": hangUp}, mail.Unreachable, 0, "the server closed the connection"},
		"hangs up after all":  {map[string]string{".": hangUp}, mail.Ambiguous, 0, "the server closed the connection"},
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
			require.Equal(t, watchparty.MailSending, row.State)
			require.Contains(t, row.LastAnswer, c.answer)

			clear(p.answers)
			require.NoError(t, l.send())
			row = l.row()
			require.Equal(t, watchparty.MailSent, row.State)
			require.Equal(t, 2, row.Attempts)
			require.Empty(t, row.LastAnswer)
		})
	}
}

func TestSendMailToNobody(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	l := newLetter(t, sender(t, "127.0.0.1", closed.Addr().(*net.TCPAddr).Port))
	requireFailure(t, l.send(), string(mail.Unreachable), false)
	require.Contains(t, l.row().LastAnswer, "refused the connection")
}

// A server that takes a mail and does not say so is left alone after some attempts, each with the same Message-ID.
func TestSendMailAmbiguous(t *testing.T) {
	t.Parallel()
	p := &peer{answers: map[string]string{".": hangUp}}
	l := newLetter(t, serve(t, p))
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(discard))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(20 * time.Second)
	env.RegisterWorkflowWithOptions(workflows.WelcomeEmail, workflow.RegisterOptions{Name: job.WelcomeEmail})
	env.RegisterActivity(l.activities)
	env.ExecuteWorkflow(job.WelcomeEmail, l.in)

	requireFailure(t, env.GetWorkflowError(), job.ErrorMailRejected, true)
	row := l.row()
	require.Equal(t, watchparty.MailFailed, row.State)
	require.Equal(t, 4, row.Attempts)
	require.Len(t, p.Mails(), 4)
	for _, content := range p.Mails() {
		require.Contains(t, content, "Message-ID: <"+l.in.EmailID+"@watchparty.test>")
	}
}

func TestSendMailWithoutItsRows(t *testing.T) {
	t.Parallel()
	p := &peer{}
	s := serve(t, p)
	t.Run("user", func(t *testing.T) {
		l := newLetter(t, s)
		execute(t, l.store, "DELETE FROM users WHERE id = ?", l.user.ID)
		requireFailure(t, l.send(), job.ErrorNotFound, true)
	})
	t.Run("mail", func(t *testing.T) {
		l := newLetter(t, s)
		execute(t, l.store, "DELETE FROM emails WHERE id = ?", l.in.EmailID)
		requireFailure(t, l.send(), job.ErrorNotFound, true)
	})
	require.Empty(t, p.Mails())
}

// A worker that is told to stop while the server says yes still notes that, or the mail would be sent twice.
func TestSendMailNotesSuccessWhenStopped(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	p := &peer{before: map[string]func(){"QUIT": stop}} // the client has read the answer to the content by then
	l := newLetter(t, serve(t, p))
	l.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	_ = l.send()
	require.Error(t, ctx.Err())
	require.Len(t, p.Mails(), 1)
	require.Equal(t, watchparty.MailSent, l.row().State)
}

func TestSendMailWithoutDatabase(t *testing.T) {
	t.Parallel()
	p := &peer{}
	l := newLetter(t, serve(t, p))
	execute(t, l.store, "ALTER TABLE emails RENAME TO elsewhere")
	err := l.send()
	require.Error(t, err)
	requireFailure(t, err, "wrapError", false)
	require.Empty(t, p.Mails())
}
