package limit

import (
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// maxSubjects limits the memory of a Local to some 20 MB (BenchmarkLocalMemory). Frequent subjects are kept rather than
// those that came once, so that a flood of addresses drops out by itself.
const maxSubjects = 1 << 16

// Local counts the events of one rule in this process. It is safe for concurrent use.
type Local struct {
	rule    Rule
	buckets *otter.Cache[string, *rate.Limiter]
	now     func() time.Time
}

// NewLocal returns a Local that has counted nothing.
func NewLocal(rule Rule) *Local {
	return &Local{
		rule:    rule,
		buckets: otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: maxSubjects}),
		now:     time.Now,
	}
}

// Allow counts one event, unless it is refused.
func (l *Local) Allow(subject string) Result {
	bucket, ok := l.buckets.GetIfPresent(subject)
	if !ok {
		bucket, _ = l.buckets.ComputeIfAbsent(subject, l.newBucket)
	}
	now := l.now()
	allowed := bucket.AllowN(now, 1)
	used := float64(l.rule.burst()) - bucket.TokensAt(now)
	return l.rule.result(allowed, time.Duration(max(0, used)*l.rule.interval()))
}

func (l *Local) newBucket() (bucket *rate.Limiter, cancel bool) {
	return rate.NewLimiter(rate.Limit(float64(time.Second)/l.rule.interval()), l.rule.burst()), false
}
