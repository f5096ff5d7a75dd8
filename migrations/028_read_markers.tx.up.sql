-- Up to which message somebody has read a room. There is no foreign key to the message: it may be older than what is kept.
CREATE TABLE read_markers (
    room_id    uuid        NOT NULL CONSTRAINT read_markers_room_fkey REFERENCES rooms ON DELETE CASCADE,
    user_id    uuid        NOT NULL CONSTRAINT read_markers_user_fkey REFERENCES users ON DELETE CASCADE,
    message_id uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT read_markers_pkey PRIMARY KEY (room_id, user_id)
);
CREATE INDEX read_markers_user_idx ON read_markers (user_id, room_id);
