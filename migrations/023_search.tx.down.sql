DROP INDEX IF EXISTS movies_genres_idx;
ALTER TABLE users DROP COLUMN search;
ALTER TABLE rooms DROP COLUMN search, ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || description)) STORED;
ALTER TABLE movies
    DROP COLUMN searched_genres,
    DROP COLUMN search,
    ADD COLUMN search tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', description), 'B')) STORED;
CREATE INDEX movies_search_idx ON movies USING gin (search);
CREATE INDEX movies_genres_idx ON movies USING gin (genres);
CREATE INDEX rooms_search_idx ON rooms USING gin (search) WHERE visibility = 'public' AND archived_at IS NULL;
CREATE INDEX users_username_prefix_idx ON users (lower(username) text_pattern_ops);
DROP FUNCTION search_genres(text[]);
DROP FUNCTION search_lexemes(text[], text);
DROP FUNCTION search_words(text, text, boolean);
DROP FUNCTION search_fold(text, boolean);
