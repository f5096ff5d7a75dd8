ALTER TABLE rooms
    -- Who controls playback, and who adds to the queue; those above them do too.
    ADD COLUMN control        text   NOT NULL DEFAULT 'moderators',
    ADD COLUMN queue          text   NOT NULL DEFAULT 'everyone',
    ADD COLUMN queue_order    text   NOT NULL DEFAULT 'manual',
    -- Whom playback waits for.
    ADD COLUMN wait_policy    text   NOT NULL DEFAULT 'auto',
    -- Counts what changes what people may do in the room, or whether they may be in it.
    ADD COLUMN access_version bigint NOT NULL DEFAULT 1,
    ADD CONSTRAINT rooms_control_known CHECK (control IN ('host', 'moderators', 'everyone')),
    ADD CONSTRAINT rooms_queue_known CHECK (queue IN ('host', 'moderators', 'everyone')),
    ADD CONSTRAINT rooms_queue_order_known CHECK (queue_order IN ('manual', 'votes')),
    ADD CONSTRAINT rooms_wait_policy_known CHECK (wait_policy IN ('auto', 'everyone', 'host', 'nobody'));
-- Counts what ends a sign-in of the account, or changes how others see it.
ALTER TABLE users ADD COLUMN access_version bigint NOT NULL DEFAULT 1;

CREATE FUNCTION count_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.access_version := OLD.access_version + 1;
    RETURN NEW;
END $$;

-- The room's own columns. What other tables say of people in the room is counted by the transactions that change it.
CREATE TRIGGER rooms_count_access BEFORE UPDATE ON rooms FOR EACH ROW
    WHEN ((OLD.host_id, OLD.visibility, OLD.archived_at, OLD.closed_at, OLD.deleted_at, OLD.slow_mode_seconds, OLD.control,
           OLD.queue, OLD.queue_order, OLD.wait_policy)
        IS DISTINCT FROM (NEW.host_id, NEW.visibility, NEW.archived_at, NEW.closed_at, NEW.deleted_at,
           NEW.slow_mode_seconds, NEW.control, NEW.queue, NEW.queue_order, NEW.wait_policy))
    EXECUTE FUNCTION count_access();

CREATE TRIGGER users_count_access BEFORE UPDATE ON users FOR EACH ROW
    WHEN ((OLD.suspended_at, OLD.hidden_at, OLD.deleted_at, OLD.username, OLD.display_name)
        IS DISTINCT FROM (NEW.suspended_at, NEW.hidden_at, NEW.deleted_at, NEW.username, NEW.display_name))
    EXECUTE FUNCTION count_access();

-- Whoever revokes a refresh token has locked its account before.
CREATE FUNCTION count_sign_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET access_version = access_version + 1 WHERE id = NEW.user_id;
    RETURN NULL;
END $$;
CREATE TRIGGER sessions_count_access AFTER UPDATE ON sessions FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION count_sign_out();
