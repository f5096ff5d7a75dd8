package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/mail/smtptest"
)

func smtpConfig(s *smtptest.Server) config.Email {
	return config.Email{
		Host: s.Host, Port: s.Port, TLS: "none", Timeout: timeout,
		From: "WatchParty <no-reply@watchparty.test>",
	}
}

func newSender(t *testing.T, c config.Email) *Sender {
	t.Helper()
	s, err := New(c)
	require.NoError(t, err)
	return s
}

func testMessage(t *testing.T) Message {
	t.Helper()
	content, err := Welcome(watchparty.English,
		WelcomeData{AccountData: AccountData{DisplayName: "Alice", Username: "alice7", Link: "https://watch.test"}})
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

func parseMessage(t *testing.T, content string) sent {
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

// requireEmail checks that the server saw exactly this email, whole, once.
func requireEmail(t *testing.T, s *smtptest.Server, m Message) {
	t.Helper()
	require.Len(t, s.Contents(), 1)
	got := parseMessage(t, s.Contents()[0])
	require.Equal(t, messageID, got.header.Get("Message-ID"))
	require.Equal(t, m.Content.Text, got.text)
	require.Equal(t, m.Content.HTML, got.html)
}

func requireKind(t *testing.T, err error, kind Kind) *SendError {
	t.Helper()
	var e *SendError
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, e.Answer)
	require.Contains(t, e.Error(), string(kind))
	return e
}

// newCertificate returns a server's certificate, and a pool that trusts it.
func newCertificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	server, trusted := smtptest.Certificate(t)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(trusted))
	return server, pool
}

// startPipeServer starts a server without a socket, so that it works on a synthetic clock. It takes one connection.
func startPipeServer(t *testing.T, sc smtptest.Script) (*smtptest.Server, *Sender) {
	t.Helper()
	server := &smtptest.Server{Host: "hostile.test", Port: 25}
	s := newSender(t, smtpConfig(server))
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
