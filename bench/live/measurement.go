package live

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/watchparty/watchparty/bench/figures"
	"github.com/watchparty/watchparty/devstack"
)

// Measurement runs a part, and keeps what it has found.
type Measurement struct {
	Log     io.Writer
	Dir     string // where plots go
	Binary  string
	Environ []string

	figures.Table
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
	m.Say = m.logf
	m.logf("%s", name)
	if err := m.runPart(ctx, parts[i]); err != nil {
		return "", err
	}
	return m.String(), nil
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

func (m *Measurement) logf(format string, args ...any) {
	if m.began.IsZero() {
		m.began = time.Now()
	}
	fmt.Fprintf(m.Log, "%5.0fs  "+format+"\n", append([]any{time.Since(m.began).Seconds()}, args...)...)
}
