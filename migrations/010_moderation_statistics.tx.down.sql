ALTER TABLE bans ALTER COLUMN room_id RESET (n_distinct);
ALTER TABLE mutes ALTER COLUMN room_id RESET (n_distinct);
