package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/watchparty/watchparty"
)

// chart is a chart of days, in words and numbers.
type chart struct {
	id    string
	title string
	days  []watchparty.Day
	first int    // index of the first day that was counted
	lines []line // one or two
}

// line is one figure of each day.
type line struct {
	label  string // text beside it
	name   string
	total  string
	empty  bool                 // whether all its values are 0
	values []float64            // of the days that were counted
	value  func(float64) string // formats a value
}

// minutesInHours is the number of minutes in a day from which on they are shown as hours.
const minutesInHours = 120

// charts returns no charts for a period without a counted day.
func charts(w words, r watchparty.ActivityReport) []chart {
	if r.Figures == nil {
		return nil
	}
	return []chart{
		w.chart(r, "people", w.people, w.line(r, "active_users", w.active), w.line(r, "new_users", w.fresh)),
		w.together(r),
		w.chart(r, "talk", w.talk, w.line(r, "messages", w.messages), w.line(r, "participants", w.participants)),
		w.chart(r, "emails", w.emails, w.line(r, "emails_sent", w.sent), w.line(r, "emails_failed", w.failed)),
	}
}

func (w words) chart(r watchparty.ActivityReport, id, title string, lines ...line) chart {
	c := chart{id: id, title: title, lines: lines}
	for _, d := range r.Days {
		c.days = append(c.days, d.Day)
		if d.Figures == nil {
			c.first++
		}
	}
	return c
}

func (w words) line(r watchparty.ActivityReport, key, label string) line {
	of := lookUp(key)
	l := line{
		label: label, name: w.figures[key], total: w.figure(key, of(*r.Figures)), empty: of(*r.Figures) == 0,
		value: func(x float64) string { return w.number(int64(x)) },
	}
	for _, d := range r.Days {
		if d.Figures == nil { // before the first counted day
			continue
		}
		l.values = append(l.values, float64(of(*d.Figures)))
		l.empty = l.empty && of(*d.Figures) == 0
	}
	return l
}

// together is in hours, unless every day has few minutes.
func (w words) together(r watchparty.ActivityReport) chart {
	l := w.line(r, minutesTogether, w.shared)
	if l.top() < minutesInHours {
		l.name, l.total = w.minutes, w.number(r.Figures.MinutesTogether)
		return w.chart(r, "together", w.minutes, l)
	}
	for i := range l.values {
		l.values[i] /= 60
	}
	l.value = func(x float64) string { return w.decimal(x, 1) }
	return w.chart(r, "together", w.hours, l)
}

func lookUp(key string) func(watchparty.Figures) int64 {
	for _, f := range figures() {
		if f.key == key {
			return f.of
		}
	}
	panic("report: no figure is called " + key)
}

func (l line) top() float64 {
	top := 0.0
	for _, v := range l.values {
		top = max(top, v)
	}
	return top
}

// says describes the chart for readers who do not see it.
func (c chart) says(w words) string {
	var all []string
	for _, l := range c.lines {
		if l.empty {
			all = append(all, fmt.Sprintf(w.none, l.name))
			continue
		}
		text := fmt.Sprintf(w.total, l.name, l.total)
		best := 0
		for i, v := range l.values {
			if v > l.values[best] {
				best = i
			}
		}
		if len(l.values) > 1 && l.values[best] > 0 {
			text = fmt.Sprintf(w.most, text, w.date(c.days[c.first+best]), l.value(l.values[best]))
		} else {
			text += "."
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// maxSteps is the largest number of grid lines above zero.
const maxSteps = 4

// scale returns the values of the grid lines: whole numbers from zero to one that is at least top, at distances of 1, 2
// or 5 times a power of ten.
func scale(top float64) []float64 {
	step := 1.0
	for power := 1.0; step*maxSteps < top; power *= 10 {
		for _, digit := range []float64{1, 2, 5} {
			if step = digit * power; step*maxSteps >= top {
				break
			}
		}
	}
	steps := max(1, math.Ceil(top/step))
	var all []float64
	for i := 0.0; i <= steps; i++ {
		all = append(all, i*step)
	}
	return all
}

// maxLabels is the largest number of dates below the chart.
const maxLabels = 7

// labelled returns the distance of the dates below the chart in days: whole weeks if it is more than two days.
func labelled(days int) int {
	for _, step := range []int{1, 2} {
		if days <= step*maxLabels {
			return step
		}
	}
	weeks := (days + 7*maxLabels - 1) / (7 * maxLabels)
	return 7 * weeks
}

// apart moves the places of two names until they are at least gap apart, between the axis and top.
func apart(a, b, gap, top float64) (float64, float64) {
	if math.Abs(a-b) >= gap {
		return a, b
	}
	middle := min(max((a+b)/2, gap), top-gap/2)
	if a < b {
		return middle - gap/2, middle + gap/2
	}
	return middle + gap/2, middle - gap/2
}
