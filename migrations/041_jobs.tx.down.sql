DROP TABLE queue_pauses;
DROP INDEX outbox_unstarted_idx;
ALTER TABLE outbox DROP COLUMN user_id, DROP COLUMN room_id;
