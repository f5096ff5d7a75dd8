package api

import (
	"encoding/base64"

	"github.com/google/uuid"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
)

const defaultLimit = 20

// page reads a list's parameters. A cursor is the last row's ID, opaque to clients.
func page(field string, cursor *string, limit *int) (store.Page, error) {
	p := store.Page{Limit: defaultLimit}
	if limit != nil {
		p.Limit = *limit
	}
	if cursor == nil {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*cursor)
	if err != nil || len(raw) != len(uuid.UUID{}) {
		return p, watchparty.Invalid(watchparty.FieldError{Field: field, Code: "malformed", Message: "is not a cursor that this list gave"})
	}
	p.After = uuid.UUID(raw).String()
	return p, nil
}

// more asks the store for one row over the limit, which says whether there is a next page.
func more(p store.Page) store.Page {
	p.Limit++
	return p
}

// cut takes that row off again and gives the cursor of the next page.
func cut[T any](rows []T, p store.Page, id func(T) string) ([]T, *string) {
	if len(rows) <= p.Limit {
		return rows, nil
	}
	rows = rows[:p.Limit]
	return rows, cursorOf(id(rows[len(rows)-1]))
}

func cursorOf(rowID string) *string {
	id, err := uuid.Parse(rowID)
	if err != nil {
		return nil
	}
	cursor := base64.RawURLEncoding.EncodeToString(id[:])
	return &cursor
}

func convert[From, To any](rows []From, to func(From) To) []To {
	out := make([]To, 0, len(rows))
	for _, row := range rows {
		out = append(out, to(row))
	}
	return out
}

func pointer[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
