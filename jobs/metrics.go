package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchparty/watchparty/logging"
)

const (
	// backlogAge is how long the backlogs of a scrape are used for other scrapes.
	backlogAge = 5 * time.Second
	// backlogTimeout is how long a scrape waits for Temporal.
	backlogTimeout = 2 * time.Second
)

// backlogs collects how many tasks wait in each queue, from Temporal. While Temporal is down the metric is missing:
// whatever scales by it then leaves things as they are.
type backlogs struct {
	read func(context.Context) ([]Queue, error)
	log  *slog.Logger
	desc *prometheus.Desc

	mu     sync.Mutex
	at     time.Time
	latest []Queue
}

// RegisterMetrics registers the backlog of each task queue. Every process that does reports the same.
func (j *Jobs) RegisterMetrics(r prometheus.Registerer, log *slog.Logger) {
	r.MustRegister(&backlogs{
		read: j.Queues, log: logging.Sparse(log, slog.LevelWarn),
		desc: prometheus.NewDesc("queue_backlog",
			"Tasks of a task queue that wait for a worker, about. Attempts that wait for their time do not count.",
			[]string{"queue"}, nil),
	})
}

// Describe implements prometheus.Collector.
func (b *backlogs) Describe(descs chan<- *prometheus.Desc) { descs <- b.desc }

// Collect implements prometheus.Collector.
func (b *backlogs) Collect(metrics chan<- prometheus.Metric) {
	for _, q := range b.cachedQueues() {
		metrics <- prometheus.MustNewConstMetric(b.desc, prometheus.GaugeValue, float64(q.Backlog), q.Name)
	}
}

// cachedQueues asks Temporal once for all scrapes of a short time.
func (b *backlogs) cachedQueues() []Queue {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.at) < backlogAge {
		return b.latest
	}
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	queues, err := b.read(ctx)
	if err != nil {
		b.log.WarnContext(ctx, "backlogs of task queues cannot be read", slog.Any("error", err))
		queues = nil
	}
	b.latest, b.at = queues, time.Now()
	return b.latest
}
