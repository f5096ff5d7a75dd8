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
	one := session{server: s, script: sc, conn: conn, in: bufio.NewReader(conn)}
	if !one.say("greeting", "220 hostile.test ESMTP") {
		return
	}
	for {
		line, err := one.in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.record(&s.commands, line)
		if !one.answer(line) {
			return
		}
	}
}

// record adds an entry to one of the server's lists.
func (s *Server) record(list *[]string, entry string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*list = append(*list, entry)
}

// session is one connection.
type session struct {
	server   *Server
	script   Script
	conn     net.Conn
	in       *bufio.Reader
	said     string // the last answer
	exchange string // the key of the next line in an AUTH exchange; empty outside of one
}

// answer answers a line. It reports whether the session goes on.
func (s *session) answer(line string) bool {
	if s.exchange != "" {
		return s.authenticate(s.exchange)
	}
	switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
	case "EHLO":
		lines := append([]string{"hostile.test"}, s.script.Extensions...)
		if s.script.StartTLS != nil {
			lines = append(lines, "STARTTLS")
		}
		lines = append(lines, "8BITMIME")
		return s.say(verb, "250-"+strings.Join(lines, "\r\n250-")+"\r\n250 ENHANCEDSTATUSCODES")
	case "STARTTLS":
		if !s.say(verb, "220 2.0.0 go ahead") {
			return false
		}
		s.conn = tls.Server(s.conn, s.script.StartTLS)
		s.in = bufio.NewReader(s.conn)
		return true
	case "AUTH":
		return s.authenticate(verb)
	case "DATA":
		return s.say(verb, "354 go ahead") && (!strings.HasPrefix(s.said, "3") || s.receive())
	case "QUIT":
		s.say(verb, "221 2.0.0 bye")
		return false
	default:
		return s.say(verb, "250 2.1.0 OK")
	}
}

// authenticate answers a line of an AUTH exchange, which goes on if the answer asks for another line.
func (s *session) authenticate(key string) bool {
	open := s.say(key, "235 2.7.0 welcome")
	if strings.HasPrefix(s.said, "3") {
		s.exchange += "*"
	} else {
		s.exchange = ""
	}
	return open
}

// receive reads the content of an email, and answers it.
func (s *session) receive() bool {
	content, err := readContent(s.in)
	if err != nil {
		return false
	}
	s.server.record(&s.server.contents, content)
	open := s.say(".", "250 2.0.0 queued")
	if strings.HasPrefix(s.said, "2") {
		s.server.record(&s.server.accepted, content)
	}
	return open
}

// say gives the script's answer to a command, or else the usual one. It reports whether the session goes on.
func (s *session) say(command, usual string) bool {
	s.said = ""
	if before := s.script.Before[command]; before != nil {
		before()
	}
	answer, scripted := s.script.Answers[command]
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
		if _, err := io.WriteString(s.conn, text+end); err != nil {
			return false
		}
		s.said = text
	}
	if silent {
		_, _ = io.Copy(io.Discard, s.in) // until the client closes the connection
	}
	return !hangs && !silent && !breaks
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
