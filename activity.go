package watchparty

import (
	"errors"
	"time"
)

// Figures are the numbers of what happened in a period of days, in UTC.
type Figures struct {
	NewUsers            int64 `json:"new_users"`
	ActiveUsers         int64 `json:"active_users"`    // users who were in a room or wrote a message
	ReturningUsers      int64 `json:"returning_users"` // active ones whose account is older than the period
	RoomsOpened         int64 `json:"rooms_opened"`
	Participants        int64 `json:"participants"`     // people in rooms: each once for each room and day
	MinutesTogether     int64 `json:"minutes_together"` // of each person while somebody else was in the room with them, added up
	Messages            int64 `json:"messages"`
	InvitationsSent     int64 `json:"invitations_sent"`
	InvitationsAccepted int64 `json:"invitations_accepted"`
	EmailsSent          int64 `json:"emails_sent"`
	EmailsFailed        int64 `json:"emails_failed"`
	Avatars             int64 `json:"avatars"` // published
	Removed             int64 `json:"removed"` // by clean-up: rows, files; rooms that were archived
}

// ActivityDay is one day of a report.
type ActivityDay struct {
	Day      Day              `json:"day"`
	*Figures `json:"figures"` // nil for a day before counting began
}

// Day is a day of UTC, such as 2026-02-28.
type Day string

// DayOf is the day of a moment.
func DayOf(t time.Time) Day { return Day(t.UTC().Format(time.DateOnly)) }

// Time is the day's first moment, or the zero time if the day is not valid.
func (d Day) Time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// Add is the day a number of days later, or earlier if it is negative.
func (d Day) Add(days int) Day { return DayOf(d.Time().AddDate(0, 0, days)) }

// ActivityReport says how the service was used in a period.
type ActivityReport struct {
	ID    string       `json:"-"`
	Every ReportPeriod `json:"every"`
	From  Day          `json:"from"` // the first day
	To    Day          `json:"to"`   // the last day
	// CountedSince is the first day that was counted, when the period began before it: of earlier days nothing is known.
	CountedSince *Day     `json:"counted_since"`
	Figures      *Figures `json:"figures"`  // nil when nothing of the period is known
	Previous     *Figures `json:"previous"` // of the period before; nil when not everything about it is known
	// RemovedBy is Removed by policy; nil as Figures is.
	RemovedBy map[Policy]int64 `json:"removed_by"`
	Days      []ActivityDay    `json:"days"` // every one of the period
}

// ReportPeriod is how long a time a report is of.
type ReportPeriod string

const (
	ReportWeek  ReportPeriod = "week"  // from Monday
	ReportMonth ReportPeriod = "month" // of the calendar
)

// Last is the latest period that was over at a moment: its first and its last day.
func (k ReportPeriod) Last(t time.Time) (from, to Day) {
	today := DayOf(t).Time()
	if k == ReportMonth {
		first := today.AddDate(0, 0, 1-today.Day())
		return DayOf(first.AddDate(0, -1, 0)), DayOf(first).Add(-1)
	}
	monday := DayOf(today).Add(-int(today.Weekday()+6) % 7)
	return monday.Add(-7), monday.Add(-1)
}

// ErrPeriodGone is returned for a report of a period whose active users clean-up has removed.
var ErrPeriodGone = errors.New("the active users of the period were removed by clean-up")
