DROP INDEX bans_room_idx, mutes_room_idx;
CREATE INDEX bans_room_idx ON bans (room_id, created_at DESC, user_id DESC);
CREATE INDEX mutes_room_idx ON mutes (room_id, created_at DESC, user_id DESC);
ALTER TABLE bans DROP COLUMN id;
ALTER TABLE mutes DROP COLUMN id;
