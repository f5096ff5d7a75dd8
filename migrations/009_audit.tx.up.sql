-- Who did it stays known when the account is gone: by ID, and by the name at the time.
ALTER TABLE audit DROP CONSTRAINT audit_actor_fkey, ADD COLUMN actor_username text;
UPDATE audit AS a SET actor_username = u.username FROM users AS u WHERE u.id = a.actor_id;
-- Where someone wrote is found in the index alone when they delete their account.
DROP INDEX messages_user_idx;
CREATE INDEX messages_user_idx ON messages (user_id, id DESC) INCLUDE (room_id);
