package outbox

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics counts what a relay does. A nil *metrics counts nothing.
type metrics struct {
	waits    prometheus.Histogram
	refusals prometheus.Counter
	failures prometheus.Counter
}

// Measure registers the relay's metrics. Call it before Run.
func (r *Relay) Measure(registerer prometheus.Registerer) {
	factory := promauto.With(registerer)
	r.metrics = &metrics{
		waits: factory.NewHistogram(prometheus.HistogramOpts{
			Name: "outbox_wait_seconds", Help: "Time from an event's commit until Temporal had it.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600, 3600},
		}),
		refusals: factory.NewCounter(prometheus.CounterOpts{
			Name: "outbox_refused_total", Help: "Times that Temporal refused an event, which is tried again.",
		}),
		failures: factory.NewCounter(prometheus.CounterOpts{
			Name: "outbox_relay_failures_total",
			Help: "Times that the relay paused, since Temporal or Postgres was down.",
		}),
	}
}

func (m *metrics) observeWaits(seconds []float64) {
	if m == nil {
		return
	}
	for _, wait := range seconds {
		m.waits.Observe(wait)
	}
}

func (m *metrics) countRefusal() {
	if m != nil {
		m.refusals.Inc()
	}
}

func (m *metrics) countPass(err error) {
	if m != nil && err != nil {
		m.failures.Inc()
	}
}
