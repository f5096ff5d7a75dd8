DROP INDEX room_log_target_idx, room_log_actor_idx, active_users_user_idx, stays_user_idx;
CREATE INDEX room_log_target_idx ON room_log (target_id);
CREATE INDEX room_log_actor_idx ON room_log (actor_id);
CREATE INDEX active_users_user_idx ON active_users (user_id);
CREATE INDEX stays_user_idx ON stays (user_id);
ALTER TABLE audit DROP CONSTRAINT audit_outcome_known, DROP COLUMN outcome;
