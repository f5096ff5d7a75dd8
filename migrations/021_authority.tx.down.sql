ALTER TABLE audit DROP CONSTRAINT audit_outcome_known, DROP COLUMN outcome;
