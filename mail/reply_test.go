package mail

import (
	"bufio"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/mail/smtptest"
)

// The forms of a reply by RFC 5321, 4.2, and what servers make of them.
func TestReadReply(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for name, tt := range map[string]struct {
		sent  string
		code  int
		lines []string
	}{
		"a code and text":                 {"250 OK\r\n", 250, []string{"OK"}},
		"a code alone":                    {"250\r\n", 250, []string{""}},
		"a code and a space":              {"250 \r\n", 250, []string{""}},
		"a code and a tab":                {"250\tOK\r\n", 250, []string{"OK"}},
		"a text that touches the code":    {"250OK\r\n", 250, []string{"OK"}},
		"lines":                           {"250-a\r\n250-b\r\n250 c\r\n", 250, []string{"a", "b", "c"}},
		"lines, the last of a code alone": {"250-a\r\n250\r\n", 250, []string{"a", ""}},
		"lines without text":              {"250-\r\n250-\r\n250 \r\n", 250, []string{"", "", ""}},
		"a long line":                     {"250 " + long + "\r\n", 250, []string{long}},
		"many lines": {
			strings.Repeat("250-x\r\n", 999) + "250 x\r\n", 250, slices.Repeat([]string{"x"}, 1000),
		},
		"lines that end by LF":         {"250-a\n250 b\n", 250, []string{"a", "b"}},
		"text in UTF-8":                {"250 schön\r\n", 250, []string{"schön"}},
		"text in Latin-1":              {"250 sch\xf6n\r\n", 250, []string{"sch\xf6n"}},
		"a hyphen in the text":         {"250 -a\r\n", 250, []string{"-a"}},
		"a code in the text":           {"250-550 a\r\n250 550-b\r\n", 250, []string{"550 a", "550-b"}},
		"a line broken in two":         {"250-a\r\nb\r\n250 c\r\n", 250, []string{"a", "b", "c"}},
		"codes that differ":            {"250-a\r\n550 b\r\n", 550, []string{"a", "b"}},
		"every first digit":            {"354\r\n", 354, []string{""}},
		"an unusual code":              {"299 x\r\n", 299, []string{"x"}},
		"breaks off in a line":         {"250 O", 250, []string{"O"}},
		"breaks off after the code":    {"250", 250, []string{""}},
		"breaks off between lines":     {"250-a\r\n", 250, []string{"a"}},
		"breaks off in a code":         {"250-a\r\n25", 250, []string{"a"}},
		"nothing":                      {"", 0, nil},
		"breaks off in the first code": {"25", 0, nil},
		"four digits":                  {"2500 OK\r\n", 0, nil},
		"two digits":                   {"25 OK\r\n", 0, nil},
		"no code of SMTP":              {"199 x\r\n", 0, nil},
		"nor this":                     {"600 x\r\n", 0, nil},
		"no code":                      {"OK\r\n", 0, nil},
		"an empty line":                {"\r\n250 OK\r\n", 0, nil},
		"space before the code":        {" 250 OK\r\n", 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := readReply(bufio.NewReader(strings.NewReader(tt.sent)))
			require.Equal(t, tt.code, r.code)
			require.Equal(t, tt.lines, r.lines)
			require.Equal(t, tt.code == 0, err != nil, "%v", err)
		})
	}
}

// replyForms are a positive reply in every form; the first digit is that of the usual one.
func replyForms(code string) map[string]string {
	return map[string]string{
		"the code alone": code, "the code and a space": code + " ", "lines": code + "-a\r\n" + code + " b",
		"lines without text": code + "-\r\n" + code, "a long line": code + " " + strings.Repeat("x", 5000),
		"another code of its kind": code[:1] + "99 fine",
	}
}

// An email is sent, once, whatever the form is in which the server says yes, at every step.
func TestSendUnderstandsEveryFormOfReply(t *testing.T) {
	identity, trusted := newCertificate(t)
	for command, code := range map[string]string{
		"greeting": "220", "EHLO": "250", "STARTTLS": "220", "AUTH": "235", "MAIL": "250", "RCPT": "250", "DATA": "354",
		".": "250", "QUIT": "221",
	} {
		for name, answer := range replyForms(code) {
			t.Run(command+" "+name, func(t *testing.T) {
				t.Parallel()
				server := smtptest.Serve(t, smtptest.Script{
					StartTLS: identity, Extensions: []string{"AUTH PLAIN"}, Answers: map[string]string{command: answer},
				})
				c := smtpConfig(server)
				if command != "EHLO" { // whose forms here offer nothing
					c.TLS, c.Username, c.Password = "starttls", "relay", "hunter2hunter2"
				}
				s := newSender(t, c)
				s.tls.RootCAs = trusted
				m := testMessage(t)
				require.NoError(t, s.Send(t.Context(), m))
				requireEmail(t, server, m)
			})
		}
	}
}

// Keywords are in any case (RFC 5321, 2.4), and what follows them in any form that servers have had.
func TestSendUnderstandsExtensionsInAnyCase(t *testing.T) {
	identity, trusted := newCertificate(t)
	for name, lines := range map[string][]string{
		"upper case":               {"x", "STARTTLS", "AUTH PLAIN", "8BITMIME", "SMTPUTF8"},
		"lower case":               {"x", "starttls", "auth plain", "8bitmime", "smtputf8"},
		"mixed case":               {"x", "StartTls", "Auth Login Plain", "8BitMime", "SmtpUtf8"},
		"spaces":                   {"x ", "STARTTLS ", "AUTH\tLOGIN  PLAIN ", " 8BITMIME", "SMTPUTF8  "},
		"the form before RFC 2554": {"x", "STARTTLS", "AUTH=LOGIN PLAIN", "8BITMIME", "SMTPUTF8"},
		"both forms":               {"x", "STARTTLS", "AUTH PLAIN", "AUTH=LOGIN", "8BITMIME", "SMTPUTF8"},
		"empty lines":              {"", "STARTTLS", "AUTH PLAIN", "", "8BITMIME", "SMTPUTF8", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			last := len(lines) - 1
			hello := "250-" + strings.Join(lines[:last], "\r\n250-") + "\r\n250 " + lines[last]
			server := smtptest.Serve(t, smtptest.Script{StartTLS: identity, Answers: map[string]string{"EHLO": hello}})
			c := smtpConfig(server)
			c.TLS, c.Username, c.Password = "starttls", "relay", "hunter2hunter2"
			s := newSender(t, c)
			s.tls.RootCAs = trusted
			m := testMessage(t)
			m.To = "zoë@wonder.test"
			require.NoError(t, s.Send(t.Context(), m))
			commands := strings.Join(server.Commands(), "\n")
			require.Contains(t, commands, "\nAUTH PLAIN ")
			require.Contains(t, commands, " BODY=8BITMIME SMTPUTF8\n")
		})
	}
}

// What was answered with a 2xx after the final dot is sent: whatever follows, it is not tried again.
func TestSendTakesTheFirstDigitForAnAnswer(t *testing.T) {
	for name, answers := range map[string]map[string]string{
		"a code alone":                       {".": "250"},
		"then closes":                        {".": "250" + smtptest.HangUp},
		"a line that breaks off":             {".": "250 2.0.0 que" + smtptest.BreakOff},
		"a code that breaks off":             {".": "250" + smtptest.BreakOff},
		"lines that break off":               {".": "250-2.0.0 queued" + smtptest.HangUp},
		"lines that break off in a code":     {".": "250-2.0.0 queued\r\n25" + smtptest.BreakOff},
		"another 2xx":                        {".": "221 queued, goodbye" + smtptest.HangUp},
		"then no answer to QUIT":             {".": "250", "QUIT": smtptest.HangUp},
		"then a refusal of QUIT":             {"QUIT": "500 what?"},
		"then a broken answer to QUIT":       {"QUIT": "2" + smtptest.BreakOff},
		"then an endless answer to QUIT":     {"QUIT": "221-" + strings.Repeat("x\r\n221-", maxAnswers/4) + smtptest.HangUp},
		"then 421, which nobody asked for":   {".": "250 queued\r\n421 idle for too long" + smtptest.HangUp},
		"then a refusal, which nobody wants": {".": "250 queued\r\n554 no" + smtptest.HangUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := smtptest.Serve(t, smtptest.Script{Answers: answers})
			m := testMessage(t)
			require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(), m))
			requireEmail(t, server, m)
		})
	}
}

// A refusal that breaks off is one, too.
func TestSendTakesARefusalThatBreaksOff(t *testing.T) {
	for _, command := range []string{"RCPT", "."} {
		for _, answer := range []string{"550-5.1.1 nobody" + smtptest.HangUp, "550 5.1.1 nob" + smtptest.BreakOff} {
			server := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{command: answer}})
			e := requireKind(t, newSender(t, smtpConfig(server)).Send(t.Context(), testMessage(t)), Permanent)
			require.Equal(t, 550, e.Code)
		}
	}
}

// A server that goes in the middle of the content may say why.
func TestSendReadsARefusalOfTheContentsBeginning(t *testing.T) {
	answer := "354 go\r\n552 5.3.4 too much" + smtptest.HangUp
	server := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{"DATA": answer}})
	m := testMessage(t)
	m.Content.Text = strings.Repeat("A line of text that fills the network's buffers.\n", 400_000)
	e := requireKind(t, newSender(t, smtpConfig(server)).Send(t.Context(), m), Permanent)
	require.Equal(t, 552, e.Code)
	require.Empty(t, server.Contents())
}
