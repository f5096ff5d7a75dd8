package telemetry

import (
	"context"
	"fmt"

	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
)

// temporalBuckets are seconds: of calls that take milliseconds, and of work that takes hours.
var temporalBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}

// maxTemporalSeries limits the series of one of the SDK's metrics. Their labels are the names of queues, workflows,
// activities and calls, which are some dozens together.
const maxTemporalSeries = 1000

// failures are those of the SDK's counters that an alert or the dashboard uses. They start at 0, so that the first
// failure is an increase.
var failures = []string{"temporal_workflow_task_execution_failed", "temporal_activity_execution_failed"}

// Temporal returns what the SDK reports its metrics to, and what ends it. The SDK's metrics are temporal_…, durations
// are in seconds.
//
// The SDK has two handlers for Prometheus. This is the one for OpenTelemetry: the other, for tally, refuses a metric
// that comes with other labels than before, and needs a reporting loop of its own.
func (r *Registry) Temporal() (client.MetricsHandler, func(context.Context) error, error) {
	exporter, err := otelprometheus.New(
		otelprometheus.WithRegisterer(r.all), otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo(),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("telemetry: metrics of Temporal: %w", err)
	}
	provider := metric.NewMeterProvider(
		metric.WithReader(exporter), metric.WithResource(resource.Empty()), metric.WithCardinalityLimit(maxTemporalSeries),
		metric.WithView(metric.NewView(metric.Instrument{Kind: metric.InstrumentKindHistogram},
			metric.Stream{Aggregation: metric.AggregationExplicitBucketHistogram{Boundaries: temporalBuckets, NoMinMax: true}})),
	)
	handler := opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
		Meter: provider.Meter("go.temporal.io/sdk"), UseMonotonicCounters: true, OnError: func(error) {}, // no metric then
	})
	for _, name := range failures {
		handler.Counter(name).Inc(0)
	}
	return handler, provider.Shutdown, nil
}
