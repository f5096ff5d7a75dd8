-- Most rooms have one ban or none, so that to look through those of a room seems as cheap as to look up one person's. It
-- is not in a room with thousands: the planner is told that each has ten.
ALTER TABLE bans ALTER COLUMN room_id SET (n_distinct = -0.1);
ALTER TABLE mutes ALTER COLUMN room_id SET (n_distinct = -0.1);
