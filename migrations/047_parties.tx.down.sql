UPDATE emails SET reason = 'cancelled' WHERE reason IN ('party_changed', 'party_ended', 'not_a_guest');
ALTER TABLE emails DROP CONSTRAINT emails_reason_known;
ALTER TABLE emails ADD CONSTRAINT emails_reason_known CHECK (reason IN ('', 'address_rejected', 'mailbox_full',
    'message_rejected', 'server_unreachable', 'unconfirmed', 'expired', 'cancelled', 'no_account', 'account_suspended',
    'already_confirmed', 'address_taken', 'link_ended', 'invitation_ended', 'may_not_invite', 'room_ended',
    'not_a_recipient', 'opted_out')) NOT VALID;
DROP TRIGGER rooms_end_playback_parties ON rooms;
DROP FUNCTION end_parties();
DROP TABLE party_notices;
DROP TABLE party_answers;
DROP TABLE parties;
