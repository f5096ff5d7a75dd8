ALTER TABLE users DROP COLUMN avatar_files;
ALTER TABLE avatars DROP COLUMN files, DROP COLUMN step;
