package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// textWidth is the length of a line in characters. RFC 5322, 2.1.1 wants at most 78.
const textWidth = 72

func (l letter) text() string {
	blocks := []string{wrap(l.Greeting)}
	for _, p := range l.Paragraphs {
		blocks = append(blocks, wrap(p))
	}
	if len(l.Table.Rows) > 0 {
		blocks = append(blocks, l.Table.text())
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

// wrap breaks lines between words. A word that is longer than a line, such as an address, stays whole.
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

// words splits a text at spaces, but not within an isolate, which would end with its line.
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

// text returns the table with aligned columns: names to the left, figures to the right.
func (t table) text() string {
	rows := append([][]string{t.Header}, t.Rows...)
	widths := make([]int, len(t.Header))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var lines []string
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString(cell + gap)
			} else {
				line.WriteString("  " + gap + cell)
			}
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return strings.Join(lines, "\n")
}
