-- Reports of clean-up name their unit as clean-up runs do.
UPDATE reports SET data = (data - 'older_than_s') || jsonb_build_object('older_than_seconds', data -> 'older_than_s')
WHERE data ? 'older_than_s';
