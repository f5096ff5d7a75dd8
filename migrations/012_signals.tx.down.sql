DELETE FROM outbox WHERE signal <> '';
ALTER TABLE outbox DROP CONSTRAINT outbox_workflow_id_key,
    ADD CONSTRAINT outbox_workflow_id_key UNIQUE (workflow_id),
    DROP COLUMN signal;
