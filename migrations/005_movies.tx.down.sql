DROP INDEX movies_listed_idx, movies_search_idx, movies_genres_idx;
ALTER TABLE movies DROP COLUMN poster_url, DROP COLUMN stream_url, DROP COLUMN version, DROP COLUMN archived_at, DROP COLUMN search;
