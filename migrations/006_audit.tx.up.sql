CREATE TABLE audit (
    id          uuid        CONSTRAINT audit_pkey PRIMARY KEY,
    actor_id    uuid        CONSTRAINT audit_actor_fkey REFERENCES users ON DELETE SET NULL, -- none: an operator's command
    action      text        NOT NULL,
    target_kind text        NOT NULL,
    target_id   uuid        NOT NULL,
    details     jsonb       NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_actor_idx ON audit (actor_id, id DESC);
CREATE INDEX audit_target_idx ON audit (target_id, id DESC);
CREATE INDEX audit_action_idx ON audit (action, id DESC);
-- Of a run that the schedule starts, the ID does not tell when that was.
CREATE INDEX cleanup_runs_created_idx ON cleanup_runs (created_at DESC, id DESC);
