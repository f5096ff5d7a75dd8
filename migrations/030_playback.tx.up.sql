-- What a room has to play, in the order of rank. An item is of the catalogue, or an https address of the room's own.
CREATE TABLE queue_items (
    id          uuid        CONSTRAINT queue_items_pkey PRIMARY KEY,
    room_id     uuid        NOT NULL CONSTRAINT queue_items_room_fkey REFERENCES rooms ON DELETE CASCADE,
    movie_id    uuid        CONSTRAINT queue_items_movie_fkey REFERENCES movies,
    title       text        NOT NULL DEFAULT '', -- of an address
    stream_url  text        NOT NULL DEFAULT '', -- of an address
    -- Who added it, if the account is still there.
    added_by    uuid        CONSTRAINT queue_items_added_by_fkey REFERENCES users ON DELETE SET NULL,
    rank        bigint      NOT NULL,
    -- When it left the queue to be played. Once it is over its row is gone.
    played_at   timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT queue_items_one_source CHECK ((movie_id IS NULL) = (stream_url <> ''))
);
CREATE INDEX queue_items_room_idx ON queue_items (room_id, rank, id);
CREATE INDEX queue_items_movie_idx ON queue_items (movie_id);
CREATE INDEX queue_items_added_by_idx ON queue_items (added_by);

CREATE TABLE queue_votes (
    item_id    uuid        NOT NULL CONSTRAINT queue_votes_item_fkey REFERENCES queue_items ON DELETE CASCADE,
    room_id    uuid        NOT NULL CONSTRAINT queue_votes_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id    uuid        NOT NULL CONSTRAINT queue_votes_user_fkey REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT queue_votes_pkey PRIMARY KEY (item_id, user_id)
);
CREATE INDEX queue_votes_room_idx ON queue_votes (room_id, user_id);
CREATE INDEX queue_votes_user_idx ON queue_votes (user_id, room_id);

-- Somebody's vote to skip what plays. It counts while epoch is the one of playbacks.
CREATE TABLE skip_votes (
    room_id    uuid        NOT NULL CONSTRAINT skip_votes_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id    uuid        NOT NULL CONSTRAINT skip_votes_user_fkey REFERENCES users ON DELETE CASCADE,
    epoch      bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT skip_votes_pkey PRIMARY KEY (room_id, user_id)
);
CREATE INDEX skip_votes_user_idx ON skip_votes (user_id, room_id);

-- The state of a room's playback; see package playback. A room that has never played anything has no row.
CREATE TABLE playbacks (
    room_id        uuid             CONSTRAINT playbacks_pkey PRIMARY KEY
                                    CONSTRAINT playbacks_room_fkey REFERENCES rooms ON DELETE CASCADE,
    state          text             NOT NULL DEFAULT 'idle',
    item_id        uuid             CONSTRAINT playbacks_item_fkey REFERENCES queue_items ON DELETE SET NULL,
    runtime_ms     bigint           NOT NULL DEFAULT 0,
    duration_ms    bigint           NOT NULL DEFAULT 0,
    duration_exact boolean          NOT NULL DEFAULT false,
    position_ms    bigint           NOT NULL DEFAULT 0,
    at             timestamptz      NOT NULL DEFAULT now(),
    rate           double precision NOT NULL DEFAULT 1,
    revision       bigint           NOT NULL DEFAULT 0,
    epoch          bigint           NOT NULL DEFAULT 0,
    cue            bigint           NOT NULL DEFAULT 0,
    resume         boolean          NOT NULL DEFAULT false,
    wait_for       text             NOT NULL DEFAULT '',
    wait_until     timestamptz,
    ends_at        timestamptz,
    starts_at      timestamptz,
    by             uuid             CONSTRAINT playbacks_by_fkey REFERENCES users ON DELETE SET NULL,
    cause          text             NOT NULL DEFAULT '',
    -- The latest commands: ID, revision after it, digest of its content.
    recent         jsonb            NOT NULL DEFAULT '[]',
    -- The revision after the latest command that recent does not have any more.
    forgotten      bigint           NOT NULL DEFAULT 0,
    -- Counts the changes of the queue and of the votes.
    queue_version  bigint           NOT NULL DEFAULT 0,
    -- When somebody was last known to be connected.
    attended_at    timestamptz      NOT NULL DEFAULT now(),
    created_at     timestamptz      NOT NULL DEFAULT now(),
    updated_at     timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT playbacks_state_known CHECK (state IN ('idle', 'waiting', 'playing', 'paused')),
    CONSTRAINT playbacks_wait_has_deadline CHECK ((state = 'waiting') = (wait_until IS NOT NULL)),
    CONSTRAINT playbacks_position_range CHECK (position_ms >= 0 AND (duration_ms = 0 OR position_ms <= duration_ms))
);
CREATE INDEX playbacks_item_idx ON playbacks (item_id);
CREATE INDEX playbacks_by_idx ON playbacks (by);
-- What time ends.
CREATE INDEX playbacks_due_idx ON playbacks (least(ends_at, wait_until, starts_at))
    WHERE ends_at IS NOT NULL OR wait_until IS NOT NULL OR starts_at IS NOT NULL;
CREATE INDEX playbacks_attended_idx ON playbacks (attended_at) WHERE state IN ('waiting', 'playing');

-- An archived room plays nothing, whoever archives it. playback.Archived does the same.
CREATE FUNCTION end_playback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE playbacks SET state = 'idle', item_id = NULL, runtime_ms = 0, duration_ms = 0, duration_exact = false,
        position_ms = 0, at = clock_timestamp(), rate = 1, revision = revision + 1, epoch = epoch + 1, cue = cue + 1,
        resume = false, wait_for = '', wait_until = NULL, ends_at = NULL, starts_at = NULL, by = NULL, cause = 'archived',
        updated_at = clock_timestamp()
        WHERE room_id = NEW.id AND state <> 'idle';
    DELETE FROM queue_items WHERE room_id = NEW.id AND played_at IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER rooms_end_playback AFTER UPDATE ON rooms FOR EACH ROW
    WHEN (OLD.archived_at IS NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION end_playback();
