DROP TRIGGER rooms_end_playback_parties ON rooms;
DROP FUNCTION end_parties();
DROP TABLE party_notices;
DROP TABLE party_answers;
DROP TABLE parties;
