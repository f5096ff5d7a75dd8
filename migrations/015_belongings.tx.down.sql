DROP INDEX movies_archived_idx, invitations_email_idx, invitations_user_idx, bans_banned_by_idx, mutes_muted_by_idx;
CREATE INDEX invitations_user_idx ON invitations (user_id);
CREATE INDEX bans_banned_by_idx ON bans (banned_by);
CREATE INDEX mutes_muted_by_idx ON mutes (muted_by);
