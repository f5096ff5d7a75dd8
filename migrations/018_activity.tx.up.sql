-- A stay is a time in which someone was seen in a room, never longer than 90 s apart (PresentFor). The one that lasts
-- is in participants; whatever ends it, a trigger writes it here. Without foreign keys: it outlives room and account.
CREATE TABLE stays (
    id         bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT stays_pkey PRIMARY KEY,
    room_id    uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stays_in_order CHECK (started_at <= ended_at)
);
CREATE INDEX stays_ended_idx ON stays (ended_at);
CREATE INDEX stays_user_idx ON stays (user_id);
ALTER TABLE participants ADD COLUMN present_since timestamptz;
UPDATE participants SET present_since = last_seen_at;

CREATE FUNCTION keep_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    apart CONSTANT interval := '90 s';
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.present_since := NEW.last_seen_at;
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NEW.last_seen_at - OLD.last_seen_at > apart THEN
            INSERT INTO stays (room_id, user_id, started_at, ended_at)
                VALUES (OLD.room_id, OLD.user_id, least(OLD.present_since, OLD.last_seen_at), OLD.last_seen_at);
            NEW.present_since := NEW.last_seen_at;
        END IF;
        RETURN NEW;
    END IF;
    -- Who leaves while present was there until now.
    INSERT INTO stays (room_id, user_id, started_at, ended_at)
        VALUES (OLD.room_id, OLD.user_id, least(OLD.present_since, OLD.last_seen_at),
            CASE WHEN now() - OLD.last_seen_at <= apart THEN greatest(now(), OLD.last_seen_at) ELSE OLD.last_seen_at END);
    RETURN OLD;
END $$;
CREATE TRIGGER participants_come BEFORE INSERT ON participants FOR EACH ROW EXECUTE FUNCTION keep_stays();
CREATE TRIGGER participants_seen BEFORE UPDATE OF last_seen_at ON participants FOR EACH ROW EXECUTE FUNCTION keep_stays();
CREATE TRIGGER participants_go BEFORE DELETE ON participants FOR EACH ROW EXECUTE FUNCTION keep_stays();

-- The day from which on stays are kept: of earlier ones not everything is known.
CREATE TABLE activity_since (day date CONSTRAINT activity_since_pkey PRIMARY KEY);
INSERT INTO activity_since VALUES ((now() AT TIME ZONE 'UTC')::date);
-- What happened on a day of UTC: written once, when the day is over, and kept after clean-up has taken what it counts.
CREATE TABLE activity_days (
    day                  date        CONSTRAINT activity_days_pkey PRIMARY KEY,
    new_users            bigint      NOT NULL,
    active_users         bigint      NOT NULL,
    returning_users      bigint      NOT NULL,
    rooms_opened         bigint      NOT NULL,
    participants         bigint      NOT NULL,
    minutes_together     bigint      NOT NULL,
    messages             bigint      NOT NULL,
    invitations_sent     bigint      NOT NULL,
    invitations_accepted bigint      NOT NULL,
    mails_sent           bigint      NOT NULL,
    mails_failed         bigint      NOT NULL,
    avatars              bigint      NOT NULL,
    removed              bigint      NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT now()
);
-- Who was active on it: an account counts once for a period, so days cannot be added up.
CREATE TABLE active_users (
    day     date NOT NULL,
    user_id uuid NOT NULL,
    since   date NOT NULL, -- when the account began
    CONSTRAINT active_users_pkey PRIMARY KEY (day, user_id)
);
CREATE INDEX active_users_user_idx ON active_users (user_id);

-- What a day's figures are counted by.
CREATE INDEX users_created_idx ON users (created_at);
CREATE INDEX rooms_created_idx ON rooms (created_at);
CREATE INDEX invitations_created_idx ON invitations (created_at);
CREATE INDEX invitations_accepted_idx ON invitations (answered_at) WHERE state = 'accepted';
CREATE INDEX emails_sent_idx ON emails (sent_at) WHERE state = 'sent';
ALTER TABLE avatars ADD COLUMN published_at timestamptz;
UPDATE avatars SET published_at = updated_at WHERE state = 'ready';
CREATE INDEX avatars_published_idx ON avatars (published_at) WHERE published_at IS NOT NULL;

CREATE INDEX reports_kind_idx ON reports (kind, id DESC);
CREATE UNIQUE INDEX reports_activity_key ON reports (period_start, period_end) WHERE kind = 'activity';
-- To whom a report goes: the address itself is in the settings only.
CREATE TABLE report_mails (
    id             uuid        CONSTRAINT report_mails_pkey PRIMARY KEY,
    report_id      uuid        NOT NULL CONSTRAINT report_mails_report_fkey REFERENCES reports ON DELETE CASCADE,
    recipient_hash bytea       NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT report_mails_report_recipient_key UNIQUE (report_id, recipient_hash)
);
