package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
	"golang.org/x/text/unicode/norm"
)

// Bounds of what is searched for; those of words and titles are search_lexemes' too, in characters.
const (
	maxWords     = 50
	longestWord  = 64
	longestTitle = 200
	shortestNear = 4
	longestNear  = 24
	openNear     = 5 // letters from which on the last word may be both unfinished and mistyped
	spaceless    = '\u0e00'
	gram         = 3
)

// query is what is searched for, as text of tsqueries.
type query struct {
	// levels find rows, the first one the closest:
	//
	//   - the title is what was typed
	//   - the title begins with it, up to the end of a word
	//   - the title begins with it
	//   - its words are the title's
	//   - they are the title's, the last one as the beginning of a word
	//   - they are the title's or the text's, the last one as the beginning of a word
	//
	// There are none when nothing that was typed is a word.
	levels []string
	// mistyped finds titles when one letter of each word may be wrong, missing, too many, or in the place of its
	// neighbour. It is empty when no word is long enough.
	mistyped string
}

// wideLevels are those that find all that the others do: the title is what was typed, or begins with it, or has its
// words.
var wideLevels = []int{0, 2, 5}

const matchesWords = "search @@ ?::tsquery"

func (s *Store) query(ctx context.Context, typed string) (query, error) {
	typed = strings.ReplaceAll(strings.ToValidUTF8(typed, " "), "\x00", " ")
	var words, whole [spellings]string
	err := s.db.NewRaw("SELECT search_fold(?0, false), search_fold(?0, true), search_fold(?1, false), search_fold(?1, true)",
		and.ReplaceAllString(ampersand.ReplaceAllString(typed, "$1"), "$1 $2"), typed).
		Scan(ctx, &words[0], &words[1], &whole[0], &whole[1])
	if err != nil || whole[0] == "" {
		return query{}, err
	}
	if words[0] == "" { // & alone
		words = whole
	}
	return parseSearch(words).query(whole), nil
}

// ampersand stands for a word that titles have and that people leave out.
var ampersand = regexp.MustCompile(`(^|\s)[&+](?:\s+[&+])*(?:\s|$)`)

// and is that word in full, between two others.
var and = regexp.MustCompile(`(?i)(\S)\s+and\s+(\S)`)

// spellings of a text: without diacritics, and with ü as ue.
const spellings = 2

// form is a text that does for a word; it ends with the word at this place, which is not the same one when words are
// joined.
type form struct {
	text string
	end  int
}

// search is what was typed: each word in the forms that do for it.
type search [][]form

// parseSearch takes what search_fold made of it, in each spelling.
func parseSearch(folded [spellings]string) search {
	var s search
	for spelling, text := range folded {
		words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '-' })
		words = words[:min(len(words), maxWords)]
		if spelling == 0 {
			s = make(search, len(words))
		}
		for i, word := range words {
			s.add(i, word, i)
			if i > 0 && !isSpaceless(words[i-1]) && !isSpaceless(word) {
				s.add(i-1, words[i-1]+word, i)
				s.add(i, words[i-1]+word, i)
			}
		}
		s.addHyphened(text)
	}
	return s
}

// addHyphened adds the whole of words that marks stood within to each of their parts.
func (s search) addHyphened(text string) {
	begin := 0
	for chunk := range strings.FieldsSeq(text) {
		parts := strings.Count(chunk, "-") + 1
		for i := begin; i < begin+parts && parts > 1 && begin+parts <= len(s); i++ {
			s.add(i, strings.ReplaceAll(chunk, "-", ""), begin+parts-1)
		}
		begin += parts
	}
}

func (s search) add(i int, text string, end int) {
	if f := (form{prefix(text, longestWord), end}); !slices.Contains(s[i], f) {
		s[i] = append(s[i], f)
	}
}

// query is what finds it; whole is the text in each spelling, as search_fold writes it.
func (s search) query(whole [spellings]string) query {
	var titles, beginnings, begun []string
	for _, text := range whole {
		key := prefix(norm.NFD.String(strings.NewReplacer(" ", "", "-", "").Replace(text)), longestTitle)
		titles = append(titles, lexeme("^", key, false))
		beginnings = append(beginnings, lexeme("<", key, false))
		begun = append(begun, lexeme("<", key, true))
	}
	q := query{levels: []string{
		anyOf(titles), anyOf(beginnings), anyOf(begun),
		s.all(func(i int) string { return s.term("=", i, false) }),
		s.all(func(i int) string { return s.term("=", i, true) }),
		s.all(func(i int) string { return anyOf([]string{s.term("=", i, true), s.term(".", i, true)}) }),
	}}
	if slices.ContainsFunc(s, func(forms []form) bool { return mayBeMistyped(forms[0].text) }) {
		q.mistyped = s.all(s.near)
	}
	return q
}

func (s search) all(term func(i int) string) string {
	terms := make([]string, len(s))
	for i := range s {
		terms[i] = term(i)
	}
	return strings.Join(terms, " & ")
}

// term finds a word in one of its forms; an open one goes on if it is at the end.
func (s search) term(kind string, i int, open bool) string {
	var terms []string
	for _, f := range s[i] {
		if !isSpaceless(f.text) {
			terms = append(terms, lexeme(kind, f.text, open && f.end == len(s)-1))
			continue
		}
		var grams []string
		characters := []rune(f.text)
		for at := range max(1, len(characters)-gram+1) {
			grams = append(grams, lexeme(kind, norm.NFD.String(string(characters[at:min(at+gram, len(characters))])), true))
		}
		terms = append(terms, strings.Join(grams, " & "))
	}
	return anyOf(terms)
}

// near finds a word also when a letter of it is not as it should be.
func (s search) near(i int) string {
	terms := []string{s.term("=", i, true)}
	word := s[i][0].text
	if n := utf8.RuneCountInString(word); n == shortestNear-1 && !isSpaceless(word) { // a letter may be missing
		terms = append(terms, lexeme("~", word, false))
	} else if mayBeMistyped(word) {
		open := i == len(s)-1 && n >= openNear
		terms = append(terms, lexeme("~", word, open))
		letters := []rune(word)
		for at, letter := range letters {
			if unicode.IsDigit(letter) {
				continue // another figure is another title
			}
			terms = append(terms, lexeme("~", string(slices.Concat(letters[:at], letters[at+1:])), open))
		}
	}
	return anyOf(terms)
}

func mayBeMistyped(word string) bool {
	n := utf8.RuneCountInString(word)
	return n >= shortestNear && n <= longestNear && !isSpaceless(word) && strings.Trim(word, "0123456789") != ""
}

// isSpaceless reports whether search_lexemes has cut such a word into pieces.
func isSpaceless(word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	return first >= spaceless
}

func anyOf(terms []string) string {
	slices.Sort(terms)
	return "(" + strings.Join(slices.Compact(terms), " | ") + ")"
}

func lexeme(kind, text string, open bool) string {
	quoted := "'" + quotes.Replace(kind+text) + "'"
	if open {
		quoted += ":*"
	}
	return quoted
}

var quotes = strings.NewReplacer(`'`, `''`, `\`, `\\`)

// prefix is a text's first characters, at most so many.
func prefix(text string, longest int) string {
	for i := range text {
		if longest == 0 {
			return text[:i]
		}
		longest--
	}
	return text
}

// searchable is a list that can be searched.
type searchable struct {
	alias  string // of the table
	from   string // the rows that are in the list at all, as what follows FROM
	length string // of the title: the shorter of two is the closer one. Indexed with the ID, and negative when newest
	newest bool   // of equals is first, and not the oldest
	// also finds, by what was typed, rows that the levels do not; nil without any.
	also func(typed string) schema.QueryWithArgs
}

const (
	// rankStep is more than any title's length: a rank is the level's number times this, and the length.
	rankStep = 1000
	// closest is how many rows are looked through, the shortest first, before the index is asked for all that match.
	closest = 1000
	// mostPicked is how many rows the index picks at most to be sorted, up to each wide level; of more, the rest is not
	// found.
	mostPicked = 5_000
)

// searchPage reads the page of those rows that choose lets through: of all by their IDs, or of those that are found,
// the closest first. list begins the query.
func searchPage[R any](
	ctx context.Context, s *Store, l searchable, list func(rows *[]R) *bun.SelectQuery,
	choose func(*bun.SelectQuery) *bun.SelectQuery, typed string, p Page,
) (rows []R, err error) {
	if typed == "" {
		return rows, l.all(choose(list(&rows)), p).Scan(ctx)
	}
	q, err := s.query(ctx, typed)
	if err != nil {
		return nil, err
	}
	var levels []level
	for i, words := range q.levels {
		levels = append(levels, level{condition: matchesWords, argument: words, words: true,
			wide: slices.Contains(wideLevels, i)})
	}
	if l.also != nil {
		levels = append(levels, level{condition: "?", argument: l.also(typed), wide: true})
	}
	mistyped := len(levels)
	if len(levels) > 0 && (len(p.After) == 0 || p.rank()/rankStep < mistyped) {
		if err := l.found(list(&rows), choose, levels, 0, p).Scan(ctx); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 && q.mistyped != "" && (len(p.After) == 0 || p.rank()/rankStep == mistyped) {
		one := []level{{condition: matchesWords, argument: q.mistyped, words: true, wide: true}}
		err = l.found(list(&rows), choose, one, mistyped, p).Scan(ctx)
	}
	return rows, err
}

func (l searchable) id() bun.Safe { return bun.Safe(l.alias + ".id") }

// order is the direction in which IDs are read, and how the following ones compare.
func (l searchable) order() (direction, beyond bun.Safe) {
	if l.newest {
		return "DESC", "<"
	}
	return "ASC", ">"
}

func (l searchable) all(list *bun.SelectQuery, p Page) *bun.SelectQuery {
	d := ascending
	if l.newest {
		d = descending
	}
	return p.of(list, d, string(l.id()))
}

// level is a condition that finds rows. In that of a tsquery the argument is its text.
type level struct {
	condition string
	argument  any
	words     bool // a tsquery on the column search
	wide      bool // not all that it finds is found by a later one
}

// found makes list the page of what the levels find; the first one's number is offset.
//
// What many rows have would take long to sort, and the planner cannot tell it from what few have: the beginnings of
// words have no statistics. So the shortest rows are looked through. A level that fills the page among them is read no
// further, nor are those after it. What the levels before it find is little: the index picks it, and it is sorted.
func (l searchable) found(
	list *bun.SelectQuery, choose func(*bun.SelectQuery) *bun.SelectQuery, levels []level, offset int, p Page,
) *bun.SelectQuery {
	direction, beyond := l.order()
	begin, former, end := offset-1, 0, offset+len(levels)
	after := ""
	if len(p.After) > 0 {
		begin, former, after = p.rank()/rankStep, p.rank()%rankStep, p.After[1].(string)
	}
	// The index has key and ID, both in the order of the list, for a page to begin anywhere in it.
	key, place := bun.Safe(l.length), former
	if l.newest {
		key, place = bun.Safe("(-"+l.length+")"), -former
	}
	number, arguments := "CASE", []any{}
	for i, level := range levels {
		number += fmt.Sprintf(" WHEN %s THEN %d", level.condition, offset+i)
		arguments = append(arguments, level.argument)
	}
	// matches are rows with the number of their level.
	matches := func(from *bun.SelectQuery) *bun.SelectQuery {
		return choose(from).ColumnExpr("? AS id, ? AS length", l.id(), bun.Safe(l.length)).
			ColumnExpr(number+" END AS level", arguments...)
	}
	shortest := func() *bun.SelectQuery {
		return list.NewSelect().ColumnExpr("?.*", bun.Safe(l.alias)).TableExpr(l.from).
			OrderExpr("? ?, ? ?", key, direction, l.id(), direction).Limit(closest)
	}
	among := func(rows *bun.SelectQuery) *bun.SelectQuery {
		some := list.NewSelect().TableExpr("(?) AS ?", rows, bun.Safe(l.alias))
		return matches(some.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery { // the others are spared the CASE
			for _, level := range levels {
				if level.wide {
					q = q.WhereOr(level.condition, level.argument)
				}
			}
			return q
		}))
	}
	looked := list.NewSelect().ColumnExpr("id, level, length").TableExpr("(?) AS m", among(shortest())).
		Where("level > ?", begin)
	if after != "" {
		following := shortest().Where("(?, ?) ? (?, ?)", key, l.id(), beyond, place, after)
		looked = looked.UnionAll(list.NewSelect().ColumnExpr("id, level, length").TableExpr("(?) AS m", among(following)).
			Where("level = ?", begin))
	}
	// picked are the rows of the levels before the one that is filled, or of all.
	picked := list.NewSelect().TableExpr("(SELECT NULL::uuid AS id, 0 AS length, 0 AS level WHERE false) AS none")
	pick := func(rows *bun.SelectQuery, from, to int) {
		picked = picked.UnionAll(list.NewSelect().ColumnExpr("id, length, level").
			TableExpr("(?) AS m", rows.Limit(mostPicked)).
			Where("level BETWEEN ? AND ?", from, to))
	}
	first, words, until := max(begin, offset), "", []string{} // of the levels since the last wide one
	for i := first; i < end; i++ {
		level := levels[i-offset]
		if !level.words {
			pick(matches(list.NewSelect().TableExpr(l.from)).Where(level.condition, level.argument).
				Where("(SELECT level FROM filled) > ?", i), i, i)
			first = i + 1
			continue
		}
		words = strings.TrimPrefix(words+" | ("+level.argument.(string)+")", " | ")
		until = append(until, words)
		if level.wide {
			pick(matches(list.NewSelect().TableExpr(l.from)).
				Where("search @@ (ARRAY[?]::tsquery[])[least((SELECT level FROM filled) - ?, ?)]", bun.List(until), first,
					len(until)), first, i)
			first, words, until = i+1, "", nil
		}
	}
	hits := bun.SafeQuery(`WITH shortest AS (
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
		looked,
		end, p.Limit,
		picked, begin, begin, former, former, beyond, bun.NullZero(after), direction, p.Limit,
		rankStep, rankStep)
	return list.ColumnExpr("hits.rank").Join("JOIN (?) AS hits ON hits.id = ?", hits, l.id()).
		OrderExpr("hits.rank, ? ?", l.id(), direction).Limit(p.Limit)
}
