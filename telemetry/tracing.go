package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"

	"github.com/watchparty/watchparty/logging"
)

const (
	// defaultRatio is the share of traces that are kept unless OTEL_TRACES_SAMPLER says otherwise.
	defaultRatio = 0.05
	// flushTimeout is how long a stop waits for the collector.
	flushTimeout = 3 * time.Second
	// scope is the name of the program's own spans' source.
	scope = "github.com/watchparty/watchparty"
)

// Tracing makes spans and sends them to a collector. A nil *Tracing makes none.
type Tracing struct{ provider *sdktrace.TracerProvider }

// StartTracing begins to send traces if the environment names a collector, and else returns nil. The SDK reads the
// variables OTEL_… from the environment of the process. part is the name of the service unless OTEL_SERVICE_NAME is
// set.
func StartTracing(ctx context.Context, environ []string, part string, log *slog.Logger) (*Tracing, error) {
	vars := env.ToMap(environ)
	if !tracingOn(vars) {
		return nil, nil
	}
	exporter, err := newExporter(ctx, vars)
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_*: %w", err)
	}
	from, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "watchparty-"+part)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err), exporter.Shutdown(ctx))
	}
	// The SDK has no other place for errors. Both parts of watchparty dev may set it.
	sparse := logging.Sparse(log, slog.LevelWarn)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		sparse.Warn("traces are lost", slog.Any("error", err))
	}))
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(from), sdktrace.WithBatcher(restricted{exporter}),
	}
	if vars["OTEL_TRACES_SAMPLER"] == "" {
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(defaultRatio))))
	}
	return &Tracing{provider: sdktrace.NewTracerProvider(options...)}, nil
}

// tracingOn follows OpenTelemetry's general variables, except that there is no collector by default.
func tracingOn(vars map[string]string) bool {
	if strings.EqualFold(vars["OTEL_SDK_DISABLED"], "true") || vars["OTEL_TRACES_EXPORTER"] == "none" {
		return false
	}
	return vars["OTEL_EXPORTER_OTLP_ENDPOINT"] != "" || vars["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] != ""
}

func newExporter(ctx context.Context, vars map[string]string) (*otlptrace.Exporter, error) {
	protocol := vars["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"]
	if protocol == "" {
		protocol = vars["OTEL_EXPORTER_OTLP_PROTOCOL"]
	}
	switch protocol {
	case "", "http/protobuf":
		return otlptracehttp.New(ctx)
	case "grpc":
		return otlptracegrpc.New(ctx)
	}
	return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or grpc, and not %q", protocol)
}

// Tracer makes the program's own spans. It is nil while traces are off.
func (t *Tracing) Tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer(scope)
}

// Interceptors are those for Temporal's client and its workers. They carry the context of a trace in the headers of
// workflows and activities.
func (t *Tracing) Interceptors() ([]interceptor.ClientInterceptor, error) {
	if t == nil {
		return nil, nil
	}
	tracing, err := opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{
		Tracer: t.provider.Tracer("go.temporal.io/sdk"), TextMapPropagator: propagation.TraceContext{},
		DisableBaggage: true, DisableQueryTracing: true, AllowInvalidParentSpans: true,
	})
	if err != nil {
		return nil, fmt.Errorf("telemetry: traces of Temporal: %w", err)
	}
	return []interceptor.ClientInterceptor{tracing}, nil
}

// Stop sends what is left.
func (t *Tracing) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	return t.provider.Shutdown(ctx)
}
