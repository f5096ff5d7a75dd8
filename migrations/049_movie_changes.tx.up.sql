-- The duration of what plays as the catalogue had it when the row was written; 0 when it had none. If the catalogue has
-- another one now, that one counts.
ALTER TABLE playbacks ADD COLUMN catalogue_ms bigint NOT NULL DEFAULT 0;

CREATE OR REPLACE FUNCTION end_playback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE playbacks SET state = 'idle', item_id = NULL, runtime_ms = 0, duration_ms = 0, duration_exact = false,
        catalogue_ms = 0, position_ms = 0, at = clock_timestamp(), rate = 1, revision = revision + 1, epoch = epoch + 1,
        cue = cue + 1, resume = false, wait_for = '', wait_until = NULL, ends_at = NULL, starts_at = NULL, by = NULL,
        cause = 'archived', updated_at = clock_timestamp()
        WHERE room_id = NEW.id AND state <> 'idle';
    DELETE FROM queue_items WHERE room_id = NEW.id AND played_at IS NOT NULL;
    RETURN NULL;
END $$;
