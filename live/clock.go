package live

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// measureEvery is the time between two measurements of Postgres' clock; the first measureFast come sooner.
	measureEvery = 5 * time.Second
	measureSoon  = 200 * time.Millisecond
	measureFast  = 4
	// measureLimit bounds one measurement. One that takes longer says too little.
	measureLimit = time.Second
)

// Clock is Postgres' clock, as this process knows it. It is safe for concurrent use.
type Clock struct {
	// ask asks Postgres for the time, and returns when it asked and when it got the answer.
	ask func(context.Context) (asked, answered, told time.Time, err error)
	log *slog.Logger

	mu     sync.Mutex
	start  time.Time // of this process, with its monotonic clock
	offset offset
}

// NewClock makes a clock that is this process' own until Run has asked for the first time.
func NewClock(
	ask func(context.Context) (asked, answered, told time.Time, err error), log *slog.Logger,
) *Clock {
	return &Clock{ask: ask, log: log, start: time.Now()}
}

// Now is the time by Postgres' clock, to the microsecond.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := time.Since(c.start)
	return c.start.Round(0).Add(passed + c.offset.value(passed)).UTC().Truncate(time.Microsecond)
}

// Until is how long it takes until an instant of Postgres' clock; not less than 0.
func (c *Clock) Until(t time.Time) time.Duration { return max(t.Sub(c.Now()), 0) }

// Offset returns how far Postgres' clock is ahead of this machine's. It returns false before the first measurement.
func (c *Clock) Offset() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset.value(time.Since(c.start)), c.offset.known()
}

// Measure asks Postgres once. It returns the step by which the clock has jumped; 0 if it has not.
func (c *Clock) Measure(ctx context.Context) (step time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, measureLimit)
	defer cancel()
	asked, answered, told, err := c.ask(ctx)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := newSample(asked.Sub(c.start), answered.Sub(c.start), told.Sub(c.start.Round(0)))
	before := c.offset.value(s.at)
	if c.offset.add(s) {
		return c.offset.value(s.at) - before, nil
	}
	return 0, nil
}

// Run measures until ctx ends. It calls jumped after each step of the clock.
func (c *Clock) Run(ctx context.Context, jumped func(step time.Duration)) {
	for n := 1; ; n++ {
		step, err := c.Measure(ctx)
		if err == nil && step != 0 {
			c.log.WarnContext(ctx, "database clock jumped", slog.Duration("step", step))
			jumped(step)
		}
		wait := measureEvery
		if n < measureFast || err != nil && n < 2*measureFast {
			wait = measureSoon
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
