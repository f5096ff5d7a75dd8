ALTER TABLE cleanup_runs
    -- Seconds, in place of the policies' own ages; 0 without.
    ADD COLUMN older_than_s bigint NOT NULL DEFAULT 0,
    -- The one that is applied now.
    ADD COLUMN policy       text  NOT NULL DEFAULT '',
    -- IDs of some of what a dry run counted.
    ADD COLUMN samples      jsonb NOT NULL DEFAULT '{}',
    -- From then on no batch begins.
    ADD COLUMN cancelled_at timestamptz,
    DROP CONSTRAINT cleanup_runs_state_known,
    ADD CONSTRAINT cleanup_runs_state_known CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled'));
-- When clean-up archived it; it is deleted for good some time after. Whoever opens it again keeps it.
ALTER TABLE rooms ADD COLUMN retired_at timestamptz,
    ADD CONSTRAINT rooms_retired_is_archived CHECK (retired_at IS NULL OR archived_at IS NOT NULL);
-- Former versions do not know the column when they open a room again.
CREATE FUNCTION forget_retirement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.retired_at := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER rooms_reopened BEFORE UPDATE OF archived_at ON rooms FOR EACH ROW
    WHEN (NEW.archived_at IS NULL AND NEW.retired_at IS NOT NULL) EXECUTE FUNCTION forget_retirement();
-- What each policy looks for, the oldest first.
CREATE INDEX rooms_retired_idx ON rooms (retired_at DESC, id DESC) WHERE retired_at IS NOT NULL;
CREATE INDEX rooms_deleted_idx ON rooms (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_unverified_idx ON users (created_at) WHERE email_verified_at IS NULL AND deleted_at IS NULL;
CREATE INDEX email_verifications_expires_idx ON email_verifications (expires_at);
CREATE INDEX password_resets_expires_idx ON password_resets (expires_at);
CREATE INDEX sessions_expires_idx ON sessions (expires_at);
CREATE INDEX sessions_revoked_idx ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX invitations_ended_idx ON invitations (updated_at) WHERE state <> 'open';
CREATE INDEX emails_ended_idx ON emails (updated_at) WHERE state IN ('sent', 'failed', 'cancelled');
CREATE INDEX outbox_started_idx ON outbox (started_at) WHERE state = 'started';
-- A night's share of what is removed is far less than the fifth of a large table at which vacuum begins by default.
ALTER TABLE messages SET (autovacuum_vacuum_scale_factor = 0.01);
