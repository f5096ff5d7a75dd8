-- What addresses are compared by: equal for every way to write one (watchparty.Address). Postgres cannot map domains, so
-- the program fills it in after this step (keys.go), in batches. A key that begins with a colon is found only by the
-- account's own spelling: of what is no address, or has become equal to another account's.
ALTER TABLE users ADD COLUMN email_key text COLLATE "C";
ALTER TABLE invitations ADD COLUMN email_key text COLLATE "C";
ALTER TABLE email_verifications ADD COLUMN email_key text COLLATE "C";
-- users_email_key stays for former versions, which find accounts by it.

-- Former versions do not know the column when they write an address.
CREATE FUNCTION spell_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.email_key IS NULL OR TG_OP = 'UPDATE' AND NEW.email <> OLD.email AND NEW.email_key IS NOT DISTINCT FROM OLD.email_key THEN
        NEW.email_key := ':' || lower(NEW.email);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER users_spelled BEFORE INSERT OR UPDATE OF email ON users FOR EACH ROW EXECUTE FUNCTION spell_address();
CREATE TRIGGER invitations_spelled BEFORE INSERT ON invitations FOR EACH ROW EXECUTE FUNCTION spell_address();
CREATE TRIGGER email_verifications_spelled BEFORE INSERT ON email_verifications FOR EACH ROW EXECUTE FUNCTION spell_address();

-- A plain hash can be found out from a list of addresses, a keyed one cannot. Plain ones become keyed when their address
-- is seen next; until then they count too.
ALTER TABLE invitation_optouts
    ADD COLUMN address_hash bytea CONSTRAINT invitation_optouts_address_key UNIQUE,
    ALTER COLUMN email_hash DROP NOT NULL,
    ADD CONSTRAINT invitation_optouts_hashed CHECK (address_hash IS NOT NULL OR email_hash IS NOT NULL);

-- How many emails there were lately: to one recipient, or asked for by one account, address or client. It has no foreign
-- key: it outlives them, and holds a keyed hash only.
CREATE TABLE email_budgets (
    id           uuid          CONSTRAINT email_budgets_pkey PRIMARY KEY,
    budget       text          NOT NULL,
    subject_hash bytea         NOT NULL,
    -- When, the latest last: no more than the budget of a day.
    times        timestamptz[] NOT NULL DEFAULT '{}',
    -- From then on none of them counts.
    expires_at   timestamptz   NOT NULL DEFAULT now(),
    created_at   timestamptz   NOT NULL DEFAULT now(),
    updated_at   timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT email_budgets_subject_key UNIQUE (budget, subject_hash)
);
CREATE INDEX email_budgets_expires_idx ON email_budgets (expires_at);
ALTER TABLE emails
    -- When it was counted against its recipient's budget: once, however often it is tried.
    ADD COLUMN counted_at  timestamptz,
    -- Until then it waits for that.
    ADD COLUMN waits_until timestamptz;
