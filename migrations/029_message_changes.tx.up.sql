-- When a message is edited or taken back: later than all such changes of its room. Until the transaction ends nobody else
-- is given a time, so these changes commit in the order of messages.updated_at, as messages do in the order of their IDs
-- (next_message_id, whose lock this is).
CREATE FUNCTION next_message_change(room uuid) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    newest timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('messages:' || room, 0));
    SELECT updated_at INTO newest FROM messages
        WHERE room_id = room AND (edited_at IS NOT NULL OR deleted_at IS NOT NULL)
        ORDER BY updated_at DESC, id DESC LIMIT 1;
    RETURN greatest(clock_timestamp(), newest + interval '1 microsecond');
END $$;
