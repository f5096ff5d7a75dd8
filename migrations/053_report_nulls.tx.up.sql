-- Reports of clean-up have null where a run kept the ages of the policies, and an object of errors when there are none.
UPDATE reports SET data = data || jsonb_build_object(
    'older_than_seconds', nullif(data -> 'older_than_seconds', '0'),
    'errors', coalesce(nullif(data -> 'errors', 'null'), '{}'))
WHERE kind = 'cleanup' AND (data -> 'older_than_seconds' = '0' OR data -> 'errors' = 'null');
