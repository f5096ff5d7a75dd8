DROP TABLE reports, cleanup_runs, emails, outbox, avatars, messages, participants, rooms, movies, sessions, users;
