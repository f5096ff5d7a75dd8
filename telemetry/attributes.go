package telemetry

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// allowedAttributes has the only attributes that leave the process: identifiers, counts, and names from the program's
// own lists. Traces show no address, name or text.
var allowedAttributes = []attribute.Key{
	"http.request.method", "http.route", "http.response.status_code", "watchparty.request_id", "error.type",
	"db.system.name", "db.operation.name", "db.collection.name",
	"watchparty.event_id", "watchparty.attempts",
	"temporalWorkflowID", "temporalRunID", "temporalActivityID", "temporalUpdateID",
}

// restricted removes from spans what may have text: attributes that are not allowed, messages of errors, and events.
type restricted struct{ sdktrace.SpanExporter }

// ExportSpans implements sdktrace.SpanExporter.
func (r restricted) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	reduced := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, span := range spans {
		reduced[i] = reducedSpan{span}
	}
	return r.SpanExporter.ExportSpans(ctx, reduced)
}

type reducedSpan struct{ sdktrace.ReadOnlySpan }

// Attributes are those that are allowed.
func (s reducedSpan) Attributes() []attribute.KeyValue {
	return slices.DeleteFunc(slices.Clone(s.ReadOnlySpan.Attributes()), func(a attribute.KeyValue) bool {
		return !slices.Contains(allowedAttributes, a.Key)
	})
}

// Status has no message.
func (s reducedSpan) Status() sdktrace.Status {
	return sdktrace.Status{Code: s.ReadOnlySpan.Status().Code}
}

// Events are left out: those of errors have their messages.
func (s reducedSpan) Events() []sdktrace.Event { return nil }

// Links have no attributes.
func (s reducedSpan) Links() []sdktrace.Link {
	links := slices.Clone(s.ReadOnlySpan.Links())
	for i := range links {
		links[i].Attributes = nil
	}
	return links
}
