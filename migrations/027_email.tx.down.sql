UPDATE audit SET action = CASE action
        WHEN 'email_resent' THEN 'mail_resent'
        WHEN 'email_cancelled' THEN 'mail_cancelled'
        WHEN 'emails_paused' THEN 'mails_paused'
        WHEN 'emails_resumed' THEN 'mails_resumed'
        ELSE action
    END,
    target_kind = CASE target_kind WHEN 'email' THEN 'mail' WHEN 'email_pause' THEN 'mail_pause' ELSE target_kind END
WHERE target_kind IN ('email', 'email_pause');

UPDATE reports SET data = replace(replace(data::text, '"emails_sent"', '"mails_sent"'), '"emails_failed"', '"mails_failed"')::jsonb
WHERE kind = 'activity';
