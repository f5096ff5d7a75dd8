ALTER TABLE rooms DROP COLUMN now_playing;
