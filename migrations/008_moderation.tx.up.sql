-- Bans and mutes have IDs, which their lists are read by and a repeated request is answered by. Those of the former ones
-- tell when they were made, as the program's do.
ALTER TABLE bans ADD COLUMN id uuid;
ALTER TABLE mutes ADD COLUMN id uuid;
UPDATE bans SET id = (lpad(to_hex(floor(extract(epoch FROM created_at) * 1000)::bigint), 12, '0') || '7'
    || right(replace(gen_random_uuid()::text, '-', ''), 19))::uuid;
UPDATE mutes SET id = (lpad(to_hex(floor(extract(epoch FROM created_at) * 1000)::bigint), 12, '0') || '7'
    || right(replace(gen_random_uuid()::text, '-', ''), 19))::uuid;
ALTER TABLE bans ALTER COLUMN id SET NOT NULL;
ALTER TABLE mutes ALTER COLUMN id SET NOT NULL;
DROP INDEX bans_room_idx, mutes_room_idx;
CREATE INDEX bans_room_idx ON bans (room_id, id DESC);
CREATE INDEX mutes_room_idx ON mutes (room_id, id DESC);
