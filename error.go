package watchparty

import (
	"errors"
	"fmt"
	"time"
)

// Kind groups errors by what a caller can do about them; the API maps each to one HTTP status.
type Kind int

const (
	// KindInvalid: the request is wrong and will stay so.
	KindInvalid Kind = iota + 1
	// KindUnauthenticated: no or no valid proof of who asks.
	KindUnauthenticated
	// KindForbidden: known, but not allowed.
	KindForbidden
	// KindNotFound: absent, or to be hidden from whoever asks.
	KindNotFound
	// KindConflict: true of the request, not of the present state.
	KindConflict
	// KindPrecondition: the thing was changed since the caller looked.
	KindPrecondition
	// KindUnprocessable: at odds with a former request.
	KindUnprocessable
	// KindTooLarge: more bytes than the limit.
	KindTooLarge
	// KindUnsupported: a media type that is not taken.
	KindUnsupported
	// KindUpgrade: made in another protocol than the one that it has to be.
	KindUpgrade
	// KindTimeout: the request did not arrive in time; the same request may succeed.
	KindTimeout
	// KindLimited: too much in too short a time; the same request may succeed after RetryAfter.
	KindLimited
	// KindUnavailable: a needed part is busy or away; the same request may succeed later.
	KindUnavailable
)

// Error is an error whose code and message may be shown to a client.
type Error struct {
	Kind    Kind
	Code    string // stable, snake_case
	Message string // for people, without anything internal
	Fields  []FieldError
	// RetryAfter is set for KindLimited.
	RetryAfter time.Duration
	Details    map[string]int // figures that belong to the code
}

// FieldError names one part of a request that is wrong.
type FieldError struct {
	Field   string // dotted path in the body, or the parameter's name
	Code    string
	Message string
}

func (e *Error) Error() string {
	if len(e.Fields) > 0 {
		return fmt.Sprintf("%s: %s (%s: %s)", e.Code, e.Message, e.Fields[0].Field, e.Fields[0].Message)
	}
	return e.Code + ": " + e.Message
}

// Is makes errors.Is compare by code, so that a wrapped error matches its sentinel.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// IsKind reports whether err is a coded error of that kind.
func IsKind(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}

// Invalid is a KindInvalid error about the named fields.
func Invalid(fields ...FieldError) *Error {
	return &Error{Kind: KindInvalid, Code: "invalid_request", Message: "The request is not valid.", Fields: fields}
}

// The errors that operations share.
var (
	ErrNotFound        = &Error{Kind: KindNotFound, Code: "not_found", Message: "Not found."}
	ErrUnauthenticated = &Error{Kind: KindUnauthenticated, Code: "unauthenticated",
		Message: "A valid access token is needed."}
	ErrForbidden    = &Error{Kind: KindForbidden, Code: "forbidden", Message: "You are not allowed to do this."}
	ErrChangedSince = &Error{Kind: KindPrecondition, Code: "precondition_failed",
		Message: "It was changed since you looked."}
	ErrTemporalAway = &Error{Kind: KindUnavailable, Code: "unavailable",
		Message: "A part of the service is away. Try again in a moment."}
	ErrKeyReused = &Error{Kind: KindUnprocessable, Code: "idempotency_key_reused",
		Message: "The Idempotency-Key was used for another request."}
)
