-- Postgres' log is no place for what people write: no statements of this role with their values, and no details, which
-- name the values of a key that is there already. Only a superuser may say so of a role; otherwise watchparty migrate
-- tells what to say. Sessions that are open already are not concerned.
DO $$
DECLARE
    setting text;
BEGIN
    -- Several schemas of one role may be migrated at once.
    PERFORM pg_advisory_xact_lock(hashtext('watchparty log'));
    FOREACH setting IN ARRAY ARRAY['log_min_error_statement = panic', 'log_min_duration_statement = -1',
        'log_min_duration_sample = -1', 'log_statement = none', 'log_error_verbosity = terse'] LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_db_role_setting WHERE setrole = current_user::regrole AND setdatabase = 0
                AND replace(setting, ' ', '') = ANY (setconfig));
        EXECUTE format('ALTER ROLE %I SET %s', current_user, setting);
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'the role may not change what is logged of it';
END $$;
