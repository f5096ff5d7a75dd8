-- Emails that a person waits for go first; the numbers are Temporal's.
ALTER TABLE outbox ADD COLUMN priority smallint NOT NULL DEFAULT 3;
