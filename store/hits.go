package store

import (
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// level is a condition that finds rows. If it is a tsquery, the argument is its text.
type level struct {
	condition string
	argument  any
	words     bool // whether it is a tsquery on the column search
	wide      bool // whether a later level does not find all of its rows
}

// hits builds the query for one page of search results.
//
// Sorting all rows that contain a common word would be slow. The planner cannot tell common words from rare ones,
// because it has no statistics for prefixes. So the query first tries the rows with the shortest titles. If these fill
// the page at some level, the rest of that level and all later levels are skipped. Earlier levels match few rows, which
// are read from the index and sorted.
type hits struct {
	searchable
	list   *bun.SelectQuery // of the rows themselves
	choose func(*bun.SelectQuery) *bun.SelectQuery
	levels []level
	offset int // the number of the first level
	limit  int
	after  hit // the page begins after it

	direction, beyond bun.Safe
}

// hit is a row that a level finds. Before the first page, it has no ID, and the number before the first level's.
type hit struct {
	level  int
	length int // of the title
	id     string
}

func newHits(
	l searchable,
	list *bun.SelectQuery,
	choose func(*bun.SelectQuery) *bun.SelectQuery,
	levels []level,
	offset int,
	p Page,
) hits {
	h := hits{searchable: l, list: list, choose: choose, levels: levels, offset: offset, limit: p.Limit}
	h.direction, h.beyond = l.order()
	h.after.level = offset - 1
	if len(p.After) > 0 {
		h.after = hit{level: p.rank() / rankStep, length: p.rank() % rankStep, id: p.After[1].(string)}
	}
	return h
}

// page turns the query of the list into the query of one page of results.
func (h hits) page() *bun.SelectQuery {
	found := bun.SafeQuery(`WITH shortest AS (
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
		h.shortest(),
		h.offset+len(h.levels), h.limit,
		h.indexed(), h.after.level, h.after.level, h.after.length, h.after.length, h.beyond, bun.NullZero(h.after.id),
		h.direction, h.limit,
		rankStep, rankStep)
	return h.list.ColumnExpr("hits.rank").Join("JOIN (?) AS hits ON hits.id = ?", found, h.id()).
		OrderExpr("hits.rank, ? ?", h.id(), h.direction).Limit(h.limit)
}

// shortest selects the matches among the rows with the shortest titles, and among those that follow the hit after which
// the page begins.
func (h hits) shortest() *bun.SelectQuery {
	// The index has the key and the ID in the order of the list, so that a page can begin anywhere.
	key, after := bun.Safe(h.length), h.after.length
	if h.newest {
		key, after = bun.Safe("(-"+h.length+")"), -h.after.length
	}
	rows := func() *bun.SelectQuery {
		return h.list.NewSelect().ColumnExpr("?.*", bun.Safe(h.alias)).TableExpr(h.from).
			OrderExpr("? ?, ? ?", key, h.direction, h.id(), h.direction).Limit(closest)
	}
	matches := func(rows *bun.SelectQuery) *bun.SelectQuery {
		return h.list.NewSelect().ColumnExpr("id, level, length").TableExpr("(?) AS m", h.among(rows))
	}
	found := matches(rows()).Where("level > ?", h.after.level)
	if h.after.id == "" {
		return found
	}
	following := rows().Where("(?, ?) ? (?, ?)", key, h.id(), h.beyond, after, h.after.id)
	return found.UnionAll(matches(following).Where("level = ?", h.after.level))
}

// among selects the matches among rows.
func (h hits) among(rows *bun.SelectQuery) *bun.SelectQuery {
	some := h.list.NewSelect().TableExpr("(?) AS ?", rows, bun.Safe(h.alias))
	return h.leveled(some.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery { // other rows are spared the CASE
		for _, level := range h.levels {
			if level.wide {
				q = q.WhereOr(level.condition, level.argument)
			}
		}
		return q
	}))
}

// leveled selects rows with the number of their level.
func (h hits) leveled(from *bun.SelectQuery) *bun.SelectQuery {
	number, arguments := "CASE", []any{}
	for i, level := range h.levels {
		number += fmt.Sprintf(" WHEN %s THEN %d", level.condition, h.offset+i)
		arguments = append(arguments, level.argument)
	}
	return h.choose(from).ColumnExpr("? AS id, ? AS length", h.id(), bun.Safe(h.length)).
		ColumnExpr(number+" END AS level", arguments...)
}

// indexed selects the matches of the levels before the one that is filled, or of all levels.
func (h hits) indexed() *bun.SelectQuery {
	found := h.list.NewSelect().TableExpr("(SELECT NULL::uuid AS id, 0 AS length, 0 AS level WHERE false) AS none")
	rows := func(condition string, arguments ...any) *bun.SelectQuery {
		return h.leveled(h.list.NewSelect().TableExpr(h.from)).Where(condition, arguments...)
	}
	add := func(rows *bun.SelectQuery, from, to int) {
		found = found.UnionAll(h.list.NewSelect().ColumnExpr("id, length, level").
			TableExpr("(?) AS m", rows.Limit(mostPicked)).
			Where("level BETWEEN ? AND ?", from, to))
	}
	first, words, until := max(h.after.level, h.offset), "", []string{} // of the levels since the last wide one
	for i := first; i < h.offset+len(h.levels); i++ {
		level := h.levels[i-h.offset]
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
