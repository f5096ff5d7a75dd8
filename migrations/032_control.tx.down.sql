DROP TRIGGER sessions_count_access ON sessions;
DROP TRIGGER users_count_access ON users;
DROP TRIGGER rooms_count_access ON rooms;
DROP FUNCTION count_sign_out;
DROP FUNCTION count_access;
ALTER TABLE users DROP COLUMN access_version;
ALTER TABLE rooms DROP COLUMN control, DROP COLUMN queue, DROP COLUMN queue_order, DROP COLUMN wait_policy,
    DROP COLUMN access_version;
