-- An event may be a signal to a workflow, which it starts if that is not there yet.
ALTER TABLE outbox ADD COLUMN signal text NOT NULL DEFAULT '',
    DROP CONSTRAINT outbox_workflow_id_key,
    ADD CONSTRAINT outbox_workflow_id_key UNIQUE (workflow_id, signal);
