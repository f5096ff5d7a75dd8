package api

import (
	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
)

const defaultLimit = 20

// paging asks for one page of a list.
type paging struct {
	store.Page
	cursors
}

// page reads a list's parameters. list and of identify the list, as for cursorsOf.
func (s *Server) page(field string, cursor *string, limit *int, list string, of ...any) (p paging, err error) {
	p.Limit = defaultLimit
	if limit != nil {
		p.Limit = *limit
	}
	if p.cursors, err = s.cursorsOf(list, of); err != nil || cursor == nil {
		return p, err
	}
	if p.After, err = p.decode(*cursor); err != nil {
		return p, watchparty.Invalid(
			watchparty.FieldError{Field: field, Code: "malformed", Message: "is not a cursor of this list"},
		)
	}
	return p, nil
}

// more returns a page with one row over the limit, which says whether there is a next page.
func more(p paging) store.Page {
	p.Limit++
	return p.Page
}

// cut removes that row again, and returns the cursor of the next page. keys returns the sort keys of a row, in the
// order of the store's list.
func cut[T any](rows []T, p paging, keys func(T) store.Keys) ([]T, *string) {
	if len(rows) <= p.Limit {
		return rows, nil
	}
	rows = rows[:p.Limit]
	return rows, p.encode(keys(rows[len(rows)-1]))
}
