UPDATE reports SET data = data || '{"older_than_seconds": 0}'
WHERE kind = 'cleanup' AND data -> 'older_than_seconds' = 'null';
