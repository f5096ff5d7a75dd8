package webhook

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loopback are the addresses of the test's own receivers.
var loopback = watchparty.WebhookTargets{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

func newSender(t *testing.T, addresses watchparty.WebhookTargets, roots *x509.CertPool) *Sender {
	t.Helper()
	s := NewSender(addresses, roots)
	t.Cleanup(s.Close)
	return s
}

func message(url string) Message {
	return Message{
		URL: url, ID: "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4", At: time.Now(), Body: `{"type":"webhook.test"}`,
		Keys: [][]byte{NewKey()},
	}
}

// TestSignature: the library of Standard Webhooks verifies what is sent, with the new secret and with the former one.
func TestSignature(t *testing.T) {
	former, current := NewKey(), NewKey()
	at, body := time.Now(), `{"type":"room.opened","data":{"title":"Ä"}}`
	header := http.Header{}
	header.Set(HeaderID, "msg")
	header.Set(HeaderTimestamp, timestamp(at))
	header.Set(HeaderSignature, Sign("msg", at, body, current, former))
	for _, key := range [][]byte{former, current} {
		verifier, err := standardwebhooks.NewWebhook(Secret(key))
		require.NoError(t, err)
		require.NoError(t, verifier.Verify([]byte(body), header))
		require.Error(t, verifier.Verify([]byte(body+" "), header))
	}
	stranger, err := standardwebhooks.NewWebhook(Secret(NewKey()))
	require.NoError(t, err)
	require.Error(t, stranger.Verify([]byte(body), header))
	require.Len(t, NewKey(), secretBytes)
}

// TestSend: the outcome for each kind of answer.
func TestSend(t *testing.T) {
	var got *http.Request
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		answer(w, r)
	}))
	defer receiver.Close()
	s := newSender(t, loopback, nil)
	for name, test := range map[string]struct {
		status     int
		retryAfter string
		want       Result
	}{
		"taken":                     {200, "", Result{watchparty.WebhookOutcomeDelivered, 200, 0}},
		"taken, to be worked on":    {202, "", Result{watchparty.WebhookOutcomeDelivered, 202, 0}},
		"a redirect":                {302, "", Result{watchparty.WebhookOutcomeRedirect, 302, 0}},
		"a lasting redirect":        {308, "", Result{watchparty.WebhookOutcomeRedirect, 308, 0}},
		"not found":                 {404, "", Result{watchparty.WebhookOutcomeStatus, 404, 0}},
		"gone":                      {410, "", Result{watchparty.WebhookOutcomeGone, 410, 0}},
		"too many":                  {429, "120", Result{watchparty.WebhookOutcomeStatus, 429, 2 * time.Minute}},
		"away for long":             {503, "4000000000", Result{watchparty.WebhookOutcomeStatus, 503, MaxRetryAfter}},
		"a pause that is no number": {503, "soon", Result{watchparty.WebhookOutcomeStatus, 503, 0}},
		"a fault":                   {500, "-5", Result{watchparty.WebhookOutcomeStatus, 500, 0}},
	} {
		answer = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			if test.retryAfter != "" {
				w.Header().Set("Retry-After", test.retryAfter)
			}
			w.WriteHeader(test.status)
		}
		result, err := s.Send(t.Context(), message(receiver.URL+"/hook?a=b"))
		require.NoError(t, err, name)
		require.Equal(t, test.want, result, name)
		require.Equal(t, "/hook?a=b", got.URL.RequestURI(), name)
		require.Equal(t, []string{"POST", "application/json", "WatchParty-Webhooks/1"},
			[]string{got.Method, got.Header.Get("Content-Type"), got.UserAgent()})
	}
	now := time.Now().UTC().Truncate(time.Second)
	require.Equal(t, time.Hour, retryAfter(now.Add(time.Hour).Format(http.TimeFormat), now))
	require.Zero(t, retryAfter(now.Add(-time.Hour).Format(http.TimeFormat), now))
}

// TestSendIsBounded: neither headers without end, nor a body that drips, nor one that is endless, hold an attempt.
func TestSendIsBounded(t *testing.T) {
	stop := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/headers":
			for i := range 1000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("a", 1000))
			}
		case "/drip":
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-stop
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/broken":
			panic(http.ErrAbortHandler)
		}
	}))
	defer receiver.Close()
	defer close(stop)
	s := newSender(t, loopback, nil)
	for path, want := range map[string]watchparty.WebhookOutcome{
		"/headers": watchparty.WebhookOutcomeConnect, "/drip": watchparty.WebhookOutcomeDelivered,
		"/endless": watchparty.WebhookOutcomeDelivered, "/broken": watchparty.WebhookOutcomeConnect,
	} {
		began := time.Now()
		result, err := s.Send(t.Context(), message(receiver.URL+path))
		require.NoError(t, err, path)
		require.Equal(t, want, result.Outcome, path)
		require.Less(t, time.Since(began), Timeout/2, path)
	}
}

// TestSendChecksWhereItConnects: the address that is connected to counts, and not the name, nor its spelling.
func TestSendChecksWhereItConnects(t *testing.T) {
	received := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { received++ }))
	defer receiver.Close()
	_, port, err := net.SplitHostPort(receiver.Listener.Addr().String())
	require.NoError(t, err)
	elsewhere := watchparty.WebhookTargets{Private: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}}
	t.Setenv("HTTP_PROXY", receiver.URL)
	t.Setenv("HTTPS_PROXY", receiver.URL)
	for _, host := range []string{
		"localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::127.0.0.1]", "localhost.",
	} {
		result, err := newSender(t, elsewhere, nil).Send(t.Context(), message("http://"+host+":"+port+"/"))
		require.NoError(t, err, host)
		require.Contains(t, []watchparty.WebhookOutcome{watchparty.WebhookOutcomeBlocked, watchparty.WebhookOutcomeName},
			result.Outcome, host)
	}
	require.Zero(t, received)

	result, err := newSender(t, loopback, nil).Send(t.Context(), message("http://localhost:"+port+"/"))
	require.NoError(t, err)
	require.Equal(t, watchparty.WebhookOutcomeDelivered, result.Outcome)
	require.Equal(t, 1, received)

	// Only private networks are reached by http. The dialer refuses others before it sends anything.
	transport, ok := newSender(t, loopback, nil).clients["http"].Transport.(*http.Transport)
	require.True(t, ok)
	_, err = transport.DialContext(t.Context(), "tcp", "8.8.8.8:8080")
	require.ErrorIs(t, err, errBlocked)

	// The registered address may not be allowed any more.
	result, err = newSender(t, watchparty.WebhookTargets{}, nil).Send(t.Context(), message("http://localhost:"+port+"/"))
	require.NoError(t, err)
	require.Equal(t, watchparty.WebhookOutcomeBlocked, result.Outcome)
}

// TestSendChecksCertificates: a receiver proves who it is.
func TestSendChecksCertificates(t *testing.T) {
	receiver := httptest.NewTLSServer(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }),
	)
	receiver.Config.ErrorLog = nil
	defer receiver.Close()
	result, err := newSender(t, loopback, nil).Send(t.Context(), message(receiver.URL))
	require.NoError(t, err)
	require.Equal(t, watchparty.WebhookOutcomeTLS, result.Outcome)
	roots := x509.NewCertPool()
	roots.AddCert(receiver.Certificate())
	result, err = newSender(t, loopback, roots).Send(t.Context(), message(receiver.URL))
	require.NoError(t, err)
	require.Equal(t, watchparty.WebhookOutcomeDelivered, result.Outcome)
	plain := strings.Replace(receiver.URL, "https://", "http://", 1)
	result, err = newSender(t, loopback, nil).Send(t.Context(), message(plain))
	require.NoError(t, err)
	require.Equal(t, watchparty.WebhookOutcomeStatus, result.Outcome, "the receiver answers 400 to plain HTTP")
}

// TestSendAway: no connection, and an attempt that is cut short.
func TestSendAway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	s := newSender(t, loopback, nil)
	result, err := s.Send(t.Context(), message(address))
	require.NoError(t, err)
	require.Equal(t, watchparty.WebhookOutcomeConnect, result.Outcome)

	hangs := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client goes
		close(hangs)
		<-r.Context().Done()
	}))
	defer receiver.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-hangs
		cancel()
	}()
	_, err = s.Send(ctx, message(receiver.URL))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, watchparty.WebhookOutcomeTimeout, classify(fmt.Errorf("post: %w", context.DeadlineExceeded)))
	require.Equal(t, watchparty.WebhookOutcomeName, classify(&net.DNSError{IsTimeout: true}))
	require.Equal(t, watchparty.WebhookOutcomeConnect, classify(errors.New("reset")))
}
