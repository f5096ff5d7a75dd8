package mail

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a server may do in the place of an answer, or after one ("250 2.0.0 OK" + hangUp).
const (
	hangUp  = "\x00hang up"
	silence = "\x00silence"
	pause   = "\x00pause\x00" // pause + a duration + pause + the answer
)

// script is what a server says to each command; what it does not name gets the usual answer. "greeting" is the
// banner, "." the answer to the content, "*" that to a line of an AUTH exchange.
type script struct {
	answers    map[string]string
	extensions []string
	startTLS   *tls.Config
	implicit   *tls.Config
}

// smtpServer is a peer for tests that keeps to its script, however hostile.
type smtpServer struct {
	host string
	port int

	mu       sync.Mutex
	commands []string
	contents []string
}

func (s *smtpServer) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

func (s *smtpServer) Contents() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.contents...)
}

func serve(t *testing.T, sc script) *smtpServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &smtpServer{host: "127.0.0.1", port: listener.Addr().(*net.TCPAddr).Port}
	var sessions sync.WaitGroup
	var conns sync.Map
	sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Store(conn, nil)
			sessions.Go(func() {
				defer conn.Close()
				s.session(conn, sc)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		ended := make(chan struct{})
		go func() { sessions.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(2 * time.Second):
			t.Error("the client has left a connection open")
			conns.Range(func(conn, _ any) bool { conn.(net.Conn).Close(); return true })
			<-ended
		}
	})
	return s
}

// pipe is serve without a socket, so that it works on a synthetic clock. It takes one connection.
func pipe(t *testing.T, sc script) (*smtpServer, *Sender) {
	t.Helper()
	server := &smtpServer{host: "hostile.test", port: 25}
	s := sender(t, settings(server))
	s.dial = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			server.session(far, sc)
		}()
		return near, nil
	}
	return server, s
}

func (s *smtpServer) session(conn net.Conn, sc script) {
	if sc.implicit != nil {
		conn = tls.Server(conn, sc.implicit)
	}
	in := bufio.NewReader(conn)
	say := func(command, usual string) bool {
		answer, scripted := sc.answers[command]
		if !scripted {
			answer = usual
		}
		if _, paused, ok := strings.Cut(answer, pause); ok {
			length, rest, _ := strings.Cut(paused, pause)
			duration, err := time.ParseDuration(length)
			if err != nil {
				panic(err)
			}
			<-time.After(duration)
			answer = rest
		}
		text, _, hangs := strings.Cut(answer, hangUp)
		text, _, silent := strings.Cut(text, silence)
		if text != "" {
			if _, err := io.WriteString(conn, text+"\r\n"); err != nil {
				return false
			}
		}
		if silent {
			_, _ = io.Copy(io.Discard, in) // until the client goes
		}
		return !hangs && !silent
	}
	if !say("greeting", "220 hostile.test ESMTP") {
		return
	}
	authenticating := false
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.mu.Lock()
		s.commands = append(s.commands, line)
		s.mu.Unlock()
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if authenticating {
			authenticating = false
			if !say("*", "235 2.7.0 welcome") {
				return
			}
			continue
		}
		switch verb {
		case "EHLO":
			lines := append([]string{"hostile.test"}, sc.extensions...)
			if sc.startTLS != nil {
				lines = append(lines, "STARTTLS")
			}
			usual := "250-" + strings.Join(append(lines, "8BITMIME"), "\r\n250-")
			if !say(verb, usual+"\r\n250 ENHANCEDSTATUSCODES") {
				return
			}
		case "STARTTLS":
			if !say(verb, "220 2.0.0 go ahead") {
				return
			}
			conn = tls.Server(conn, sc.startTLS)
			in = bufio.NewReader(conn)
		case "AUTH":
			authenticating = len(strings.Fields(line)) == 2
			if !say(verb, "235 2.7.0 welcome") {
				return
			}
		case "DATA":
			if !say(verb, "354 go ahead") {
				return
			}
			if sc.answers[verb] != "" {
				continue
			}
			content, err := readContent(in)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.contents = append(s.contents, content)
			s.mu.Unlock()
			if !say(".", "250 2.0.0 queued") {
				return
			}
		case "QUIT":
			say(verb, "221 2.0.0 bye")
			return
		default:
			if !say(verb, "250 2.1.0 OK") {
				return
			}
		}
	}
}

func readContent(in *bufio.Reader) (string, error) {
	var content strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return content.String(), nil
		}
		content.WriteString(strings.TrimPrefix(line, "."))
	}
}

// certificate is self-signed for 127.0.0.1; the pool trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "hostile.test"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}
