-- step is how far an upload is while it is being processed; files are what was rendered of it.
ALTER TABLE avatars
    ADD COLUMN step text NOT NULL DEFAULT 'queued' CONSTRAINT avatars_step_known CHECK (step IN ('queued', 'rendering', 'publishing')),
    ADD COLUMN files text[] NOT NULL DEFAULT '{}';
-- The files of the published upload, so that a profile is read from one row.
ALTER TABLE users ADD COLUMN avatar_files text[] NOT NULL DEFAULT '{}';
