package watchparty

import (
	"errors"
	"time"
)

// Figures count what happened in a period of days, in UTC.
type Figures struct {
	NewUsers            int64 `json:"new_users"`
	ActiveUsers         int64 `json:"active_users"`    // users who were in a room or wrote a message
	ReturningUsers      int64 `json:"returning_users"` // active users whose account is older than the period
	RoomsOpened         int64 `json:"rooms_opened"`
	Participants        int64 `json:"participants"`     // people in rooms, each once for each room and day
	MinutesTogether     int64 `json:"minutes_together"` // minutes of each person in company, added up
	Messages            int64 `json:"messages"`
	InvitationsSent     int64 `json:"invitations_sent"`
	InvitationsAccepted int64 `json:"invitations_accepted"`
	EmailsSent          int64 `json:"emails_sent"`
	EmailsFailed        int64 `json:"emails_failed"`
	Avatars             int64 `json:"avatars"` // avatars that were published
	Removed             int64 `json:"removed"` // rows and files that clean-up removed, and rooms that it archived
}

// ActivityDay is one day of a report.
type ActivityDay struct {
	Day      Day              `json:"day"`
	*Figures `json:"figures"` // nil for a day before counting began
}

// Day is a day of UTC, such as 2026-02-28.
type Day string

// DayOf returns the day of a time.
func DayOf(t time.Time) Day { return Day(t.UTC().Format(time.DateOnly)) }

// Time is the day's first moment, or the zero time if the day is not valid.
func (d Day) Time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// Add returns the day that is a number of days later, or earlier if it is negative.
func (d Day) Add(days int) Day { return DayOf(d.Time().AddDate(0, 0, days)) }

// ActivityReport says how the service was used in a period.
type ActivityReport struct {
	ID    string       `json:"-"`
	Every ReportPeriod `json:"every"`
	From  Day          `json:"from"` // the first day
	To    Day          `json:"to"`   // the last day
	// CountedSince is the first day that was counted, if the period began before it.
	CountedSince *Day     `json:"counted_since"`
	Figures      *Figures `json:"figures"`  // nil if no day of the period was counted
	Previous     *Figures `json:"previous"` // figures of the period before; nil unless all of its days were counted
	// RemovedBy divides Removed by policy. It is nil if Figures is.
	RemovedBy map[Policy]int64 `json:"removed_by"`
	Days      []ActivityDay    `json:"days"` // all days of the period
}

// ReportPeriod is the length of a report's period.
type ReportPeriod string

const (
	ReportWeek  ReportPeriod = "week"  // from Monday
	ReportMonth ReportPeriod = "month" // a calendar month
)

// Last returns the first and the last day of the latest period that has ended at a time.
func (k ReportPeriod) Last(t time.Time) (from, to Day) {
	today := DayOf(t).Time()
	if k == ReportMonth {
		first := today.AddDate(0, 0, 1-today.Day())
		return DayOf(first.AddDate(0, -1, 0)), DayOf(first).Add(-1)
	}
	monday := DayOf(today).Add(-int(today.Weekday()+6) % 7)
	return monday.Add(-7), monday.Add(-1)
}

// ErrPeriodGone is the error for a period whose active users clean-up has removed.
var ErrPeriodGone = errors.New("the active users of the period were removed by clean-up")
