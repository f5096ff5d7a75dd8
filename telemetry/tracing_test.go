package telemetry

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestTracingIsOffUnlessSet(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"
	for _, test := range []struct {
		name    string
		environ []string
		on      bool
	}{
		{"nothing set", nil, false},
		{"a collector", []string{endpoint}, true},
		{"a collector of traces", []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:1/v1/traces"}, true},
		{"over gRPC", []string{endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, true},
		{"disabled", []string{endpoint, "OTEL_SDK_DISABLED=true"}, false},
		{"no exporter", []string{endpoint, "OTEL_TRACES_EXPORTER=none"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			tracing, err := StartTracing(t.Context(), test.environ, "api", slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			require.Equal(t, test.on, tracing != nil)
			require.Equal(t, test.on, tracing.Tracer() != nil)
			interceptors, err := tracing.Interceptors()
			require.NoError(t, err)
			require.Equal(t, test.on, len(interceptors) == 1)
			require.NoError(t, tracing.Stop(t.Context()))
		})
	}
	_, err := StartTracing(t.Context(), []string{endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=smoke"}, "api",
		slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_PROTOCOL")
}

// TestRestricted: whatever a library puts into a span, only what is allowed leaves the process.
func TestRestricted(t *testing.T) {
	memory := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(restricted{memory}))
	_, span := provider.Tracer("test").Start(t.Context(), "work", trace.WithAttributes(
		attribute.String("http.route", "/api/rooms/:room_id"), attribute.String("client.address", "192.0.2.7"),
		attribute.String("db.query.text", "SELECT 'ada@example.org'"),
	), trace.WithLinks(trace.Link{
		SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}}),
		Attributes:  []attribute.KeyValue{attribute.String("note", "a secret")},
	}))
	span.RecordError(errors.New("ada@example.org is unknown"))
	span.SetStatus(codes.Error, "ada@example.org is unknown")
	span.End()
	spans := memory.GetSpans()
	require.Len(t, spans, 1)
	require.Equal(t, []attribute.KeyValue{attribute.String("http.route", "/api/rooms/:room_id")}, spans[0].Attributes)
	require.Equal(t, sdktrace.Status{Code: codes.Error}, spans[0].Status)
	require.Empty(t, spans[0].Events)
	require.Len(t, spans[0].Links, 1)
	require.Empty(t, spans[0].Links[0].Attributes)
}

// Statements outside of a trace that is kept have no spans, and cost nothing.
func TestQueriesOutsideOfTraces(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	hook, ctx, event := Queries{Tracer: provider.Tracer("test")}, t.Context(), &bun.QueryEvent{Query: "SELECT 'ada'"}
	require.Zero(t, testing.AllocsPerRun(100, func() { hook.AfterQuery(hook.BeforeQuery(ctx, event), event) }))
	require.Empty(t, recorder.Started())

	ctx, request := provider.Tracer("test").Start(ctx, "request")
	hook.AfterQuery(hook.BeforeQuery(ctx, event), event)
	request.End()
	require.Equal(t, "postgres SELECT", recorder.Ended()[0].Name())
	require.Equal(t, request.SpanContext().SpanID(), recorder.Ended()[0].Parent().SpanID())
	for _, a := range recorder.Ended()[0].Attributes() {
		require.NotContains(t, a.Value.AsString(), "ada")
	}
}
