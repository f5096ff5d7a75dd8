// Package figures makes the tables of RESULTS.md that compare measured figures with their limits, called bars.
package figures

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Table has figures with their bars, and the text and plots below them. The zero value is an empty one.
type Table struct {
	// Say, if it is set, gets each row at once, so that a long measurement shows its progress.
	Say func(format string, args ...any)

	rows  []row
	plots []string
	texts []string
}

// row is a figure with its bar.
type row struct {
	what, bound, figure string
	bare                bool // there is no bar
	met                 bool
}

func (r row) verdict() string {
	switch {
	case r.bare:
		return ""
	case r.met:
		return "met"
	}
	return "**missed**"
}

func (t *Table) add(r row) {
	t.rows = append(t.rows, r)
	if t.Say != nil {
		t.Say("%-70s %-20s %s", r.what, r.figure, r.verdict())
	}
}

// AtMost adds a figure that must not exceed its bar.
func (t *Table) AtMost(what string, bound, figure float64, unit string) {
	limit := "≤ " + Number(bound) + unit
	if bound == 0 {
		limit = "0"
	}
	t.add(row{what: what, bound: limit, figure: Number(figure) + unit, met: figure <= bound})
}

// AtLeast adds a figure that has to reach its bar.
func (t *Table) AtLeast(what string, bound, figure float64, unit string) {
	t.add(row{what: what, bound: "≥ " + Number(bound) + unit, figure: Number(figure) + unit, met: figure >= bound})
}

// Figure adds a figure without a bar.
func (t *Table) Figure(what string, figure float64, unit string) {
	t.add(row{what: what, bound: "–", figure: Number(figure) + unit, bare: true})
}

// Plot adds a picture below the table, by its path from RESULTS.md.
func (t *Table) Plot(path string) { t.plots = append(t.plots, path) }

// Text adds Markdown below the table.
func (t *Table) Text(markdown string) { t.texts = append(t.texts, strings.TrimSpace(markdown)) }

// String returns the table as Markdown.
func (t *Table) String() string {
	var b strings.Builder
	b.WriteString("| | bar | measured | |\n|---|---:|---:|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.what, r.bound, r.figure, r.verdict())
	}
	for _, text := range t.texts {
		fmt.Fprintf(&b, "\n%s\n", text)
	}
	for _, path := range t.plots {
		fmt.Fprintf(&b, "\n![%s](%s)\n", strings.TrimSuffix(filepath.Base(path), ".svg"), path)
	}
	return strings.TrimSpace(b.String())
}

// Number writes three digits, or all before the point.
func Number(v float64) string {
	switch {
	case v == float64(int64(v)) || v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1 || v <= -1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
