-- Addresses that are told of events.
CREATE TABLE webhooks (
    id            uuid        CONSTRAINT webhooks_pkey PRIMARY KEY,
    url           text        NOT NULL,
    description   text        NOT NULL DEFAULT '',
    kinds         text[]      NOT NULL,
    -- The keys of the signatures, encrypted (auth.Sealer); empty once the webhook is removed.
    secret        bytea       NOT NULL,
    former_secret bytea,
    former_until  timestamptz,
    off_at        timestamptz,
    off_reason    text        NOT NULL DEFAULT '',
    -- Since when no attempt has succeeded, and how many have failed since; null and 0 when the latest one succeeded.
    failing_since timestamptz,
    failures      integer     NOT NULL DEFAULT 0,
    delivered_at  timestamptz,
    deleted_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhooks_off_reason_known CHECK (off_reason IN ('', 'admin', 'failing', 'gone'))
);
CREATE INDEX webhooks_deleted_idx ON webhooks (deleted_at) WHERE deleted_at IS NOT NULL;

-- One event for one webhook.
CREATE TABLE webhook_deliveries (
    id              uuid        CONSTRAINT webhook_deliveries_pkey PRIMARY KEY,
    webhook_id      uuid        NOT NULL CONSTRAINT webhook_deliveries_webhook_fkey REFERENCES webhooks,
    -- The same for all webhooks that are told of an event.
    event_id        uuid        NOT NULL,
    kind            text        NOT NULL,
    body            text        NOT NULL,
    state           text        NOT NULL DEFAULT 'pending',
    reason          text        NOT NULL DEFAULT '',
    -- Counts how often it was begun: once by the event, and once by each redelivery. Each has its own workflow.
    round           integer     NOT NULL DEFAULT 1,
    attempts        integer     NOT NULL DEFAULT 0,
    round_attempts  integer     NOT NULL DEFAULT 0,
    last_status     integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    deadline_at     timestamptz NOT NULL,
    workflow_id     text        NOT NULL,
    ended_at        timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_deliveries_event_key UNIQUE (event_id, webhook_id),
    CONSTRAINT webhook_deliveries_state_known CHECK (state IN ('pending', 'delivered', 'failed', 'cancelled')),
    CONSTRAINT webhook_deliveries_reason_known CHECK (reason IN ('', 'attempts', 'gone', 'webhook_off', 'stopped', 'lost'))
);
CREATE INDEX webhook_deliveries_order_idx ON webhook_deliveries (webhook_id, id DESC);
CREATE INDEX webhook_deliveries_state_order_idx ON webhook_deliveries (webhook_id, state, id DESC)
    WHERE state <> 'delivered';
CREATE INDEX webhook_deliveries_kind_order_idx ON webhook_deliveries (webhook_id, kind, id DESC);
CREATE INDEX webhook_deliveries_pending_idx ON webhook_deliveries (deadline_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_touched_idx ON webhook_deliveries (updated_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_ended_idx ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE webhook_attempts (
    delivery_id uuid        NOT NULL CONSTRAINT webhook_attempts_delivery_fkey
        REFERENCES webhook_deliveries ON DELETE CASCADE,
    number      integer     NOT NULL,
    outcome     text        NOT NULL DEFAULT 'open',
    http_status integer     NOT NULL DEFAULT 0,
    ended_at    timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_attempts_pkey PRIMARY KEY (delivery_id, number),
    CONSTRAINT webhook_attempts_outcome_known CHECK (outcome IN ('open', 'delivered', 'status', 'redirect', 'gone',
        'timeout', 'name', 'connection', 'tls', 'blocked', 'lost'))
);
CREATE INDEX webhook_attempts_open_idx ON webhook_attempts (created_at) WHERE outcome = 'open';

-- The new list only allows more, so that existing rows need no check.
ALTER TABLE queue_pauses DROP CONSTRAINT queue_pauses_queue_known;
ALTER TABLE queue_pauses ADD CONSTRAINT queue_pauses_queue_known
    CHECK (queue IN ('avatar', 'maintenance', 'webhooks')) NOT VALID;
