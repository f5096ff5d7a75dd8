-- While an account is suspended, its admin may have hidden what it made: the rooms that it hosts and its messages. Reads
-- look at the account, so that hiding and showing again is one row, whatever the account has made.
ALTER TABLE users ADD COLUMN hidden_at timestamptz,
    ADD CONSTRAINT users_hidden_is_suspended CHECK (hidden_at IS NULL OR suspended_at IS NOT NULL);
-- Former versions do not know the column when they reinstate an account.
CREATE FUNCTION show_reinstated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.hidden_at := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER users_reinstated BEFORE UPDATE OF suspended_at ON users FOR EACH ROW
    WHEN (NEW.suspended_at IS NULL AND NEW.hidden_at IS NOT NULL) EXECUTE FUNCTION show_reinstated();

-- Whether an account is suspended, for lists of rooms: as a condition in the query, the planner would take it for far dearer
-- than it is, and read more by other indexes in order to spare it.
CREATE FUNCTION account_suspended(account uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 AS $$
BEGIN
    RETURN EXISTS (SELECT FROM users WHERE id = account AND suspended_at IS NOT NULL);
END $$;

-- When an admin closed it: from then on its host cannot open it.
ALTER TABLE rooms ADD COLUMN closed_at timestamptz,
    ADD CONSTRAINT rooms_closed_is_archived CHECK (closed_at IS NULL OR archived_at IS NOT NULL);

-- What people report to admins. The snapshot is what was reported as it was then: whoever made it can change or delete it
-- meanwhile. Without foreign keys to what it is about, which it outlives.
CREATE TABLE abuse_reports (
    id          uuid        CONSTRAINT abuse_reports_pkey PRIMARY KEY,
    kind        text        NOT NULL,
    target_kind text        NOT NULL,
    target_id   uuid        NOT NULL,
    -- The account that made it: a message's author, a room's host, or the account itself.
    subject_id  uuid,
    -- Of a room, or of a message.
    room_id     uuid,
    reporter_id uuid        CONSTRAINT abuse_reports_reporter_fkey REFERENCES users ON DELETE SET NULL,
    body        text        NOT NULL DEFAULT '',
    -- None once the report is resolved and the account is deleted.
    snapshot    jsonb,
    state       text        NOT NULL DEFAULT 'open',
    outcome     text,
    note        text        NOT NULL DEFAULT '',
    resolved_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT abuse_reports_kind_known
        CHECK (kind IN ('spam', 'harassment', 'hate', 'sexual', 'violence', 'illegal', 'other')),
    CONSTRAINT abuse_reports_target_known CHECK (target_kind IN ('room', 'message', 'user')),
    CONSTRAINT abuse_reports_state_known CHECK (state IN ('open', 'resolved')),
    CONSTRAINT abuse_reports_outcome_known CHECK (outcome IN ('dismissed', 'acted')),
    CONSTRAINT abuse_reports_resolved_has_outcome
        CHECK ((state = 'resolved') = (outcome IS NOT NULL) AND (state = 'resolved') = (resolved_at IS NOT NULL))
);
CREATE UNIQUE INDEX abuse_reports_open_key ON abuse_reports (reporter_id, target_id) WHERE state = 'open';
CREATE INDEX abuse_reports_reporter_idx ON abuse_reports (reporter_id, id);
CREATE INDEX abuse_reports_state_idx ON abuse_reports (state, id DESC);
CREATE INDEX abuse_reports_kind_idx ON abuse_reports (kind, id DESC);
CREATE INDEX abuse_reports_target_idx ON abuse_reports (target_kind, id DESC);
CREATE INDEX abuse_reports_subject_idx ON abuse_reports (subject_id, id DESC);
CREATE INDEX abuse_reports_resolved_idx ON abuse_reports (resolved_at) WHERE resolved_at IS NOT NULL;
