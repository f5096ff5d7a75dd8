package activities_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/mail/smtptest"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestSendEmailRejected(t *testing.T) {
	t.Parallel()
	p := &peer{answers: map[string]string{}}
	l := newEmailFixture(t, serve(t, p))
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
	require.Empty(t, p.Contents(), "an email that has failed is not sent again")
	require.Equal(t, watchparty.EmailFailed, l.row().State)
}

func TestSendEmailIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers map[string]string
		kind    mail.Kind
		delay   time.Duration
		answer  string
	}{
		"temporary": {map[string]string{"RCPT": "451 4.3.0 try again"}, mail.Temporary, 0, "451 4.3.0 try again"},
		"later": {map[string]string{"MAIL": "421 4.3.2 closing"}, mail.Later, 10 * time.Minute,
			"421 4.3.2 closing"},
		"later by its detail": {
			map[string]string{"RCPT": "450 4.7.1 greylisted"}, mail.Later, 10 * time.Minute, "450 4.7.1 greylisted",
		},
		"refuses the service": {
			map[string]string{"RCPT": "504 5.5.2 <c0ffee>: Helo command rejected: need fully-qualified hostname"},
			mail.Later, 10 * time.Minute, "504 5.5.2 ",
		},
		"hangs up": {map[string]string{"MAIL": smtptest.HangUp}, mail.Unreachable, 0,
			"the server closed the connection"},
		"hangs up after all": {
			map[string]string{".": smtptest.HangUp}, mail.Ambiguous, 0, "the server closed the connection",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &peer{answers: c.answers}
			l := newEmailFixture(t, serve(t, p))
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
	l := newEmailFixture(t, sender(t, server.Host, server.Port))
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(discard))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(2 * time.Minute)
	env.RegisterWorkflowWithOptions(
		workflows.VerificationEmail, workflow.RegisterOptions{Name: job.WorkflowVerificationEmail},
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
		"250", "250 ", "250-\r\n250", "250-queued" + smtptest.HangUp, "250" + smtptest.BreakOff,
		"250\r\n421" + smtptest.HangUp,
	} {
		p := &peer{answers: map[string]string{".": answer}}
		l := newEmailFixture(t, serve(t, p))
		for range 2 {
			require.NoError(t, l.send(), "%q", answer)
		}
		require.Len(t, p.Contents(), 1, "%q", answer)
		require.Equal(t, watchparty.EmailSent, l.row().State)
		require.Equal(t, 1, l.row().Attempts)
	}
}

// The log says, once an interval, that the server refuses the service. It does not say that the server refuses an
// email.
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
			l := newEmailFixture(t, serve(t, &peer{answers: c.answers}))
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

// A server that takes an email and does not say so is left alone after some attempts, each with the same Message-ID.
func TestSendEmailAmbiguous(t *testing.T) {
	t.Parallel()
	p := &peer{answers: map[string]string{".": smtptest.HangUp}}
	l := newEmailFixture(t, serve(t, p))
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(discard))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(2 * time.Minute)
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
