DROP FUNCTION next_message_id;
DROP INDEX messages_user_idx;
CREATE INDEX messages_user_idx ON messages (user_id);
ALTER TABLE messages DROP COLUMN edited_at, DROP COLUMN deleted_at, DROP COLUMN reply_to_id;
