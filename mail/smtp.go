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

var (
	// ErrSenderUTF8 says that this server can take no email of this service (RFC 6531).
	ErrSenderUTF8 = errors.New("the server takes no sender with characters beyond ASCII: change MAIL_FROM")
	// errNoUTF8 refuses a recipient's address that the server may not understand.
	errNoUTF8 = errors.New("the server takes no address with characters beyond ASCII")
)

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
	if err := s.fits(c, e); err != nil {
		c.quit(nil)
		return c.step, err
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
	e := envelope{from: (&netmail.Address{Address: s.from.Address}).String(), utf8: !ascii(s.from.Address)}
	if err = s.open(ctx, c); err == nil {
		if err = s.fits(c, e); err != nil {
			c.quit(nil)
			return s.sendError(ctx, c.step, err, Message{})
		}
		err = c.offerSender(e)
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

// fits checks that the server knows SMTPUTF8 if an address needs it.
func (s *Sender) fits(c *client, e envelope) error {
	switch {
	case !e.utf8 || c.offers("SMTPUTF8"):
		return nil
	case !ascii(s.from.Address):
		c.step = StepSender
		return ErrSenderUTF8
	}
	return errNoUTF8
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
