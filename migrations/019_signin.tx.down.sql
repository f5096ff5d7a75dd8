DROP TABLE known_clients;
DROP INDEX sessions_live_idx;
CREATE INDEX sessions_live_idx ON sessions (user_id, family_id DESC) WHERE rotated_at IS NULL AND revoked_at IS NULL;
