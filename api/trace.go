package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// rootSpan are the options of a request's span.
var rootSpan = []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer)}

// trace begins the trace of a request and returns what ends its span. The span has the route, and neither the path nor
// anything of the client. Most spans are not kept, so one gets its attributes only if it is.
func (e *requestState) trace(tracer trace.Tracer, c echo.Context) (end func()) {
	ctx, span := tracer.Start(e.Context, c.Path(), rootSpan...)
	e.Context = ctx
	if !span.IsRecording() {
		return func() { span.End() }
	}
	span.SetName(method(c.Request()) + " " + c.Path())
	span.SetAttributes(
		attribute.String("http.request.method", method(c.Request())), attribute.String("http.route", c.Path()),
		attribute.String("watchparty.request_id", e.ids.Request),
	)
	return func() {
		status := c.Response().Status
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(otelcodes.Error, "")
		}
		span.End()
	}
}
