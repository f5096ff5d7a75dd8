package mail

import (
	"errors"
	"mime"
	"net"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/mail/smtptest"
)

const (
	rowID     = "0198f2b0-6f5e-7c3a-9d53-2f1f6f0f3a11"
	messageID = "<" + rowID + "@watchparty.test>"
	timeout   = 20 * time.Second
)

func TestSendWhatAnAnswerMeans(t *testing.T) {
	for name, tt := range map[string]struct {
		answers map[string]string
		kind    Kind // empty: success
		code    int
		answer  string
		arrives bool // the server has seen the whole email
	}{
		"250":                      {arrives: true},
		"251 to RCPT":              {answers: map[string]string{"RCPT": "251 will forward"}, arrives: true},
		"252 to the content":       {answers: map[string]string{".": "252 taken"}, arrives: true},
		"250 then closes":          {answers: map[string]string{".": "250 OK" + smtptest.HangUp}, arrives: true},
		"250 then garbage to QUIT": {answers: map[string]string{"QUIT": "what?"}, arrives: true},
		"250 then 421 to QUIT":     {answers: map[string]string{"QUIT": "421 going"}, arrives: true},
		"HELO only":                {answers: map[string]string{"EHLO": "502 no"}, arrives: true},
		"451 to RCPT": {map[string]string{"RCPT": "451 4.3.0 try again"}, Temporary, 451, "4.3.0 try again",
			false},
		"452 to the content": {map[string]string{".": "452 4.3.1 disk full"}, Temporary, 452, "4.3.1 disk full",
			true},
		"450 4.7.1 to RCPT": {map[string]string{"RCPT": "450 4.7.1 greylisted"}, Later, 450, "4.7.1 greylisted",
			false},
		"450 4.70.1 to RCPT": {map[string]string{"RCPT": "450 4.70.1 odd"}, Temporary, 450, "4.70.1 odd", false},
		"421 as greeting": {map[string]string{"greeting": "421 4.3.2 busy" + smtptest.HangUp}, Later, 421,
			"4.3.2 busy", false},
		"421 to MAIL":        {map[string]string{"MAIL": "421 busy" + smtptest.HangUp}, Later, 421, "busy", false},
		"421 to the content": {map[string]string{".": "421 busy" + smtptest.HangUp}, Later, 421, "busy", true},
		"451 as greeting":    {map[string]string{"greeting": "451 not now"}, Temporary, 451, "not now", false},
		"550 to RCPT": {map[string]string{"RCPT": "550 5.1.1 no such user"}, Permanent, 550,
			"5.1.1 no such user", false},
		"550 to RCPT, then closes": {map[string]string{"RCPT": "550 no" + smtptest.HangUp}, Permanent, 550, "no", false},
		"550 in two lines": {map[string]string{"RCPT": "550-5.1.1 no\r\n550 5.1.1 really"}, Permanent, 550,
			"5.1.1 no 5.1.1 really", false},
		"553 to MAIL":        {map[string]string{"MAIL": "553 bad sender"}, Later, 553, "bad sender", false},
		"554 to DATA":        {map[string]string{"DATA": "554 no"}, Permanent, 554, "no", false},
		"554 to the content": {map[string]string{".": "554 5.7.1 spam"}, Permanent, 554, "5.7.1 spam", true},
		"554 as greeting":    {map[string]string{"greeting": "554 not you"}, Later, 554, "not you", false},
		"530 to MAIL":        {map[string]string{"MAIL": "530 5.7.0 log in"}, Later, 530, "5.7.0 log in", false},
		"closes as greeting": {map[string]string{"greeting": smtptest.HangUp}, Unreachable, 0,
			"the server closed the connection", false},
		"closes at MAIL": {map[string]string{"MAIL": smtptest.HangUp}, Unreachable, 0,
			"the server closed the connection", false},
		"closes at DATA": {map[string]string{"DATA": smtptest.HangUp}, Unreachable, 0,
			"the server closed the connection", false},
		"closes after the final dot": {map[string]string{".": smtptest.HangUp}, Ambiguous, 0,
			"the server closed the connection", true},
		"garbage after the final dot": {
			map[string]string{".": "what?"}, Ambiguous, 0, `the server's answer is not one of SMTP: "what?"`, true,
		},
		"354 after the final dot": {map[string]string{".": "354 more"}, Ambiguous, 354, "more", true},
		"garbage as greeting": {map[string]string{"greeting": "\x16\x03\x01\xff\x00*garbage"}, Unreachable, 0, "",
			false},
		"garbage to EHLO": {map[string]string{"EHLO": "lorem", "HELO": "ipsum"}, Unreachable, 0, "", false},
		"garbage to RCPT": {map[string]string{"RCPT": "lorem ipsum"}, Unreachable, 0, "", false},
		"354 to RCPT":     {map[string]string{"RCPT": "354 hm"}, Unreachable, 354, "hm", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := smtptest.Serve(t, smtptest.Script{Answers: tt.answers})
			m := testMessage(t)
			err := newSender(t, smtpConfig(server)).Send(t.Context(), m)
			if tt.arrives {
				requireEmail(t, server, m)
			} else {
				require.Empty(t, server.Contents())
			}
			if tt.kind == "" {
				require.NoError(t, err)
				return
			}
			e := requireKind(t, err, tt.kind)
			require.Equal(t, tt.code, e.Code)
			if tt.answer != "" {
				require.Equal(t, tt.answer, e.Answer)
			}
			require.NotEmpty(t, e.Answer)
		})
	}
}

func TestSendToNobody(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	s := newSender(t, smtpConfig(&smtptest.Server{Host: "127.0.0.1", Port: port}))
	e := requireKind(t, s.Send(t.Context(), testMessage(t)), Unreachable)
	require.Equal(t, "the server refused the connection", e.Answer)
}

func TestSendWritesTheHeader(t *testing.T) {
	for name, tt := range map[string]struct{ toName, shown string }{
		"plain":                  {"Alice", "Alice"},
		"none":                   {"", ""},
		"needs quotes":           {`Alice "the" <b@c.test>, d@e.test`, `Alice "the" <b@c.test>, d@e.test`},
		"accents":                {"Zoë Müller", "Zoë Müller"},
		"right to left":          {"ليلى كرم", "ليلى كرم"},
		"emoji":                  {"👩‍🚀 Ann", "👩‍🚀 Ann"},
		"line breaks":            {"Eve\r\nBcc: victim@other.test\r\n\r\nHello", "Eve Bcc: victim@other.test Hello"},
		"other line breaks":      {"Eve\u2028Bcc: x\u0085y\vz", "Eve Bcc: x y z"},
		"direction override":     {"moc.\u202Elive\u202C \u2069x", "moc.live x"},
		"not UTF-8":              {"Eve\xff\xfe", "Eve\uFFFD\uFFFD"},
		"very long":              {strings.Repeat("é", 5000), strings.Repeat("é", 99) + "…"},
		"an encoded line break":  {"=?utf-8?q?Eve=0D=0ABcc:_x?=", "= ?utf-8?q?Eve=0D=0ABcc:_x?="},
		"null and other control": {"E\x00v\x1be", "E v e"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := smtptest.Serve(t, smtptest.Script{})
			m := testMessage(t)
			m.ToName = tt.toName
			m.Content.Subject = "Hello " + tt.toName
			require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(), m))
			requireEmail(t, server, m)

			got := parseMessage(t, server.Contents()[0]).header
			names := []string{}
			for name := range got {
				names = append(names, name)
			}
			require.ElementsMatch(t, []string{
				"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To",
			}, names)
			to, err := got.AddressList("To")
			require.NoError(t, err)
			require.Len(t, to, 1)
			require.Equal(t, m.To, to[0].Address)
			require.Equal(t, tt.shown, to[0].Name)
			subject, err := new(mime.WordDecoder).DecodeHeader(got.Get("Subject"))
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(subject, "Hello"))
			require.False(t, strings.ContainsFunc(subject, unicode.IsControl), "%q", subject)
			require.Equal(t, "auto-generated", got.Get("Auto-Submitted"))
			require.Equal(t, `"WatchParty" <no-reply@watchparty.test>`, got.Get("From"))
			date, err := got.Date()
			require.NoError(t, err)
			require.WithinDuration(t, time.Now(), date, time.Minute)

			require.Contains(t, server.Commands(), "RCPT TO:<alice.liddell@wonder.test>")
			require.Contains(t, server.Commands(), "MAIL FROM:<no-reply@watchparty.test> BODY=8BITMIME")
		})
	}
}

func TestSendOffersToUnsubscribe(t *testing.T) {
	const at = "://watch.test/unsubscribe?token="
	token := strings.Repeat("t", 64)
	for scheme, post := range map[string]string{"https": "List-Unsubscribe=One-Click", "http": ""} {
		server := smtptest.Serve(t, smtptest.Script{})
		m := testMessage(t)
		m.UnsubscribeURL = scheme + at + token
		require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(), m))
		header := parseMessage(t, server.Contents()[0]).header
		require.Equal(t, "<"+m.UnsubscribeURL+">", header.Get("List-Unsubscribe"))
		require.Equal(t, post, header.Get("List-Unsubscribe-Post"))
	}
}

func TestSendRefusesWhatIsNotAMessage(t *testing.T) {
	for name, change := range map[string]func(*Message){
		"a list's address":      func(m *Message) { m.UnsubscribeURL = "https://watch.test/>\r\nBcc: victim@other.test" },
		"no address":            func(m *Message) { m.To = "" },
		"no at sign":            func(m *Message) { m.To = "alice" },
		"a name with it":        func(m *Message) { m.To = "Alice <alice@wonder.test>" },
		"a list":                func(m *Message) { m.To = "a@wonder.test, b@wonder.test" },
		"a group":               func(m *Message) { m.To = "g: a@wonder.test;" },
		"a comment":             func(m *Message) { m.To = "a@wonder.test (x)" },
		"a header":              func(m *Message) { m.To = "a@wonder.test\r\nBcc: b@wonder.test" },
		"a command":             func(m *Message) { m.To = "a@wonder.test>\r\nRCPT TO:<b@wonder.test" },
		"a quoted line break":   func(m *Message) { m.To = "\"a\r\nb\"@wonder.test" },
		"a control character":   func(m *Message) { m.To = "a\u0085b@wonder.test" },
		"too long":              func(m *Message) { m.To = strings.Repeat("a", 250) + "@wonder.test" },
		"no ID":                 func(m *Message) { m.ID = "" },
		"an ID with a header":   func(m *Message) { m.ID = "x@y>\r\nBcc: b@wonder.test" },
		"no text":               func(m *Message) { m.Content.Text = "" },
		"characters need UTF-8": func(m *Message) { m.To = "zoë@wonder.test" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			extensions := []string{"SMTPUTF8"}
			if name == "characters need UTF-8" {
				extensions = nil
			}
			server := smtptest.Serve(t, smtptest.Script{Extensions: extensions})
			m := testMessage(t)
			change(&m)
			e := requireKind(t, newSender(t, smtpConfig(server)).Send(t.Context(), m), Permanent)
			require.NotContains(t, e.Error(), "wonder")
			for _, command := range server.Commands() {
				require.Contains(t, []string{"EHLO", "QUIT"}, strings.Fields(command)[0])
			}
		})
	}
}

func TestSendToInternationalAddresses(t *testing.T) {
	t.Run("domain", func(t *testing.T) {
		t.Parallel()
		server := smtptest.Serve(t, smtptest.Script{Extensions: []string{"SMTPUTF8"}})
		m := testMessage(t)
		m.To = "zoe@bücher.test"
		require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(), m))
		require.Contains(t, server.Commands(), "RCPT TO:<zoe@xn--bcher-kva.test>")
		require.NotContains(t, strings.Join(server.Commands(), "\n"), "SMTPUTF8", "not needed")
	})
	t.Run("local part", func(t *testing.T) {
		t.Parallel()
		server := smtptest.Serve(t, smtptest.Script{Extensions: []string{"SMTPUTF8"}})
		m := testMessage(t)
		m.To = "zoë@wonder.test"
		require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(), m))
		commands := strings.Join(server.Commands(), "\n")
		require.Contains(t, commands, "SMTPUTF8")
		require.Contains(t, commands, "zoë@wonder.test")
	})
}

// What an error holds goes into histories and logs: nothing down its chain may name the recipient.
func TestSendKeepsAddressesOutOfErrors(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"greeting", "MAIL", "RCPT", "DATA", "."} {
		for _, answer := range []string{
			"550 5.1.1 <alice.liddell@wonder.test>: unknown\x07", "451 alice.liddell@wonder.test",
			"what is alice.liddell@wonder.test",
		} {
			server := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{command: answer}})
			err := newSender(t, smtpConfig(server)).Send(t.Context(), testMessage(t))
			require.Error(t, err)
			for ; err != nil; err = errors.Unwrap(err) {
				require.NotContains(t, err.Error(), "liddell")
				require.NotContains(t, err.Error(), "wonder.test")
				require.NotContains(t, err.Error(), "\x07")
			}
		}
	}
}

func TestNew(t *testing.T) {
	good := config.Email{Host: "h.test", Port: 25, TLS: "none", From: "a@b.test", Timeout: time.Second}
	_, err := New(good)
	require.NoError(t, err)
	for name, change := range map[string]func(*config.Email){
		"MAIL_FROM":      func(c *config.Email) { c.From = "nobody" },
		"SMTP_HELO_NAME": func(c *config.Email) { c.HELOName = "bare" },
	} {
		c := good
		change(&c)
		_, err := New(c)
		require.ErrorContains(t, err, name)
	}
}

func TestMessageID(t *testing.T) {
	s := newSender(t, config.Email{
		Host: "h.test", Port: 25, TLS: "none", From: "W <a@mail.watchparty.test>", Timeout: time.Second,
	})
	require.Equal(t, "<"+rowID+"@mail.watchparty.test>", s.MessageID(rowID))
}
