-- How long the stream is: a runtime is to the minute only. 0 for what nobody has measured.
ALTER TABLE movies
    ADD COLUMN duration_ms bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT movies_duration_range CHECK (duration_ms BETWEEN 0 AND 360000000);

-- WebVTT files, one for each language.
CREATE TABLE subtitles (
    movie_id   uuid        NOT NULL CONSTRAINT subtitles_movie_fkey REFERENCES movies ON DELETE CASCADE,
    language   text        NOT NULL, -- a BCP 47 tag
    url        text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT subtitles_pkey PRIMARY KEY (movie_id, language)
);
