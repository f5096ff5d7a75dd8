-- The processes that hold connections, by a lease: those of a process that is gone do not count.
CREATE TABLE live_nodes (
    id          uuid        CONSTRAINT live_nodes_pkey PRIMARY KEY,
    lease_until timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX live_nodes_lease_idx ON live_nodes (lease_until);

-- The connections to rooms, and what their players have reported; see playback.Member.
CREATE TABLE live_members (
    conn_id       uuid        CONSTRAINT live_members_pkey PRIMARY KEY,
    node_id       uuid        NOT NULL CONSTRAINT live_members_node_fkey REFERENCES live_nodes ON DELETE CASCADE,
    room_id       uuid        NOT NULL CONSTRAINT live_members_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id       uuid        NOT NULL CONSTRAINT live_members_user_fkey REFERENCES users ON DELETE CASCADE,
    -- Whether the room may wait for it: the page can be seen or heard, and its person has not opted out.
    counted       boolean     NOT NULL DEFAULT true,
    epoch         bigint      NOT NULL DEFAULT 0,
    ready_cue     bigint      NOT NULL DEFAULT 0,
    ended_cue     bigint      NOT NULL DEFAULT 0,
    duration_ms   bigint      NOT NULL DEFAULT 0,
    rtt_ms        integer     NOT NULL DEFAULT 0,
    stopped_at    timestamptz,
    set_aside_for timestamptz,
    since         timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX live_members_node_idx ON live_members (node_id);
CREATE INDEX live_members_room_idx ON live_members (room_id, user_id);
CREATE INDEX live_members_user_idx ON live_members (user_id, room_id);
