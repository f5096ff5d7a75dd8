DROP TABLE queue_pauses;
ALTER TABLE outbox DROP COLUMN user_id, DROP COLUMN room_id;
