package limit

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
)

// Charge is an event of a subject that a rule counts.
type Charge struct {
	Rule    Rule // without a burst: no more than Rate in any Period
	Subject string
}

// Guard counts events before they happen, so that no number of parallel ones exceeds a rule, and takes back those that
// turn out not to count. It is exact: it keeps the time of each event. It counts in Redis and in this process: while
// Redis is away, and whatever Redis loses, one process alone allows no more than the rule does. It is safe for
// concurrent use.
type Guard struct {
	limiter *Limiter
	mu      sync.Mutex // of windows and what is in them
	windows *otter.Cache[string, *window]
	now     func() time.Time
}

// maxGuarded bounds what a Guard keeps in this process, with rules of a hundred events, to some 20 MB.
const maxGuarded = 1 << 13

// NewGuard counts beside limiter, in the same Redis.
func NewGuard(limiter *Limiter) *Guard {
	return &Guard{
		limiter: limiter,
		windows: otter.Must(&otter.Options[string, *window]{MaximumSize: maxGuarded}),
		now:     time.Now,
	}
}

// Reservation is an event that was counted.
type Reservation struct {
	guard *Guard
	id    string
	keys  []string
}

// Reserve counts one event under each of the charges, or, when one of their rules refuses it, under none. The result is
// that of the rule that refuses. group is what the charges have in common, an account for instance: a cluster keeps
// them in one place by it.
func (g *Guard) Reserve(ctx context.Context, group string, charges ...Charge) (Result, *Reservation) {
	r := &Reservation{guard: g, id: uuid.NewString()}
	tag := g.limiter.hash(Rule{Name: "group"}, group)
	for _, c := range charges {
		r.keys = append(r.keys, "guard:{"+tag+"}:"+c.Rule.Name+":"+g.limiter.hash(c.Rule, c.Subject))
	}
	if result, ok := g.reserveHere(r, charges); !ok {
		return result, nil
	}
	if result, ok := g.reserveInRedis(ctx, r, charges); !ok {
		g.cancelHere(r)
		return result, nil
	}
	return Result{Allowed: true}, r
}

// Cancel takes the event back.
func (r *Reservation) Cancel(ctx context.Context) {
	r.guard.cancelHere(r)
	l := r.guard.limiter
	l.exchange(ctx, func(ctx context.Context) error {
		return cancelScript.Run(ctx, l.client, r.keys, r.id).Err()
	})
}

// window are the events of one charge, the oldest first.
type window struct{ events []event }

type event struct {
	id string
	at time.Time
}

func (g *Guard) reserveHere(r *Reservation, charges []Charge) (Result, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	windows := make([]*window, len(charges))
	for i, c := range charges {
		w, _ := g.windows.ComputeIfAbsent(r.keys[i], func() (*window, bool) { return new(window), false })
		w.forget(now.Add(-c.Rule.Period))
		if n := len(w.events); n >= c.Rule.Rate {
			return c.Rule.exceeded(w.events[n-c.Rule.Rate].at.Sub(now), w.events[n-1].at.Sub(now)), false
		}
		windows[i] = w
	}
	for _, w := range windows {
		w.events = append(w.events, event{r.id, now})
	}
	return Result{}, true
}

func (w *window) forget(until time.Time) {
	n := 0
	for n < len(w.events) && !w.events[n].at.After(until) {
		n++
	}
	w.events = w.events[n:]
}

func (g *Guard) cancelHere(r *Reservation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, key := range r.keys {
		w, ok := g.windows.GetIfPresent(key)
		if !ok {
			continue
		}
		for i, e := range w.events {
			if e.id == r.id {
				w.events = append(w.events[:i], w.events[i+1:]...)
				break
			}
		}
	}
}

// exceeded is the result of a rule whose places were all taken: the next is free a period after one event, all are a
// period after another.
func (r Rule) exceeded(blocking, newest time.Duration) Result {
	return Result{
		Limit:      r.Rate,
		RetryAfter: max(0, r.Period+blocking) + 2*slack,
		ResetAfter: max(0, r.Period+newest) + 2*slack,
	}
}

// reserveInRedis is true when Redis does not say.
func (g *Guard) reserveInRedis(ctx context.Context, r *Reservation, charges []Charge) (Result, bool) {
	args := []any{r.id}
	for _, c := range charges {
		args = append(args, strconv.Itoa(c.Rule.Rate), strconv.FormatInt(c.Rule.Period.Microseconds(), 10))
	}
	var refusal []int64
	answered := g.limiter.exchange(ctx, func(ctx context.Context) (err error) {
		refusal, err = reserveScript.Run(ctx, g.limiter.client, r.keys, args...).Int64Slice()
		return err
	})
	if !answered || len(refusal) == 0 {
		return Result{}, true
	}
	blocking, newest := time.Duration(refusal[1])*time.Microsecond, time.Duration(refusal[2])*time.Microsecond
	return charges[refusal[0]-1].Rule.exceeded(blocking, newest), false
}

// reserveScript adds ARGV[1] to all keys, each with a rate and a period in microseconds in ARGV, or to none: then it
// returns the number of the key that is full, and when, from now on and thus negative, the event happened that has to
// be forgotten first, and the latest.
var reserveScript = redis.NewScript(`
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
for i, key in ipairs(KEYS) do
  local rate, period = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  redis.call("ZREMRANGEBYSCORE", key, "-inf", now - period)
  local n = redis.call("ZCARD", key)
  if n >= rate then
    local blocking = redis.call("ZRANGE", key, n - rate, n - rate, "WITHSCORES")
    local newest = redis.call("ZRANGE", key, -1, -1, "WITHSCORES")
    return {i, blocking[2] - now, newest[2] - now}
  end
end
for i, key in ipairs(KEYS) do
  redis.call("ZADD", key, now, ARGV[1])
  redis.call("PEXPIRE", key, math.ceil(ARGV[2 * i + 1] / 1000) + 1)
end
return {}
`)

var cancelScript = redis.NewScript(`
for _, key in ipairs(KEYS) do
  redis.call("ZREM", key, ARGV[1])
end
return {}
`)
