package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/watchparty/watchparty/store"
)

// RegisterPostgres registers the counts of a pool.
func RegisterPostgres(r prometheus.Registerer, read func() store.PoolStats) {
	g := group{r, "postgres_pool_", nil}
	g.gauge("connections_used", "Connections that are in use.", func() float64 { return float64(read().Used) })
	g.gauge(
		"connections_idle", "Connections that are open and not in use.", func() float64 { return float64(read().Idle) },
	)
	g.gauge("connections_max", "The largest number of connections.", func() float64 { return float64(read().Max) })
	g.counter("acquired_total", "Connections that work has got.", func() float64 { return float64(read().Acquired) })
	g.counter("waits_total", "Times that work waited for a connection for more than a millisecond.",
		func() float64 { return float64(read().Waited) })
	g.counter("wait_seconds_total", "Time that work has waited for connections, in total.",
		func() float64 { return read().Wait.Seconds() })
	g.counter("refused_total", "Times that work got no connection.", func() float64 { return float64(read().Refused) })
}

// RegisterRedis registers the counts of a client's pool. The pool's name is a label.
func RegisterRedis(r prometheus.Registerer, pool string, read func() *redis.PoolStats) {
	g := group{r, "redis_pool_", prometheus.Labels{"pool": pool}}
	g.gauge("connections", "Connections that are open.", func() float64 { return float64(read().TotalConns) })
	g.gauge("connections_idle", "Connections that are open and not in use.",
		func() float64 { return float64(read().IdleConns) })
	g.counter("hits_total", "Times that an open connection was free.", func() float64 { return float64(read().Hits) })
	g.counter("misses_total", "Times that no open connection was free.",
		func() float64 { return float64(read().Misses) })
	g.counter("timeouts_total", "Times that no connection was free in time.",
		func() float64 { return float64(read().Timeouts) })
	g.counter("stale_total", "Connections that were found dead.", func() float64 { return float64(read().StaleConns) })
}

// group registers metrics whose values are read at a scrape.
type group struct {
	r      prometheus.Registerer
	prefix string
	labels prometheus.Labels
}

func (g group) gauge(name, help string, read func() float64) {
	g.r.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: g.prefix + name, Help: help, ConstLabels: g.labels}, read))
}

func (g group) counter(name, help string, read func() float64) {
	g.r.MustRegister(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: g.prefix + name, Help: help, ConstLabels: g.labels}, read))
}
