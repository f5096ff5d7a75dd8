package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Kind says what a failed attempt means for the next one.
type Kind string

const (
	// Permanent: the server refuses this email for good (5xx), or the email cannot be sent at all.
	Permanent Kind = "permanent"
	// Temporary: the server asks to try again (4xx).
	Temporary Kind = "temporary"
	// Later: the server wants no emails for a while (421, 4.7.x), or it refuses this service rather than this email;
	// waiting or an operator can help.
	Later Kind = "later"
	// Unreachable: there was no complete dialogue, so that the server cannot have the email.
	Unreachable Kind = "unreachable"
	// Ambiguous: the whole email was sent without an answer; the server may have it.
	Ambiguous Kind = "ambiguous"
)

// SendError says why an email was not sent. It is safe to store and to show to operators.
type SendError struct {
	Kind Kind
	// About is empty if the connection ended without an answer.
	About About
	// Step is the step at which the dialogue ended; empty if there was none.
	Step Step
	// Code is the code of the server's answer; 0 if there was none.
	Code int
	// Answer is the text of the server's answer without the code or, if Code is 0, what happened instead. It is redacted:
	// it has no email address, secret or control character, and at most 500 characters. A server may quote the email in
	// its answer to the content.
	Answer string
	// cause is ErrSenderUTF8, or the error of the caller's context, if that has ended. Other causes are not kept, since
	// they contain the answer before it was redacted.
	cause error
}

func (e *SendError) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("mail: %s: %s", e.Kind, e.Answer)
	}
	return fmt.Sprintf("mail: %s: %d %s", e.Kind, e.Code, e.Answer)
}

func (e *SendError) Unwrap() error { return e.cause }

func (s *Sender) sendError(ctx context.Context, at Step, err error, m Message) *SendError {
	if errors.Is(err, errNoUTF8) {
		return s.unfit(err, m)
	}
	if errors.Is(err, ErrSenderUTF8) {
		return &SendError{Kind: Later, About: AboutService, Step: at, Answer: err.Error(), cause: ErrSenderUTF8}
	}
	e := &SendError{Kind: broken(at), Step: at}
	var r reply
	if errors.As(err, &r) {
		e.Code, e.Answer = r.code, s.redact(strings.Join(r.lines, "\n"), m)
	} else {
		e.Answer, e.cause = s.redact(what(err), m), ctx.Err()
	}
	switch {
	case r.negative():
		e.Kind, e.About = meaning(at, r, !ascii(s.from.Address))
	case at.opening() && e.cause == nil:
		e.About = AboutService
	}
	return e
}

// unfit is the error of an email that cannot be offered to any server.
func (s *Sender) unfit(err error, m Message) *SendError {
	e := &SendError{Kind: Permanent, About: AboutMessage, Answer: s.redact(err.Error(), m)}
	if errors.Is(err, errBadRecipient) || errors.Is(err, errNoUTF8) {
		e.About = AboutRecipient
	}
	return e
}

// broken is the kind of a dialogue that failed without an answer that refuses.
func broken(at Step) Kind {
	if at == StepEnd {
		return Ambiguous
	}
	return Unreachable
}

// describe says what happened if the server gave no answer.
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
