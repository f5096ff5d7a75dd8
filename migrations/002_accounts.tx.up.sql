ALTER TABLE users
    ADD COLUMN suspended_at timestamptz,
    -- What names a person is gone from then on; the row follows when the files have gone and the messages are anonymous.
    ADD COLUMN deleted_at   timestamptz;
CREATE INDEX users_suspended_idx ON users (id DESC) WHERE suspended_at IS NOT NULL;
CREATE INDEX users_username_prefix_idx ON users (lower(username) text_pattern_ops);
CREATE INDEX users_email_prefix_idx ON users (lower(email) text_pattern_ops);

ALTER TABLE sessions
    ADD COLUMN user_agent   text        NOT NULL DEFAULT '',
    -- When the family began.
    ADD COLUMN signed_in_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX sessions_live_idx ON sessions (user_id, family_id DESC) WHERE rotated_at IS NULL AND revoked_at IS NULL;
UPDATE sessions AS s SET signed_in_at = f.created_at FROM sessions AS f WHERE f.id = s.family_id;

-- An address that its user has yet to confirm: the first one, or the one that is to replace it.
CREATE TABLE email_verifications (
    id         uuid        CONSTRAINT email_verifications_pkey PRIMARY KEY,
    user_id    uuid        NOT NULL CONSTRAINT email_verifications_user_fkey REFERENCES users ON DELETE CASCADE,
    email      text        NOT NULL,
    -- The address that it replaced, which is told.
    former     text,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
-- Of each user's, only the newest is in force.
CREATE INDEX email_verifications_user_idx ON email_verifications (user_id, id DESC);

-- Asked for with an address that nobody has, a reset has no user; the answer is the same.
CREATE TABLE password_resets (
    id         uuid        CONSTRAINT password_resets_pkey PRIMARY KEY,
    user_id    uuid        CONSTRAINT password_resets_user_fkey REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX password_resets_user_idx ON password_resets (user_id, id DESC);

-- What one account said, in order: for its export.
DROP INDEX messages_user_idx;
CREATE INDEX messages_user_idx ON messages (user_id, id);
