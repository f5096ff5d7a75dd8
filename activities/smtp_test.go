package activities_test

import (
	"bufio"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/mail"
)

// hangUp is an answer that does not come: the connection ends.
const hangUp = ""

// peer is an SMTP server that answers by a script; to what the script does not name it says yes. "." is the answer to
// a mail's content.
type peer struct {
	answers map[string]string
	before  map[string]func() // called before the answer

	address *net.TCPAddr
	mu      sync.Mutex
	mails   []string
}

func (p *peer) Mails() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.mails...)
}

func serve(t *testing.T, p *peer) *mail.Sender {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.address = listener.Addr().(*net.TCPAddr)
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { p.session(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		sessions.Wait() // for the senders' connections, which they have closed
	})
	return sender(t, "127.0.0.1", p.address.Port)
}

func (p *peer) session(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // the sender may have closed it
	in := textproto.NewReader(bufio.NewReader(conn))
	for command := "greeting"; ; {
		if !p.answer(conn, command) || command == "QUIT" {
			return
		}
		if command == "DATA" {
			content, err := io.ReadAll(in.DotReader())
			if err != nil {
				return
			}
			p.mu.Lock()
			p.mails = append(p.mails, string(content))
			p.mu.Unlock()
			command = "."
			continue
		}
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		command, _, _ = strings.Cut(strings.ToUpper(line), " ")
	}
}

func (p *peer) answer(conn net.Conn, command string) bool {
	if before := p.before[command]; before != nil {
		before()
	}
	answer, scripted := p.answers[command]
	if !scripted {
		answer = map[string]string{"greeting": "220 peer.test", "DATA": "354 go on", "QUIT": "221 bye"}[command]
		if answer == "" {
			answer = "250 yes"
		}
	}
	if answer == hangUp {
		return false
	}
	_, err := io.WriteString(conn, answer+"\r\n")
	return err == nil
}

func sender(t *testing.T, host string, port int) *mail.Sender {
	t.Helper()
	s, err := mail.New(config.Mail{
		Host: host, Port: port, TLS: "none", From: "WatchParty <no-reply@watchparty.test>", Timeout: 10 * time.Second,
	})
	require.NoError(t, err)
	return s
}
