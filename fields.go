package watchparty

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// fields collects the errors of a request, field by field.
type fields []FieldError

func (v *fields) check(ok bool, field, code, message string) {
	if !ok {
		*v = append(*v, FieldError{Field: field, Code: code, Message: message})
	}
}

// length checks the number of characters. It reports whether that is within the limits.
func (v *fields) length(field, value string, low, high int) bool {
	n := utf8.RuneCountInString(value)
	if low == 1 {
		v.check(n >= low, field, "too_short", "must not be empty")
	} else {
		v.check(n >= low, field, "too_short", fmt.Sprintf("must have at least %d characters", low))
	}
	v.check(n <= high, field, "too_long", fmt.Sprintf("must have at most %d characters", high))
	return n >= low && n <= high
}

func (v *fields) language(l Language) {
	v.check(slices.Contains(Languages(), l), "language", "unknown", "is not a language of emails")
}

// normalised returns a pointer to the normal form of a value, and nil for nil. It leaves the value as it is.
func normalised[T any](value *T, normal func(T) T) *T {
	if value == nil {
		return nil
	}
	n := normal(*value)
	return &n
}

func (v fields) err() error {
	if len(v) == 0 {
		return nil
	}
	return Invalid(v...)
}
