package watchparty

import (
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

// length checks the number of characters.
func (v *fields) length(field, value string, low, high int) {
	n := utf8.RuneCountInString(value)
	v.check(n >= low, field, "too_short", "is too short")
	v.check(n <= high, field, "too_long", "is too long")
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
