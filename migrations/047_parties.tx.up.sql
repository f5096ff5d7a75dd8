-- A time at which a room watches together.
CREATE TABLE parties (
    id           uuid        CONSTRAINT parties_pkey PRIMARY KEY,
    room_id      uuid        NOT NULL CONSTRAINT parties_room_fkey REFERENCES rooms ON DELETE CASCADE,
    title        text        NOT NULL DEFAULT '',
    -- What it plays; null for what the room has loaded then, or the first of its queue.
    movie_id     uuid        CONSTRAINT parties_movie_fkey REFERENCES movies ON DELETE SET NULL,
    starts_at    timestamptz NOT NULL,
    -- The name of an IANA zone.
    time_zone    text        NOT NULL,
    state        text        NOT NULL DEFAULT 'scheduled',
    -- Who scheduled it, if the account is still there.
    scheduled_by uuid        CONSTRAINT parties_scheduled_by_fkey REFERENCES users ON DELETE SET NULL,
    version      integer     NOT NULL DEFAULT 1,
    -- Counts how often its start was moved, and its cancelling. The workflow is signalled by this number, and an email
    -- of an earlier one is void.
    moves        integer     NOT NULL DEFAULT 0,
    -- When it started, was cancelled or was given up.
    ended_at     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT parties_state_known CHECK (state IN ('scheduled', 'started', 'cancelled', 'missed')),
    CONSTRAINT parties_end_has_time CHECK ((state = 'scheduled') = (ended_at IS NULL))
);
CREATE INDEX parties_room_idx ON parties (room_id, starts_at, id) WHERE state = 'scheduled';
CREATE INDEX parties_of_room_idx ON parties (room_id);
CREATE INDEX parties_due_idx ON parties (starts_at) WHERE state = 'scheduled';
CREATE INDEX parties_movie_idx ON parties (movie_id);
CREATE INDEX parties_scheduled_by_idx ON parties (scheduled_by, id);
CREATE INDEX parties_ended_idx ON parties (ended_at) WHERE ended_at IS NOT NULL;

-- Who comes to a party.
CREATE TABLE party_answers (
    party_id   uuid        NOT NULL CONSTRAINT party_answers_party_fkey REFERENCES parties ON DELETE CASCADE,
    room_id    uuid        NOT NULL CONSTRAINT party_answers_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id    uuid        NOT NULL CONSTRAINT party_answers_user_fkey REFERENCES users ON DELETE CASCADE,
    answer     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT party_answers_pkey PRIMARY KEY (party_id, user_id),
    CONSTRAINT party_answers_answer_known CHECK (answer IN ('yes', 'maybe', 'no'))
);
CREATE INDEX party_answers_order_idx ON party_answers (party_id, created_at, user_id);
CREATE INDEX party_answers_room_idx ON party_answers (room_id, user_id);
CREATE INDEX party_answers_user_idx ON party_answers (user_id, party_id);

-- What guests are told of by email, each once.
CREATE TABLE party_notices (
    id         uuid        CONSTRAINT party_notices_pkey PRIMARY KEY,
    party_id   uuid        NOT NULL CONSTRAINT party_notices_party_fkey REFERENCES parties ON DELETE CASCADE,
    user_id    uuid        NOT NULL CONSTRAINT party_notices_user_fkey REFERENCES users ON DELETE CASCADE,
    kind       text        NOT NULL,
    -- parties.moves at that time.
    moves      integer     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT party_notices_once_key UNIQUE (party_id, user_id, kind, moves),
    CONSTRAINT party_notices_kind_known CHECK (kind IN ('day', 'hour', 'moved', 'cancelled'))
);
CREATE INDEX party_notices_user_idx ON party_notices (user_id);

-- A room that is archived, closed or deleted has no party any more, whoever does it.
CREATE FUNCTION end_parties() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE parties SET state = 'cancelled', version = version + 1, moves = moves + 1, ended_at = now(), updated_at = now()
        WHERE room_id = NEW.id AND state = 'scheduled';
    RETURN NULL;
END $$;
-- Its name comes after that of rooms_end_playback: triggers run by their names, and playbacks are locked first.
CREATE TRIGGER rooms_end_playback_parties AFTER UPDATE ON rooms FOR EACH ROW
    WHEN (OLD.archived_at IS NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION end_parties();

-- Why emails about parties are cancelled. The new list only allows more, so that existing rows need no check.
ALTER TABLE emails DROP CONSTRAINT emails_reason_known;
ALTER TABLE emails ADD CONSTRAINT emails_reason_known CHECK (reason IN ('', 'address_rejected', 'mailbox_full',
    'message_rejected', 'server_unreachable', 'unconfirmed', 'expired', 'cancelled', 'no_account', 'account_suspended',
    'already_confirmed', 'address_taken', 'link_ended', 'invitation_ended', 'may_not_invite', 'room_ended',
    'not_a_recipient', 'party_changed', 'party_ended', 'not_a_guest', 'opted_out')) NOT VALID;
