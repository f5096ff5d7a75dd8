package mail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// Step is a step of the dialogue with the server.
type Step string

const (
	StepConnect   Step = "connect" // up to the greeting
	StepHello     Step = "EHLO"
	StepStartTLS  Step = "STARTTLS"
	StepAuth      Step = "AUTH"
	StepSender    Step = "MAIL"
	StepRecipient Step = "RCPT"
	// StepData ends at the final dot: until then the server cannot have taken the email.
	StepData Step = "DATA"
	// StepEnd begins at the final dot: without an answer it is unknown whether the server has taken the email.
	StepEnd Step = "end of data"
)

// opening reports whether the step comes before the first email, so that a failure concerns all emails.
func (s Step) opening() bool {
	return slices.Contains([]Step{StepConnect, StepHello, StepStartTLS, StepAuth}, s)
}

// quitTimeout limits the wait for the answer to QUIT, when the email's fate is already known.
const quitTimeout = time.Second

// client is the client's side of one SMTP session. The clients of net/smtp, go-mail and go-smtp all read replies with
// net/textproto, which rejects a code without a text, and compare keywords of extensions with upper case.
type client struct {
	conn       net.Conn
	in         *bufio.Reader
	step       Step                // the current one
	extensions map[string][]string // parameters by keyword, all in upper case
}

func newClient(conn net.Conn) *client {
	return &client{conn: conn, in: bufio.NewReader(conn), step: StepConnect}
}

// greet waits for the server's greeting.
func (c *client) greet() error { return c.expect(2) }

// hello sends EHLO, or HELO to a server that does not know EHLO.
func (c *client) hello(name string) error {
	c.step, c.extensions = StepHello, map[string][]string{}
	r, err := c.exchange("EHLO " + name)
	if err != nil {
		return err
	}
	if r.code/100 == 5 {
		return c.command(2, "HELO "+name)
	}
	if !r.positive() {
		return r
	}
	for _, line := range r.lines[1:] {
		// Servers older than RFC 2554 wrote AUTH=LOGIN.
		fields := strings.Fields(strings.Replace(strings.ToUpper(line), "AUTH=", "AUTH ", 1))
		if len(fields) > 0 {
			c.extensions[fields[0]] = append(c.extensions[fields[0]], fields[1:]...)
		}
	}
	return nil
}

func (c *client) offers(extension string) bool {
	_, ok := c.extensions[extension]
	return ok
}

// startTLS encrypts the session. After it EHLO has to be sent again, since the earlier extensions prove nothing.
func (c *client) startTLS(ctx context.Context, settings *tls.Config) error {
	c.step = StepStartTLS
	if !c.offers("STARTTLS") {
		return errors.New("the server offers no STARTTLS")
	}
	if err := c.command(2, "STARTTLS"); err != nil {
		return err
	}
	if c.in.Buffered() > 0 {
		return errors.New("unexpected data from the server before the TLS handshake")
	}
	return c.encrypt(ctx, settings)
}

func (c *client) encrypt(ctx context.Context, settings *tls.Config) error {
	secure := tls.Client(c.conn, settings)
	c.conn, c.in = secure, bufio.NewReader(secure)
	return secure.HandshakeContext(ctx)
}

// authenticate runs one mechanism of SASL (RFC 4954).
func (c *client) authenticate(mechanism smtp.Auth, server *smtp.ServerInfo) error {
	c.step = StepAuth
	name, initial, err := mechanism.Start(server)
	if err != nil {
		return err
	}
	line := "AUTH " + name
	if len(initial) > 0 {
		line += " " + base64.StdEncoding.EncodeToString(initial)
	}
	for {
		r, err := c.exchange(line)
		switch {
		case err != nil:
			return err
		case r.positive():
			return nil
		case r.code/100 != 3:
			return r
		}
		response, err := respond(mechanism, r.lines[0])
		if err != nil {
			_, _ = c.exchange("*") // ends the exchange; what matters is why
			return err
		}
		line = base64.StdEncoding.EncodeToString(response)
	}
}

func respond(mechanism smtp.Auth, encoded string) ([]byte, error) {
	challenge, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("the server's challenge for the login is not base64")
	}
	return mechanism.Next(challenge, true)
}

// offerSender sends the command MAIL.
func (c *client) offerSender(e envelope) error {
	from := "MAIL FROM:" + e.from
	if c.offers("8BITMIME") {
		from += " BODY=8BITMIME"
	}
	if e.utf8 {
		from += " SMTPUTF8"
	}
	c.step = StepSender
	return c.command(2, from)
}

// offer sends the commands up to the server's consent to DATA.
func (c *client) offer(e envelope) error {
	if err := c.offerSender(e); err != nil {
		return err
	}
	c.step = StepRecipient
	if err := c.command(2, "RCPT TO:"+e.to); err != nil {
		return err
	}
	c.step = StepData
	return c.command(3, "DATA")
}

// send sends the content and reads the reply that decides.
func (c *client) send(content []byte) error {
	out := textproto.NewWriter(bufio.NewWriter(c.conn))
	dotted := out.DotWriter()
	_, err := io.Copy(dotted, bytes.NewReader(content))
	if err == nil {
		err = out.W.Flush()
	}
	if err != nil {
		// The server may have sent its reason before it closed the connection. The final dot must not be sent here, since the
		// server would take an incomplete email.
		if r, _ := readReply(c.in); r.negative() {
			return r
		}
		return err
	}
	c.step = StepEnd
	_ = dotted.Close() // the reply says whether the dot has arrived
	return c.expect(2)
}

// quit sends QUIT to a server that still answers, which it does unless it replied 421 or a reply is missing.
func (c *client) quit(err error) {
	var r reply
	if err != nil && (!errors.As(err, &r) || r.code == 421) {
		return
	}
	if c.conn.SetDeadline(time.Now().Add(quitTimeout)) == nil {
		_, _ = c.exchange("QUIT") // the email's fate is known
	}
}

// command sends a line and expects a reply with that first digit.
func (c *client) command(first int, line string) error {
	r, err := c.exchange(line)
	return wanted(first, r, err)
}

func (c *client) expect(first int) error {
	r, err := readReply(c.in)
	return wanted(first, r, err)
}

func (c *client) exchange(line string) (reply, error) {
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		return reply{}, err
	}
	return readReply(c.in)
}

func wanted(first int, r reply, err error) error {
	if err == nil && r.code/100 != first {
		return r
	}
	return err
}
