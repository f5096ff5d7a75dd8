package store

import (
	"strings"
	"unicode"
)

// Bounds of what is looked for: Postgres refuses a word of more than 2046 bytes.
const (
	maxWords     = 50
	maxWordBytes = 500
)

// prefixQuery makes what people type into an argument of to_tsquery('simple', …) that has no syntax of theirs: every
// word has to occur, the last one by its beginning. It is empty when there is nothing to look for, and then nothing is
// found. Each word is quoted as a whole, so that Postgres takes it apart as it did with the text: E.T., AC/DC, Wall-E.
func prefixQuery(text string) string {
	words := []string{}
	for _, word := range strings.FieldsFunc(strings.ToValidUTF8(text, " "), between) {
		if len(word) <= maxWordBytes && len(words) < maxWords && strings.ContainsFunc(word, spoken) {
			words = append(words, "'"+quotes.Replace(word)+"'")
		}
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, " & ") + ":*"
}

// between is what separates words.
func between(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func spoken(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

var quotes = strings.NewReplacer(`'`, `''`, `\`, `\\`)
