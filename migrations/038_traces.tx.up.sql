-- The trace that the event belongs to, as W3C's traceparent; empty without one.
ALTER TABLE outbox ADD COLUMN trace_parent text NOT NULL DEFAULT '',
    ADD CONSTRAINT outbox_trace_parent_short CHECK (length(trace_parent) <= 55);
