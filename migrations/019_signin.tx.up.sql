-- Clients that have signed in to an account. Guesses of its password are counted apart for each of them, so that those of
-- strangers do not lock the account's owner out.
CREATE TABLE known_clients (
    id          uuid        CONSTRAINT known_clients_pkey PRIMARY KEY,
    user_id     uuid        NOT NULL CONSTRAINT known_clients_user_fkey REFERENCES users ON DELETE CASCADE,
    -- A keyed hash of the account and the client's address.
    client_hash bytea       NOT NULL,
    -- From the latest sign-in on.
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT known_clients_user_client_key UNIQUE (user_id, client_hash)
);
CREATE INDEX known_clients_expires_idx ON known_clients (expires_at);
