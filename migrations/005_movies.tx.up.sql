ALTER TABLE movies
    ADD COLUMN poster_url  text        NOT NULL DEFAULT '',
    ADD COLUMN stream_url  text        NOT NULL DEFAULT '',
    ADD COLUMN version     integer     NOT NULL DEFAULT 1,
    -- From then on it is not in the catalogue; rooms that have it keep it.
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN search      tsvector    GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', description), 'B')) STORED;
CREATE INDEX movies_listed_idx ON movies (id) WHERE archived_at IS NULL;
CREATE INDEX movies_search_idx ON movies USING gin (search);
CREATE INDEX movies_genres_idx ON movies USING gin (genres);
