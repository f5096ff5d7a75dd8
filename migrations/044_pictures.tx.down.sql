DROP TRIGGER users_count_access ON users;
CREATE TRIGGER users_count_access BEFORE UPDATE ON users FOR EACH ROW
    WHEN ((OLD.suspended_at, OLD.hidden_at, OLD.deleted_at, OLD.username, OLD.display_name)
        IS DISTINCT FROM (NEW.suspended_at, NEW.hidden_at, NEW.deleted_at, NEW.username, NEW.display_name))
    EXECUTE FUNCTION count_access();
