package outbox

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceKey is the field of W3C's trace context. Its other field is for vendors, and is not kept.
const traceKey = "traceparent"

// traceParent returns the trace of ctx as text; empty without one.
func traceParent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceKey]
}

// Trace makes the relay continue the traces of events. Call it before Run.
func (r *Relay) Trace(tracer trace.Tracer) { r.tracer = tracer }

// span continues the trace of an event, until end is called with the outcome.
func (r *Relay) span(ctx context.Context, e row) (_ context.Context, end func(error)) {
	if r.tracer == nil || e.TraceParent == "" {
		return ctx, func(error) {}
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceKey: e.TraceParent})
	ctx, span := r.tracer.Start(
		ctx,
		"outbox "+e.Workflow,
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(
			attribute.String("watchparty.event_id", e.ID), attribute.Int("watchparty.attempts", e.Attempts),
		),
	)
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
