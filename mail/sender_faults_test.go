package mail

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/mail/smtptest"
)

// The tests of time run on a synthetic clock, over a pipe in the place of a socket.

func TestSendToAServerThatHangs(t *testing.T) {
	for name, tt := range map[string]struct {
		command string
		kind    Kind
	}{
		"as greeting":         {"greeting", Unreachable},
		"at EHLO":             {"EHLO", Unreachable},
		"at RCPT":             {"RCPT", Unreachable},
		"at DATA":             {"DATA", Unreachable},
		"after the final dot": {".", Ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s := startPipeServer(t, smtptest.Script{Answers: map[string]string{tt.command: smtptest.Silence}})
				start := time.Now()
				e := requireKind(t, s.Send(t.Context(), testMessage(t)), tt.kind)
				require.Equal(t, "the server did not answer in time", e.Answer)
				require.NotErrorIs(t, e, context.DeadlineExceeded, "the caller had time left")
				require.Equal(t, timeout, time.Since(start))
			})
		})
	}
}

// What goes wrong before the first email concerns all emails, however the server fails.
func TestSendBlamesTheServiceForABrokenOpening(t *testing.T) {
	identity, trusted := newCertificate(t)
	for _, command := range []string{"greeting", "EHLO", "STARTTLS", "AUTH"} {
		for name, answer := range map[string]string{
			"closes": smtptest.HangUp, "garbage": "what?", "1xx": "150 wait", "3xx": "354 hm", "4xx": "451 no", "5xx": "554 no",
		} {
			t.Run(command+" "+name, func(t *testing.T) {
				t.Parallel()
				server := smtptest.Serve(t, smtptest.Script{
					StartTLS: identity, Extensions: []string{"AUTH PLAIN"},
					Answers: map[string]string{command: answer, "HELO": answer},
				})
				c := smtpConfig(server)
				c.TLS, c.Username, c.Password = "starttls", "relay", "hunter2hunter2"
				s := newSender(t, c)
				s.tls.RootCAs = trusted
				var e *SendError
				require.ErrorAs(t, s.Send(t.Context(), testMessage(t)), &e)
				require.Equal(t, AboutService, e.About)
				require.NotEqual(t, Permanent, e.Kind)
			})
		}
	}
}

func TestSendTakesASlowGoodbyeForSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, s := startPipeServer(t, smtptest.Script{Answers: map[string]string{"QUIT": smtptest.Silence}})
		m := testMessage(t)
		start := time.Now()
		require.NoError(t, s.Send(t.Context(), m))
		require.Equal(t, quitTimeout, time.Since(start))
		requireEmail(t, server, m)
	})
}

// The content has a time of its own: a server that was slow before has not used it up.
func TestSendGivesTheContentItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		almost := timeout - time.Second
		server, s := startPipeServer(t, smtptest.Script{Answers: map[string]string{
			"EHLO": smtptest.After(almost, "250 slow"), ".": smtptest.After(almost, "250 slow"),
		}})
		m := testMessage(t)
		start := time.Now()
		require.NoError(t, s.Send(t.Context(), m))
		require.Equal(t, 2*(timeout-time.Second), time.Since(start))
		requireEmail(t, server, m)
	})
}

// A server that goes in the middle of a large content has not seen its end.
func TestSendContentCutOff(t *testing.T) {
	t.Parallel()
	server := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{"DATA": "354 go" + smtptest.HangUp}})
	m := testMessage(t)
	m.Content.Text = strings.Repeat("A line of text that fills the network's buffers.\n", 400_000)
	requireKind(t, newSender(t, smtpConfig(server)).Send(t.Context(), m), Unreachable)
	require.Empty(t, server.Contents())
}

func TestSendEndsWithItsContext(t *testing.T) {
	for name, tt := range map[string]struct {
		command string
		kind    Kind
	}{
		"before the content": {"RCPT", Unreachable},
		"after the content":  {".", Ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s := startPipeServer(t, smtptest.Script{Answers: map[string]string{tt.command: smtptest.Silence}})
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				start := time.Now()
				e := requireKind(t, s.Send(ctx, testMessage(t)), tt.kind)
				require.ErrorIs(t, e, context.DeadlineExceeded)
				require.Equal(t, 3*time.Second, time.Since(start))
			})
		})
	}
	t.Run("cancelled before", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		server := smtptest.Serve(t, smtptest.Script{})
		e := requireKind(t, newSender(t, smtpConfig(server)).Send(ctx, testMessage(t)), Unreachable)
		require.ErrorIs(t, e, context.Canceled)
		require.Empty(t, server.Commands())
	})
}

func TestSendToAServerThatNeverStops(t *testing.T) {
	t.Parallel()
	endless := "250-" + strings.Repeat(strings.Repeat("x", 60)+"\r\n250-", 2*maxAnswers/60) + smtptest.Silence
	server := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{"EHLO": endless}})
	e := requireKind(t, newSender(t, smtpConfig(server)).Send(t.Context(), testMessage(t)), Unreachable)
	require.Contains(t, e.Answer, errTooLong.Error())
}
