DROP FUNCTION next_message_change;
