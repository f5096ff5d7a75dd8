package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// trace begins the trace of a request and returns what ends its span. The span has the route, and neither the path nor
// anything of the client.
func (e *exchange) trace(tracer trace.Tracer, c echo.Context) (end func()) {
	ctx, span := tracer.Start(e.Context, method(c.Request())+" "+c.Path(),
		trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", method(c.Request())), attribute.String("http.route", c.Path()),
			attribute.String("watchparty.request_id", e.ids.Request),
		))
	e.Context = ctx
	return func() {
		status := c.Response().Status
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(otelcodes.Error, "")
		}
		span.End()
	}
}
