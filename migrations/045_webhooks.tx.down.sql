DELETE FROM queue_pauses WHERE queue = 'webhooks';
ALTER TABLE queue_pauses DROP CONSTRAINT queue_pauses_queue_known;
ALTER TABLE queue_pauses ADD CONSTRAINT queue_pauses_queue_known CHECK (queue IN ('avatar', 'maintenance'));
DROP TABLE webhook_attempts;
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
