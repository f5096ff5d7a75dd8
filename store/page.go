package store

import (
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// Page asks for a part of a list: at most Limit rows that come after the place After, or from the start.
type Page struct {
	After Keys
	Limit int
}

// Keys are the values that a list's order compares, of one row; those of a page's last row say where the next page
// starts, whatever has become of that row. A value is an ID (string), a time (time.Time, to the microsecond as in
// Postgres) or a number (float64, as float8 in SQL). The last one is unique in its list.
type Keys []any

// String is for cache keys: empty for a list's beginning.
func (k Keys) String() string {
	texts := make([]string, len(k))
	for i, key := range k {
		texts[i] = fmt.Sprint(key)
	}
	return strings.Join(texts, ",")
}

// Place is where a row stands in a list that can be searched: by its rank among what is found, and by its ID alone,
// with a rank of 0, when nothing is searched for.
func Place(rank int, id string) Keys {
	if rank == 0 {
		return Keys{id}
	}
	return Keys{float64(rank), id}
}

// rank is that of a Place among what is found.
func (p Page) rank() int {
	rank, _ := p.After[0].(float64)
	return int(rank)
}

// direction is in which a list is sorted.
type direction string

const (
	ascending  direction = "ASC"
	descending direction = "DESC"
)

// of sorts a list by columns, all in one direction, and cuts the page out of it. Keys has a value for each column.
func (p Page) of(q *bun.SelectQuery, d direction, columns ...string) *bun.SelectQuery {
	for _, column := range columns {
		q = q.OrderExpr("? ?", bun.Safe(column), bun.Safe(d))
	}
	if len(p.After) > 0 {
		beyond := ">"
		if d == descending {
			beyond = "<"
		}
		q = q.Where("(?) ? (?)", bun.Safe(strings.Join(columns, ", ")), bun.Safe(beyond), bun.List(p.After))
	}
	return q.Limit(p.Limit)
}
