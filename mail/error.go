package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strings"
	"syscall"
)

// Kind says what a failed attempt means for the next one.
type Kind string

const (
	// Permanent: the server refuses this mail for good (5xx), or the mail cannot be sent at all.
	Permanent Kind = "permanent"
	// Temporary: the server asks to try again (4xx).
	Temporary Kind = "temporary"
	// Later: the server wants to be left alone for a while (421, 4.7.x), or refuses this service rather than this
	// mail (5xx before MAIL, 530): waiting, or an operator, can cure it.
	Later Kind = "later"
	// Unreachable: no conversation, or none that came to the content's end; the server cannot have the mail.
	Unreachable Kind = "unreachable"
	// Ambiguous: the whole mail was sent and no answer came; the server may have it.
	Ambiguous Kind = "ambiguous"
)

// SendError is why a mail was not sent. It is safe to store, log and show to operators.
type SendError struct {
	Kind Kind
	// Code is the server's answer's code, 0 when there was none.
	Code int
	// Answer is the answer's text without its code or, when Code is 0, what happened instead. It has no mail
	// address, no secret, no control character, and at most 500 characters.
	Answer string
	// cause is the error of the caller's context, when that had ended. Other causes are not kept: whoever walks the
	// chain would find the unredacted answer.
	cause error
}

func (e *SendError) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("mail: %s: %s", e.Kind, e.Answer)
	}
	return fmt.Sprintf("mail: %s: %d %s", e.Kind, e.Code, e.Answer)
}

func (e *SendError) Unwrap() error { return e.cause }

func (s *Sender) sendError(ctx context.Context, at stage, err error, m Message) *SendError {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return &SendError{Kind: kind(at, answer.Code, answer.Msg), Code: answer.Code, Answer: s.redact(answer.Msg, m)}
	}
	e := &SendError{Kind: kind(at, 0, ""), Answer: s.redact(what(err), m), cause: ctx.Err()}
	if errors.Is(err, errNoUTF8) {
		e.Kind = Permanent
	}
	return e
}

func kind(at stage, code int, answer string) Kind {
	const authenticationRequired = 530 // RFC 4954, 6
	switch code / 100 {
	case 4:
		if code == 421 || strings.HasPrefix(answer, "4.7.") {
			return Later
		}
		return Temporary
	case 5:
		if at == opening || code == authenticationRequired {
			return Later
		}
		return Permanent
	}
	if at == handed {
		return Ambiguous
	}
	return Unreachable
}

// what says in words what happened when the server gave no answer.
func what(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "the attempt was cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return "the server did not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the server refused the connection"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the server closed the connection"
	}
	return err.Error()
}
