DROP INDEX outbox_pending_idx;
ALTER TABLE outbox DROP COLUMN priority;
CREATE INDEX outbox_pending_idx ON outbox (available_at) WHERE state = 'pending';
