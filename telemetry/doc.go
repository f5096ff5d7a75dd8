// Package telemetry is what operators measure the program by: metrics for Prometheus and traces for OpenTelemetry.
//
// Metrics of a package are in that package; this one has those of what the packages share, and serves all. Names begin
// with watchparty_, except those of Go, of the process and of Temporal's SDK (temporal_). The values of every label are
// from a list that the program has, so that the number of series is bounded. Metrics of the whole system, such as the
// number of events that wait, are read from Postgres by every process: take the maximum of them, not the sum.
//
// Traces are off unless OTEL_EXPORTER_OTLP_ENDPOINT names a collector. A trace follows a request through the outbox to
// the workflow and its activities: the row of the event has the context. Attributes are identifiers and counts from a
// list (attributes.go); everything else is dropped before it leaves the process.
package telemetry
