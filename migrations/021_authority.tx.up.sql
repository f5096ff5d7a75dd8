-- An act that the transaction does not hold, such as one on a schedule, has its entry before it is carried out.
ALTER TABLE audit
    ADD COLUMN outcome text NOT NULL DEFAULT 'done',
    ADD CONSTRAINT audit_outcome_known CHECK (outcome IN ('pending', 'done', 'failed', 'unknown'));

-- Reasons for what was done to accounts that are gone may hold their names.
UPDATE room_log SET details = details - 'reason' WHERE action IN ('banned', 'muted') AND jsonb_exists(details, 'reason')
    AND NOT EXISTS (SELECT FROM users WHERE id = target_id AND deleted_at IS NULL);
UPDATE audit SET details = details - 'reason' WHERE target_kind = 'user' AND jsonb_exists(details, 'reason')
    AND NOT EXISTS (SELECT FROM users WHERE id = target_id AND deleted_at IS NULL);
