package store

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
	"golang.org/x/text/unicode/norm"
)

// Limits of searches, in characters. The function search_lexemes has the same limits of words and titles.
const (
	maxWords     = 50
	longestWord  = 64
	longestTitle = 200
	shortestNear = 4
	longestNear  = 24
	openNear     = 5 // shortest last word that may be both unfinished and mistyped
	spaceless    = '\u0e00'
	gram         = 3
)

// query is a search as texts of tsqueries.
type query struct {
	// levels find rows, from the closest to the farthest:
	//
	//   - the title is what was typed
	//   - the title begins with what was typed, up to the end of a word
	//   - the title begins with what was typed
	//   - the title has all words
	//   - the title has all words, the last one as the beginning of a word
	//   - the title or the text has all words, the last one as the beginning of a word
	//
	// There are no levels when nothing that was typed is a word.
	levels []string
	// mistyped finds titles when one letter of each word may be wrong, missing, superfluous or swapped with its neighbour.
	// It is empty when no word is long enough.
	mistyped string
}

// wideLevels are the levels that together find all that the others find: the title is what was typed, or begins with
// it, or has its words.
var wideLevels = []int{0, 2, 5}

const matchesWords = "search @@ ?::tsquery"

func (s *Store) query(ctx context.Context, typed string) (query, error) {
	typed = strings.ReplaceAll(strings.ToValidUTF8(typed, " "), "\x00", " ")
	var words, whole [spellings]string
	err := s.db.NewRaw("SELECT search_fold(?0, false), search_fold(?0, true), "+
		"search_fold(?1, false), search_fold(?1, true)",
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

// ampersand matches & and +, for which titles have a word that people leave out.
var ampersand = regexp.MustCompile(`(^|\s)[&+](?:\s+[&+])*(?:\s|$)`)

// and matches the word "and" between two others.
var and = regexp.MustCompile(`(?i)(\S)\s+and\s+(\S)`)

// spellings is the number of spellings of a text: without diacritics, and with ü as ue.
const spellings = 2

// form is a text that matches a word of a search. It ends with the word at position end, which is a later word than the
// first one when words are joined.
type form struct {
	text string
	end  int
}

// search has, for each word that was typed, the forms that match it.
type search [][]form

// parseSearch splits the text that search_fold returned, in each spelling.
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

// addHyphened adds the whole of a word that has marks within it to each of its parts.
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

// query returns the query of a search. whole is the text in each spelling, as search_fold writes it.
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
		s.conjunction(func(i int) string { return s.term("=", i, false) }),
		s.conjunction(func(i int) string { return s.term("=", i, true) }),
		s.conjunction(func(i int) string { return anyOf([]string{s.term("=", i, true), s.term(".", i, true)}) }),
	}}
	if slices.ContainsFunc(s, func(forms []form) bool { return mayBeMistyped(forms[0].text) }) {
		q.mistyped = s.conjunction(s.near)
	}
	return q
}

func (s search) conjunction(term func(i int) string) string {
	terms := make([]string, len(s))
	for i := range s {
		terms[i] = term(i)
	}
	return strings.Join(terms, " & ")
}

// term matches a word in one of its forms. An open term also matches longer words if it is the last one.
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

// near matches a word when one of its letters is wrong.
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
				continue // another number is another title
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

// isSpaceless reports whether search_lexemes cuts the word into pieces.
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

// prefix returns the first characters of a text, at most longest.
func prefix(text string, longest int) string {
	for i := range text {
		if longest == 0 {
			return text[:i]
		}
		longest--
	}
	return text
}

// searchable describes a list that can be searched.
type searchable struct {
	alias  string // alias of the table
	from   string // what follows FROM, for the rows that are in the list
	length string // length of the title, indexed with the ID and negative when newest: the shorter of two titles is closer
	newest bool   // whether the newest of equals comes first, instead of the oldest
	// also finds further rows by what was typed; nil if there are none.
	also func(typed string) schema.QueryWithArgs
}

const (
	// rankStep exceeds the length of every title: a rank is the level's number times rankStep, plus the length.
	rankStep = 1000
	// closest is how many rows, the shortest titles first, are tried before the index is asked for all matches.
	closest = 1000
	// mostPicked is how many matches of the index are sorted at most, up to each wide level. Further matches are not
	// found.
	mostPicked = 5_000
)

// searchPage reads a page of the rows that choose admits: by ID, or the closest first in a search. list begins the
// query.
func searchPage[R any](
	ctx context.Context, s *Store, l searchable, list func(rows *[]R) *bun.SelectQuery,
	choose func(*bun.SelectQuery) *bun.SelectQuery, typed string, p Page,
) (rows []R, err error) {
	if typed == "" {
		return rows, l.listPage(choose(list(&rows)), p).Scan(ctx)
	}
	q, err := s.query(ctx, typed)
	if err != nil {
		return nil, err
	}
	var levels []searchLevel
	for i, words := range q.levels {
		levels = append(levels, searchLevel{condition: matchesWords, argument: words, words: true,
			wide: slices.Contains(wideLevels, i)})
	}
	if l.also != nil {
		levels = append(levels, searchLevel{condition: "?", argument: l.also(typed), wide: true})
	}
	mistyped := len(levels)
	if len(levels) > 0 && (len(p.After) == 0 || p.rank()/rankStep < mistyped) {
		if err := newSearchQuery(l, list(&rows), choose, levels, 0, p).page().Scan(ctx); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 && q.mistyped != "" && (len(p.After) == 0 || p.rank()/rankStep == mistyped) {
		one := []searchLevel{{condition: matchesWords, argument: q.mistyped, words: true, wide: true}}
		err = newSearchQuery(l, list(&rows), choose, one, mistyped, p).page().Scan(ctx)
	}
	return rows, err
}

func (l searchable) id() bun.Safe { return bun.Safe(l.alias + ".id") }

// order returns the direction in which IDs are read, and the comparison for the rows that follow the page's keys.
func (l searchable) order() (direction, beyond bun.Safe) {
	if l.newest {
		return "DESC", "<"
	}
	return "ASC", ">"
}

func (l searchable) listPage(list *bun.SelectQuery, p Page) *bun.SelectQuery {
	d := ascending
	if l.newest {
		d = descending
	}
	return p.of(list, d, string(l.id()))
}
