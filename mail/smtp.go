package mail

import (
	"context"
	"errors"
	"net"
	netmail "net/mail"
	"strconv"
)

// maxAnswers limits how many bytes a server may send in one session.
const maxAnswers = 1 << 20

// errNoUTF8 refuses an address that the server may not understand.
var errNoUTF8 = errors.New("the server takes no address with characters beyond ASCII")

// deliver runs one SMTP session. With an error it returns the step at which the session ended.
func (s *Sender) deliver(ctx context.Context, e envelope) (Step, error) {
	begin, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := s.dial(begin, "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if err != nil {
		return StepConnect, ended(begin, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(begin, func() { conn.Close() })
	defer stop()

	c := newClient(&boundedConn{Conn: conn, left: maxAnswers})
	if err := s.open(begin, c); err != nil {
		c.quit(err)
		return c.step, ended(begin, err)
	}
	if e.utf8 && !c.offers("SMTPUTF8") {
		c.quit(nil)
		return c.step, errNoUTF8
	}
	if err := c.offer(e); err != nil {
		c.quit(err)
		return c.step, ended(begin, err)
	}
	stop()

	// The content and the reply to it have a timeout of their own.
	finish, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	defer context.AfterFunc(finish, func() { conn.Close() })()
	err = c.send(e.body)
	c.quit(err)
	return c.step, ended(finish, err)
}

// Probe opens a session up to the server's consent to the sender, and ends it without an email. An error is a
// *SendError.
func (s *Sender) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := s.dial(ctx, "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if err != nil {
		return s.sendError(ctx, StepConnect, ended(ctx, err), Message{})
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c := newClient(&boundedConn{Conn: conn, left: maxAnswers})
	if err = s.open(ctx, c); err == nil {
		c.step = StepSender
		err = c.command(2, "MAIL FROM:"+(&netmail.Address{Address: s.from.Address}).String())
	}
	c.quit(err)
	if err != nil {
		return s.sendError(ctx, c.step, ended(ctx, err), Message{})
	}
	return nil
}

// open runs the commands before the first email: TLS, EHLO, STARTTLS, AUTH.
func (s *Sender) open(ctx context.Context, c *client) error {
	if s.security == implicitTLS {
		if err := c.encrypt(ctx, s.tls); err != nil {
			return err
		}
	}
	if err := c.greet(); err != nil {
		return err
	}
	if err := c.hello(s.hello); err != nil {
		return err
	}
	if s.security == startTLS {
		if err := c.startTLS(ctx, s.tls); err != nil {
			return err
		}
		if err := c.hello(s.hello); err != nil {
			return err
		}
	}
	return s.login.authenticate(c)
}

// ended adds the reason if a command failed because ctx has ended, which closes the connection.
func ended(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return errors.Join(err, ctx.Err())
}

// boundedConn reads at most left bytes.
type boundedConn struct {
	net.Conn
	left int
}

var errTooLong = errors.New("the server's answers are too long")

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooLong
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
