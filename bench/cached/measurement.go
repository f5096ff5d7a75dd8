package cached

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/watchparty/watchparty/bench/figures"
	"github.com/watchparty/watchparty/devstack"
)

// Measurement runs a part of the measurement, and keeps its results.
type Measurement struct {
	Log     io.Writer
	Dir     string // where plots go
	Environ []string
	// Quick makes a part short, to try it out. Its figures mean nothing.
	Quick bool
	// Profiles is a folder for profiles of the program; empty for none.
	Profiles string

	figures.Table
	stack   *devstack.Stack
	scratch string            // a temporary folder
	built   map[string]string // programs by variant
	traces  string            // the address of a collector that keeps nothing
	divided bool              // the measured processes have a core of their own
	began   time.Time
}

// part is a part of the measurement, on servers of its own.
type part struct {
	name  string
	run   func(*Measurement, context.Context) error
	alone bool // the measured processes have one core, and all others the other cores
}

var parts = []part{
	{"peers", (*Measurement).peers, false},
	{"reads", (*Measurement).reads, true},
	{"size", (*Measurement).size, true},
	{"misses", (*Measurement).misses, false},
	{"writes", (*Measurement).writes, true},
	{"overload", (*Measurement).overload, true},
}

// Parts are the names of all parts.
func Parts() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// Run runs a part in the folder of the module, and returns the table of its bars, with its plots, as Markdown.
func (m *Measurement) Run(ctx context.Context, name string) (_ string, err error) {
	i := slices.Index(Parts(), name)
	if i < 0 {
		return "", fmt.Errorf("there is no part %q", name)
	}
	m.Say, m.built = m.logf, map[string]string{}
	m.logf("%s", name)
	if err := os.MkdirAll(m.Dir, 0o755); err != nil { //nolint:gosec // everybody may read plots
		return "", err
	}
	if m.scratch, err = os.MkdirTemp("", "watchparty-bench-"); err != nil {
		return "", err
	}
	defer os.RemoveAll(m.scratch) //nolint:errcheck // it is temporary
	if m.divided = parts[i].alone; m.divided {
		if err := divide(); err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, unite()) }()
	}
	if err := m.runPart(ctx, parts[i]); err != nil {
		return "", err
	}
	return m.String(), nil
}

func (m *Measurement) runPart(ctx context.Context, p part) (err error) {
	if err := os.Chmod(m.scratch, 0o711); err != nil { //nolint:gosec // the user postgres passes through it
		return err
	}
	o := devstack.Options{
		Services: []devstack.Service{devstack.Postgres, devstack.Redis}, Dir: filepath.Join(m.scratch, "stack"),
		Ephemeral: p.name != "writes", // where a commit waits for the disk, as in production
	}
	if m.stack, err = devstack.Start(ctx, o); err != nil {
		return err
	}
	defer m.stack.Close() //nolint:errcheck // it is thrown away
	stop, err := m.collectTraces(ctx)
	if err != nil {
		return err
	}
	defer stop()
	return p.run(m, ctx)
}

func (m *Measurement) logf(format string, args ...any) {
	if m.began.IsZero() {
		m.began = time.Now()
	}
	fmt.Fprintf(m.Log, "%5.0fs  "+format+"\n", append([]any{time.Since(m.began).Seconds()}, args...)...)
}

// often returns the number of rounds, and the duration of each turn.
func (m *Measurement) often(rounds int, turn time.Duration) (int, time.Duration) {
	if m.Quick {
		return 2, time.Second
	}
	return rounds, turn
}

// contender is a server that takes part in a comparison.
type contender struct {
	name        string
	target      target
	connections int
	processes   []int // the processes of the server; their children count, too
}

// samples has the results of each contender in each round, by name.
type samples map[string][]sample

// takeTurns measures the contenders one after the other, in several rounds. The first round does not count.
func (m *Measurement) takeTurns(
	ctx context.Context, rounds int, turn time.Duration, contenders []contender,
) (samples, error) {
	all := samples{}
	for round := range rounds + 1 {
		for _, c := range contenders {
			length := turn
			if round == 0 {
				length = time.Second
			}
			s, err := wrk(ctx, c.target, c.connections, length, c.processes...)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 {
				all[c.name] = append(all[c.name], s)
			}
		}
		m.logf("round %d of %d", round, rounds)
	}
	return all, nil
}

// rate returns the answers a second of a contender.
func (s samples) rate(name string) float64 {
	return median(s[name], func(one sample) float64 { return one.rate })
}

// processor returns the processor time for each answer, in microseconds.
func (s samples) processor(name string) float64 {
	return median(s[name], func(one sample) float64 { return float64(one.processor) / float64(time.Microsecond) })
}

// load returns the processor time of wrk for each answer, in microseconds.
func (s samples) load(name string) float64 {
	return median(s[name], func(one sample) float64 { return float64(one.load) / float64(time.Microsecond) })
}

// rates returns the ratio of a contender's rate to that of another one.
func (s samples) rates(name, other string) float64 {
	return s.ratio(name, other, func(one sample) float64 { return one.rate })
}

// processors returns the ratio of a contender's processor time for each answer to that of another one.
func (s samples) processors(name, other string) float64 {
	return s.ratio(name, other, func(one sample) float64 { return float64(one.processor) })
}

// ratio returns the median of the ratios of all rounds.
func (s samples) ratio(name, other string, of func(sample) float64) float64 {
	var ratios []float64
	for i, one := range s[name] {
		ratios = append(ratios, of(one)/of(s[other][i]))
	}
	return median(ratios, func(ratio float64) float64 { return ratio })
}

// median returns the median of value(v) over all values; for an even number, the mean of the two in the middle.
func median[T any](values []T, value func(T) float64) float64 {
	var sorted []float64
	for _, v := range values {
		sorted = append(sorted, value(v))
	}
	if len(sorted) == 0 {
		return 0
	}
	slices.Sort(sorted)
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// command runs a command and returns what it prints.
func command(ctx context.Context, name string, args ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return out, nil
}
