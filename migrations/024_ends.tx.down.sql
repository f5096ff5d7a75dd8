UPDATE reports SET data = data || '{"removed_by": {}, "figures": {"new_users": 0, "active_users": 0, "returning_users": 0, "rooms_opened": 0,
        "participants": 0, "minutes_together": 0, "messages": 0, "invitations_sent": 0, "invitations_accepted": 0, "mails_sent": 0,
        "mails_failed": 0, "avatars": 0, "removed": 0}}'
    WHERE kind = 'activity' AND data->'figures' = 'null';
UPDATE reports AS r SET data = r.data || jsonb_build_object('days', (
        SELECT jsonb_agg(CASE WHEN d.value->'figures' = 'null' THEN d.value || '{"figures": {"new_users": 0, "active_users": 0, "returning_users": 0,
            "rooms_opened": 0, "participants": 0, "minutes_together": 0, "messages": 0, "invitations_sent": 0, "invitations_accepted": 0,
            "mails_sent": 0, "mails_failed": 0, "avatars": 0, "removed": 0}}' ELSE d.value END ORDER BY d.ordinality)
        FROM jsonb_array_elements(r.data->'days') WITH ORDINALITY AS d))
    WHERE r.kind = 'activity' AND r.data->>'counted_since' IS NOT NULL;
UPDATE reports SET data = data - 'counted_since' WHERE kind = 'activity';
UPDATE outbox SET state = 'pending' WHERE state = 'abandoned';
ALTER TABLE outbox DROP CONSTRAINT outbox_state_known,
    ADD CONSTRAINT outbox_state_known CHECK (state IN ('pending', 'started'));
UPDATE email_attempts SET outcome = 'open', ended_at = NULL WHERE outcome = 'lost';
ALTER TABLE email_attempts DROP CONSTRAINT email_attempts_outcome_known;
ALTER TABLE emails DROP CONSTRAINT emails_reason_known, DROP COLUMN reason;
