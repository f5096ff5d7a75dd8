-- Whom and what the work of an event is about, so that operators find it in Temporal. No foreign keys: the work outlives
-- both.
ALTER TABLE outbox ADD COLUMN user_id uuid, ADD COLUMN room_id uuid;

-- Times in which no worker takes the activities of a task queue; at most one of each queue has no end. Pauses of emails
-- are in mail_pauses.
CREATE TABLE queue_pauses (
    id         uuid        CONSTRAINT queue_pauses_pkey PRIMARY KEY,
    queue      text        NOT NULL,
    note       text        NOT NULL DEFAULT '',
    resumed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT queue_pauses_queue_known CHECK (queue IN ('avatar', 'maintenance'))
);
CREATE UNIQUE INDEX queue_pauses_open_key ON queue_pauses (queue) WHERE resumed_at IS NULL;
