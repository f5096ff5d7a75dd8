package watchparty

import "time"

// QueuePause is an admin's pause of a task queue.
type QueuePause struct {
	Note     string
	PausedAt time.Time
}

// SchedulePause is an admin's pause of a schedule's work.
type SchedulePause struct {
	Queue    bool // whether the queue that the runs use was paused, and not the schedule
	PausedAt time.Time
	EndedAt  time.Time // zero while it lasts
}

// Holds reports whether the schedule itself is paused now.
func (p SchedulePause) Holds() bool { return !p.Queue && p.EndedAt.IsZero() }

// Covers reports whether the pause may be the reason why a run that was due at that time is missing. after is the time
// for which the pause has consequences after its end.
func (p SchedulePause) Covers(due time.Time, after time.Duration) bool {
	return !due.Before(p.PausedAt) && (p.EndedAt.IsZero() || !due.After(p.EndedAt.Add(after)))
}
