-- Addresses that want no invitations. What is kept is their hash.
CREATE TABLE invitation_optouts (
    id         uuid        CONSTRAINT invitation_optouts_pkey PRIMARY KEY,
    email_hash bytea       NOT NULL CONSTRAINT invitation_optouts_email_key UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
