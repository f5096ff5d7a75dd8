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

// Charge is an event to be counted: a subject and a rule.
type Charge struct {
	Rule    Rule // without a burst: no more than Rate in any Period
	Subject string
}

// Guard counts events before they happen, so that parallel events cannot exceed a rule, and cancels those that turn out
// not to count. It is exact, since it keeps the time of each event. It counts in Redis and in this process: while Redis
// is down, and whatever Redis loses, one process alone allows no more than the rule. It is safe for concurrent use.
type Guard struct {
	limiter *Limiter
	mu      sync.Mutex // guards windows and their contents
	windows *otter.Cache[string, *window]
	now     func() time.Time
}

// maxGuarded limits the memory of a Guard in this process to some 20 MB, with rules of a hundred events.
const maxGuarded = 1 << 13

// NewGuard returns a Guard that uses the Redis of limiter.
func NewGuard(limiter *Limiter) *Guard {
	return &Guard{
		limiter: limiter,
		windows: otter.Must(&otter.Options[string, *window]{MaximumSize: maxGuarded}),
		now:     time.Now,
	}
}

// Reservation is a counted event.
type Reservation struct {
	guard *Guard
	id    string
	keys  []string
}

// Reserve counts one event for each of the charges or, if a rule refuses, for none. The result is that of the rule that
// refuses. group is what the charges have in common, such as an account: a Redis cluster keeps them in one slot by it.
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

// Cancel uncounts the event.
func (r *Reservation) Cancel(ctx context.Context) {
	r.guard.cancelHere(r)
	l := r.guard.limiter
	l.exchange(ctx, func(ctx context.Context) error {
		return cancelScript.Run(ctx, l.client, r.keys, r.id).Err()
	})
}

// window has the events of one charge, the oldest first.
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

// exceeded is the result of a rule without a free place. blocking is the time of the event whose end frees the next
// place, and newest that of the latest event, both relative to now and therefore negative.
func (r Rule) exceeded(blocking, newest time.Duration) Result {
	return Result{
		Limit:      r.Rate,
		RetryAfter: max(0, r.Period+blocking) + 2*slack,
		ResetAfter: max(0, r.Period+newest) + 2*slack,
	}
}

// reserveInRedis also returns true if Redis does not answer.
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

// reserveScript adds ARGV[1] to all keys, or to none. Each key has a rate and a period in microseconds in ARGV. If a
// key is full, it returns the number of the key, and the times of the event that has to expire first and of the latest
// one, relative to now and therefore negative.
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
