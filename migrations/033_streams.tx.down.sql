DROP TABLE subtitles;
ALTER TABLE movies DROP COLUMN duration_ms;
