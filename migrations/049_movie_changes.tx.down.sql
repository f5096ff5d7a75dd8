CREATE OR REPLACE FUNCTION end_playback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE playbacks SET state = 'idle', item_id = NULL, runtime_ms = 0, duration_ms = 0, duration_exact = false,
        position_ms = 0, at = clock_timestamp(), rate = 1, revision = revision + 1, epoch = epoch + 1, cue = cue + 1,
        resume = false, wait_for = '', wait_until = NULL, ends_at = NULL, starts_at = NULL, by = NULL,
        cause = 'archived', updated_at = clock_timestamp()
        WHERE room_id = NEW.id AND state <> 'idle';
    DELETE FROM queue_items WHERE room_id = NEW.id AND played_at IS NOT NULL;
    RETURN NULL;
END $$;
ALTER TABLE playbacks DROP COLUMN catalogue_ms;
