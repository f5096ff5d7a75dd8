package cached

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/mutant"
)

const printout = `Running 4s test @ http://127.0.0.1:1234/api/rooms
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.61ms    1.02ms  21.11ms   90.85%
    Req/Sec    20.61k     2.34k   25.10k    72.50%
  82103 requests in 4.00s, 706.10MB read
Requests/sec:  20517.33
Transfer/sec:    176.44MB
`

func TestParseWrk(t *testing.T) {
	t.Parallel()
	answers, rate, err := parseWrk(printout)
	require.NoError(t, err)
	require.EqualValues(t, 82103, answers)
	require.InDelta(t, 20517.33, rate, 1e-9)
	for name, out := range map[string]string{
		"connections broke": "  1 requests in 4.00s\n  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec:  1.0\n",
		"refusals":          "  1 requests in 4.00s\n  Non-2xx or 3xx responses: 7\nRequests/sec:  1.0\n",
		"no answer":         "  0 requests in 4.00s\nRequests/sec:  0.0\n",
		"something else":    "wrk: no such option",
	} {
		_, _, err := parseWrk(out)
		require.Error(t, err, name)
	}
}

func TestProcessorTime(t *testing.T) {
	t.Parallel()
	u, err := parseStat([]byte("42 (a) b (c) S 7 42 42 0 -1 4194304 1 2 3 4 50 60 70 80 20 0 1 0 100 200 300"))
	require.NoError(t, err)
	require.Equal(t, usage{parent: 7, ticks: 50 + 60 + 70 + 80}, u)
	for _, broken := range []string{"", "42 (a", "42 (a) S 7 1", "42 (a) S x 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"} {
		_, err := parseStat([]byte(broken))
		require.Error(t, err, broken)
	}
	table := map[int]usage{1: {0, 1}, 7: {1, 10}, 42: {7, 100}, 43: {42, 1000}, 9: {1, 5}}
	for _, c := range []struct {
		processes []int
		ticks     time.Duration
	}{{[]int{7}, 1110}, {[]int{42}, 1100}, {[]int{9, 42}, 1105}, {[]int{7, 42}, 1110}, {[]int{1}, 1116}} {
		sum, err := sumOf(table, c.processes)
		require.NoError(t, err)
		require.Equal(t, c.ticks*time.Second/hertz, sum, c.processes)
	}
	_, err = sumOf(table, []int{8})
	require.Error(t, err)
}

func TestRatios(t *testing.T) {
	t.Parallel()
	s := samples{
		"ours": {{rate: 10, processor: 1}, {rate: 40, processor: 2}, {rate: 12, processor: 4}},
		"peer": {{rate: 20, processor: 10}, {rate: 20, processor: 10}, {rate: 24, processor: 10}},
	}
	require.InDelta(t, 0.5, s.rates("ours", "peer"), 1e-9, "the machine was quicker in one round for one of them")
	require.InDelta(t, 5, s.processors("peer", "ours"), 1e-9)
	require.InDelta(t, 12, s.rate("ours"), 1e-9)
	same := func(v float64) float64 { return v }
	require.InDelta(t, 2.5, median([]float64{4, 1, 2, 3}, same), 1e-9)
	require.Zero(t, median(nil, same))
}

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	r := bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Type: x\r\ncontent-length: 5\r\n\r\nhello" +
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\nHTTP/1.1 20"))
	for _, want := range []int{200, 503} {
		status, err := readAnswer(r)
		require.NoError(t, err)
		require.Equal(t, want, status)
	}
	_, err := readAnswer(r)
	require.Error(t, err)
}

// TestLoad: what is offered is asked, who waits for too long gives up, and refusals are counted.
func TestLoad(t *testing.T) {
	t.Parallel()
	refuse := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/a" && r.URL.Path != "/b" || r.Header.Get("Name") != "value":
			w.WriteHeader(http.StatusNotFound)
		case refuse:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(w, "hello")
		}
	}))
	t.Cleanup(server.Close)
	run := func(rate float64, length time.Duration) outcome {
		headers := []string{"Name: value"}
		l, err := newLoad(rate, 4, length, target{server.URL + "/a", headers, ""}, target{server.URL + "/b", headers, ""})
		require.NoError(t, err)
		o, err := l.run(t.Context())
		require.NoError(t, err)
		return o
	}
	o := run(100, 2*time.Second)
	require.InDelta(t, 100, o.answered, 60)
	require.Zero(t, o.refused)
	require.Positive(t, o.p50)
	require.GreaterOrEqual(t, o.p99, o.p50)
	o = run(1e9, 10*time.Millisecond)
	require.Less(t, o.answered, 1e7)
	refuse = true
	o = run(100, 100*time.Millisecond)
	require.Zero(t, o.answered)
	require.Positive(t, o.refused)
}

func TestSeries(t *testing.T) {
	t.Parallel()
	s := series{`pool_hits_total{pool="cache"}`: 3, `pool_hits_total{pool="bus"}`: 5, "pool_hits": 7}
	require.InDelta(t, 8, s.sumOf("pool_hits_total"), 0)
	require.InDelta(t, 3, s.sumOf("pool_hits_total", `pool="cache"`), 0)
	require.InDelta(t, 7, s.sumOf("pool_hits"), 0)
}

// TestVariants: the texts that variants replace are in the source, once.
func TestVariants(t *testing.T) {
	t.Parallel()
	for _, v := range []variant{uncached, undurable} {
		_, err := mutant.Apply("../..", v.edits)
		require.NoError(t, err)
	}
}

func TestTidyVersions(t *testing.T) {
	t.Parallel()
	require.Equal(t, "nginx 1.22.1; Node 20.20.2; Redis 7.0.15; express 5.3.0", tidyVersions([]string{
		"nginx version: nginx/1.22.1",
		"v20.20.2",
		"Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1",
		"express 5.3.0",
	}))
}

// TestPlot: a plot is XML, and keeps within its frame.
func TestPlot(t *testing.T) {
	t.Parallel()
	p := plot{title: "Rooms", climbs: []climb{
		{saturation: 1000, outcomes: []outcome{
			{offered: 200, answered: 200, p99: 300 * time.Microsecond},
			{offered: 5000, answered: 990, p99: time.Minute},
		}},
		{saturation: 400, outcomes: []outcome{{offered: 80, answered: 80, p99: time.Millisecond}}},
	}}
	svg := p.svg()
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.Equal(t, 4, strings.Count(svg, "<polyline"))
	require.Contains(t, svg, "790.0,56.0", "what is too late is at the edge")
	for least, want := range map[float64]float64{
		0: 1, 7: 8, 990: 1000, 1000: 1000, 1001: 2000, 35_000: 40_000, 81_000: 100_000,
	} {
		require.InDelta(t, want, niceCeiling(least), 1e-6)
	}
}

// TestFloor: the floor answers with what its file says, headers included.
func TestFloor(t *testing.T) {
	t.Parallel()
	f := floorAnswers{Paths: map[string]floorAnswer{"/rooms": {
		Header: http.Header{"Content-Type": {"application/json"}, "X-Cache": {"HIT"}}, Body: []byte("{}"),
	}}}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/rooms", nil))
	require.Equal(t, "{}", w.Body.String())
	require.Equal(t, "2", w.Header().Get("Content-Length"))
	require.Equal(t, "HIT", w.Header().Get("X-Cache"))
	w = httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, http.StatusNotFound, w.Code)
}
