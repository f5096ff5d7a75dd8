-- A pause of emails is the pause of a queue, as others are.
UPDATE audit SET target_kind = 'queue_pause', details = coalesce(details, '{}') || '{"queue": "email"}',
    action = CASE action WHEN 'emails_paused' THEN 'queue_paused' ELSE 'queue_resumed' END
    WHERE action IN ('emails_paused', 'emails_resumed');
