DROP INDEX messages_user_idx;
CREATE INDEX messages_user_idx ON messages (user_id, id DESC);
UPDATE audit AS a SET actor_id = NULL WHERE NOT EXISTS (SELECT FROM users WHERE id = a.actor_id);
ALTER TABLE audit DROP COLUMN actor_username,
    ADD CONSTRAINT audit_actor_fkey FOREIGN KEY (actor_id) REFERENCES users ON DELETE SET NULL;
