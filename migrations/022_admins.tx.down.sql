DROP TABLE abuse_reports;
DROP INDEX rooms_open_idx, rooms_archived_idx, rooms_closed_idx;
ALTER TABLE rooms DROP COLUMN closed_at;
DROP FUNCTION account_suspended(uuid);
DROP TRIGGER users_reinstated ON users;
DROP FUNCTION show_reinstated();
DROP INDEX users_admins_idx;
ALTER TABLE users DROP COLUMN hidden_at;
