package watchparty

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind groups errors by what a caller can do about them. The API maps each kind to one HTTP status.
type Kind int

const (
	// KindInvalid: the request is wrong; repeating it cannot succeed.
	KindInvalid Kind = iota + 1
	// KindUnauthenticated: the caller has not proved who they are.
	KindUnauthenticated
	// KindForbidden: the caller is known, and not allowed to do this.
	KindForbidden
	// KindNotFound: it does not exist, or must be hidden from the caller.
	KindNotFound
	// KindConflict: the request is right, and the present state does not allow it.
	KindConflict
	// KindPrecondition: the resource has changed since the caller read it.
	KindPrecondition
	// KindUnprocessable: the request contradicts an earlier one.
	KindUnprocessable
	// KindTooLarge: the request has more bytes than the limit.
	KindTooLarge
	// KindUnsupported: the media type is not supported.
	KindUnsupported
	// KindUpgrade: the request must use another protocol, such as WebSocket.
	KindUpgrade
	// KindTimeout: the request did not arrive in time; the same request may succeed.
	KindTimeout
	// KindLimited: too many requests; the same request may succeed after RetryAfter.
	KindLimited
	// KindUnavailable: a needed part of the service is busy or down; the same request may succeed later.
	KindUnavailable
)

// Error is an error whose code and message may be shown to a client.
type Error struct {
	Kind    Kind
	Code    string // stable, snake_case
	Message string // for people, without internal details
	Fields  []FieldError
	// RetryAfter is set for KindLimited.
	RetryAfter time.Duration
	Details    map[string]int // figures that belong to the code
}

// FieldError names a part of a request that is wrong.
type FieldError struct {
	Field   string // path in the body with dots, or the parameter's name
	Code    string
	Message string
}

func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Code + ": " + e.Message
	}
	fields := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		fields[i] = f.Field + ": " + f.Message
	}
	return fmt.Sprintf("%s: %s (%s)", e.Code, e.Message, strings.Join(fields, ", "))
}

// Is makes errors.Is compare by code, so that an error with other details or another message matches its sentinel. So
// no two sentinels may share a code.
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
		Message: "It was changed since you read it."}
	// ErrBusy: too much other work waits for the same part of the service.
	ErrBusy = &Error{Kind: KindUnavailable, Code: "busy", Message: "The service is busy. Try again in a moment.",
		RetryAfter: time.Second}
	ErrTemporalDown = &Error{Kind: KindUnavailable, Code: "unavailable",
		Message: "Temporal is down, so its data cannot be shown or changed. Try again in a moment."}
	// ErrJobsNotSearchable means that Temporal lacks the search attributes of jobs.
	ErrJobsNotSearchable = &Error{Kind: KindUnavailable, Code: "jobs_not_searchable",
		Message: "Temporal cannot search by this yet: its search attributes are being registered."}
	ErrKeyReused = &Error{Kind: KindUnprocessable, Code: "idempotency_key_reused",
		Message: "The Idempotency-Key was used for another request."}
)
