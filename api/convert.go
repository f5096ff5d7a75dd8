package api

import "github.com/oapi-codegen/nullable"

// convert never returns nil, since the contract's lists are not null.
func convert[From, To any](rows []From, to func(From) To) []To {
	out := make([]To, 0, len(rows))
	for _, row := range rows {
		out = append(out, to(row))
	}
	return out
}

// pointer returns nil for the zero value, which is null in an answer.
func pointer[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// value returns the zero value for nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// patched returns the change of a property by a PATCH: nil if the request does not have the property, and empty for
// null.
func patched[T any](n nullable.Nullable[T], empty T) *T {
	if !n.IsSpecified() {
		return nil
	}
	if v, err := n.Get(); err == nil {
		return &v
	}
	return &empty
}
