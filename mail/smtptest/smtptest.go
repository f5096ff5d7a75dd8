// Package smtptest is an SMTP server for tests. It follows a script, however hostile.
package smtptest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Things that a server may do instead of an answer, or after one ("250 2.0.0 OK" + HangUp). BreakOff closes the
// connection before the line of the answer has ended.
const (
	HangUp   = "\x00hang up"
	Silence  = "\x00silence"
	BreakOff = "\x00break off"
)

const pause = "\x00pause\x00" // pause + a duration + pause + the answer

// After is an answer that comes after a delay.
func After(d time.Duration, answer string) string { return pause + d.String() + pause + answer }

// closeTimeout is how long a client may take to close its connection after the test.
const closeTimeout = 30 * time.Second

// Script has a server's answer to each command; other commands get the usual answer. "greeting" is the banner, "." the
// answer to the content, "*" the answer to the first line of an AUTH exchange, "**" to the second, and so on.
type Script struct {
	Answers    map[string]string
	Before     map[string]func() // called before the answer
	Extensions []string
	StartTLS   *tls.Config
	Implicit   *tls.Config
}

// Server runs a script.
type Server struct {
	Host string
	Port int

	mu       sync.Mutex
	commands []string
	contents []string
	accepted []string
}

// Commands returns the lines of all sessions, without contents.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

// Contents returns the emails that arrived completely, whatever the answer was.
func (s *Server) Contents() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.contents...)
}

// Accepted returns the emails that arrived completely and were answered with a 2xx.
func (s *Server) Accepted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.accepted...)
}

// Serve serves until the test ends.
func Serve(t testing.TB, sc Script) *Server {
	t.Helper()
	return ServeEach(t, func() Script { return sc })
}

// ServeEach calls script for each connection.
func ServeEach(t testing.TB, script func() Script) *Server {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}
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
				s.Session(conn, script())
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		ended := make(chan struct{})
		go func() { sessions.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(closeTimeout):
			t.Error("the client has left a connection open")
			conns.Range(func(conn, _ any) bool { conn.(net.Conn).Close(); return true })
			<-ended
		}
	})
	return s
}

// Session runs a script on one connection.
func (s *Server) Session(conn net.Conn, sc Script) {
	if sc.Implicit != nil {
		conn = tls.Server(conn, sc.Implicit)
	}
	in := bufio.NewReader(conn)
	var said string // the last answer
	say := func(command, usual string) bool {
		said = ""
		if before := sc.Before[command]; before != nil {
			before()
		}
		answer, scripted := sc.Answers[command]
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
		text, _, hangs := strings.Cut(answer, HangUp)
		text, _, silent := strings.Cut(text, Silence)
		text, _, breaks := strings.Cut(text, BreakOff)
		if text != "" {
			end := "\r\n"
			if breaks {
				end = ""
			}
			if _, err := io.WriteString(conn, text+end); err != nil {
				return false
			}
			said = text
		}
		if silent {
			_, _ = io.Copy(io.Discard, in) // until the client closes the connection
		}
		return !hangs && !silent && !breaks
	}
	if !say("greeting", "220 hostile.test ESMTP") {
		return
	}
	exchange := "" // the key of the next line in an AUTH exchange
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
		if exchange != "" {
			if !say(exchange, "235 2.7.0 welcome") {
				return
			}
			exchange = nextLine(exchange, said)
			continue
		}
		switch verb {
		case "EHLO":
			lines := append([]string{"hostile.test"}, sc.Extensions...)
			if sc.StartTLS != nil {
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
			conn = tls.Server(conn, sc.StartTLS)
			in = bufio.NewReader(conn)
		case "AUTH":
			if !say(verb, "235 2.7.0 welcome") {
				return
			}
			exchange = nextLine(exchange, said)
		case "DATA":
			if !say(verb, "354 go ahead") {
				return
			}
			if !strings.HasPrefix(said, "3") {
				continue
			}
			content, err := readContent(in)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.contents = append(s.contents, content)
			s.mu.Unlock()
			open := say(".", "250 2.0.0 queued")
			if strings.HasPrefix(said, "2") {
				s.mu.Lock()
				s.accepted = append(s.accepted, content)
				s.mu.Unlock()
			}
			if !open {
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

// nextLine returns the key of the line that follows in an AUTH exchange; empty if the server has asked for none.
func nextLine(last, said string) string {
	if strings.HasPrefix(said, "3") {
		return last + "*"
	}
	return ""
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

// Certificate returns a self-signed certificate for 127.0.0.1, and its PEM for the clients.
func Certificate(t testing.TB) (server *tls.Config, certificate []byte) {
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
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
