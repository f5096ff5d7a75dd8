// Command bench runs the benchmarks, which live beside what they measure, and writes what they print to RESULTS.md.
//
//	go run ./bench                      every section
//	go run ./bench registration cache   these only; the others stay as they are
//	go run ./bench live                 those of live rooms
//	go run ./bench cached               those of the cache in the built program
//	go run ./bench -quick cached-peers  tries a section of the cache out, and writes nothing
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/perf/benchfmt"

	"github.com/watchparty/watchparty/bench/cached"
	"github.com/watchparty/watchparty/bench/live"
)

// Flags, which only the sections of the cache know.
var (
	quick    bool   // take a short time, and write nothing
	profiles string // a folder
)

func main() {
	if file := os.Getenv(cached.FloorVariable); file != "" {
		fmt.Fprintln(os.Stderr, "bench:", cached.ServeFloor(file))
		os.Exit(1)
	}
	if os.Getenv(live.HoldVariable) != "" {
		if err := live.Hold(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	flag.BoolVar(&quick, "quick", false, "take a short time where that is possible, print, and write nothing")
	flag.StringVar(&profiles, "profiles", "", "a `folder` for profiles of the program, where that is possible")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, flag.Args(), filepath.Join("bench", "RESULTS.md"), os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures the named sections, or all, and puts them in the place of the former ones in the file.
func run(ctx context.Context, names []string, file string, log io.Writer) error {
	names = expand(names)
	for _, name := range names {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("there is no section %q", name)
		}
	}
	former, err := os.ReadFile(file) //nolint:gosec // its callers name it
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	text := parse(string(former))
	for _, s := range sections {
		if len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		if text[s.title], err = s.results(ctx, log); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if quick {
			fmt.Fprintln(log, text[s.title])
			continue
		}
		// Written after each: the next one may fail.
		if err := os.WriteFile(file, []byte(document(text)), 0o644); err != nil { //nolint:gosec // everybody may read it
			return err
		}
	}
	return nil
}

// results measures a section, and returns its text.
func (s section) results(ctx context.Context, log io.Writer) (string, error) {
	if s.program != nil {
		table, err := s.program(ctx, log)
		return s.about + "\n\n" + where(ctx) + "\n\n" + table, err
	}
	out, err := measure(ctx, s, log)
	if err != nil {
		return "", err
	}
	return s.render(out, where(ctx))
}

func measure(ctx context.Context, s section, log io.Writer) ([]byte, error) {
	args := append(
		[]string{"test", "-run", "^$", "-bench", s.bench, "-timeout", cmp.Or(s.timeout, "10m"), s.pkg},
		s.flags...)
	fmt.Fprintln(log, "go", strings.Join(args, " "))
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the sections above
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, log), log
	err := cmd.Run()
	return out.Bytes(), err
}

const (
	intro = "# Results\n\nWritten by `make bench`, not by hand. Machines are noisy: ratios within one run say more than times.\n"
	mark  = "\n## "
)

// unmeasured is the text of a section that was added after the last measurement.
const unmeasured = "Not measured yet."

// parse returns the sections of a document by their titles, without those that were not measured yet.
func parse(document string) map[string]string {
	found := map[string]string{}
	for _, part := range strings.Split(document, mark)[1:] {
		title, text, _ := strings.Cut(part, "\n")
		if text = strings.TrimSpace(text); !strings.HasSuffix(text, unmeasured) {
			found[title] = text
		}
	}
	return found
}

// document puts the sections in their order.
func document(text map[string]string) string {
	var b strings.Builder
	b.WriteString(intro)
	for _, s := range sections {
		b.WriteString(mark + s.title + "\n\n" + cmp.Or(text[s.title], s.about+"\n\n"+unmeasured) + "\n")
	}
	return b.String()
}

// where says on what and when the figures were taken.
func where(ctx context.Context) string {
	commit, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return fmt.Sprintf("%s, commit %s, %s, %d × %s", time.Now().UTC().Format(time.DateOnly), bytes.TrimSpace(commit),
		runtime.Version(), runtime.NumCPU(), processor())
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(info)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
			}
		}
	}
	return runtime.GOOS + "/" + runtime.GOARCH
}

// render makes a table of what go test has printed: a row for each benchmark, a column for each unit.
func (s section) render(out []byte, where string) (string, error) {
	var units []string
	var results []*benchfmt.Result
	reader := benchfmt.NewReader(bytes.NewReader(out), s.name)
	for reader.Scan() {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		results = append(results, result.Clone())
		for _, v := range result.Values {
			if unit := printed(v).unit; !slices.Contains(units, unit) {
				units = append(units, unit)
			}
		}
	}
	if err := reader.Err(); err != nil {
		return "", err
	}
	if len(results) == 0 {
		return "", errors.New("no benchmark has run")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\n| | %s |\n|---|%s\n", s.about, where, strings.Join(units, " | "),
		strings.Repeat("---:|", len(units)))
	for _, r := range results {
		cells := make([]string, len(units))
		for _, v := range r.Values {
			cells[slices.Index(units, printed(v).unit)] = printed(v).text
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.TrimPrefix(string(r.Name.Full()), "Benchmark"), strings.Join(cells, " | "))
	}
	return strings.TrimSpace(b.String()), nil
}

type cell struct{ unit, text string }

// printed is a value as go test has printed it, and not in the base units that the reader makes of it.
func printed(v benchfmt.Value) cell {
	if v.OrigUnit != "" {
		return cell{v.OrigUnit, digits(v.OrigValue)}
	}
	return cell{v.Unit, digits(v.Value)}
}

// digits writes three of them, or all before the point.
func digits(v float64) string {
	switch {
	case v >= 100, v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}
