package live

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/watchparty/watchparty/devstack"
)

// Bar is what a figure is held to.
type Bar struct {
	What   string
	Bound  string
	Figure string
	Met    bool
	Bare   bool // there is no bound
}

// Measurement runs a part, and keeps what it has found.
type Measurement struct {
	Log     io.Writer
	Dir     string // where plots go
	Binary  string
	Environ []string

	bars   []Bar
	plots  []string
	system *System
	began  time.Time
}

// part is a part of the measurement, on a system of its own.
type part struct {
	name string
	run  func(*Measurement, context.Context) error
}

var parts = []part{
	{"together", (*Measurement).together},
	{"faults", (*Measurement).faults},
	{"memory", (*Measurement).memory},
	{"crowd", (*Measurement).crowd},
	{"storm", (*Measurement).storm},
	{"pages", (*Measurement).pages},
}

// Parts are the names of all parts.
func Parts() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// Run runs a part, and returns the table of its bars, with its plots, as Markdown.
func (m *Measurement) Run(ctx context.Context, name string) (string, error) {
	i := slices.Index(Parts(), name)
	if i < 0 {
		return "", fmt.Errorf("there is no part %q", name)
	}
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return "", err
	}
	m.say("%s", name)
	if err := m.runPart(ctx, parts[i]); err != nil {
		return "", err
	}
	return m.table(), nil
}

func (m *Measurement) runPart(ctx context.Context, p part) error {
	stack, err := devstack.Start(ctx, devstack.Options{
		Services: []devstack.Service{devstack.Postgres, devstack.Redis}, Ephemeral: true,
	})
	if err != nil {
		return err
	}
	defer stack.Close() //nolint:errcheck // it is thrown away
	o := Options{Binary: m.Binary, Stack: stack, Environ: m.Environ}
	if p.name == "pages" {
		o.PublicURL = "http://" + pagesHost
	}
	if m.system, err = Start(ctx, o); err != nil {
		return err
	}
	defer m.system.Close()
	return p.run(m, ctx)
}

func (m *Measurement) say(format string, args ...any) {
	if m.began.IsZero() {
		m.began = time.Now()
	}
	fmt.Fprintf(m.Log, "%5.0fs  "+format+"\n", append([]any{time.Since(m.began).Seconds()}, args...)...)
}

func (m *Measurement) add(b Bar) {
	m.bars = append(m.bars, b)
	m.say("%-70s %-20s %s", b.What, b.Figure, b.verdict())
}

func (b Bar) verdict() string {
	switch {
	case b.Bare:
		return ""
	case b.Met:
		return "met"
	}
	return "**missed**"
}

// atMost adds a bar that a figure must not exceed.
func (m *Measurement) atMost(what string, bound, figure float64, unit string) {
	m.add(Bar{
		What: what, Bound: "≤ " + number(bound) + unit, Figure: number(figure) + unit, Met: figure <= bound,
	})
}

// figure adds a figure without a bar.
func (m *Measurement) figure(what string, figure float64, unit string) {
	m.add(Bar{What: what, Bound: "–", Figure: number(figure) + unit, Bare: true})
}

// number writes three digits, or all before the point.
func number(v float64) string {
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

func (m *Measurement) table() string {
	var b strings.Builder
	b.WriteString("| | bar | measured | |\n|---|---:|---:|---|\n")
	for _, bar := range m.bars {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", bar.What, bar.Bound, bar.Figure, bar.verdict())
	}
	for _, name := range m.plots {
		fmt.Fprintf(&b, "\n![%s](%s)\n", strings.TrimSuffix(filepath.Base(name), ".svg"), name)
	}
	return strings.TrimSpace(b.String())
}
