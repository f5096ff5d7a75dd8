ALTER TABLE messages
    ADD COLUMN edited_at   timestamptz,
    -- From then on its body is empty; the row stays, so that pages and replies hold together.
    ADD COLUMN deleted_at  timestamptz,
    -- Of the same room. No foreign key: what it names may be older than what is kept.
    ADD COLUMN reply_to_id uuid;
-- Of one author, in order: for slow mode and exports.
DROP INDEX messages_user_idx;
CREATE INDEX messages_user_idx ON messages (user_id, id DESC);

-- A UUIDv7 above all of the room's. Until the transaction ends nobody else is given one, so messages commit in the order
-- of their IDs. It is one function, and the clock is the server's, because the wait of the others is as long as what
-- happens between the lock and the commit.
CREATE FUNCTION next_message_id(room uuid) RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    newest text;   -- hexadecimal digits
    tick   bigint; -- of 1/4096 ms: the 48 bits before a UUIDv7's version and the 12 after it
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('messages:' || room, 0));
    SELECT replace(id::text, '-', '') INTO newest FROM messages WHERE room_id = room ORDER BY id DESC LIMIT 1;
    tick := greatest(
        floor(extract(epoch FROM clock_timestamp()) * 1000 * 4096)::bigint,
        ('x' || left(newest, 12) || substr(newest, 14, 3))::bit(60)::bigint + 1);
    RETURN (lpad(to_hex(tick >> 12), 12, '0') || '7' || lpad(to_hex(tick & 4095), 3, '0')
        || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid;
END $$;
