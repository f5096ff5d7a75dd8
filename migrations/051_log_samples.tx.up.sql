-- What 025 has left: samples of transactions have their statements with values, however quick these are, and messages
-- of the debug levels have each statement. log_statement_sample_rate needs no value, since log_min_duration_sample is off.
-- Only a superuser may set these for a role; otherwise watchparty migrate prints what to do. Sessions that are open
-- keep their values.
DO $$
DECLARE
    setting text;
BEGIN
    -- Several schemas of one role may be migrated at once.
    PERFORM pg_advisory_xact_lock(hashtext('watchparty log'));
    FOREACH setting IN ARRAY ARRAY['log_transaction_sample_rate = 0', 'log_min_messages = warning'] LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_db_role_setting WHERE setrole = current_user::regrole AND setdatabase = 0
                AND replace(setting, ' ', '') = ANY (setconfig));
        EXECUTE format('ALTER ROLE %I SET %s', current_user, setting);
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'the role may not change what is logged of it';
END $$;
