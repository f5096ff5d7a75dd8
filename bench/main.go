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

// section is one run of go test -bench, or of a program of its own.
type section struct {
	name    string // on the command line
	title   string
	about   string // what the figures say, and which bounds they are held to
	program func(ctx context.Context, log io.Writer) (table string, err error)
	pkg     string
	bench   string // a pattern
	flags   []string
	timeout string
}

var sections = []section{
	{
		name:  "registration",
		title: "Registration while Temporal and the mail server are away",
		about: "Time to answer `POST /api/auth/register`, one after the other, with both there and with both away, in turn and in one\n" +
			"run. `away/there` is the ratio of the medians: at most 1.2, or the benchmark fails.",
		pkg:     "./e2e",
		bench:   "^BenchmarkRegistration$",
		flags:   []string{"-benchtime", "60x"},
		timeout: "20m",
	},
	{
		name:  "cache",
		title: "Cache",
		about: "Reads from memory, from Redis over loopback, and loaded; and what a change costs, alone and with another process.",
		pkg:   "./cache",
		bench: ".",
		flags: []string{"-benchmem"},
	},
	{
		name:  "limit",
		title: "Rate limits",
		about: "What counting a request costs, in process and in Redis.",
		pkg:   "./limit",
		bench: ".",
		flags: []string{"-benchmem"},
	},
	{
		name: "store", title: "Store", about: "Writes on Postgres over loopback.", pkg: "./store",
		bench: "^Benchmark(PostMessage|Heartbeat)$", flags: []string{"-benchmem"},
	},
	{
		name:  "search",
		title: "Search",
		about: "Time of a page of 20 from Postgres over loopback, with 100,000 rooms, 10,000 movies and 10,000 accounts: 60 texts as people\n" +
			"type them, whole, begun and mistyped, and 20 hard ones: one letter, words that a third of all rooms have, hostile ones. The\n" +
			"median is at most 20 ms, or the benchmark fails.",
		pkg:     "./store",
		bench:   "^BenchmarkSearch$",
		flags:   []string{"-benchtime", "5x"},
		timeout: "20m",
	},
	{
		name:  "retention",
		title: "Retention while people post and read",
		about: "2,000,000 messages in 2,000 rooms, half of them older than is kept, on a Postgres that syncs to disk. One run of the clean-up\n" +
			"removes those, with its default batches and pauses, in Temporal and the worker's process, while 50 messages a second are posted\n" +
			"and 150 pages of 50 read through the API, cached as in production. A request counts from the moment at which it was due.\n" +
			"`before` is the time before the run; then, every 6 s in turn, the run is held between two batches (`without`) and goes on\n" +
			"(`during`). Each figure is the median of those of its slices of 6 s. `during/without` is the ratio of the p99s: at most 2, or\n" +
			"the benchmark fails. The load, the API, the worker and every server share the machine. `longest-transaction-ms` is anyone's.",
		pkg:     "./e2e",
		bench:   "^BenchmarkRetention$",
		flags:   []string{"-benchtime", "1x"},
		timeout: "20m",
	},
	{
		name:  "emails",
		title: "Resets while other emails wait",
		about: "The longest time from `POST /api/auth/password-reset` until the SMTP server has the email, of five: `idle` on a system that\n" +
			"has nothing else to do; `behind` 10,000 welcome emails that have just been asked for, `in-outbox` and `in-temporal`; and `last`,\n" +
			"when the outbox is empty and those that were not sent yet are `all-in-temporal`, where they go out at 20 a second. Each is at\n" +
			"most 2 s, or the benchmark fails. Every server shares the machine.",
		pkg:     "./e2e",
		bench:   "^BenchmarkReset$",
		flags:   []string{"-benchtime", "1x"},
		timeout: "30m",
	},
	{
		name:  "pictures",
		title: "Pictures of many accounts at once",
		about: "Time from an upload until its picture is published, 12 megapixels in 4 MB: `alone` on a system that has nothing else to do;\n" +
			"the first, the median and the last of 100 accounts' pictures, which two clients send as fast as the API takes them; and\n" +
			"`beside-50` of one account's picture while another account sends 50. `first/alone` is at most 2, `median/last` 0.6, and\n" +
			"`delay/alone`, what the 50 add, 2, or the benchmark fails. The load and every server share the machine.",
		pkg:     "./e2e",
		bench:   "^BenchmarkPictures$",
		flags:   []string{"-benchtime", "1x"},
		timeout: "20m",
	},
	{
		name:  "batches",
		title: "Batches of the clean-up",
		about: "Time of a batch of 1,000 old messages, half of the table being old: its median over the first and the last tenth of the batches\n" +
			"that it takes, without pauses and with nobody else there. Beside a backup, nothing that was removed leaves the indexes before the\n" +
			"end: a batch begins where the one before ended, and the last line is what it would cost to begin at the beginning.",
		pkg:     "./e2e",
		bench:   "^BenchmarkBatches$",
		flags:   []string{"-benchtime", "1x"},
		timeout: "20m",
	},
	{
		name:  "avatar",
		title: "Avatars",
		about: "Processor time of a picture, a JPEG of 4000×3000 from a camera that was held upright or turned, with one thread, beside that\n" +
			"of the best `vipsthumbnail` command line for the same outputs: `two` are the squares of 512 and 128 as WebP, `all` is what an\n" +
			"upload gets. A worker starts once and a command each time, so `net` leaves the commands' starts out. `net-cpu-ratio` is at\n" +
			"most 1.5, or 1.6 turned, and `peak-MB`, the largest that the process was, at most 100, or the benchmark fails.",
		pkg:     "./avatar",
		bench:   ".",
		flags:   []string{"-benchtime", "10x"},
		timeout: "20m",
	},
	liveSection("together", "Players of a room",
		"12 players in each of 6 rooms, with a command each 14 s, and then each 5.5 s; newcomers in between."),
	liveSection("faults", "Faults in live rooms",
		"2 rooms of 12 behind 40 ms ± 20 ms with 3 % lost. Redis is killed for a minute, and a node six times."),
	liveSection("memory", "Memory of live connections",
		"Idle connections to one node: 20,000, or as many as a process may have open files."),
	liveSection(
		"crowd",
		"A live room of 1,000",
		"999 clients in one process, at two nodes, over loopback. The clients take about as much processor time as the nodes.",
	),
	liveSection("storm", "Live commands, sent twice and out of order",
		"20 clients of 10 people, at two nodes: each frame is up to 300 ms late, and four in ten come once more."),
	liveSection("pages", "Live rooms in browsers",
		"4 pages in Chromium behind 40 ms ± 20 ms with 3 % lost, at two nodes, by the frame numbers in their pixels."),
	cachedSection(
		"peers",
		"Hits beside other servers",
		"Peak over 32 connections by wrk, and latency at half of it at a constant rate, of one process each, with the load beside it.",
	),
	cachedSection("reads", "Hits beside reads from Postgres",
		"Over one connection, on one core. Processor time is that of the process and, where it is asked, of Postgres."),
	cachedSection("size", "Lists in small and in large tables",
		"Time of an answer over one connection: warm from memory, cold from Postgres."),
	cachedSection("misses", "Many misses at once",
		"500 requests for a room that no process has. Its loads count: each is one query."),
	cachedSection("writes", "Price of the durable invalidation",
		"Time of `POST /api/chat/messages` over one connection, with a Postgres that syncs to disk."),
	cachedSection("overload", "More reads than can be answered",
		"Offered from 0.2 to 5 times what saturates one process on one core. Who waits for more than a second gives up."),
}

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
