package cache

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	errOpen = errors.New("redis is not used: its circuit breaker is open")
	errSlow = errors.New("redis answers too slowly, or has not answered for some time")
)

// breaker decides whether one server is used. It opens when the server does not answer, or when loading from the
// database would be quicker. It closes when several probes in a row have been answered quickly.
//
// An exchange also takes long when this machine is busy. That is no reason to load everything from the database. So the
// breaker opens only if exchanges fail and none has succeeded for a while, or if even the quickest one was slow.
type breaker struct {
	limits breakerLimits
	client *redis.Client // for probes
	now    func() time.Time

	open atomic.Bool

	mu       sync.Mutex
	failures int           // number of failures since the last success
	failing  time.Time     // time of the first of these failures
	window   time.Time     // start of the current window
	quickest time.Duration // duration of the quickest exchange in the window
	count    int           // number of exchanges in the window
	sick     error         // error of the last probe
}

// breakerLimits are the thresholds of a breaker. It opens after failures errors without a success if the first of them
// is at least silence ago, or if the quickest of at least samples exchanges in a window was slower than slow.
type breakerLimits struct {
	failures  int           // least number of failures in a row
	silence   time.Duration // least time since the first of these failures
	window    time.Duration // length of a window
	samples   int           // least number of exchanges in a window that is judged
	slow      time.Duration // longest acceptable duration of the quickest exchange in a window
	quick     time.Duration // longest duration of a successful probe
	probes    int           // number of successful probes in a row that close the breaker
	probeWait time.Duration // time between two probes
}

func newBreakerLimits(timeout time.Duration) breakerLimits {
	return breakerLimits{
		failures: 3, silence: 3 * timeout, window: time.Second, samples: 5, slow: timeout / 2, quick: timeout / 4,
		probes: 3, probeWait: 200 * time.Millisecond,
	}
}

type probeKey struct{}

// DialHook implements redis.Hook.
func (b *breaker) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (b *breaker) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if b.open.Load() && ctx.Value(probeKey{}) == nil {
			cmd.SetErr(errOpen)
			return errOpen
		}
		start := b.now()
		err := next(ctx, cmd)
		b.report(b.now().Sub(start), err)
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (b *breaker) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if b.open.Load() && ctx.Value(probeKey{}) == nil {
			for _, cmd := range cmds {
				cmd.SetErr(errOpen)
			}
			return errOpen
		}
		start := b.now()
		err := next(ctx, cmds)
		b.report(b.now().Sub(start), err)
		return err
	}
}

// report records the outcome of an exchange.
func (b *breaker) report(took time.Duration, err error) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case answered(err):
		b.failures = 0
		b.measure(now, took)
	case errors.Is(err, context.Canceled), errors.Is(err, redis.ErrClosed),
		errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		// The outcome says nothing about the server.
	default:
		// When this process was suspended for a while, all its pending exchanges fail at the same moment.
		if b.failures++; b.failures == 1 {
			b.failing = now
		}
		if b.failures >= b.limits.failures && now.Sub(b.failing) >= b.limits.silence {
			b.open.Store(true)
		}
	}
}

func (b *breaker) measure(now time.Time, took time.Duration) {
	if now.Sub(b.window) >= b.limits.window {
		if b.count >= b.limits.samples && b.quickest > b.limits.slow {
			b.open.Store(true)
		}
		b.window, b.count, b.quickest = now, 0, took
	}
	b.count++
	b.quickest = min(b.quickest, took)
}

// watch probes the server until ctx ends or the client is closed: to close an open breaker, and otherwise to learn
// whether the server refuses writes.
func (b *breaker) watch(ctx context.Context, key string) {
	ticker := time.NewTicker(b.limits.probeWait)
	defer ticker.Stop()
	good := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		took, err := b.probe(ctx, key)
		if errors.Is(err, redis.ErrClosed) {
			return
		}
		if !answered(err) || took > b.limits.quick {
			good = 0
			continue
		}
		if good++; good >= b.limits.probes && b.open.Load() {
			b.mu.Lock()
			b.failures, b.window, b.count = 0, b.now(), 0
			b.open.Store(false)
			b.mu.Unlock()
		}
	}
}

// probe writes a key, since a full server or a replica still answers reads.
func (b *breaker) probe(ctx context.Context, key string) (time.Duration, error) {
	start := b.now()
	err := b.client.Set(context.WithValue(ctx, probeKey{}, true), key, "1", time.Minute).Err()
	took := b.now().Sub(start)
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx.Err() == nil {
		b.sick = err
	}
	return took, err
}

// state returns nil if the server is used and accepts writes.
func (b *breaker) state(ctx context.Context, key string) error {
	_, _ = b.probe(ctx, key) // the last probe may be some time ago
	b.mu.Lock()
	defer b.mu.Unlock()
	var moved redis.Error
	if errors.As(b.sick, &moved) && strings.HasPrefix(moved.Error(), "MOVED ") {
		return nil // a master of a cluster that does not have this key
	}
	if b.sick != nil {
		return b.sick
	}
	if b.open.Load() {
		return errSlow
	}
	return nil
}

// answered reports whether the server has answered, with a value, with nothing, or with an error of its own.
func answered(err error) bool {
	var reply redis.Error
	return err == nil || errors.Is(err, redis.Nil) || errors.As(err, &reply)
}
