package store

import (
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// Page asks for a part of a list: at most Limit rows that come after the row with the keys After, or from the start.
type Page struct {
	After Keys
	Limit int
}

// Keys are the values of one row in the columns by which a list is sorted. The keys of a page's last row say where the
// next page starts, whatever happens to that row. A value is an ID (string), a time (time.Time, in microseconds as in
// Postgres) or a number (float64, float8 in SQL). The last value is unique in its list.
type Keys []any

// String is for cache keys. It is empty at the beginning of a list.
func (k Keys) String() string {
	texts := make([]string, len(k))
	for i, key := range k {
		texts[i] = fmt.Sprint(key)
	}
	return strings.Join(texts, ",")
}

// SearchKeys returns the keys of a row in a list that can be searched: its rank in the search and its ID. The rank is
// 0 without a search.
func SearchKeys(rank int, id string) Keys {
	if rank == 0 {
		return Keys{id}
	}
	return Keys{float64(rank), id}
}

// rank is the rank in the page's SearchKeys.
func (p Page) rank() int {
	rank, _ := p.After[0].(float64)
	return int(rank)
}

// direction is the direction in which a list is sorted.
type direction string

const (
	ascending  direction = "ASC"
	descending direction = "DESC"
)

// of sorts a query by columns, all in one direction, and limits it to the page. Keys has a value for each column.
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
