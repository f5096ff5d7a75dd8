DROP TRIGGER rooms_end_playback ON rooms;
DROP FUNCTION end_playback;
DROP TABLE playbacks, skip_votes, queue_votes, queue_items;
