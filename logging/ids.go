package logging

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// IDs name the work that a line of the log belongs to. Empty ones are left out.
type IDs struct {
	Request, Workflow, Run string
}

// IDsKey is the key of the *IDs in a context.
type IDsKey struct{}

// WithIDs returns a context whose lines have the IDs, after those of ctx.
func WithIDs(ctx context.Context, ids IDs) context.Context {
	return context.WithValue(ctx, IDsKey{}, &ids)
}

// Identified returns a handler that adds the IDs of each line's context: request_id, workflow_id, run_id and, while
// traces are made, trace_id.
func Identified(h slog.Handler) slog.Handler { return identified{h} }

type identified struct{ slog.Handler }

// Handle adds the IDs.
func (i identified) Handle(ctx context.Context, r slog.Record) error {
	ids, _ := ctx.Value(IDsKey{}).(*IDs)
	span := trace.SpanContextFromContext(ctx)
	if ids == nil && !span.HasTraceID() {
		return i.Handler.Handle(ctx, r)
	}
	r = r.Clone()
	if ids != nil {
		addID(&r, "request_id", ids.Request)
		addID(&r, "workflow_id", ids.Workflow)
		addID(&r, "run_id", ids.Run)
	}
	if span.HasTraceID() {
		addID(&r, "trace_id", span.TraceID().String())
	}
	return i.Handler.Handle(ctx, r)
}

func addID(r *slog.Record, key, id string) {
	if id != "" {
		r.AddAttrs(slog.String(key, id))
	}
}

// WithAttrs keeps adding IDs.
func (i identified) WithAttrs(attrs []slog.Attr) slog.Handler {
	return identified{i.Handler.WithAttrs(attrs)}
}

// WithGroup keeps adding IDs, within the group.
func (i identified) WithGroup(name string) slog.Handler { return identified{i.Handler.WithGroup(name)} }

// Renamed returns a handler that gives attributes other names, so that one thing has one name in the whole log.
func Renamed(h slog.Handler, names map[string]string) slog.Handler { return renamed{h, names} }

type renamed struct {
	slog.Handler

	names map[string]string
}

func (n renamed) rename(a slog.Attr) slog.Attr {
	if name, ok := n.names[a.Key]; ok {
		a.Key = name
	}
	return a
}

// Handle renames the line's own attributes.
func (n renamed) Handle(ctx context.Context, r slog.Record) error {
	changed := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool { changed.AddAttrs(n.rename(a)); return true })
	return n.Handler.Handle(ctx, changed)
}

// WithAttrs renames attributes that many lines have.
func (n renamed) WithAttrs(attrs []slog.Attr) slog.Handler {
	changed := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		changed[i] = n.rename(a)
	}
	return renamed{n.Handler.WithAttrs(changed), n.names}
}

// WithGroup renames attributes in a group.
func (n renamed) WithGroup(name string) slog.Handler {
	return renamed{n.Handler.WithGroup(name), n.names}
}
