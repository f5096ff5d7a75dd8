package live

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/live/player"
)

// plot is a picture of errors over time: a line for each player.
type plot struct {
	title  string
	lines  [][]dot
	events []event
	limit  float64 // of the errors that are shown, in milliseconds
}

type dot struct{ seconds, milliseconds float64 }

type event struct {
	seconds float64
	text    string
}

const (
	plotWidth, plotHeight   = 860.0, 300.0
	plotLeft, plotRight     = 64.0, 16.0
	plotTop, plotBottom     = 40.0, 40.0
	plotTicks               = 8
	innerWidth, innerHeight = plotWidth - plotLeft - plotRight, plotHeight - plotTop - plotBottom
)

// svg draws the plot. It reads on light and on dark pages.
func (p plot) svg() string {
	from, to := math.Inf(1), math.Inf(-1)
	for _, line := range p.lines {
		for _, d := range line {
			from, to = min(from, d.seconds), max(to, d.seconds)
		}
	}
	if !(to > from) {
		from, to = 0, 1
	}
	x := func(seconds float64) float64 { return plotLeft + (seconds-from)/(to-from)*innerWidth }
	y := func(ms float64) float64 {
		return plotTop + (1-(min(max(ms, -p.limit), p.limit)+p.limit)/(2*p.limit))*innerHeight
	}
	var b strings.Builder
	fmt.Fprintf(
		&b,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="12">`+"\n",
		plotWidth,
		plotHeight,
	)
	fmt.Fprintf(&b, `<rect width="%g" height="%g" fill="#fff"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<text x="%g" y="22" font-size="15" fill="#111">%s</text>`+"\n", plotLeft, p.title)
	for _, ms := range []float64{-p.limit, -p.limit / 2, 0, p.limit / 2, p.limit} {
		fmt.Fprintf(
			&b,
			`<path d="M%g %.1fH%g" stroke="#ddd"/><text x="%g" y="%.1f" text-anchor="end" fill="#444">%g ms</text>`+"\n",
			plotLeft,
			y(ms),
			plotWidth-plotRight,
			plotLeft-6,
			y(ms)+4,
			ms,
		)
	}
	step := niceStep((to - from) / plotTicks)
	for s := math.Ceil(from/step) * step; s <= to; s += step {
		fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="middle" fill="#444">%g s</text>`+"\n",
			x(s), plotHeight-plotBottom+18, math.Round(s*10)/10+0) // without a negative zero
	}
	for i, line := range p.lines {
		fmt.Fprintf(&b, `<polyline fill="none" stroke="hsl(%d 60%% 42%%)" stroke-width="1.2" points="`, i*360/len(p.lines))
		for _, d := range line {
			fmt.Fprintf(&b, "%.1f,%.1f ", x(d.seconds), y(d.milliseconds))
		}
		b.WriteString(`"/>` + "\n")
	}
	for _, e := range p.events {
		fmt.Fprintf(
			&b,
			`<path d="M%.1f %gV%g" stroke="#b00" stroke-dasharray="4 3"/>`,
			x(e.seconds),
			plotTop,
			plotHeight-plotBottom,
		)
		fmt.Fprintf(&b, `<text x="%.1f" y="%g" fill="#b00">%s</text>`+"\n", x(e.seconds)+4, plotTop+12, e.text)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// niceStep is 1, 2 or 5 times a power of ten, and at least what is given.
func niceStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, times := range []float64{1, 2, 5} {
		if power*times >= least {
			return power * times
		}
	}
	return power * 10
}

// plotRoom draws what a room has shown between two instants, as seconds from zero on.
func (m *Measurement) plotRoom(
	name, title string,
	r *Room,
	from, to, zero time.Time,
	limit float64,
	events ...event,
) error {
	lines := map[*Viewer][]dot{}
	var order []*Viewer
	for _, s := range r.Samples(from) {
		if s.At.After(to) {
			break
		}
		for v, e := range s.Errors {
			if lines[v] == nil {
				order = append(order, v)
			}
			lines[v] = append(lines[v], dot{s.At.Sub(zero).Seconds(), e})
		}
	}
	p := plot{title: title, events: events, limit: limit}
	for _, v := range order {
		p.lines = append(p.lines, lines[v])
	}
	file := name + ".svg"
	m.Plot(filepath.Join(filepath.Base(m.Dir), file))
	return os.WriteFile(filepath.Join(m.Dir, file), []byte(p.svg()), 0o644)
}

// plotTogether draws rooms that are together, a seek, and a slow newcomer.
func (m *Measurement) plotTogether(ctx context.Context, rooms map[string][]*Room, begun time.Time) error {
	const limit = 200
	plain, jitter := rooms["plain"][0], rooms["jitter"][0]
	end := begun.Add(time.Minute)
	if err := m.plotRoom("plain", "12 players, without delay", plain, begun, end, begun, limit); err != nil {
		return err
	}
	title := "12 players, 40 ms ± 20 ms each way, 3 % lost"
	if err := m.plotRoom("jitter", title, jitter, begun, end, begun, limit); err != nil {
		return err
	}
	if err := sleep(ctx, 2*time.Second); err != nil {
		return err
	}
	o, err := jitter.Order(ctx, "seek")
	if err != nil {
		return err
	}
	if err := sleep(ctx, 8*time.Second); err != nil {
		return err
	}
	from := o.Given.Add(-2 * time.Second)
	err = m.plotRoom(
		"seek", "A seek, 40 ms ± 20 ms each way, 3 % lost", jitter, from, time.Now(), o.Given, 1500, event{0, "seek"},
	)
	if err != nil {
		return err
	}
	return m.plotSlowJoiner(ctx, jitter)
}

// plotSlowJoiner draws how somebody with a slow player, on a poor path, joins.
func (m *Measurement) plotSlowJoiner(ctx context.Context, r *Room) error {
	people, err := m.system.People(ctx, "slow", 1)
	if err != nil {
		return err
	}
	slow := Manner{LoadTime: 2_500, Faults: player.Faults{
		SeekTime: func() float64 { return 400 }, StartTime: func() float64 { return 150 },
	}}
	begun := time.Now()
	if _, err := r.late(ctx, people[0], badnet.Poor(), slow); err != nil {
		return err
	}
	return m.plotRoom("joiner", "A newcomer with a slow player joins, 75 ms ± 50 ms each way, 3 % lost", r, begun,
		time.Now(), begun, 1500, event{0, "joins"})
}
