-- An act that the transaction does not hold, such as one on a schedule, has its entry before it is carried out.
ALTER TABLE audit
    ADD COLUMN outcome text NOT NULL DEFAULT 'done',
    ADD CONSTRAINT audit_outcome_known CHECK (outcome IN ('pending', 'done', 'failed', 'unknown'));

-- What belongs to somebody is exported in the order of these.
DROP INDEX stays_user_idx, active_users_user_idx, room_log_actor_idx, room_log_target_idx;
CREATE INDEX stays_user_idx ON stays (user_id, id);
CREATE INDEX active_users_user_idx ON active_users (user_id, day);
CREATE INDEX room_log_actor_idx ON room_log (actor_id, id);
CREATE INDEX room_log_target_idx ON room_log (target_id, id);

-- Reasons for what was done to accounts that are gone may hold their names.
UPDATE room_log SET details = details - 'reason' WHERE action IN ('banned', 'muted') AND jsonb_exists(details, 'reason')
    AND NOT EXISTS (SELECT FROM users WHERE id = target_id AND deleted_at IS NULL);
UPDATE audit SET details = details - 'reason' WHERE target_kind = 'user' AND jsonb_exists(details, 'reason')
    AND NOT EXISTS (SELECT FROM users WHERE id = target_id AND deleted_at IS NULL);
