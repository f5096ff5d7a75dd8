UPDATE reports
SET data = (data - 'older_than_seconds') || jsonb_build_object('older_than_s', data -> 'older_than_seconds')
WHERE data ? 'older_than_seconds';
