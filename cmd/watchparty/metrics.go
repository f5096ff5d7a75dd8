package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/telemetry"
)

// measure registers the metrics of the parts that the API and the worker share.
func (p *parts) measure() {
	own := p.metrics.Own()
	own.MustRegister(cacheMetrics(p.cache, p.member)...)
	telemetry.RegisterPostgres(own, p.store.PoolStats)
	telemetry.RegisterRedis(own, "cache", p.cache.Redis().Client().PoolStats)
	telemetry.RegisterRedis(own, "bus", p.busRedis.PoolStats)
	telemetry.RegisterWorkload(own, p.log, p.store.Workload)
	own.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "database_refused_total", Help: "Requests that were refused, since too many others waited for the database.",
	}, func() float64 { return float64(p.store.Refused()) }))
	p.relay.Measure(own)
}

func cacheMetrics(c *cache.Cache, m *coherence.Member) []prometheus.Collector {
	counter := func(name, help string, read func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(read()) })
	}
	hits := func(level string, read func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cache_hits_total", Help: "Lookups answered from the cache, by level: process or redis.",
			ConstLabels: prometheus.Labels{"level": level},
		}, func() float64 { return float64(read()) })
	}
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	return []prometheus.Collector{
		hits("process", func() uint64 { return c.Stats().Local }),
		hits("redis", func() uint64 { return c.Stats().Shared }),
		counter("cache_misses_total", "Lookups that the cache did not answer.", func() uint64 { return c.Stats().Misses }),
		counter("cache_loads_total", "Loads from the database.", func() uint64 { return c.Stats().Loads }),
		counter("cache_waits_total", "Lookups that waited for another one's load.",
			func() uint64 { return c.Stats().Joined }),
		counter("cache_refreshes_total", "Loads before an entry expires.",
			func() uint64 { return c.Stats().Refreshed }),
		counter("cache_refused_total", "Lookups that were refused, since too many others waited for Redis or for a load.",
			func() uint64 { return c.Stats().Refused }),
		counter("cache_errors_total", "Exchanges with Redis that failed.", func() uint64 { return c.Stats().Errors }),
		gauge("cache_entries", "Entries in this process' memory.", func() float64 { return float64(c.Stats().Entries) }),
		gauge("cache_bytes", "Approximate memory of the cached entries, in bytes.",
			func() float64 { return float64(c.Stats().Bytes) }),
		counter("cache_invalidations_total", "Changes by this process that other caching processes had to be told.",
			func() uint64 { return m.Stats().Announced }),
		counter("cache_invalidations_late_total", "Invalidations that the message bus did not deliver in time.",
			func() uint64 { return m.Stats().Recorded }),
		counter("cache_leases_lost_total", "Leases that ended without being given back.",
			func() uint64 { return m.Stats().Lost }),
		gauge("cache_lease_held", "1 while this process may use cached data, else 0.", func() float64 {
			if m.Stats().Held {
				return 1
			}
			return 0
		}),
		gauge("cache_tags", "Tags that this process knows changes or entries of.",
			func() float64 { return float64(m.Stats().Tags) }),
	}
}

// listenMetrics returns nil for "off".
func listenMetrics(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "off" {
		return nil, nil
	}
	return listen(ctx, addr, "METRICS_ADDR")
}

// serveMetrics serves Prometheus, and profiles if they are on, until ctx ends. Without a listener it does nothing.
func serveMetrics(ctx context.Context, l net.Listener, cfg config.Metrics, metrics *telemetry.Registry) error {
	if l == nil {
		return nil
	}
	server := &http.Server{Handler: metrics.Handler(cfg.Profiles), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}
