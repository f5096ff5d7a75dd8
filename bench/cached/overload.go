package cached

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// steps has the offered loads, as multiples of the load that saturates the process.
var steps = []float64{0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5}

// atSaturation is the number of connections at the load that saturates. More load comes from more people.
const atSaturation = 100

// overload offers one process, on one core, up to five times the load that it can answer: reads from its memory, and
// reads of so many rooms that most come from Redis.
func (m *Measurement) overload(ctx context.Context) error {
	in, err := m.install(ctx, "overload", 10_000)
	if err != nil {
		return err
	}
	defer in.close()
	if err := giveWay(); err != nil {
		return err
	}
	var rooms []string
	for _, room := range in.rooms {
		rooms = append(rooms, pathRooms+"/"+room)
	}
	for _, kind := range []struct {
		name, title string
		memory      int // of the cache, in bytes
		paths       []string
	}{
		{"memory", "Rooms and messages, from memory", 64 << 20, []string{pathRooms, in.messages()}},
		{"redis", "5,000 rooms, most of them from Redis", 1 << 20, rooms},
	} {
		start := func(v variant) func() (*node, error) {
			return func() (*node, error) {
				return m.startNode(ctx, in, v, fmt.Sprint("CACHE_MEMORY_BYTES=", kind.memory), "CACHE_TTL_ROOMS=15m",
					"CACHE_TTL_MESSAGES=15m")
			}
		}
		servers := []struct {
			name  string
			start func() (*node, error)
		}{
			{program.name, start(program)},
			{"before the cache had leases", start(former)},
			{"net/http with the same answers", func() (*node, error) { return m.startFloorLike(ctx, in, kind.paths) }},
		}
		if len(kind.paths) > maxFloorPaths {
			servers = servers[:2]
		}
		p := plot{title: kind.title}
		for i, server := range servers {
			n, err := server.start()
			if err != nil {
				return err
			}
			c, err := m.measureClimb(ctx, in, n, kind.name+", "+server.name, kind.paths)
			switch {
			case err != nil:
			case i == 0:
				err = m.judge(ctx, n, c, kind.title)
			default:
				m.Figure(server.name+": the most answered", c.peakRate(), "/s")
				m.Figure(server.name+": answered at 4 times what saturates it, of that", c.outcomeAt(4).answered/c.peakRate(), "")
			}
			n.stop()
			if err != nil {
				return err
			}
			p.climbs = append(p.climbs, c)
		}
		file := "overload-" + kind.name + ".svg"
		m.Plot(filepath.Join(filepath.Base(m.Dir), file))
		if err := writeShared(filepath.Join(m.Dir, file), p.svg()); err != nil {
			return err
		}
	}
	return nil
}

// maxFloorPaths is how many answers a server with nothing but net/http gets.
const maxFloorPaths = 10

// startFloorLike starts a server with nothing but net/http, which answers some paths with what the program answers.
func (m *Measurement) startFloorLike(ctx context.Context, in *installation, paths []string) (*node, error) {
	n, err := m.startNode(ctx, in, program)
	if err != nil {
		return nil, err
	}
	defer n.stop()
	answers := map[string]floorAnswer{}
	for _, path := range paths {
		answer, err := hit(ctx, target{url: n.url + path, headers: []string{in.signedIn()}})
		if err != nil {
			return nil, err
		}
		path, _, _ = strings.Cut(path, "?")
		answers[path] = answer
	}
	return m.startFloorOf(ctx, answers)
}

// climb is what one process has answered at each of the steps.
type climb struct {
	saturation float64 // answers a second
	outcomes   []outcome
	busy       []float64 // the share of its core that the process has used
	began      series    // the metrics before
}

func (c climb) outcomeAt(step float64) outcome { return c.outcomes[slices.Index(steps, step)] }

// peakRate is the largest rate of answers.
func (c climb) peakRate() (peak float64) {
	for _, o := range c.outcomes {
		peak = max(peak, o.answered)
	}
	return peak
}

func (m *Measurement) measureClimb(
	ctx context.Context,
	in *installation,
	n *node,
	name string,
	paths []string,
) (climb, error) {
	var c climb
	var targets []target
	for _, path := range paths {
		t := target{url: n.url + path, headers: []string{in.signedIn()}}
		if _, err := fetch(ctx, t); err != nil { // so that it is cached
			return c, err
		}
		targets = append(targets, t)
	}
	_, turn := m.often(1, 5*time.Second)
	offer := func(rate float64, connections int) (outcome, error) {
		l, err := newLoad(rate, connections, turn, targets...)
		if err != nil {
			return outcome{}, err
		}
		return l.run(ctx)
	}
	// A load that is too high, over the connections of saturation, shows the largest rate of answers.
	if _, err := offer(1e6, atSaturation); err != nil {
		return c, err
	}
	full, err := offer(1e6, atSaturation)
	if err != nil {
		return c, err
	}
	c.saturation = full.answered
	if n.metrics != "" {
		if c.began, err = n.read(ctx); err != nil {
			return c, err
		}
	}
	for _, step := range steps {
		used, err := spent(n.id())
		if err != nil {
			return c, err
		}
		began := time.Now()
		o, err := offer(step*c.saturation, max(int(step*atSaturation), connectionsEach))
		if err != nil {
			return c, fmt.Errorf("%s: %g times: %w", name, step, err)
		}
		length := time.Since(began)
		usedAfter, err := spent(n.id())
		if err != nil {
			return c, err
		}
		busy := (usedAfter - used).Seconds() / length.Seconds()
		m.logf("%s: %4.2f times: offered %.0f, answered %.0f, refused %.0f, p50 %s, p99 %s, %.0f %% of its core", name, step,
			o.offered, o.answered, o.refused, o.p50.Round(10*time.Microsecond), o.p99.Round(10*time.Microsecond), 100*busy)
		c.outcomes, c.busy = append(c.outcomes, o), append(c.busy, busy)
	}
	return c, nil
}

// judge compares what the program has answered with the bars.
func (m *Measurement) judge(ctx context.Context, n *node, c climb, title string) error {
	after, err := n.read(ctx)
	if err != nil {
		return err
	}
	busy := func(step float64) float64 { return 100 * c.busy[slices.Index(steps, step)] }
	word := strings.ToLower(title[:1]) + title[1:]
	m.Figure(word+": saturated at", c.saturation, "/s")
	m.Figure("the most answered", c.peakRate(), "/s")
	m.AtLeast("answered at 4 times that, of the peak", 0.9, c.outcomeAt(4).answered/c.peakRate(), "")
	m.AtLeast("answered at 5 times that, of the peak", 0.9, c.outcomeAt(5).answered/c.peakRate(), "")
	m.Figure("the program's share of its core at saturation", busy(1), " %")
	m.Figure("the same at 4 times", busy(4), " %")
	m.Figure("p99 at 0.8 times", c.outcomeAt(0.8).p99.Seconds()*1e3, " ms")
	m.AtMost("reads that fell through to Postgres in all of it", 0, fallen(after)-fallen(c.began), "")
	m.AtMost(
		"leases lost in all of it",
		0,
		after.sumOf("cache_leases_lost_total")-c.began.sumOf("cache_leases_lost_total"),
		"",
	)
	m.Figure("exchanges with Redis that failed", after.sumOf("cache_errors_total")-c.began.sumOf("cache_errors_total"), "")
	return nil
}

// fallen returns the number of reads that were loaded from Postgres, without those ahead of an entry's end.
func fallen(s series) float64 { return s.sumOf("cache_loads_total") - s.sumOf("cache_refreshes_total") }
