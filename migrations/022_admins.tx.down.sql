DROP TABLE abuse_reports;
ALTER TABLE rooms DROP COLUMN closed_at;
DROP FUNCTION account_suspended(uuid);
DROP TRIGGER users_reinstated ON users;
DROP FUNCTION show_reinstated();
ALTER TABLE users DROP COLUMN hidden_at;
