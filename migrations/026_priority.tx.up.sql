-- Emails that a person waits for go first; the numbers are Temporal's.
ALTER TABLE outbox ADD COLUMN priority smallint NOT NULL DEFAULT 3;
DROP INDEX outbox_pending_idx;
CREATE INDEX outbox_pending_idx ON outbox (priority, available_at) WHERE state = 'pending';
