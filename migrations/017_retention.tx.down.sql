DROP TRIGGER rooms_reopened ON rooms;
DROP FUNCTION forget_retirement();
ALTER TABLE messages RESET (autovacuum_vacuum_scale_factor);
DROP INDEX outbox_started_idx, emails_ended_idx, invitations_ended_idx, sessions_revoked_idx, sessions_expires_idx,
    password_resets_expires_idx, email_verifications_expires_idx, users_unverified_idx, rooms_deleted_idx, rooms_retired_idx;
ALTER TABLE rooms DROP COLUMN retired_at;
UPDATE cleanup_runs SET state = 'failed' WHERE state = 'cancelled';
ALTER TABLE cleanup_runs DROP CONSTRAINT cleanup_runs_state_known,
    ADD CONSTRAINT cleanup_runs_state_known CHECK (state IN ('queued', 'running', 'completed', 'failed')),
    DROP COLUMN cancelled_at, DROP COLUMN samples, DROP COLUMN policy, DROP COLUMN older_than_s;
