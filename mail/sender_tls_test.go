package mail

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/mail/smtptest"
)

func TestSendOverTLS(t *testing.T) {
	identity, trusted := newCertificate(t)
	secure := func(t *testing.T, mode string, sc smtptest.Script) (*smtptest.Server, *Sender) {
		server := smtptest.Serve(t, sc)
		c := smtpConfig(server)
		c.TLS, c.Username, c.Password = mode, "relay", "hunter2hunter2"
		s := newSender(t, c)
		s.tls.RootCAs = trusted
		return server, s
	}
	plain := "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00relay\x00hunter2hunter2"))

	t.Run("STARTTLS", func(t *testing.T) {
		t.Parallel()
		server, s := secure(t, "starttls", smtptest.Script{StartTLS: identity, Extensions: []string{"AUTH PLAIN LOGIN"}})
		m := testMessage(t)
		require.NoError(t, s.Send(t.Context(), m))
		requireEmail(t, server, m)
		require.Equal(t, "STARTTLS", server.Commands()[1])
		require.Equal(t, plain, server.Commands()[3])
	})
	t.Run("implicit", func(t *testing.T) {
		t.Parallel()
		server, s := secure(t, "implicit", smtptest.Script{Implicit: identity, Extensions: []string{"AUTH LOGIN PLAIN"}})
		m := testMessage(t)
		require.NoError(t, s.Send(t.Context(), m))
		requireEmail(t, server, m)
		require.Equal(t, plain, server.Commands()[1])
	})
	t.Run("no STARTTLS where it is required", func(t *testing.T) {
		t.Parallel()
		server, s := secure(t, "starttls", smtptest.Script{Extensions: []string{"AUTH PLAIN"}})
		e := requireKind(t, s.Send(t.Context(), testMessage(t)), Unreachable)
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
			e := requireKind(t, s.Send(t.Context(), testMessage(t)), Unreachable)
			require.Contains(t, e.Answer, "certificate")
			for _, command := range server.Commands() {
				require.Contains(t, []string{"EHLO", "STARTTLS"}, strings.Fields(command)[0])
			}
		})
	}
	t.Run("a server without TLS where it is implicit", func(t *testing.T) {
		t.Parallel()
		server, s := secure(t, "implicit", smtptest.Script{})
		requireKind(t, s.Send(t.Context(), testMessage(t)), Unreachable)
		require.NotContains(t, strings.Join(server.Commands(), "\n"), "AUTH")
	})
}

// What comes before TLS may be of anybody, so that nothing is believed that was sent ahead.
func TestSendRefusesWhatWasSentAheadOfTLS(t *testing.T) {
	t.Parallel()
	identity, trusted := newCertificate(t)
	server := smtptest.Serve(t, smtptest.Script{StartTLS: identity, Answers: map[string]string{
		"STARTTLS": "220 go ahead\r\n250-evil.test\r\n250 AUTH PLAIN",
	}})
	c := smtpConfig(server)
	c.TLS = "starttls"
	s := newSender(t, c)
	s.tls.RootCAs = trusted
	requireKind(t, s.Send(t.Context(), testMessage(t)), Unreachable)
	require.Equal(t, []string{"EHLO watchparty.test", "STARTTLS"}, server.Commands())
}

// Servers refuse a client that calls itself by the bare name of its machine.
func TestSendSaysTheNameOfTheService(t *testing.T) {
	identity, trusted := newCertificate(t)
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
				c := smtpConfig(server)
				c.HELOName, c.From, c.TLS = tt.setting, tt.from, mode
				s := newSender(t, c)
				s.tls.RootCAs = trusted
				require.NoError(t, s.Send(t.Context(), testMessage(t)))
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
		c := smtpConfig(server)
		c.Username, c.Password = "relay@watchparty.test", "hunter2hunter2"
		return server, newSender(t, c)
	}
	t.Run("nobody asked", func(t *testing.T) {
		t.Parallel()
		server := smtptest.Serve(t, smtptest.Script{Extensions: []string{"AUTH PLAIN"}})
		require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(), testMessage(t)))
		require.NotContains(t, strings.Join(server.Commands(), "\n"), "AUTH")
	})
	t.Run("in the clear to this machine", func(t *testing.T) {
		t.Parallel()
		server, s := loggedIn(t, smtptest.Script{Extensions: []string{"AUTH PLAIN"}})
		require.NoError(t, s.Send(t.Context(), testMessage(t)))
		require.Contains(t, strings.Join(server.Commands(), "\n"), "AUTH PLAIN ")
	})
	t.Run("not in the clear to another", func(t *testing.T) {
		t.Parallel()
		server := smtptest.Serve(t, smtptest.Script{Extensions: []string{"AUTH PLAIN LOGIN"}})
		c := smtpConfig(server)
		c.Host, c.Username, c.Password = "0.0.0.0", "relay", "hunter2hunter2" // arrives here, but looks like another
		requireKind(t, newSender(t, c).Send(t.Context(), testMessage(t)), Unreachable)
		require.Len(t, server.Commands(), 1, "nothing after EHLO")
	})
	t.Run("a wrong password can be cured", func(t *testing.T) {
		t.Parallel()
		_, s := loggedIn(t, smtptest.Script{
			Extensions: []string{"AUTH PLAIN"},
			Answers: map[string]string{"AUTH": "535 5.7.8 relay@watchparty.test hunter2hunter2 " +
				base64.StdEncoding.EncodeToString([]byte("\x00relay@watchparty.test\x00hunter2hunter2")) + " refused"},
		})
		e := requireKind(t, s.Send(t.Context(), testMessage(t)), Later)
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
				_ = s.Send(t.Context(), testMessage(t))
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
		requireKind(t, s.Send(t.Context(), testMessage(t)), Unreachable)
	})
}
