-- Whether everyone may see what the room plays, without being in it.
ALTER TABLE rooms ADD COLUMN now_playing boolean NOT NULL DEFAULT false;
