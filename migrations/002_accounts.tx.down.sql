DROP INDEX messages_user_idx;
CREATE INDEX messages_user_idx ON messages (user_id);
DROP TABLE password_resets, email_verifications;
DROP INDEX IF EXISTS sessions_live_idx;
ALTER TABLE sessions DROP COLUMN user_agent, DROP COLUMN signed_in_at;
DROP INDEX users_suspended_idx, users_username_prefix_idx, users_email_prefix_idx;
ALTER TABLE users DROP COLUMN suspended_at, DROP COLUMN deleted_at;
