CREATE TABLE users (
    id                uuid        CONSTRAINT users_pkey PRIMARY KEY,
    username          text        NOT NULL,
    email             text        NOT NULL,
    display_name      text        NOT NULL,
    password_hash     text        NOT NULL,
    is_admin          boolean     NOT NULL DEFAULT false,
    email_verified_at timestamptz,
    -- The highest version given to an upload, and the one that is published.
    avatar_seq        integer     NOT NULL DEFAULT 0,
    avatar_version    integer     NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_username_length CHECK (char_length(username) BETWEEN 3 AND 32),
    CONSTRAINT users_avatar_version_known CHECK (avatar_version BETWEEN 0 AND avatar_seq)
);
CREATE UNIQUE INDEX users_username_key ON users (lower(username));
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

-- One row is one refresh token; a family is one sign-in.
CREATE TABLE sessions (
    id         uuid        CONSTRAINT sessions_pkey PRIMARY KEY,
    family_id  uuid        NOT NULL,
    user_id    uuid        NOT NULL CONSTRAINT sessions_user_fkey REFERENCES users ON DELETE CASCADE,
    token_hash bytea       NOT NULL CONSTRAINT sessions_token_hash_key UNIQUE,
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_family_idx ON sessions (family_id);
CREATE INDEX sessions_user_idx ON sessions (user_id);

CREATE TABLE movies (
    id              uuid        CONSTRAINT movies_pkey PRIMARY KEY,
    title           text        NOT NULL,
    year            integer     NOT NULL,
    runtime_minutes integer     NOT NULL,
    description     text        NOT NULL DEFAULT '',
    genres          text[]      NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT movies_title_year_key UNIQUE (title, year),
    CONSTRAINT movies_year_range CHECK (year BETWEEN 1870 AND 2200),
    CONSTRAINT movies_runtime_positive CHECK (runtime_minutes > 0)
);

CREATE TABLE rooms (
    id          uuid        CONSTRAINT rooms_pkey PRIMARY KEY,
    name        text        NOT NULL,
    description text        NOT NULL DEFAULT '',
    movie_id    uuid        CONSTRAINT rooms_movie_fkey REFERENCES movies,
    host_id     uuid        NOT NULL CONSTRAINT rooms_host_fkey REFERENCES users,
    visibility  text        NOT NULL,
    capacity    integer     NOT NULL,
    archived_at timestamptz,
    -- When somebody last came, went or spoke, to within ten minutes.
    last_active_at timestamptz NOT NULL DEFAULT now(),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT rooms_visibility_known CHECK (visibility IN ('public', 'unlisted', 'private')),
    CONSTRAINT rooms_capacity_range CHECK (capacity BETWEEN 2 AND 1000)
);
CREATE INDEX rooms_listed_idx ON rooms (id DESC) WHERE visibility = 'public' AND archived_at IS NULL;
CREATE INDEX rooms_host_idx ON rooms (host_id);
CREATE INDEX rooms_movie_idx ON rooms (movie_id);
CREATE INDEX rooms_open_active_idx ON rooms (last_active_at) WHERE archived_at IS NULL;

CREATE TABLE participants (
    room_id      uuid        NOT NULL CONSTRAINT participants_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id      uuid        NOT NULL CONSTRAINT participants_user_fkey REFERENCES users ON DELETE CASCADE,
    role         text        NOT NULL,
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT participants_pkey PRIMARY KEY (room_id, user_id),
    CONSTRAINT participants_role_known CHECK (role IN ('host', 'moderator', 'viewer'))
);
CREATE INDEX participants_user_idx ON participants (user_id);
CREATE INDEX participants_last_seen_idx ON participants (last_seen_at);

CREATE TABLE messages (
    id         uuid        CONSTRAINT messages_pkey PRIMARY KEY,
    room_id    uuid        NOT NULL CONSTRAINT messages_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id    uuid        CONSTRAINT messages_user_fkey REFERENCES users ON DELETE SET NULL,
    body       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX messages_room_idx ON messages (room_id, id DESC);
CREATE INDEX messages_user_idx ON messages (user_id);
CREATE INDEX messages_created_idx ON messages (created_at);

CREATE TABLE avatars (
    id         uuid        CONSTRAINT avatars_pkey PRIMARY KEY,
    user_id    uuid        NOT NULL CONSTRAINT avatars_user_fkey REFERENCES users ON DELETE CASCADE,
    version    integer     NOT NULL,
    state      text        NOT NULL,
    reason     text        NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT avatars_user_version_key UNIQUE (user_id, version),
    CONSTRAINT avatars_state_known CHECK (state IN ('processing', 'ready', 'failed', 'superseded'))
);

CREATE TABLE outbox (
    id              uuid        CONSTRAINT outbox_pkey PRIMARY KEY,
    workflow_id     text        NOT NULL CONSTRAINT outbox_workflow_id_key UNIQUE,
    workflow        text        NOT NULL,
    task_queue      text        NOT NULL,
    summary         text        NOT NULL DEFAULT '',
    input           jsonb       NOT NULL,
    state           text        NOT NULL DEFAULT 'pending',
    attempts        integer     NOT NULL DEFAULT 0,
    -- When it may next be claimed: after a backoff, or when a relay that claimed it has not come back.
    available_at    timestamptz NOT NULL DEFAULT now(),
    last_error      text        NOT NULL DEFAULT '',
    started_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT outbox_state_known CHECK (state IN ('pending', 'started'))
);
CREATE INDEX outbox_pending_idx ON outbox (available_at) WHERE state = 'pending';

CREATE TABLE emails (
    id          uuid        CONSTRAINT emails_pkey PRIMARY KEY,
    kind        text        NOT NULL,
    -- What the mail is about: the user of a welcome, the invitation of an invitation.
    subject_id  uuid        NOT NULL,
    user_id     uuid        CONSTRAINT emails_user_fkey REFERENCES users ON DELETE SET NULL,
    state       text        NOT NULL DEFAULT 'queued',
    attempts    integer     NOT NULL DEFAULT 0,
    last_answer text        NOT NULL DEFAULT '',
    -- Attempts after which the server may have the mail.
    ambiguous   integer     NOT NULL DEFAULT 0,
    workflow_id text        NOT NULL,
    sent_at     timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT emails_kind_subject_key UNIQUE (kind, subject_id),
    CONSTRAINT emails_state_known CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'cancelled'))
);
CREATE INDEX emails_user_idx ON emails (user_id);

CREATE TABLE cleanup_runs (
    id          uuid        CONSTRAINT cleanup_runs_pkey PRIMARY KEY,
    trigger     text        NOT NULL,
    started_by  uuid        CONSTRAINT cleanup_runs_user_fkey REFERENCES users ON DELETE SET NULL,
    policies    text[]      NOT NULL,
    dry_run     boolean     NOT NULL DEFAULT false,
    state       text        NOT NULL DEFAULT 'queued',
    counts      jsonb       NOT NULL DEFAULT '{}',
    errors      jsonb       NOT NULL DEFAULT '{}',
    workflow_id text        NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT cleanup_runs_trigger_known CHECK (trigger IN ('schedule', 'admin')),
    CONSTRAINT cleanup_runs_state_known CHECK (state IN ('queued', 'running', 'completed', 'failed'))
);
CREATE INDEX cleanup_runs_started_by_idx ON cleanup_runs (started_by);

CREATE TABLE reports (
    id           uuid        CONSTRAINT reports_pkey PRIMARY KEY,
    kind         text        NOT NULL,
    run_id       uuid        CONSTRAINT reports_run_key UNIQUE CONSTRAINT reports_run_fkey REFERENCES cleanup_runs ON DELETE CASCADE,
    period_start timestamptz NOT NULL,
    period_end   timestamptz NOT NULL,
    data         jsonb       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
