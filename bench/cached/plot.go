package cached

import (
	"fmt"
	"math"
	"os"
	"strings"
	"time"
)

// plot is a picture of what was answered, and how late, by what was offered.
type plot struct {
	title  string
	climbs []climb // of the program, of the former one, and perhaps of net/http
}

// dashes tell the climbs apart.
var dashes = []string{"none", "2 4", "9 4"}

const (
	plotWidth, plotHeight   = 860.0, 340.0
	plotLeft, plotRight     = 70.0, 70.0
	plotTop, plotBottom     = 56.0, 46.0
	innerWidth, innerHeight = plotWidth - plotLeft - plotRight, plotHeight - plotTop - plotBottom

	answeredColour, latencyColour = "#0a6", "#b40"
)

// latencies are those that the right axis names, which is logarithmic.
var latencies = []time.Duration{
	100 * time.Microsecond, time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second,
}

// svg draws the plot: answers a second on the left, p99 on the right. It reads on light and on dark pages.
func (p plot) svg() string {
	most := 0.0
	for _, c := range p.climbs {
		most = max(most, c.peakRate())
	}
	top := niceCeiling(most)
	end := 5.0
	x := func(times float64) float64 { return plotLeft + min(times/end, 1)*innerWidth }
	left := func(rate float64) float64 { return plotTop + (1-min(rate/top, 1))*innerHeight }
	right := func(took time.Duration) float64 {
		first, last := latencies[0], latencies[len(latencies)-1]
		share := math.Log10(float64(max(took, first))/float64(first)) / math.Log10(float64(last)/float64(first))
		return plotTop + (1-min(share, 1))*innerHeight
	}
	var b strings.Builder
	text := func(x, y float64, anchor, colour, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, colour, s)
	}
	fmt.Fprintf(
		&b,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="12">`+"\n",
		plotWidth,
		plotHeight,
	)
	fmt.Fprintf(&b, `<rect width="%g" height="%g" fill="#fff"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<text x="%g" y="22" font-size="15" fill="#111">%s</text>`+"\n", plotLeft, p.title)
	text(plotLeft, 42, "start", answeredColour, "answers a second")
	text(plotWidth-plotRight, 42, "end", latencyColour, "p99")
	text(plotWidth/2, 42, "middle", "#444", "line: now; dots: before the cache had leases; dashes: net/http")
	for i := range 5 {
		rate := top * float64(i) / 4
		fmt.Fprintf(&b, `<path d="M%g %.1fH%g" stroke="#ddd"/>`+"\n", plotLeft, left(rate), plotWidth-plotRight)
		text(plotLeft-6, left(rate)+4, "end", answeredColour, fmt.Sprintf("%.0f", rate))
	}
	for _, took := range latencies {
		text(plotWidth-plotRight+6, right(took)+4, "start", latencyColour, took.String())
	}
	for times := range int(end) + 1 {
		text(x(float64(times)), plotHeight-plotBottom+18, "middle", "#444", fmt.Sprint(times))
	}
	text(plotLeft+innerWidth/2, plotHeight-8, "middle", "#444", "offered, as a multiple of what saturates")
	fmt.Fprintf(&b, `<path d="M%.1f %.1fL%.1f %.1fH%g" fill="none" stroke="#999" stroke-dasharray="4 3"/>`+"\n",
		x(0), left(0), x(1), left(p.climbs[0].saturation), plotWidth-plotRight)
	for i, c := range p.climbs {
		line := func(colour string, y func(outcome) float64) {
			fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="1.6" stroke-dasharray="%s" points="`,
				colour, dashes[i])
			for _, o := range c.outcomes {
				fmt.Fprintf(&b, "%.1f,%.1f ", x(o.offered/c.saturation), y(o))
			}
			b.WriteString(`"/>` + "\n")
			for _, o := range c.outcomes {
				fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="2.5" fill="%s"/>`+"\n", x(o.offered/c.saturation), y(o), colour)
			}
		}
		line(answeredColour, func(o outcome) float64 { return left(o.answered) })
		line(latencyColour, func(o outcome) float64 { return right(o.p99) })
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// niceCeiling is 1, 2, 4 or 8 times a power of ten, and at least what is given.
func niceCeiling(least float64) float64 {
	if least <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, times := range []float64{1, 2, 4, 8} {
		if power*times >= least {
			return power * times
		}
	}
	return power * 10
}

// writeShared writes a file that everybody may read.
func writeShared(file, content string) error {
	return os.WriteFile(file, []byte(content), 0o644) //nolint:gosec // everybody may read it
}
