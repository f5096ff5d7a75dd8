-- What a request with an Idempotency-Key made, committed together with it.
CREATE TABLE idempotency_keys (
    id          uuid        CONSTRAINT idempotency_keys_pkey PRIMARY KEY,
    -- Of the operation, the caller and the key.
    key_hash    bytea       NOT NULL CONSTRAINT idempotency_keys_hash_key UNIQUE,
    -- Of the request's body, under a secret: it may hold a password.
    fingerprint bytea       NOT NULL,
    resource_id uuid        NOT NULL,
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotency_keys_expires_idx ON idempotency_keys (expires_at);
