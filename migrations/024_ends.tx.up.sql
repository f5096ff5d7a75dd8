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
