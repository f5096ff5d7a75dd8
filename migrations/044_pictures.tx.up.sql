-- Others see an account's picture beside its name, so that another picture counts as another name does.
DROP TRIGGER users_count_access ON users;
CREATE TRIGGER users_count_access BEFORE UPDATE ON users FOR EACH ROW
    WHEN ((OLD.suspended_at, OLD.hidden_at, OLD.deleted_at, OLD.username, OLD.display_name, OLD.avatar_version)
        IS DISTINCT FROM (NEW.suspended_at, NEW.hidden_at, NEW.deleted_at, NEW.username, NEW.display_name,
           NEW.avatar_version))
    EXECUTE FUNCTION count_access();
