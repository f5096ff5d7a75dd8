ALTER TABLE emails DROP COLUMN recipient_hash, DROP COLUMN next_attempt_at, DROP COLUMN deadline_at;
-- The former version knows one reason for all of these.
UPDATE emails SET reason = 'cancelled' WHERE reason IN ('no_account', 'account_suspended', 'already_confirmed',
    'address_taken', 'link_ended', 'invitation_ended', 'may_not_invite', 'room_ended', 'not_a_recipient');
ALTER TABLE emails DROP CONSTRAINT emails_reason_known;
ALTER TABLE emails ADD CONSTRAINT emails_reason_known CHECK (reason IN ('', 'address_rejected', 'mailbox_full',
    'message_rejected', 'server_unreachable', 'unconfirmed', 'expired', 'cancelled', 'opted_out')) NOT VALID;
