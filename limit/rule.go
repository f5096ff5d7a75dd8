package limit

import (
	"math"
	"time"
)

// Rule allows each subject Rate events per Period, and Burst of them at once.
type Rule struct {
	Name   string // rules with different names count separately
	Rate   int
	Period time.Duration
	Burst  int // 0 means Rate
}

// Result is the decision of a rule on one event.
type Result struct {
	Allowed    bool
	Limit      int           // the rule's burst
	Remaining  int           // events that would be allowed now, after this one
	ResetAfter time.Duration // until Remaining is Limit again
	RetryAfter time.Duration // until the next event is allowed; 0 when this one is
}

func (r Rule) burst() int {
	if r.Burst > 0 {
		return r.Burst
	}
	return r.Rate
}

// interval is the time after which one event is available again, in nanoseconds.
func (r Rule) interval() float64 { return float64(r.Period) / float64(r.Rate) }

// slack exceeds the errors of floating point and of Redis' clock, which counts microseconds.
const slack = 2 * time.Microsecond

// result is the result for a subject whose whole quota is back after reset.
func (r Rule) result(allowed bool, reset time.Duration) Result {
	free := float64(r.burst()) - float64(reset-slack)/r.interval()
	out := Result{
		Allowed: allowed, Limit: r.burst(), Remaining: min(r.burst(), max(0, int(free))), ResetAfter: reset,
	}
	if !allowed {
		out.RetryAfter = time.Duration(math.Ceil(max(0, (1-free)*r.interval()))) + 2*slack
	}
	return out
}

// unused is the result for an unknown subject.
func (r Rule) unused() Result { return r.result(true, 0) }
