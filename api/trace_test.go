package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// TestTracesOffCostNothing: a request without traces costs no allocation for them. Those that it does cost are the
// request's ID, the exchange, the copy of the request and the headers.
func TestTracesOffCostNothing(t *testing.T) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	measure := func(tracer trace.Tracer) float64 {
		e := echo.New()
		c := e.NewContext(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), httptest.NewRecorder())
		begin := beginExchange("https://party.example", tracer)(func(echo.Context) error { return nil })
		return testing.AllocsPerRun(100, func() { require.NoError(t, begin(c)) })
	}
	off := measure(nil)
	require.LessOrEqual(t, off, 6.0)
	require.Greater(t, measure(provider.Tracer("test")), off, "this test would see the cost of a trace")
}

// TestTraceOfRequest: a span has the route and the status, and what the store does is below it.
func TestTraceOfRequest(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	b := setup(t, func(s *settings) { s.tracer = provider.Tracer("test") })
	for _, test := range []struct{ path, name string }{
		{"/api/movies?limit=3", "GET /api/movies"},
		{"/api/users/nobody", "GET /api/users/:username"},
		{"/api/nowhere/secret", "GET "},
	} {
		b.server.ServeHTTP(
			httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.path, nil),
		)
		ended := recorder.Ended()
		require.Equal(t, test.name, ended[len(ended)-1].Name())
	}
}
