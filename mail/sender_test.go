package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/mail/smtptest"
)

const (
	rowID     = "0198f2b0-6f5e-7c3a-9d53-2f1f6f0f3a11"
	messageID = "<" + rowID + "@watchparty.test>"
	timeout   = 20 * time.Second
)

func settings(s *smtptest.Server) config.Email {
	return config.Email{
		Host: s.Host, Port: s.Port, TLS: "none", Timeout: timeout,
		From: "WatchParty <no-reply@watchparty.test>",
	}
}

func sender(t *testing.T, c config.Email) *Sender {
	t.Helper()
	s, err := New(c)
	require.NoError(t, err)
	return s
}

func message(t *testing.T) Message {
	t.Helper()
	content, err := Welcome(
		watchparty.English,
		WelcomeData{AccountData: AccountData{DisplayName: "Alice", Username: "alice7", Link: "https://watch.test"}},
	)
	require.NoError(t, err)
	return Message{ID: rowID, To: "alice.liddell@wonder.test", ToName: "Alice", Content: content}
}

// sent is an email as its reader's program sees it.
type sent struct {
	header     netmail.Header
	text, html string
}

// webAddresses of headers are not broken, however long.
var webAddresses = regexp.MustCompile(`<https?://[^>]*>`)

func parse(t *testing.T, content string) sent {
	t.Helper()
	for line := range strings.SplitSeq(content, "\r\n") {
		require.LessOrEqual(t, len(webAddresses.ReplaceAllString(line, "")), 78)
		require.NotContains(t, line, "\n", "a bare line feed")
	}
	msg, err := netmail.ReadMessage(strings.NewReader(content))
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(msg.Body, params["boundary"])
	part := func(kind string) string {
		p, err := parts.NextPart()
		require.NoError(t, err)
		require.Equal(t, kind, strings.Split(p.Header.Get("Content-Type"), ";")[0])
		body, err := io.ReadAll(p)
		require.NoError(t, err)
		return strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	s := sent{header: msg.Header}
	s.text, s.html = part("text/plain"), part("text/html")
	_, err = parts.NextPart()
	require.ErrorIs(t, err, io.EOF)
	return s
}

// requireMail checks that the server saw exactly this email, whole, once.
func requireMail(t *testing.T, s *smtptest.Server, m Message) {
	t.Helper()
	require.Len(t, s.Contents(), 1)
	got := parse(t, s.Contents()[0])
	require.Equal(t, messageID, got.header.Get("Message-ID"))
	require.Equal(t, m.Content.Text, got.text)
	require.Equal(t, m.Content.HTML, got.html)
}

func TestSendWhatAnAnswerMeans(t *testing.T) {
	for name, tt := range map[string]struct {
		answers map[string]string
		kind    Kind // empty: success
		code    int
		answer  string
		arrives bool // the server has seen the whole email
	}{
		"250":                         {arrives: true},
		"251 to RCPT":                 {answers: map[string]string{"RCPT": "251 will forward"}, arrives: true},
		"252 to the content":          {answers: map[string]string{".": "252 taken"}, arrives: true},
		"250 then closes":             {answers: map[string]string{".": "250 OK" + smtptest.HangUp}, arrives: true},
		"250 then garbage to QUIT":    {answers: map[string]string{"QUIT": "what?"}, arrives: true},
		"250 then 421 to QUIT":        {answers: map[string]string{"QUIT": "421 going"}, arrives: true},
		"HELO only":                   {answers: map[string]string{"EHLO": "502 no"}, arrives: true},
		"451 to RCPT":                 {map[string]string{"RCPT": "451 4.3.0 try again"}, Temporary, 451, "4.3.0 try again", false},
		"452 to the content":          {map[string]string{".": "452 4.3.1 disk full"}, Temporary, 452, "4.3.1 disk full", true},
		"450 4.7.1 to RCPT":           {map[string]string{"RCPT": "450 4.7.1 greylisted"}, Later, 450, "4.7.1 greylisted", false},
		"450 4.70.1 to RCPT":          {map[string]string{"RCPT": "450 4.70.1 odd"}, Temporary, 450, "4.70.1 odd", false},
		"421 as greeting":             {map[string]string{"greeting": "421 4.3.2 busy" + smtptest.HangUp}, Later, 421, "4.3.2 busy", false},
		"421 to MAIL":                 {map[string]string{"MAIL": "421 busy" + smtptest.HangUp}, Later, 421, "busy", false},
		"421 to the content":          {map[string]string{".": "421 busy" + smtptest.HangUp}, Later, 421, "busy", true},
		"451 as greeting":             {map[string]string{"greeting": "451 not now"}, Temporary, 451, "not now", false},
		"550 to RCPT":                 {map[string]string{"RCPT": "550 5.1.1 no such user"}, Permanent, 550, "5.1.1 no such user", false},
		"550 to RCPT, then closes":    {map[string]string{"RCPT": "550 no" + smtptest.HangUp}, Permanent, 550, "no", false},
		"550 in two lines":            {map[string]string{"RCPT": "550-5.1.1 no\r\n550 5.1.1 really"}, Permanent, 550, "5.1.1 no 5.1.1 really", false},
		"553 to MAIL":                 {map[string]string{"MAIL": "553 bad sender"}, Later, 553, "bad sender", false},
		"554 to DATA":                 {map[string]string{"DATA": "554 no"}, Permanent, 554, "no", false},
		"554 to the content":          {map[string]string{".": "554 5.7.1 spam"}, Permanent, 554, "5.7.1 spam", true},
		"554 as greeting":             {map[string]string{"greeting": "554 not you"}, Later, 554, "not you", false},
		"530 to MAIL":                 {map[string]string{"MAIL": "530 5.7.0 log in"}, Later, 530, "5.7.0 log in", false},
		"closes as greeting":          {map[string]string{"greeting": smtptest.HangUp}, Unreachable, 0, "the server closed the connection", false},
		"closes at MAIL":              {map[string]string{"MAIL": smtptest.HangUp}, Unreachable, 0, "the server closed the connection", false},
		"closes at DATA":              {map[string]string{"DATA": smtptest.HangUp}, Unreachable, 0, "the server closed the connection", false},
		"closes after the final dot":  {map[string]string{".": smtptest.HangUp}, Ambiguous, 0, "the server closed the connection", true},
		"garbage after the final dot": {map[string]string{".": "what?"}, Ambiguous, 0, `the server's answer is not one of SMTP: "what?"`, true},
		"354 after the final dot":     {map[string]string{".": "354 more"}, Ambiguous, 354, "more", true},
		"garbage as greeting":         {map[string]string{"greeting": "\x16\x03\x01\xff\x00*garbage"}, Unreachable, 0, "", false},
		"garbage to EHLO":             {map[string]string{"EHLO": "lorem", "HELO": "ipsum"}, Unreachable, 0, "", false},
		"garbage to RCPT":             {map[string]string{"RCPT": "lorem ipsum"}, Unreachable, 0, "", false},
		"354 to RCPT":                 {map[string]string{"RCPT": "354 hm"}, Unreachable, 354, "hm", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := smtptest.Serve(t, smtptest.Script{Answers: tt.answers})
			m := message(t)
			err := sender(t, settings(server)).Send(t.Context(), m)
			if tt.arrives {
				requireMail(t, server, m)
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

func requireKind(t *testing.T, err error, kind Kind) *SendError {
	t.Helper()
	var e *SendError
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, e.Answer)
	require.Contains(t, e.Error(), string(kind))
	return e
}

// certificate is a server's; the pool trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	server, trusted := smtptest.Certificate(t)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(trusted))
	return server, pool
}

// pipe is a server without a socket, so that it works on a synthetic clock. It takes one connection.
func pipe(t *testing.T, sc smtptest.Script) (*smtptest.Server, *Sender) {
	t.Helper()
	server := &smtptest.Server{Host: "hostile.test", Port: 25}
	s := sender(t, settings(server))
	s.dial = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			server.Session(far, sc)
		}()
		return near, nil
	}
	return server, s
}

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
				_, s := pipe(t, smtptest.Script{Answers: map[string]string{tt.command: smtptest.Silence}})
				start := time.Now()
				e := requireKind(t, s.Send(t.Context(), message(t)), tt.kind)
				require.Equal(t, "the server did not answer in time", e.Answer)
				require.NotErrorIs(t, e, context.DeadlineExceeded, "the caller had time left")
				require.Equal(t, timeout, time.Since(start))
			})
		})
	}
}

func TestSendTakesASlowGoodbyeForSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, s := pipe(t, smtptest.Script{Answers: map[string]string{"QUIT": smtptest.Silence}})
		m := message(t)
		start := time.Now()
		require.NoError(t, s.Send(t.Context(), m))
		require.Equal(t, quitTimeout, time.Since(start))
		requireMail(t, server, m)
	})
}

// The content has a time of its own: a server that was slow before has not used it up.
func TestSendGivesTheContentItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		almost := timeout - time.Second
		server, s := pipe(t, smtptest.Script{Answers: map[string]string{
			"EHLO": smtptest.After(almost, "250 slow"), ".": smtptest.After(almost, "250 slow"),
		}})
		m := message(t)
		start := time.Now()
		require.NoError(t, s.Send(t.Context(), m))
		require.Equal(t, 2*(timeout-time.Second), time.Since(start))
		requireMail(t, server, m)
	})
}

// A server that goes in the middle of a large content has not seen its end.
func TestSendContentCutOff(t *testing.T) {
	t.Parallel()
	server := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{"DATA": "354 go" + smtptest.HangUp}})
	m := message(t)
	m.Content.Text = strings.Repeat("A line of text that fills the network's buffers.\n", 400_000)
	requireKind(t, sender(t, settings(server)).Send(t.Context(), m), Unreachable)
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
				_, s := pipe(t, smtptest.Script{Answers: map[string]string{tt.command: smtptest.Silence}})
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				start := time.Now()
				e := requireKind(t, s.Send(ctx, message(t)), tt.kind)
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
		e := requireKind(t, sender(t, settings(server)).Send(ctx, message(t)), Unreachable)
		require.ErrorIs(t, e, context.Canceled)
		require.Empty(t, server.Commands())
	})
}

func TestSendToNobody(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	e := requireKind(t, sender(t, settings(&smtptest.Server{Host: "127.0.0.1", Port: port})).Send(t.Context(), message(t)),
		Unreachable)
	require.Equal(t, "the server refused the connection", e.Answer)
}

func TestSendToAServerThatNeverStops(t *testing.T) {
	t.Parallel()
	endless := "250-" + strings.Repeat(strings.Repeat("x", 60)+"\r\n250-", 2*maxAnswers/60) + smtptest.Silence
	server := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{"EHLO": endless}})
	e := requireKind(t, sender(t, settings(server)).Send(t.Context(), message(t)), Unreachable)
	require.Contains(t, e.Answer, errTooLong.Error())
}

func TestSendOverTLS(t *testing.T) {
	identity, trusted := certificate(t)
	secure := func(t *testing.T, mode string, sc smtptest.Script) (*smtptest.Server, *Sender) {
		server := smtptest.Serve(t, sc)
		c := settings(server)
		c.TLS, c.Username, c.Password = mode, "relay", "hunter2hunter2"
		s := sender(t, c)
		s.tls.RootCAs = trusted
		return server, s
	}
	plain := "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00relay\x00hunter2hunter2"))

	t.Run("STARTTLS", func(t *testing.T) {
		t.Parallel()
		server, s := secure(t, "starttls", smtptest.Script{StartTLS: identity, Extensions: []string{"AUTH PLAIN LOGIN"}})
		m := message(t)
		require.NoError(t, s.Send(t.Context(), m))
		requireMail(t, server, m)
		require.Equal(t, "STARTTLS", server.Commands()[1])
		require.Equal(t, plain, server.Commands()[3])
	})
	t.Run("implicit", func(t *testing.T) {
		t.Parallel()
		server, s := secure(t, "implicit", smtptest.Script{Implicit: identity, Extensions: []string{"AUTH LOGIN PLAIN"}})
		m := message(t)
		require.NoError(t, s.Send(t.Context(), m))
		requireMail(t, server, m)
		require.Equal(t, plain, server.Commands()[1])
	})
	t.Run("no STARTTLS where it is required", func(t *testing.T) {
		t.Parallel()
		server, s := secure(t, "starttls", smtptest.Script{Extensions: []string{"AUTH PLAIN"}})
		e := requireKind(t, s.Send(t.Context(), message(t)), Unreachable)
		require.Contains(t, e.Answer, "STARTTLS")
		require.Len(t, server.Commands(), 1, "nothing after EHLO")
	})
	for _, mode := range []string{"starttls", "implicit"} {
		t.Run("untrusted certificate, "+mode, func(t *testing.T) {
			t.Parallel()
			sc := smtptest.Script{StartTLS: identity}
			if mode == "implicit" {
				sc = smtptest.Script{Implicit: identity}
			}
			server, s := secure(t, mode, sc)
			s.tls.RootCAs = nil
			e := requireKind(t, s.Send(t.Context(), message(t)), Unreachable)
			require.Contains(t, e.Answer, "certificate")
			for _, command := range server.Commands() {
				require.Contains(t, []string{"EHLO", "STARTTLS"}, strings.Fields(command)[0])
			}
		})
	}
	t.Run("a server without TLS where it is implicit", func(t *testing.T) {
		t.Parallel()
		server, s := secure(t, "implicit", smtptest.Script{})
		requireKind(t, s.Send(t.Context(), message(t)), Unreachable)
		require.NotContains(t, strings.Join(server.Commands(), "\n"), "AUTH")
	})
}

// What comes before TLS may be of anybody, so that nothing is believed that was sent ahead.
func TestSendRefusesWhatWasSentAheadOfTLS(t *testing.T) {
	t.Parallel()
	identity, trusted := certificate(t)
	server := smtptest.Serve(t, smtptest.Script{StartTLS: identity, Answers: map[string]string{
		"STARTTLS": "220 go ahead\r\n250-evil.test\r\n250 AUTH PLAIN",
	}})
	c := settings(server)
	c.TLS = "starttls"
	s := sender(t, c)
	s.tls.RootCAs = trusted
	requireKind(t, s.Send(t.Context(), message(t)), Unreachable)
	require.Equal(t, []string{"EHLO watchparty.test", "STARTTLS"}, server.Commands())
}

// Servers refuse a client that calls itself by the bare name of its machine.
func TestSendSaysTheNameOfTheService(t *testing.T) {
	identity, trusted := certificate(t)
	for name, tt := range map[string]struct{ setting, from, want string }{
		"the domain of the sender": {"", "WatchParty <no-reply@bücher.test>", "xn--bcher-kva.test"},
		"the setting":              {"mail.bücher.test", "no-reply@watchparty.test", "mail.xn--bcher-kva.test"},
		"an address":               {"[192.0.2.1]", "no-reply@watchparty.test", "[192.0.2.1]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for mode, script := range map[string]smtptest.Script{
				"none":     {Answers: map[string]string{"EHLO": "502 what?"}},
				"starttls": {StartTLS: identity},
				"implicit": {Implicit: identity},
			} {
				server := smtptest.Serve(t, script)
				c := settings(server)
				c.HELOName, c.From, c.TLS = tt.setting, tt.from, mode
				s := sender(t, c)
				s.tls.RootCAs = trusted
				require.NoError(t, s.Send(t.Context(), message(t)))
				hellos := 0
				for _, command := range server.Commands() {
					if verb, name, _ := strings.Cut(command, " "); verb == "EHLO" || verb == "HELO" {
						require.Equal(t, tt.want, name, mode)
						hellos++
					}
				}
				require.Equal(t, map[string]int{"none": 2, "starttls": 2, "implicit": 1}[mode], hellos, mode)
			}
		})
	}
}

func TestSendLogsIn(t *testing.T) {
	loggedIn := func(t *testing.T, sc smtptest.Script) (*smtptest.Server, *Sender) {
		server := smtptest.Serve(t, sc)
		c := settings(server)
		c.Username, c.Password = "relay@watchparty.test", "hunter2hunter2"
		return server, sender(t, c)
	}
	t.Run("nobody asked", func(t *testing.T) {
		t.Parallel()
		server := smtptest.Serve(t, smtptest.Script{Extensions: []string{"AUTH PLAIN"}})
		require.NoError(t, sender(t, settings(server)).Send(t.Context(), message(t)))
		require.NotContains(t, strings.Join(server.Commands(), "\n"), "AUTH")
	})
	t.Run("in the clear to this machine", func(t *testing.T) {
		t.Parallel()
		server, s := loggedIn(t, smtptest.Script{Extensions: []string{"AUTH PLAIN"}})
		require.NoError(t, s.Send(t.Context(), message(t)))
		require.Contains(t, strings.Join(server.Commands(), "\n"), "AUTH PLAIN ")
	})
	t.Run("not in the clear to another", func(t *testing.T) {
		t.Parallel()
		server := smtptest.Serve(t, smtptest.Script{Extensions: []string{"AUTH PLAIN LOGIN"}})
		c := settings(server)
		c.Host, c.Username, c.Password = "0.0.0.0", "relay", "hunter2hunter2" // arrives here, but looks like another
		requireKind(t, sender(t, c).Send(t.Context(), message(t)), Unreachable)
		require.Len(t, server.Commands(), 1, "nothing after EHLO")
	})
	t.Run("a wrong password can be cured", func(t *testing.T) {
		t.Parallel()
		_, s := loggedIn(t, smtptest.Script{
			Extensions: []string{"AUTH PLAIN"},
			Answers: map[string]string{"AUTH": "535 5.7.8 relay@watchparty.test hunter2hunter2 " +
				base64.StdEncoding.EncodeToString([]byte("\x00relay@watchparty.test\x00hunter2hunter2")) + " refused"},
		})
		e := requireKind(t, s.Send(t.Context(), message(t)), Later)
		require.Equal(t, 535, e.Code)
		require.Equal(t, "5.7.8 [redacted] [redacted] [redacted] refused", e.Answer)
	})
	t.Run("by a mechanism of several steps", func(t *testing.T) {
		encode := base64.StdEncoding.EncodeToString
		for name, tt := range map[string]struct {
			answers  map[string]string
			commands []string // what the client says, as the beginning of a line
		}{
			"LOGIN": {map[string]string{"AUTH": "334 " + encode([]byte("Username:")), "*": "334 " + encode([]byte("Password:"))},
				[]string{"AUTH LOGIN", encode([]byte("relay@watchparty.test")), encode([]byte("hunter2hunter2")), "MAIL"}},
			"LOGIN without words": {map[string]string{"AUTH": "334", "*": "334 "},
				[]string{"AUTH LOGIN", encode([]byte("relay@watchparty.test")), encode([]byte("hunter2hunter2")), "MAIL"}},
			"CRAM-MD5": {map[string]string{"AUTH": "334 " + encode([]byte("<1.2@hostile.test>"))},
				[]string{"AUTH CRAM-MD5", encode([]byte("relay@watchparty.test "))[:24], "MAIL"}},
			"SCRAM-SHA-256": {map[string]string{"AUTH": "334 ", "*": "535 no"},
				[]string{"AUTH SCRAM-SHA-256", encode([]byte("n,,n=relay@watchparty.test,r="))[:36], "QUIT"}},
			"PLAIN to a server that asks what it was told": {map[string]string{"AUTH": "334 more", "*": "501 ended"},
				[]string{"AUTH PLAIN ", "*"}},
			"LOGIN with a challenge that is not encoded": {map[string]string{"AUTH": "334 Username:", "*": "501 ended"},
				[]string{"AUTH LOGIN", "*"}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				mechanism, _, _ := strings.Cut(name, " ")
				server, s := loggedIn(t, smtptest.Script{Extensions: []string{"AUTH " + mechanism}, Answers: tt.answers})
				_ = s.Send(t.Context(), message(t))
				said := server.Commands()[1:]
				require.GreaterOrEqual(t, len(said), len(tt.commands))
				for i, want := range tt.commands {
					require.True(t, strings.HasPrefix(said[i], want), "%s: %q", want, said)
				}
			})
		}
	})
	t.Run("no mechanism in common", func(t *testing.T) {
		t.Parallel()
		_, s := loggedIn(t, smtptest.Script{Extensions: []string{"AUTH OTHER"}})
		requireKind(t, s.Send(t.Context(), message(t)), Unreachable)
	})
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
			m := message(t)
			m.ToName = tt.toName
			m.Content.Subject = "Hello " + tt.toName
			require.NoError(t, sender(t, settings(server)).Send(t.Context(), m))
			requireMail(t, server, m)

			got := parse(t, server.Contents()[0]).header
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
		m := message(t)
		m.UnsubscribeURL = scheme + at + token
		require.NoError(t, sender(t, settings(server)).Send(t.Context(), m))
		header := parse(t, server.Contents()[0]).header
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
			m := message(t)
			change(&m)
			e := requireKind(t, sender(t, settings(server)).Send(t.Context(), m), Permanent)
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
		m := message(t)
		m.To = "zoe@bücher.test"
		require.NoError(t, sender(t, settings(server)).Send(t.Context(), m))
		require.Contains(t, server.Commands(), "RCPT TO:<zoe@xn--bcher-kva.test>")
		require.NotContains(t, strings.Join(server.Commands(), "\n"), "SMTPUTF8", "not needed")
	})
	t.Run("local part", func(t *testing.T) {
		t.Parallel()
		server := smtptest.Serve(t, smtptest.Script{Extensions: []string{"SMTPUTF8"}})
		m := message(t)
		m.To = "zoë@wonder.test"
		require.NoError(t, sender(t, settings(server)).Send(t.Context(), m))
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
			err := sender(t, settings(server)).Send(t.Context(), message(t))
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
	s := sender(t, config.Email{
		Host: "h.test", Port: 25, TLS: "none", From: "W <a@mail.watchparty.test>", Timeout: time.Second,
	})
	require.Equal(t, "<"+rowID+"@mail.watchparty.test>", s.MessageID(rowID))
}
