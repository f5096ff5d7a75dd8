package logging

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
)

func TestIdentified(t *testing.T) {
	traced := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{15: 1}, SpanID: trace.SpanID{7: 2},
	}))
	const traceID = " trace_id=00000000000000000000000000000001"
	for _, test := range []struct {
		name string
		ctx  context.Context
		want string
	}{
		{"no IDs", t.Context(), "msg=hello a=1\n"},
		{"of a request", WithIDs(t.Context(), IDs{Request: "r"}), "msg=hello a=1 request_id=r\n"},
		{"of an activity in a trace", WithIDs(traced, IDs{Workflow: "w", Run: "u"}),
			"msg=hello a=1 workflow_id=w run_id=u" + traceID + "\n"},
		{"in a trace", traced, "msg=hello a=1" + traceID + "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			text := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
					return slog.Attr{}
				}
				return a
			}})
			slog.New(Identified(text)).With("a", 1).InfoContext(test.ctx, "hello")
			require.Equal(t, test.want, out.String())
		})
	}
}

func TestRenamed(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(
		Renamed(slog.NewTextHandler(&out, nil), map[string]string{"WorkflowID": "workflow_id", "RunID": "run_id"}),
	)
	log.With("WorkflowID", "w", "Other", 1).Info("hello", slog.String("RunID", "r")) //nolint:sloglint // as Temporal's SDK
	require.Contains(t, out.String(), "msg=hello workflow_id=w Other=1 run_id=r\n")
}

// The line of a request costs no allocation more than it did without IDs.
func TestIdentifiedAllocations(t *testing.T) {
	ctx := WithIDs(t.Context(), IDs{Request: "r"})
	log := slog.New(Identified(slog.NewJSONHandler(io.Discard, nil))) //nolint:sloglint // which writes no line
	require.Zero(t, testing.AllocsPerRun(100, func() {
		log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("method", "GET"), slog.String("route", "/"),
			slog.Int("status", 200), slog.Duration("took", 1))
	}))
}
