package live

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/live/wire"
)

func TestQuantile(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3, 10, 9, 8, 7, 6}
	for q, want := range map[float64]float64{0: 1, 0.5: 5, 0.9: 9, 0.95: 10, 1: 10} {
		require.InDelta(t, want, Quantile(values, q), 0, "%v", q)
	}
	require.Zero(t, Quantile([]float64(nil), 0.5))
	require.ElementsMatch(t, []float64{1, 4, 3}, spread([]float64{1, 2, 5}))
}

// TestDelays: a member who has missed a state had to wait for the next one, and one who gets no newer one is an error.
func TestDelays(t *testing.T) {
	const began = 1_764_000_000_000
	at := func(ms float64) time.Time { return wire.FromMilliseconds(began + ms) }
	state := func(revision int64, ms float64) *wire.State {
		return &wire.State{Revision: revision, AtMS: began + ms}
	}
	first, second := state(7, 0), state(8, 300)
	all, err := delays([][]delivery{{{at(20), first}, {at(310), second}}, {{at(340), second}}})
	require.NoError(t, err)
	slices.Sort(all)
	ms := time.Millisecond
	require.Equal(t, []time.Duration{10 * ms, 20 * ms, 40 * ms, 340 * ms}, all)
	_, err = delays([][]delivery{{{at(20), first}, {at(310), second}}, {{at(20), first}}})
	require.ErrorContains(t, err, "revision 8")
}

// TestPlot: a plot is XML, shows all lines, and keeps within its frame.
func TestPlot(t *testing.T) {
	p := plot{title: "Seek", limit: 100, events: []event{{2, "seek"}}, lines: [][]dot{
		{{0, 0}, {1, 50}, {4, -5000}}, {{0, 10}, {4, math.Inf(1)}},
	}}
	svg := p.svg()
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.Equal(t, 2, strings.Count(svg, "<polyline"))
	require.NotContains(t, svg, "Inf")
	require.Contains(t, svg, "844.0,260.0", "what is too far off is at the edge")
	require.NotEmpty(t, plot{limit: 1}.svg())
	for least, want := range map[float64]float64{0.03: 0.05, 0.7: 1, 1.1: 2, 60: 100} {
		require.InDelta(t, want, niceStep(least), 1e-9)
	}
}

// TestPairs: two pages are apart by how much later the one shows what the other has shown.
func TestPairs(t *testing.T) {
	var a, b []Frame
	for i := range 48 {
		at := float64(i) * 1000 / 24
		a, b = append(a, Frame{i, at}), append(b, Frame{i, at + 30})
	}
	apart, err := pairs([][]Frame{a, b})
	require.NoError(t, err)
	require.InDelta(t, 30, Quantile(apart, 0), 1e-6)
	require.InDelta(t, 30, Quantile(apart, 1), 1e-6)
	require.InDelta(t, 30, Apart(a, b), 1e-6)
	_, err = pairs([][]Frame{a, nil})
	require.ErrorIs(t, err, errNoFrames)
}

// TestStormIsJudged: what breaks a rule is counted.
func TestStormIsJudged(t *testing.T) {
	log := &stormLog{
		acks:     map[string][]int64{"once": {1, 1}, "twice": {2, 3}, "other": {3}},
		refusals: map[string]string{"refused": "playback_stale"},
		waiting:  map[string]chan string{"once": nil, "twice": nil, "other": nil, "refused": nil, "silent": nil},
	}
	s := log.judge()
	require.Equal(t, Storm{Commands: 5, Applied: 3, Twice: 1, Shared: 1, Unanswered: 1,
		Refused: map[string]int{"playback_stale": 1}}, s)
	require.Equal(t, 3, s.Faults())
}

func TestSharesAddUp(t *testing.T) {
	sum := 0
	for i := range 20 {
		sum += share(107, 20, i)
	}
	require.Equal(t, 107, sum)
	require.Equal(t, 2*time.Second, Quantile([]time.Duration{time.Second, 2 * time.Second}, 1))
}
