-- An email is called email in what is stored, as it is everywhere else.
UPDATE audit SET action = CASE action
        WHEN 'mail_resent' THEN 'email_resent'
        WHEN 'mail_cancelled' THEN 'email_cancelled'
        WHEN 'mails_paused' THEN 'emails_paused'
        WHEN 'mails_resumed' THEN 'emails_resumed'
        ELSE action
    END,
    target_kind = CASE target_kind WHEN 'mail' THEN 'email' WHEN 'mail_pause' THEN 'email_pause' ELSE target_kind END
WHERE target_kind IN ('mail', 'mail_pause');

UPDATE reports SET data = replace(replace(data::text, '"mails_sent"', '"emails_sent"'), '"mails_failed"', '"emails_failed"')::jsonb
WHERE kind = 'activity';
