// Package health tells the state of the parts that the service needs, and what it means for users when one fails.
//
// Checks are run when somebody looks, each at most once an interval and never twice at a time, so that looking often
// costs the parts nothing. A part that does not answer is not waited for.
package health

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchparty/watchparty/logging"
)

// Connected is the state of a part that is as it should be.
const Connected = "connected"

// PausedByAdmin begins the state of a part of which an admin has paused work.
const PausedByAdmin = "paused by an admin"

const (
	// Patience is how long a look waits.
	Patience = 2 * time.Second
	// checkTimeout is how long a check may go on after that, for a later look.
	checkTimeout = 10 * time.Second
)

// Trouble is the error of a part that answers and is not as it should be. Everybody may see What.
type Trouble struct {
	What string
	Err  error
}

func (t Trouble) Error() string {
	if t.Err == nil {
		return t.What
	}
	return t.What + ": " + t.Err.Error()
}

// Unwrap returns the cause.
func (t Trouble) Unwrap() error { return t.Err }

// Paused is the error of a part that is as it should be, except that an admin has paused its work. That is no fault.
type Paused struct {
	What []string // the names of what is paused; empty for a part that can only be paused as a whole
}

func (p Paused) Error() string {
	if len(p.What) == 0 {
		return PausedByAdmin
	}
	return PausedByAdmin + ": " + strings.Join(p.What, ", ")
}

// unreachable is the state of a part whose error says nothing that everybody may see.
const unreachable = "unreachable"

// Names of the parts.
const (
	Database  = "database"
	Redis     = "redis"
	Temporal  = "temporal"
	Workers   = "workers"
	Schedules = "schedules"
	Bucket    = "bucket"
	Emails    = "emails"
)

// Parts lists the names, in the order of an answer.
func Parts() []string { return []string{Database, Redis, Temporal, Workers, Schedules, Bucket, Emails} }

// effects say what users notice while a part fails.
var effects = map[string]string{
	Database: "Nothing can be read or changed. Players in live rooms go on.",
	Redis: "Reads are slower, and changes by others in a room arrive up to a third of a second later. Most rate limits " +
		"are suspended.",
	Temporal:  "Emails, new avatars, clean-up and reports wait. Everything else works.",
	Workers:   "Emails, new avatars, clean-up or reports wait, whichever have no worker. Everything else works.",
	Schedules: "Clean-up or activity reports are late. People who watch notice nothing.",
	Bucket:    "Avatars can neither be uploaded nor shown.",
	Emails:    "Emails are late, also those that confirm an address or set a new password.",
}

// Effect says what users notice while the part fails.
func Effect(part string) string { return effects[part] }

// Finding is the state of a part.
type Finding struct {
	Part  string
	State string    // Connected, what is wrong, or what is paused
	Since time.Time // since when it is wrong, as far as this process has seen; zero if it is not
	// LastSuccess is when the part last did what it is for; zero if that is not known.
	LastSuccess time.Time
}

// OK reports whether the part is without a fault.
func (f Finding) OK() bool { return f.Since.IsZero() }

// Check is the check of one part.
type Check struct {
	Part  string
	Every time.Duration // for which an answer is used again
	Run   func(context.Context) error
	// LastSuccess returns when the part last did what it is for, as far as Run has seen, and zero for never. It is nil
	// for most parts.
	LastSuccess func() time.Time
}

// Checker runs the checks.
type Checker struct {
	checks []*running
	log    *slog.Logger
}

// running is a check with its latest answer.
type running struct {
	Check

	mu      sync.Mutex
	asked   time.Time
	finding Finding
	done    chan struct{} // closed at the end of the check that runs now; nil if none does
}

// NewChecker makes a checker. No part is checked before somebody looks.
func NewChecker(log *slog.Logger, checks ...Check) *Checker {
	c := &Checker{log: logging.Sparse(log, slog.LevelWarn, "part")}
	for _, check := range checks {
		c.checks = append(c.checks, &running{Check: check})
	}
	return c
}

// Look returns the state of all parts. A part that has not answered in time is unreachable.
func (c *Checker) Look(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	findings := make([]Finding, len(c.checks))
	var all sync.WaitGroup
	for i, check := range c.checks {
		all.Go(func() { findings[i] = c.look(ctx, check) })
	}
	all.Wait()
	return findings
}

func (c *Checker) look(ctx context.Context, r *running) Finding {
	r.mu.Lock()
	if !r.asked.IsZero() && time.Since(r.asked) < r.Every {
		defer r.mu.Unlock()
		return r.finding
	}
	if r.done == nil {
		r.done = make(chan struct{})
		go c.run(context.WithoutCancel(ctx), r)
	}
	done := r.done
	r.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		c.conclude(ctx, r, ctx.Err(), done, false)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.finding
}

func (c *Checker) run(ctx context.Context, r *running) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := r.Run(ctx)
	r.mu.Lock()
	done := r.done
	r.mu.Unlock()
	c.conclude(ctx, r, err, done, true)
}

// conclude keeps an answer of the check whose end closes done: its own when it has ended, or that of a look that gives
// up. The latter does not count if the check has ended meanwhile.
func (c *Checker) conclude(ctx context.Context, r *running, err error, done chan struct{}, ended bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done != done {
		return
	}
	since := r.finding.Since
	r.finding = Finding{Part: r.Part, State: stateOf(err)}
	if r.LastSuccess != nil {
		r.finding.LastSuccess = r.LastSuccess()
	}
	if err != nil && !errors.As(err, new(Paused)) {
		if since.IsZero() {
			since = time.Now().UTC()
		}
		r.finding.Since = since
		c.log.WarnContext(ctx, "health check failed", slog.String("part", r.Part), slog.Any("error", err))
	}
	if ended {
		r.asked, r.done = time.Now(), nil
		close(done)
	}
}

func stateOf(err error) string {
	var (
		trouble Trouble
		paused  Paused
	)
	switch {
	case err == nil:
		return Connected
	case errors.As(err, &trouble):
		return trouble.What
	case errors.As(err, &paused):
		return paused.Error()
	}
	return unreachable
}

// Register registers the state of the parts as a metric. A scrape looks.
func (c *Checker) Register(r prometheus.Registerer) {
	r.MustRegister(&collector{checker: c, up: prometheus.NewDesc("health_part_up",
		"1 while a part is as it should be, as this process sees it, else 0.", []string{"part"}, nil)})
}

type collector struct {
	checker *Checker
	up      *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) { descs <- c.up }

// Collect implements prometheus.Collector.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	for _, finding := range c.checker.Look(context.Background()) {
		up := 0.0
		if finding.OK() {
			up = 1
		}
		metrics <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, up, finding.Part)
	}
}
