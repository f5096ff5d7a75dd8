package report

import (
	"fmt"
	"math"
	"strings"

	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/watchparty/watchparty"
)

// figure is a number of a report, with its JSON name.
type figure struct {
	key string
	of  func(watchparty.Figures) int64
}

const minutesTogether = "minutes_together"

// figures lists all figures, in the order of watchparty.Figures.
func figures() []figure {
	return []figure{
		{"new_users", func(f watchparty.Figures) int64 { return f.NewUsers }},
		{"active_users", func(f watchparty.Figures) int64 { return f.ActiveUsers }},
		{"returning_users", func(f watchparty.Figures) int64 { return f.ReturningUsers }},
		{"rooms_opened", func(f watchparty.Figures) int64 { return f.RoomsOpened }},
		{"participants", func(f watchparty.Figures) int64 { return f.Participants }},
		{minutesTogether, func(f watchparty.Figures) int64 { return f.MinutesTogether }},
		{"messages", func(f watchparty.Figures) int64 { return f.Messages }},
		{"invitations_sent", func(f watchparty.Figures) int64 { return f.InvitationsSent }},
		{"invitations_accepted", func(f watchparty.Figures) int64 { return f.InvitationsAccepted }},
		{"emails_sent", func(f watchparty.Figures) int64 { return f.EmailsSent }},
		{"emails_failed", func(f watchparty.Figures) int64 { return f.EmailsFailed }},
		{"avatars", func(f watchparty.Figures) int64 { return f.Avatars }},
		{"removed", func(f watchparty.Figures) int64 { return f.Removed }},
	}
}

// unknown stands for a value that was not counted.
const unknown = "–"

// Row is a figure in words, with that of the previous period. A value that was not counted is "–".
type Row struct {
	Key      string // JSON name
	Name     string
	Value    string
	Previous string
	Change   string // with its sign
	Percent  string // change relative to the previous period
}

// Table returns all figures of the report. Time together is in hours.
func Table(l watchparty.Language, r watchparty.ActivityReport) []Row {
	w := in(l)
	var rows []Row
	for _, f := range figures() {
		row := Row{
			Key:      f.key,
			Name:     w.figures[f.key],
			Value:    w.known(f, r.Figures),
			Previous: unknown,
			Change:   unknown,
			Percent:  unknown,
		}
		if r.Figures != nil && r.Previous != nil {
			now, before := f.of(*r.Figures), f.of(*r.Previous)
			row.Previous = w.figure(f.key, before)
			row.Change = signed(now-before, w.figure(f.key, magnitude(now-before)))
			row.Percent = w.percent(now, before)
		}
		rows = append(rows, row)
	}
	return rows
}

// known returns a figure in words, or says that it was not counted.
func (w words) known(f figure, figures *watchparty.Figures) string {
	if figures == nil {
		return w.notKnown
	}
	return w.figure(f.key, f.of(*figures))
}

func (w words) figure(key string, n int64) string {
	if key == minutesTogether {
		return w.decimal(float64(n)/60, 1)
	}
	return w.number(n)
}

// percent has a decimal where a whole number would say too little.
func (w words) percent(now, before int64) string {
	if before == 0 {
		return unknown
	}
	percent := math.Abs(float64(now-before)) / float64(before) * 100
	digits := 0
	if percent < 10 && now != before {
		digits = 1
	}
	return signed(now-before, w.decimal(percent, digits)+w.percentSign)
}

// signed uses a true minus sign, which is as wide as a plus.
func signed(n int64, magnitude string) string {
	switch {
	case n > 0:
		return "+" + magnitude
	case n < 0:
		return "−" + magnitude
	}
	return "±" + magnitude
}

func magnitude(n int64) int64 { return max(n, -n) }

func (w words) number(n int64) string { return message.NewPrinter(w.tag).Sprint(number.Decimal(n)) }

func (w words) decimal(x float64, digits int) string {
	return message.NewPrinter(w.tag).Sprint(number.Decimal(x, number.Scale(digits)))
}

// count returns a number with the word for what is counted.
func (w words) count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return w.number(n) + " " + many
}

// ActivePeople returns their number in words, such as "12 active people", or says that they were not counted.
func ActivePeople(l watchparty.Language, r watchparty.ActivityReport) string {
	w := in(l)
	if r.Figures == nil {
		return w.notKnown
	}
	return w.count(r.Figures.ActiveUsers, w.activePerson, w.activePeople)
}

// Counted says since when the period was counted. It is empty if the whole period was.
func Counted(l watchparty.Language, r watchparty.ActivityReport) string {
	if r.CountedSince == nil {
		return ""
	}
	w := in(l)
	return fmt.Sprintf(w.counted, fmt.Sprintf("%s %d", w.date(*r.CountedSince), r.CountedSince.Time().Year()))
}

// Period returns the period in words, such as "2–8 March 2026".
func Period(l watchparty.Language, r watchparty.ActivityReport) string {
	return in(l).period(r.From, r.To)
}

// PreviousPeriod returns the period before in words.
func PreviousPeriod(l watchparty.Language, r watchparty.ActivityReport) string {
	return in(l).period(r.Every.Last(r.From.Time()))
}

func (w words) period(from, to watchparty.Day) string {
	a, b := from.Time(), to.Time()
	end := fmt.Sprintf("%s %d", w.date(to), b.Year())
	switch {
	case a.Day() == 1 && to.Add(1).Time().Equal(a.AddDate(0, 1, 0)):
		return fmt.Sprintf("%s %d", w.months[a.Month()-1], a.Year())
	case a.Year() != b.Year():
		return fmt.Sprintf("%s %d – %s", w.date(from), a.Year(), end)
	case a.Month() != b.Month():
		return w.date(from) + " – " + end
	}
	return w.day(from) + "–" + end
}

// day returns a day of a month that was named before.
func (w words) day(d watchparty.Day) string { return fmt.Sprintf(w.dayOfMonth, d.Time().Day()) }

// short returns a day without its year, for axes.
func (w words) short(d watchparty.Day) string {
	return w.day(d) + " " + w.shortMonths[d.Time().Month()-1]
}

// date returns a day without its year, for sentences.
func (w words) date(d watchparty.Day) string { return w.day(d) + " " + w.months[d.Time().Month()-1] }

func months(all string) []string { return strings.Fields(all) }
