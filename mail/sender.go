package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	gomail "github.com/wneessen/go-mail"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
)

// Message is one email to one person.
type Message struct {
	// ID is the email row's UUID. The Message-ID is derived from it, so every attempt carries the same one.
	ID string
	// To is one address, as it was typed. ToName is the name that is shown with it, in any script; it may be empty.
	To     string
	ToName string
	// Content is the result of Welcome or a similar function.
	Content Content
	// UnsubscribeURL is for emails that nobody has requested: the header has it, and email programs offer to post to it
	// (RFC 8058, over https only). It is empty for other emails.
	UnsubscribeURL string
}

// Sender sends emails to one SMTP server. It keeps no connection. It is safe for concurrent use.
type Sender struct {
	host     string
	port     int
	from     netmail.Address
	domain   string
	hello    string // the name in EHLO
	timeout  time.Duration
	security security
	tls      *tls.Config
	login    login
	dkim     *dkim.SignOptions // nil when emails are not signed
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

type security string

const (
	startTLS    security = "starttls"
	implicitTLS security = "implicit"
	noTLS       security = "none"
)

// New makes a sender. The settings are those that config.Validate accepts. It reads the DKIM key, and does not connect.
func New(c config.Email) (*Sender, error) {
	from, err := netmail.ParseAddress(c.From)
	if err != nil {
		return nil, errors.New("mail: MAIL_FROM must be one email address")
	}
	address, err := watchparty.ParseAddress(from.Address)
	if err != nil {
		return nil, errors.New("mail: MAIL_FROM must be one email address")
	}
	from.Address, from.Name = address.Mailbox(), plainName(from.Name)
	hello, err := c.HELO()
	if err != nil {
		return nil, fmt.Errorf("mail: SMTP_HELO_NAME: %w", err)
	}
	s := &Sender{
		host:     c.Host,
		port:     c.Port,
		from:     *from,
		domain:   address.Domain(),
		hello:    hello,
		timeout:  c.Timeout,
		security: security(c.TLS),
		tls:      &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12},
		login:    newLogin(c),
		dial:     new(net.Dialer).DialContext,
	}
	if s.dkim, err = signing(c, s.domain); err != nil {
		return nil, err
	}
	return s, nil
}

// MessageID returns the Message-ID header of the email with this row ID, with angle brackets.
func (s *Sender) MessageID(id string) string { return "<" + id + "@" + s.domain + ">" }

// Send sends the message to the SMTP server. nil means that the server has it, whatever happened to the connection
// after its answer. Every other error is a *SendError. The dialogue up to the server's consent to DATA may take the
// configured timeout, and the content with the final answer as long again; ctx can end both sooner.
func (s *Sender) Send(ctx context.Context, m Message) error {
	e, err := s.compose(m)
	if err != nil {
		return s.unfit(err, m)
	}
	if at, err := s.deliver(ctx, e); err != nil {
		return s.sendError(ctx, at, err, m)
	}
	return nil
}

// envelope is a message in the form that SMTP needs.
type envelope struct {
	from, to string // in angle brackets
	utf8     bool   // whether an address is not ASCII
	body     []byte
}

// compose renders the whole message before the connection is opened: an error in the middle of the content would leave
// an incomplete email.
func (s *Sender) compose(m Message) (envelope, error) {
	if !validID(m.ID) {
		return envelope{}, errors.New("the message's ID is not valid")
	}
	to, err := recipient(m.To, m.ToName)
	if err != nil {
		return envelope{}, err
	}
	if m.Content.Subject == "" || m.Content.HTML == "" || m.Content.Text == "" {
		return envelope{}, errors.New("the message lacks a subject, its HTML or its text")
	}

	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&s.from)
	msg.ToMailAddress(to)
	msg.Subject(headerText(plainLine(m.Content.Subject)))
	msg.SetGenHeader(gomail.HeaderMessageID, s.MessageID(m.ID))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.UnsubscribeURL != "" {
		if err := webAddress(m.UnsubscribeURL); err != nil {
			return envelope{}, err
		}
		msg.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+m.UnsubscribeURL+">")
		if strings.HasPrefix(m.UnsubscribeURL, "https://") {
			msg.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
		}
	}
	msg.SetDate()
	msg.SetBodyString(gomail.TypeTextPlain, m.Content.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.Content.HTML)
	if err := embed(msg, m.Content.Images); err != nil {
		return envelope{}, err
	}
	if event := m.Content.Calendar; event != nil {
		object, contentType := event.Message(s.from)
		err := msg.AttachReader("party.ics", bytes.NewReader(object),
			gomail.WithFileContentType(gomail.ContentType(contentType)))
		if err != nil {
			return envelope{}, fmt.Errorf("the calendar cannot be attached: %w", err)
		}
	}

	e := envelope{
		from: (&netmail.Address{Address: s.from.Address}).String(),
		to:   (&netmail.Address{Address: to.Address}).String(),
		utf8: !ascii(s.from.Address) || !ascii(to.Address),
	}
	var body bytes.Buffer
	if _, err := msg.WriteTo(&body); err != nil {
		return envelope{}, fmt.Errorf("the message cannot be written: %w", err)
	}
	content := body.Bytes()
	if len(m.Content.Images) > 0 {
		content = withRootType(content)
	}
	e.body, err = s.sign(content)
	return e, err
}

var errBadRecipient = errors.New("the recipient's address is not valid")

// recipient parses the address of an account or an invitation. The name is not part of it.
func recipient(text, name string) (*netmail.Address, error) {
	to, err := watchparty.ParseAddress(text)
	if err != nil {
		return nil, errBadRecipient
	}
	return &netmail.Address{Name: headerText(plainName(name)), Address: to.Mailbox()}, nil
}

func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) }
