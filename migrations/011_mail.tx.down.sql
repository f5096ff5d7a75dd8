DROP TABLE mail_pauses;
DROP INDEX emails_user_idx, emails_kind_idx, emails_state_idx, emails_kind_subject_key;
CREATE INDEX emails_user_idx ON emails (user_id);
DELETE FROM emails WHERE resend_of IS NOT NULL;
ALTER TABLE emails DROP COLUMN resend_of, ADD COLUMN ambiguous integer NOT NULL DEFAULT 0, ADD CONSTRAINT emails_kind_subject_key UNIQUE (kind, subject_id);
DROP TABLE email_attempts;
