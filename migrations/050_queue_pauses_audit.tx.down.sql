UPDATE audit SET target_kind = 'email_pause', details = details - 'queue',
    action = CASE action WHEN 'queue_paused' THEN 'emails_paused' ELSE 'emails_resumed' END
    WHERE target_kind = 'queue_pause' AND details->>'queue' = 'email';
