package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// stage is how far a delivery had come when it failed.
type stage int

const (
	// opening is connecting, TLS, EHLO and AUTH: what fails there concerns this service, not the mail.
	opening stage = iota
	// offering is MAIL, RCPT, DATA and the content before its final dot: the server cannot have taken the mail.
	offering
	// handed is after the final dot: without an answer, nobody knows.
	handed
)

const (
	// maxAnswers bounds all that a server may say in one delivery.
	maxAnswers = 1 << 20
	// quitTimeout is how long a server may take to say goodbye, when the mail's fate is already known.
	quitTimeout = time.Second
)

// errNoUTF8: to send the address regardless, as go-mail would, is to leave it to chance.
var errNoUTF8 = errors.New("the server takes no address with characters beyond ASCII")

// deliver runs one SMTP session. go-mail opens it; the transaction itself is done here command by command, since
// go-mail's own SendError neither unwraps to the server's answer nor keeps recipients out of its text, and since
// its sending asks for NOOP and RSET around each mail and ends an interrupted DATA with a dot.
func (s *Sender) deliver(ctx context.Context, e envelope) (stage, error) {
	begin, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	raw, err := s.dial(begin, "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if err != nil {
		return opening, ended(begin, err)
	}
	conn := &boundedConn{Conn: raw, left: maxAnswers}
	defer conn.Close()
	stop := context.AfterFunc(begin, func() { conn.Close() })
	defer stop()

	client, err := s.open(begin, conn)
	if err != nil {
		return opening, ended(begin, err)
	}
	if supported, _ := client.Extension("SMTPUTF8"); e.utf8 && !supported {
		quit(conn, client, nil)
		return offering, errNoUTF8
	}
	content, err := offer(client, e)
	if err != nil {
		quit(conn, client, err)
		return offering, ended(begin, err)
	}
	stop()
	return s.hand(ctx, conn, client, content, e.body)
}

// open does all that comes before the first mail: TLS, EHLO, STARTTLS, AUTH.
func (s *Sender) open(ctx context.Context, conn net.Conn) (*smtp.Client, error) {
	options := []gomail.Option{
		gomail.WithTimeout(s.timeout),
		gomail.WithTLSConfig(s.tls),
		gomail.WithTLSPolicy(gomail.NoTLS),
	}
	switch s.security {
	case startTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case implicitTLS:
		secure := tls.Client(conn, s.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = secure
	}
	// The connection is dialled beforehand because go-mail does not close one that fails after the greeting, and
	// does not watch ctx once it is connected.
	options = append(options, gomail.WithDialContextFunc(
		func(context.Context, string, string) (net.Conn, error) { return conn, nil }))
	client, err := gomail.NewClient(s.host, append(options, s.login...)...)
	if err != nil {
		return nil, err
	}
	return client.DialToSMTPClientWithContext(ctx)
}

// offer announces the mail and returns the writer for its content.
func offer(client *smtp.Client, e envelope) (io.WriteCloser, error) {
	client.SkipSMTPUTF8(!e.utf8)
	if err := client.Mail(e.from); err != nil {
		return nil, err
	}
	if err := client.Rcpt(e.to); err != nil {
		return nil, err
	}
	return client.Data()
}

// hand sends the content and waits for the answer that decides, with a timeout of its own.
func (s *Sender) hand(ctx context.Context, conn net.Conn, client *smtp.Client, content io.WriteCloser, body []byte,
) (stage, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return offering, ended(ctx, err)
	}
	if _, err := io.Copy(content, bytes.NewReader(body)); err != nil {
		// No QUIT here: it would end the content with a dot, and the server would take a mail cut short.
		return offering, ended(ctx, err)
	}
	err := content.Close()
	var answer *textproto.Error
	if errors.As(err, &answer) && answer.Code/100 == 2 {
		err = nil // RFC 5321, 4.3.2: the first digit decides
	}
	quit(conn, client, err)
	return handed, ended(ctx, err)
}

// quit says goodbye to a server that still answers.
func quit(conn net.Conn, client *smtp.Client, err error) {
	var answer *textproto.Error
	if err != nil && (!errors.As(err, &answer) || answer.Code == 421) {
		return
	}
	if conn.SetDeadline(time.Now().Add(quitTimeout)) == nil {
		_ = client.Quit() // what became of the mail is known
	}
}

// ended adds the reason when it is ctx that made a command fail: then the connection was closed under it.
func ended(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return errors.Join(err, ctx.Err())
}

// boundedConn reads no more than left bytes.
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
