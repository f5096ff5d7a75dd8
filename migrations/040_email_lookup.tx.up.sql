-- Operators find an email by its recipient's address, and see when it is tried next and when it is given up.
ALTER TABLE emails
    -- A keyed hash of the address that the email goes to; the address itself is stored nowhere here.
    ADD COLUMN recipient_hash  bytea,
    -- Set with the outcome of an attempt that another one follows.
    ADD COLUMN next_attempt_at timestamptz,
    ADD COLUMN deadline_at     timestamptz;
-- Cancelled emails have the reason why. The new list only allows more, so that existing rows need no check.
ALTER TABLE emails DROP CONSTRAINT emails_reason_known;
ALTER TABLE emails ADD CONSTRAINT emails_reason_known CHECK (reason IN ('', 'address_rejected', 'mailbox_full',
    'message_rejected', 'server_unreachable', 'unconfirmed', 'expired', 'cancelled', 'no_account', 'account_suspended',
    'already_confirmed', 'address_taken', 'link_ended', 'invitation_ended', 'may_not_invite', 'room_ended',
    'not_a_recipient', 'opted_out')) NOT VALID;
