package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/watchparty/watchparty"
)

// Limits of an attempt.
const (
	// Timeout is for all of an attempt: look-up, connection, request, and the headers of the answer.
	Timeout = 15 * time.Second
	// dialTimeout is for the look-up and the connection, and tlsTimeout for the handshake after it.
	dialTimeout = 5 * time.Second
	tlsTimeout  = 5 * time.Second
	// maxHeaders and maxBody bound what is read of an answer. The body is read so that the connection can be used again,
	// and is not kept.
	maxHeaders  = 16 << 10
	maxBody     = 4 << 10
	bodyTimeout = time.Second
	// idleTimeout is how long a connection is kept for the next message.
	idleTimeout = 30 * time.Second
	maxIdle     = 50
	maxIdleHost = 2
	// MaxRetryAfter is the longest pause that a receiver can ask for.
	MaxRetryAfter = 24 * time.Hour
)

// Message is what is sent to an address.
type Message struct {
	URL  string
	ID   string // the same in all attempts
	At   time.Time
	Body string
	Keys [][]byte
}

// Result is what became of an attempt.
type Result struct {
	Outcome    watchparty.WebhookOutcome
	Status     int           // 0 without an answer
	RetryAfter time.Duration // the pause that the receiver asks for; 0 for none
}

// Sender sends messages. It is safe for concurrent use.
type Sender struct {
	clients   map[string]*http.Client // by the scheme, which decides where they connect to
	addresses watchparty.WebhookTargets
	userAgent string
}

// NewSender makes a sender that connects to public addresses and to the private networks that are allowed. roots are
// the authorities of receivers' certificates; nil means the system's.
func NewSender(addresses watchparty.WebhookTargets, roots *x509.CertPool) *Sender {
	s := &Sender{map[string]*http.Client{}, addresses, "WatchParty-Webhooks/1"}
	for _, scheme := range []string{"http", "https"} {
		s.clients[scheme] = newClient(func(to netip.Addr) bool { return addresses.Allows(scheme, to) }, roots)
	}
	return s
}

// newClient makes a client that connects only to the addresses that are allowed.
func newClient(allowed func(netip.Addr) bool, roots *x509.CertPool) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: check(allowed)}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, TLSHandshakeTimeout: tlsTimeout,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: maxHeaders, DisableCompression: true,
			MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdleHost, IdleConnTimeout: idleTimeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// Close ends the connections that are kept.
func (s *Sender) Close() {
	for _, client := range s.clients {
		client.CloseIdleConnections()
	}
}

// errBlocked says that an address is not allowed. It does not contain the address: it may be of a private network.
var errBlocked = errors.New("webhook: the address is not allowed")

// check returns what the dialer calls with each address before it connects to it.
func check(allowed func(netip.Addr) bool) func(string, string, syscall.RawConn) error {
	return func(network, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || network != "tcp4" && network != "tcp6" || !allowed(to.Addr()) {
			return errBlocked
		}
		return nil
	}
}

// Send makes one attempt. It returns an error only if ctx ends before the attempt has: then nobody knows whether the
// receiver has the message.
func (s *Sender) Send(ctx context.Context, m Message) (Result, error) {
	if s.addresses.CheckURL(m.URL) != nil { // the settings may have changed since it was registered
		return Result{Outcome: watchparty.WebhookOutcomeBlocked}, nil
	}
	attempt, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(attempt, http.MethodPost, m.URL, strings.NewReader(m.Body))
	if err != nil {
		return Result{Outcome: watchparty.WebhookOutcomeBlocked}, nil //nolint:nilerr // no address of the web
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", s.userAgent)
	request.Header.Set(HeaderID, m.ID)
	request.Header.Set(HeaderTimestamp, timestamp(m.At))
	request.Header.Set(HeaderSignature, Sign(m.ID, m.At, m.Body, m.Keys...))
	response, err := s.clients[request.URL.Scheme].Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return Result{}, fmt.Errorf("webhook: send: %w", ctx.Err())
		}
		return Result{Outcome: classify(err)}, nil
	}
	defer func() { _ = response.Body.Close() }()
	defer time.AfterFunc(bodyTimeout, cancel).Stop()
	_, _ = io.CopyN(io.Discard, response.Body, maxBody) // the status has decided
	return Result{
		Outcome: outcomeOf(response.StatusCode), Status: response.StatusCode,
		RetryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now()),
	}, nil
}

func outcomeOf(status int) watchparty.WebhookOutcome {
	switch {
	case status >= 200 && status < 300:
		return watchparty.WebhookOutcomeDelivered
	case status == http.StatusGone:
		return watchparty.WebhookOutcomeGone
	case status >= 300 && status < 400:
		return watchparty.WebhookOutcomeRedirect
	}
	return watchparty.WebhookOutcomeStatus
}

// classify names the kind of an error, since its text may have addresses.
func classify(err error) watchparty.WebhookOutcome {
	var (
		lookup      *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		timeout     net.Error
	)
	switch {
	case errors.Is(err, errBlocked):
		return watchparty.WebhookOutcomeBlocked
	case errors.As(err, &lookup):
		return watchparty.WebhookOutcomeName
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return watchparty.WebhookOutcomeTLS
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return watchparty.WebhookOutcomeTimeout
	}
	return watchparty.WebhookOutcomeConnect
}

// retryAfter reads both forms of the header (RFC 9110, 10.2.3). It returns 0 for none, and MaxRetryAfter at most.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, MaxRetryAfter)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), MaxRetryAfter)
	}
	return 0
}
