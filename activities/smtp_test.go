package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/mail/smtptest"
)

// peer is an SMTP server whose answers may change from one connection to the next.
type peer struct {
	*smtptest.Server
	answers map[string]string
	before  map[string]func()
}

func serve(t *testing.T, p *peer) *mail.Sender {
	t.Helper()
	p.Server = smtptest.ServeEach(
		t, func() smtptest.Script { return smtptest.Script{Answers: p.answers, Before: p.before} },
	)
	return sender(t, p.Host, p.Port)
}

func sender(t *testing.T, host string, port int) *mail.Sender {
	t.Helper()
	s, err := mail.New(config.Email{
		Host: host, Port: port, TLS: "none", From: "WatchParty <no-reply@watchparty.test>", Timeout: 10 * time.Second,
	})
	require.NoError(t, err)
	return s
}
