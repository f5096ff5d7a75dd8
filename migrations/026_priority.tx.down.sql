ALTER TABLE outbox DROP COLUMN priority;
CREATE INDEX IF NOT EXISTS outbox_pending_idx ON outbox (available_at) WHERE state = 'pending';
