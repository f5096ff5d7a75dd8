ALTER TABLE rooms
    ALTER COLUMN host_id DROP NOT NULL,
    -- Counts the changes of the room's own properties; people who come and go do not count.
    ADD COLUMN version           integer     NOT NULL DEFAULT 1,
    ADD COLUMN slow_mode_seconds integer     NOT NULL DEFAULT 0,
    -- From then on it does not exist for anyone; clean-up removes the row. A deleted room is archived too.
    ADD COLUMN deleted_at        timestamptz,
    ADD COLUMN search            tsvector    GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || description)) STORED,
    ADD CONSTRAINT rooms_slow_mode_range CHECK (slow_mode_seconds BETWEEN 0 AND 3600),
    ADD CONSTRAINT rooms_open_has_host CHECK (host_id IS NOT NULL OR archived_at IS NOT NULL),
    ADD CONSTRAINT rooms_deleted_is_archived CHECK (deleted_at IS NULL OR archived_at IS NOT NULL);
-- Lists are read by key, the newest first.
DROP INDEX rooms_host_idx;
CREATE INDEX rooms_host_idx ON rooms (host_id, id DESC);
CREATE INDEX rooms_search_idx ON rooms USING gin (search) WHERE visibility = 'public' AND archived_at IS NULL;

-- Who has a standing in a room, there or not: its moderators, and those whom a private room lets in. The host is in
-- rooms.host_id.
CREATE TABLE members (
    room_id    uuid        NOT NULL CONSTRAINT members_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id    uuid        NOT NULL CONSTRAINT members_user_fkey REFERENCES users ON DELETE CASCADE,
    role       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT members_pkey PRIMARY KEY (room_id, user_id),
    CONSTRAINT members_role_known CHECK (role IN ('moderator', 'viewer'))
);
CREATE INDEX members_user_idx ON members (user_id, room_id DESC);
INSERT INTO members (room_id, user_id, role)
    SELECT p.room_id, p.user_id, p.role FROM participants AS p JOIN rooms AS r ON r.id = p.room_id
    WHERE p.user_id <> r.host_id AND (p.role = 'moderator' OR p.role = 'viewer' AND r.visibility = 'private');
ALTER TABLE participants DROP COLUMN role;
DROP INDEX participants_user_idx;
CREATE INDEX participants_user_idx ON participants (user_id, room_id DESC);

CREATE TABLE bans (
    room_id    uuid        NOT NULL CONSTRAINT bans_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id    uuid        NOT NULL CONSTRAINT bans_user_fkey REFERENCES users ON DELETE CASCADE,
    banned_by  uuid        CONSTRAINT bans_banned_by_fkey REFERENCES users ON DELETE SET NULL,
    reason     text        NOT NULL DEFAULT '',
    until      timestamptz, -- for ever without
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bans_pkey PRIMARY KEY (room_id, user_id)
);
CREATE INDEX bans_room_idx ON bans (room_id, created_at DESC, user_id DESC);
CREATE INDEX bans_user_idx ON bans (user_id);
CREATE INDEX bans_banned_by_idx ON bans (banned_by);

CREATE TABLE mutes (
    room_id    uuid        NOT NULL CONSTRAINT mutes_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id    uuid        NOT NULL CONSTRAINT mutes_user_fkey REFERENCES users ON DELETE CASCADE,
    muted_by   uuid        CONSTRAINT mutes_muted_by_fkey REFERENCES users ON DELETE SET NULL,
    reason     text        NOT NULL DEFAULT '',
    until      timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT mutes_pkey PRIMARY KEY (room_id, user_id)
);
CREATE INDEX mutes_room_idx ON mutes (room_id, created_at DESC, user_id DESC);
CREATE INDEX mutes_user_idx ON mutes (user_id);
CREATE INDEX mutes_muted_by_idx ON mutes (muted_by);

CREATE TABLE room_log (
    id         uuid        CONSTRAINT room_log_pkey PRIMARY KEY,
    room_id    uuid        NOT NULL CONSTRAINT room_log_room_fkey REFERENCES rooms ON DELETE CASCADE,
    actor_id   uuid        CONSTRAINT room_log_actor_fkey REFERENCES users ON DELETE SET NULL,
    target_id  uuid        CONSTRAINT room_log_target_fkey REFERENCES users ON DELETE SET NULL,
    action     text        NOT NULL,
    details    jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX room_log_room_idx ON room_log (room_id, id DESC);
CREATE INDEX room_log_actor_idx ON room_log (actor_id);
CREATE INDEX room_log_target_idx ON room_log (target_id);

CREATE TABLE invitations (
    id          uuid        CONSTRAINT invitations_pkey PRIMARY KEY,
    room_id     uuid        NOT NULL CONSTRAINT invitations_room_fkey REFERENCES rooms ON DELETE CASCADE,
    inviter_id  uuid        CONSTRAINT invitations_inviter_fkey REFERENCES users ON DELETE SET NULL,
    -- Who accepted it, which may be someone with another address.
    user_id     uuid        CONSTRAINT invitations_user_fkey REFERENCES users ON DELETE SET NULL,
    email       text        NOT NULL,
    state       text        NOT NULL DEFAULT 'open',
    expires_at  timestamptz NOT NULL,
    answered_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invitations_state_known CHECK (state IN ('open', 'accepted', 'declined', 'revoked', 'expired'))
);
CREATE UNIQUE INDEX invitations_open_key ON invitations (room_id, lower(email)) WHERE state = 'open';
CREATE INDEX invitations_room_idx ON invitations (room_id, id DESC);
CREATE INDEX invitations_room_state_idx ON invitations (room_id, state, id DESC);
CREATE INDEX invitations_inviter_idx ON invitations (inviter_id);
CREATE INDEX invitations_user_idx ON invitations (user_id);
