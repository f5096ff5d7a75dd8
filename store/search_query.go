package store

import (
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// searchLevel is a condition that finds rows. If it is a tsquery, the argument is its text.
type searchLevel struct {
	condition string
	argument  any
	words     bool // whether it is a tsquery on the column search
	wide      bool // whether a later level does not find all of its rows
}

// searchQuery builds the query for one page of search results.
//
// Sorting all rows that contain a common word would be slow. The planner cannot tell common words from rare ones,
// because it has no statistics for prefixes. So the query first tries the rows with the shortest titles. If these fill
// the page at some level, the rest of that level and all later levels are skipped. Earlier levels match few rows, which
// are read from the index and sorted.
type searchQuery struct {
	searchable
	list   *bun.SelectQuery // of the rows themselves
	choose func(*bun.SelectQuery) *bun.SelectQuery
	levels []searchLevel
	offset int // the number of the first level
	limit  int
	after  searchPosition // the page begins after it

	direction, beyond bun.Safe
}

// searchPosition is the place of a row in the results. Before the first page, it has no ID, and the number of the level
// before the first.
type searchPosition struct {
	level  int
	length int // of the title
	id     string
}

func newSearchQuery(
	l searchable,
	list *bun.SelectQuery,
	choose func(*bun.SelectQuery) *bun.SelectQuery,
	levels []searchLevel,
	offset int,
	p Page,
) searchQuery {
	q := searchQuery{searchable: l, list: list, choose: choose, levels: levels, offset: offset, limit: p.Limit}
	q.direction, q.beyond = l.order()
	q.after.level = offset - 1
	if len(p.After) > 0 {
		q.after = searchPosition{level: p.rank() / rankStep, length: p.rank() % rankStep, id: p.After[1].(string)}
	}
	return q
}

// page turns the query of the list into the query of one page of results.
func (q searchQuery) page() *bun.SelectQuery {
	ranked := bun.SafeQuery(`WITH shortest AS (
			?
		), filled AS (
			SELECT coalesce(min(level), ?) AS level
			FROM (SELECT level, sum(count(*)) OVER (ORDER BY level) AS rows FROM shortest GROUP BY level) AS l WHERE rows >= ?
		), rest AS (
			SELECT id, level, length FROM (?) AS m
			WHERE level < (SELECT level FROM filled) AND (level > ? OR level = ? AND (length > ? OR length = ? AND id ? ?))
			ORDER BY level, length, id ? LIMIT ?
		)
		SELECT id, level * ? + length AS rank FROM rest
		UNION ALL SELECT id, level * ? + length FROM shortest WHERE level = (SELECT level FROM filled)`,
		q.shortest(),
		q.offset+len(q.levels), q.limit,
		q.indexed(), q.after.level, q.after.level, q.after.length, q.after.length, q.beyond, bun.NullZero(q.after.id),
		q.direction, q.limit,
		rankStep, rankStep)
	return q.list.ColumnExpr("ranked.rank").Join("JOIN (?) AS ranked ON ranked.id = ?", ranked, q.id()).
		OrderExpr("ranked.rank, ? ?", q.id(), q.direction).Limit(q.limit)
}

// shortest selects the matches among the rows with the shortest titles, and among those that follow the row after which
// the page begins.
func (q searchQuery) shortest() *bun.SelectQuery {
	// The index has the key and the ID in the order of the list, so that a page can begin anywhere.
	key, after := bun.Safe(q.length), q.after.length
	if q.newest {
		key, after = bun.Safe("(-"+q.length+")"), -q.after.length
	}
	rows := func() *bun.SelectQuery {
		return q.list.NewSelect().ColumnExpr("?.*", bun.Safe(q.alias)).TableExpr(q.from).
			OrderExpr("? ?, ? ?", key, q.direction, q.id(), q.direction).Limit(closest)
	}
	matches := func(rows *bun.SelectQuery) *bun.SelectQuery {
		return q.list.NewSelect().ColumnExpr("id, level, length").TableExpr("(?) AS m", q.among(rows))
	}
	found := matches(rows()).Where("level > ?", q.after.level)
	if q.after.id == "" {
		return found
	}
	following := rows().Where("(?, ?) ? (?, ?)", key, q.id(), q.beyond, after, q.after.id)
	return found.UnionAll(matches(following).Where("level = ?", q.after.level))
}

// among selects the matches among rows.
func (q searchQuery) among(rows *bun.SelectQuery) *bun.SelectQuery {
	some := q.list.NewSelect().TableExpr("(?) AS ?", rows, bun.Safe(q.alias))
	return q.leveled(some.WhereGroup(" AND ", func(w *bun.SelectQuery) *bun.SelectQuery { // other rows are spared the CASE
		for _, level := range q.levels {
			if level.wide {
				w = w.WhereOr(level.condition, level.argument)
			}
		}
		return w
	}))
}

// leveled selects rows with the number of their level.
func (q searchQuery) leveled(from *bun.SelectQuery) *bun.SelectQuery {
	number, arguments := "CASE", []any{}
	for i, level := range q.levels {
		number += fmt.Sprintf(" WHEN %s THEN %d", level.condition, q.offset+i)
		arguments = append(arguments, level.argument)
	}
	return q.choose(from).ColumnExpr("? AS id, ? AS length", q.id(), bun.Safe(q.length)).
		ColumnExpr(number+" END AS level", arguments...)
}

// indexed selects the matches of the levels before the one that is filled, or of all levels.
func (q searchQuery) indexed() *bun.SelectQuery {
	found := q.list.NewSelect().TableExpr("(SELECT NULL::uuid AS id, 0 AS length, 0 AS level WHERE false) AS none")
	rows := func(condition string, arguments ...any) *bun.SelectQuery {
		return q.leveled(q.list.NewSelect().TableExpr(q.from)).Where(condition, arguments...)
	}
	add := func(rows *bun.SelectQuery, from, to int) {
		found = found.UnionAll(q.list.NewSelect().ColumnExpr("id, length, level").
			TableExpr("(?) AS m", rows.Limit(mostPicked)).
			Where("level BETWEEN ? AND ?", from, to))
	}
	first, words, until := max(q.after.level, q.offset), "", []string{} // of the levels since the last wide one
	for i := first; i < q.offset+len(q.levels); i++ {
		level := q.levels[i-q.offset]
		if !level.words {
			add(rows(level.condition, level.argument).Where("(SELECT level FROM filled) > ?", i), i, i)
			first = i + 1
			continue
		}
		words = strings.TrimPrefix(words+" | ("+level.argument.(string)+")", " | ")
		until = append(until, words)
		if level.wide {
			add(rows("search @@ (ARRAY[?]::tsquery[])[least((SELECT level FROM filled) - ?, ?)]",
				bun.List(until), first, len(until)), first, i)
			first, words, until = i+1, "", nil
		}
	}
	return found
}
