package mail

import (
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/mail/smtptest"
)

// What is taken as an address can be mailed to, in the form that servers know.
func TestSendToEveryAddress(t *testing.T) {
	t.Parallel()
	for typed, command := range map[string]string{
		"a..b@wonder.test":                       `RCPT TO:<"a..b"@wonder.test>`,
		`"a..b"@wonder.test`:                     `RCPT TO:<"a..b"@wonder.test>`,
		".a@wonder.test":                         `RCPT TO:<".a"@wonder.test>`,
		"a.@wonder.test":                         `RCPT TO:<"a."@wonder.test>`,
		`"a.b"@wonder.test`:                      "RCPT TO:<a.b@wonder.test>",
		"a.b@wonder.test":                        "RCPT TO:<a.b@wonder.test>",
		"Bob@B\u00dcCHER.test":                   "RCPT TO:<Bob@xn--bcher-kva.test>",
		"bob@bu\u0308cher.test":                  "RCPT TO:<bob@xn--bcher-kva.test>",
		"bob@XN--BCHER-KVA.test":                 "RCPT TO:<bob@xn--bcher-kva.test>",
		"ｂｏｂ＠ｗｏｎｄｅｒ．ｔｅｓｔ":                        "RCPT TO:<bob@wonder.test>",
		"bob@localhost":                          "RCPT TO:<bob@localhost>",
		"!#$%&'*+-/=?^_`{|}~@wonder.test":        "RCPT TO:<!#$%&'*+-/=?^_`{|}~@wonder.test>",
		"ze\u0308@wonder.test":                   "RCPT TO:<z\u00eb@wonder.test>",
		"用户..a@例子.广告":                            "RCPT TO:<\"用户..a\"@xn--fsqu00a.xn--4rr70v>",
		strings.Repeat("a", 64) + "@wonder.test": "RCPT TO:<" + strings.Repeat("a", 64) + "@wonder.test>",
	} {
		_, err := watchparty.ParseAddress(typed)
		require.NoError(t, err, typed)
		server := smtptest.Serve(t, smtptest.Script{Extensions: []string{"SMTPUTF8"}})
		m := testMessage(t)
		m.To = typed
		require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(), m), typed)
		require.Contains(t, server.Commands(), command, typed)
		require.Len(t, server.Contents(), 1)
		letter, err := netmail.ReadMessage(strings.NewReader(server.Contents()[0]))
		require.NoError(t, err, typed)
		to, err := netmail.ParseAddress(letter.Header.Get("To"))
		require.NoError(t, err, typed)
		require.Equal(t, command, "RCPT TO:"+(&netmail.Address{Address: to.Address}).String(), "in the header, too")
	}
}

// A server that knows no SMTPUTF8 (RFC 6531) refuses for good what only that can address; all else it takes.
func TestSendWithoutSMTPUTF8(t *testing.T) {
	t.Parallel()
	server := smtptest.Serve(t, smtptest.Script{})
	m := testMessage(t)
	m.To = "zoë@wonder.test"
	e := requireKind(t, newSender(t, smtpConfig(server)).Send(t.Context(), m), Permanent)
	require.Equal(t, "the server takes no address with characters beyond ASCII", e.Answer)
	require.Empty(t, server.Contents())
	m.To = "zoe..@bücher.test"
	require.NoError(t, newSender(t, smtpConfig(smtptest.Serve(t, smtptest.Script{}))).Send(t.Context(), m))
}

// TestSenderWithoutSMTPUTF8: a server that cannot take the sender's address takes no email at all. Emails wait for
// another MAIL_FROM or another server, and the probe tells.
func TestSenderWithoutSMTPUTF8(t *testing.T) {
	t.Parallel()
	const from, both = "grüße@watchparty.test", "zoë@wonder.test"
	for _, to := range []string{"", "alice.liddell@wonder.test", both} {
		for _, extensions := range [][]string{nil, {"SMTPUTF8"}} {
			server := smtptest.Serve(t, smtptest.Script{Extensions: extensions})
			c := smtpConfig(server)
			c.From = from
			s, m := newSender(t, c), testMessage(t)
			m.To = to
			send := func() error { return s.Send(t.Context(), m) }
			if to == "" {
				send = func() error { return s.Probe(t.Context()) }
			}
			err := send()
			if extensions != nil {
				require.NoError(t, err, to)
				require.Contains(t, server.Commands(), "MAIL FROM:<"+from+"> BODY=8BITMIME SMTPUTF8")
				continue
			}
			e := requireKind(t, err, Later)
			require.Equal(t, AboutService, e.About, to)
			require.ErrorIs(t, err, ErrSenderUTF8)
			require.Contains(t, e.Answer, "MAIL_FROM")
			require.NotContains(t, strings.Join(server.Commands(), "\n"), "MAIL")
		}
	}
}

// Servers repeat addresses in the form in which they know them.
func TestQuotedAddressesStayOutOfErrors(t *testing.T) {
	t.Parallel()
	for typed, answer := range map[string]string{
		`"odd..name"@wonder.test`: "550 odd..name has no mailbox",
		"odd..name@wonder.test":   `550 <"odd..name"@wonder.test>: unknown`,
		"odde\u0301@wonder.test":  "550 odd\u00e9 has no mailbox",
	} {
		server := smtptest.Serve(
			t, smtptest.Script{Answers: map[string]string{"RCPT": answer}, Extensions: []string{"SMTPUTF8"}},
		)
		m := testMessage(t)
		m.To = typed
		err := newSender(t, smtpConfig(server)).Send(t.Context(), m)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "odd")
	}
}

func TestFromIsAnAddress(t *testing.T) {
	t.Parallel()
	server := smtptest.Serve(t, smtptest.Script{})
	c := smtpConfig(server)
	c.From = `Kino <"no..reply"@bücher.test>`
	require.NoError(t, newSender(t, c).Send(t.Context(), testMessage(t)))
	require.Contains(t, server.Commands(), `MAIL FROM:<"no..reply"@xn--bcher-kva.test> BODY=8BITMIME`)
	for _, from := range []string{
		"x@foo_bar.test", "x@[192.0.2.1]", "x@deleted.invalid", strings.Repeat("a", 65) + "@wonder.test",
	} {
		c.From = from
		_, err := New(c)
		require.ErrorContains(t, err, "MAIL_FROM", from)
	}
}
