package stacktest

import (
	"testing"
	"time"
)

// AwayFromMidnight keeps tests out of the time from beforeMidnight before to afterMidnight after midnight in UTC. The
// former is longer than a test, and the latter is longer than a program's grace after midnight.
const (
	beforeMidnight = 2 * time.Minute
	afterMidnight  = 65 * time.Second
)

// AwayFromMidnight waits, close to midnight in UTC, until a day has begun that is the same for the whole test.
func AwayFromMidnight(t testing.TB) {
	t.Helper()
	if wait := untilAway(time.Now()); wait > 0 {
		t.Logf("waiting %v for the day to begin", wait)
		select {
		case <-time.After(wait):
		case <-t.Context().Done():
		}
	}
}

func untilAway(now time.Time) time.Duration {
	const day = 24 * time.Hour
	begun := now.Truncate(day) // days in UTC are whole multiples since the zero time
	if since := now.Sub(begun); since < afterMidnight {
		return afterMidnight - since
	}
	if left := begun.Add(day).Sub(now); left <= beforeMidnight {
		return left + afterMidnight
	}
	return 0
}
