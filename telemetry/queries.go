package telemetry

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Queries makes a span of each statement in a trace that is kept. It has the operation and the table, and never the
// statement, whose values people wrote.
type Queries struct{ Tracer trace.Tracer }

type querySpanKey struct{}

// operations are the names of spans.
var operations = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK"}

// BeforeQuery implements bun.QueryHook.
func (q Queries) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx
	}
	operation := strings.ToUpper(strings.TrimSpace(event.Operation()))
	if !slices.Contains(operations, operation) {
		operation = "OTHER"
	}
	attributes := []attribute.KeyValue{
		attribute.String("db.system.name", "postgresql"), attribute.String("db.operation.name", operation),
	}
	if model, ok := event.Model.(bun.TableModel); ok {
		attributes = append(attributes, attribute.String("db.collection.name", model.Table().Name))
	}
	_, span := q.Tracer.Start(ctx, "postgres "+operation,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	event.Stash = map[any]any{querySpanKey{}: span}
	return ctx
}

// AfterQuery implements bun.QueryHook.
func (q Queries) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	span, ok := event.Stash[querySpanKey{}].(trace.Span)
	if !ok {
		return
	}
	if event.Err != nil && !errors.Is(event.Err, sql.ErrNoRows) {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
