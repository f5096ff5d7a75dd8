-- What belongs to somebody is found in the order in which it is exported; invitations also by their address, which goes
-- with its account.
CREATE INDEX invitations_email_idx ON invitations (lower(email));
DROP INDEX invitations_user_idx, bans_banned_by_idx, mutes_muted_by_idx;
CREATE INDEX invitations_user_idx ON invitations (user_id, id);
CREATE INDEX bans_banned_by_idx ON bans (banned_by, id);
CREATE INDEX mutes_muted_by_idx ON mutes (muted_by, id);
-- Movies that are not in the catalogue any more are few.
CREATE INDEX movies_archived_idx ON movies (id) WHERE archived_at IS NOT NULL;
