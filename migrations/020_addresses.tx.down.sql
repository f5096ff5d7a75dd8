ALTER TABLE emails DROP COLUMN waits_until, DROP COLUMN counted_at;
DROP TABLE email_budgets;
-- The former version cannot read keyed hashes: nobody can make plain ones of them.
DELETE FROM invitation_optouts WHERE email_hash IS NULL;
ALTER TABLE invitation_optouts DROP CONSTRAINT invitation_optouts_hashed, DROP COLUMN address_hash, ALTER COLUMN email_hash SET NOT NULL;
DROP TRIGGER email_verifications_spelled ON email_verifications;
DROP TRIGGER invitations_spelled ON invitations;
DROP TRIGGER users_spelled ON users;
DROP FUNCTION spell_address();
-- Two that were told apart by their keys may be one to the former version: the older one stays open.
UPDATE invitations AS i SET state = 'revoked', updated_at = now() WHERE i.state = 'open' AND EXISTS (
    SELECT FROM invitations AS o WHERE o.room_id = i.room_id AND lower(o.email) = lower(i.email) AND o.state = 'open' AND o.id < i.id);
CREATE UNIQUE INDEX IF NOT EXISTS invitations_open_key ON invitations (room_id, lower(email)) WHERE state = 'open';
ALTER TABLE email_verifications DROP COLUMN email_key;
ALTER TABLE invitations DROP COLUMN email_key;
ALTER TABLE users DROP COLUMN email_key;
