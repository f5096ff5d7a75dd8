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

// Step is where in the dialogue with the server something happened.
type Step string

const (
	StepConnect   Step = "connect" // up to the greeting
	StepHello     Step = "EHLO"
	StepStartTLS  Step = "STARTTLS"
	StepAuth      Step = "AUTH"
	StepSender    Step = "MAIL"
	StepRecipient Step = "RCPT"
	// StepData lasts up to the final dot: the server cannot have taken the email.
	StepData Step = "DATA"
	// StepEnd is after the final dot: without an answer, nobody knows whether the server has taken the email.
	StepEnd Step = "end of data"
)

// opening reports that no email is known to the server yet: what fails concerns all emails.
func (s Step) opening() bool {
	return slices.Contains([]Step{StepConnect, StepHello, StepStartTLS, StepAuth}, s)
}

// quitTimeout is how long a server may take to say goodbye, when the email's fate is already known.
const quitTimeout = time.Second

// client is the client's side of one SMTP session. It is written here because the clients in net/smtp, go-mail and
// go-smtp all read replies with net/textproto, which takes a code without text for a broken one, and compare the
// keywords of extensions with upper case.
type client struct {
	conn       net.Conn
	in         *bufio.Reader
	step       Step                // the latest
	extensions map[string][]string // parameters by keyword, all in upper case
}

func newClient(conn net.Conn) *client {
	return &client{conn: conn, in: bufio.NewReader(conn), step: StepConnect}
}

// greet waits for the server's greeting.
func (c *client) greet() error { return c.expect(2) }

// hello introduces this service, by HELO to a server that knows no EHLO.
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
		// Servers of before RFC 2554 wrote AUTH=LOGIN.
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

// startTLS encrypts the session. The server is to be greeted again afterwards: what it offered before proves nothing.
func (c *client) startTLS(ctx context.Context, settings *tls.Config) error {
	c.step = StepStartTLS
	if !c.offers("STARTTLS") {
		return errors.New("the server offers no STARTTLS")
	}
	if err := c.command(2, "STARTTLS"); err != nil {
		return err
	}
	if c.in.Buffered() > 0 {
		return errors.New("the server, or somebody before it, said more than it was asked before TLS")
	}
	return c.encrypt(ctx, settings)
}

func (c *client) encrypt(ctx context.Context, settings *tls.Config) error {
	secure := tls.Client(c.conn, settings)
	c.conn, c.in = secure, bufio.NewReader(secure)
	return secure.HandshakeContext(ctx)
}

// authenticate speaks one mechanism of SASL (RFC 4954).
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
		var response []byte
		challenge, err := base64.StdEncoding.DecodeString(r.lines[0])
		if err == nil {
			response, err = mechanism.Next(challenge, true)
		}
		if err != nil {
			_, _ = c.exchange("*") // ends the exchange; what matters is why
			return err
		}
		line = base64.StdEncoding.EncodeToString(response)
	}
}

// offer announces the email up to the server's consent to DATA.
func (c *client) offer(e envelope) error {
	from := "MAIL FROM:" + e.from
	if c.offers("8BITMIME") {
		from += " BODY=8BITMIME"
	}
	if e.utf8 {
		from += " SMTPUTF8"
	}
	c.step = StepSender
	if err := c.command(2, from); err != nil {
		return err
	}
	c.step = StepRecipient
	if err := c.command(2, "RCPT TO:"+e.to); err != nil {
		return err
	}
	c.step = StepData
	return c.command(3, "DATA")
}

// send sends the content and waits for the reply that decides.
func (c *client) send(content []byte) error {
	out := textproto.NewWriter(bufio.NewWriter(c.conn))
	dotted := out.DotWriter()
	_, err := io.Copy(dotted, bytes.NewReader(content))
	if err == nil {
		err = out.W.Flush()
	}
	if err != nil {
		// The server may have said why before it closed the connection. The content must not be ended here: the server
		// would take an email cut short.
		if r, _ := readReply(c.in); r.negative() {
			return r
		}
		return err
	}
	c.step = StepEnd
	_ = dotted.Close() // whether the dot has arrived, the reply says
	return c.expect(2)
}

// quit says goodbye to a server that still answers, as it does after a reply other than 421, or none that was missed.
func (c *client) quit(err error) {
	var r reply
	if err != nil && (!errors.As(err, &r) || r.code == 421) {
		return
	}
	if c.conn.SetDeadline(time.Now().Add(quitTimeout)) == nil {
		_, _ = c.exchange("QUIT") // the email's fate is known
	}
}

// command sends a line and wants a reply with that first digit.
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
