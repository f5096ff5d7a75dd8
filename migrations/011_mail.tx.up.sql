-- What each attempt at a mail came to. One without an end lasts, or its process ended in the middle.
CREATE TABLE email_attempts (
    email_id   uuid        NOT NULL CONSTRAINT email_attempts_email_fkey REFERENCES emails ON DELETE CASCADE,
    number     integer     NOT NULL,
    outcome    text        NOT NULL DEFAULT 'open',
    answer     text        NOT NULL DEFAULT '',
    ended_at   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_attempts_pkey PRIMARY KEY (email_id, number)
);
-- A mail that an admin sends again is another row. The former one may be gone before it.
ALTER TABLE emails ADD COLUMN resend_of uuid, DROP COLUMN ambiguous, DROP CONSTRAINT emails_kind_subject_key;
CREATE UNIQUE INDEX emails_kind_subject_key ON emails (kind, subject_id) WHERE resend_of IS NULL;
CREATE INDEX emails_state_idx ON emails (state, id DESC);
CREATE INDEX emails_kind_idx ON emails (kind, id DESC);
DROP INDEX emails_user_idx;
CREATE INDEX emails_user_idx ON emails (user_id, id DESC);
-- Times in which no mail is sent; at most one has no end.
CREATE TABLE mail_pauses (
    id         uuid        CONSTRAINT mail_pauses_pkey PRIMARY KEY,
    resumed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX mail_pauses_open_key ON mail_pauses ((true)) WHERE resumed_at IS NULL;
