package logging

import (
	"bytes"
	"context"
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
		attr []any
		want string
	}{
		{"no IDs", t.Context(), nil, "msg=hello a=1\n"},
		{"of a request", WithIDs(t.Context(), IDs{Request: "r"}), nil, "msg=hello a=1 request_id=r\n"},
		{"of an activity in a trace", WithIDs(traced, IDs{Workflow: "w", Run: "u"}), nil,
			"msg=hello a=1 workflow_id=w run_id=u" + traceID + "\n"},
		{"in a trace", traced, nil, "msg=hello a=1" + traceID + "\n"},
		{"one that the line has", WithIDs(t.Context(), IDs{Workflow: "w"}), []any{"workflow_id", "other"},
			"msg=hello a=1 workflow_id=other\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			text := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
					return slog.Attr{}
				}
				return a
			}})
			slog.New(Identified(text)).With("a", 1).InfoContext(test.ctx, "hello", test.attr...)
			require.Equal(t, test.want, out.String())
		})
	}
}

func TestRenamed(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(Renamed(slog.NewTextHandler(&out, nil), map[string]string{"WorkflowID": "workflow_id", "RunID": "run_id"}))
	log.With("WorkflowID", "w", "Other", 1).Info("hello", "RunID", "r")
	require.Contains(t, out.String(), "msg=hello workflow_id=w Other=1 run_id=r\n")
}
