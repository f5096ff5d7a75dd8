-- Why a mail was not sent, in a code that may be shown to whoever asked for it.
ALTER TABLE emails ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD CONSTRAINT emails_reason_known CHECK (reason IN ('', 'address_rejected', 'mailbox_full', 'message_rejected',
        'server_unreachable', 'unconfirmed', 'expired', 'cancelled', 'opted_out'));
UPDATE emails SET reason = CASE
    WHEN last_answer ~ '^552' THEN 'mailbox_full'
    WHEN last_answer ~ '^55[013]' THEN 'address_rejected'
    WHEN last_answer ~ '^5' THEN 'message_rejected'
    ELSE 'server_unreachable' END WHERE state = 'failed';
ALTER TABLE email_attempts ADD CONSTRAINT email_attempts_outcome_known CHECK (outcome IN ('open', 'sent', 'temporary', 'later',
    'unreachable', 'ambiguous', 'permanent', 'cancelled', 'lost'));
-- An event that Temporal has not taken for so long that nothing it is about waits for it any more.
ALTER TABLE outbox DROP CONSTRAINT outbox_state_known,
    ADD CONSTRAINT outbox_state_known CHECK (state IN ('pending', 'started', 'abandoned'));

-- The mails of an invitation.
CREATE INDEX emails_subject_idx ON emails (subject_id, id DESC);
-- What time ends, the oldest first.
CREATE INDEX invitations_open_idx ON invitations (expires_at) WHERE state = 'open';
CREATE INDEX emails_unfinished_idx ON emails (updated_at) WHERE state IN ('queued', 'sending');
CREATE INDEX email_attempts_open_idx ON email_attempts (created_at) WHERE outcome = 'open';
CREATE INDEX avatars_processing_idx ON avatars (updated_at) WHERE state = 'processing';
CREATE INDEX cleanup_runs_unfinished_idx ON cleanup_runs (updated_at) WHERE state IN ('queued', 'running');
CREATE INDEX users_deleted_idx ON users (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX outbox_abandoned_idx ON outbox (updated_at) WHERE state = 'abandoned';

-- Reports say what was not counted: of days before activity_since the former ones said 0.
UPDATE reports AS r SET data = r.data || jsonb_build_object('counted_since',
        CASE WHEN r.data->>'from' < to_char(s.day, 'YYYY-MM-DD') THEN to_char(s.day, 'YYYY-MM-DD') END)
    FROM activity_since AS s WHERE r.kind = 'activity';
UPDATE reports AS r SET data = r.data || jsonb_build_object('days', (
        SELECT jsonb_agg(CASE WHEN d.value->>'day' < r.data->>'counted_since' THEN d.value || '{"figures": null}' ELSE d.value END ORDER BY d.ordinality)
        FROM jsonb_array_elements(r.data->'days') WITH ORDINALITY AS d))
    WHERE r.kind = 'activity' AND r.data->>'counted_since' IS NOT NULL;
UPDATE reports SET data = data || '{"figures": null, "removed_by": null}'
    WHERE kind = 'activity' AND data->>'to' < data->>'counted_since';
