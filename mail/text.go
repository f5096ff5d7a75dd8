package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// textWidth is in characters; RFC 5322, 2.1.1 asks for lines of at most 78.
const textWidth = 72

func (l letter) text() string {
	blocks := []string{wrap(l.Greeting)}
	for _, p := range l.Paragraphs {
		blocks = append(blocks, wrap(p))
	}
	blocks = append(blocks, l.Button.text())
	if l.Footer != "" {
		blocks = append(blocks, "-- \n"+wrap(l.Footer))
	}
	if l.FooterLink.URL != "" {
		blocks = append(blocks, l.FooterLink.text())
	}
	return strings.Join(blocks, "\n\n") + "\n"
}

func (b button) text() string { return wrap(b.Label+":") + "\n" + b.URL }

// wrap breaks lines between words. What is longer than a line, such as an address, stays whole.
func wrap(s string) string {
	var b strings.Builder
	width := 0
	for _, word := range words(s) {
		length := utf8.RuneCountInString(word)
		switch {
		case width == 0:
		case width+1+length > textWidth:
			b.WriteByte('\n')
			width = 0
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += length
	}
	return b.String()
}

// words splits at spaces, but not within an isolate, which would end with its line.
func words(s string) []string {
	isolated := false
	return strings.FieldsFunc(s, func(r rune) bool {
		switch string(r) {
		case isolateStart:
			isolated = true
		case isolateEnd:
			isolated = false
		}
		return !isolated && unicode.IsSpace(r)
	})
}
