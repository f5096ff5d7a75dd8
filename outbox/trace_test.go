package outbox

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/watchparty/watchparty/workflows/job"
)

// TestRelayContinuesTrace: an event keeps the trace of the request that added it, until whichever relay starts it.
func TestRelayContinuesTrace(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	t.Cleanup(func() { require.NoError(t, provider.Shutdown(context.Background())) })
	ctx, request := provider.Tracer("test").Start(t.Context(), "request")
	addIn(ctx, t, db, "traced")
	request.End()
	add(t, db, "untraced")

	seen := map[string]trace.SpanContext{}
	r := newRelay(db, func(ctx context.Context, e job.Event) error {
		seen[e.WorkflowID] = trace.SpanContextFromContext(ctx)
		return nil
	}, pace{batch: 1, lease: quick.lease})
	r.Trace(provider.Tracer("test"))
	require.NoError(t, r.drain(t.Context()))
	require.Equal(t, request.SpanContext().TraceID(), seen["traced"].TraceID())
	require.False(t, seen["untraced"].IsValid())
	ended := recorder.Ended()
	require.Len(t, ended, 2)
	require.Equal(t, request.SpanContext().SpanID(), ended[1].Parent().SpanID())
}

func TestNoTraceCostsNothing(t *testing.T) {
	ctx := t.Context()
	require.Empty(t, traceParent(ctx))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = traceParent(ctx) }))
	r := &Relay{}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_, end := r.span(ctx, row{})
		end(nil)
	}))
}
