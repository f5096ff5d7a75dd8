-- What processes coordinate their caches by: package coherence.

-- A change of cached data. recorded is the transaction that stored the row: the changing one itself, or, apart, one that
-- committed before it.
CREATE TABLE cache_changes (
    recorded xid8 NOT NULL DEFAULT pg_current_xact_id(),
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    tags text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cache_changes_recorded_idx ON cache_changes (recorded);
CREATE INDEX cache_changes_created_at_idx ON cache_changes (created_at);

-- A process that changes or caches data. seen is the snapshot as of which it knows all changes.
CREATE TABLE cache_members (
    process uuid CONSTRAINT cache_members_pkey PRIMARY KEY,
    turn bigint NOT NULL DEFAULT 1,
    reads boolean NOT NULL,
    deaf boolean NOT NULL,
    seen pg_snapshot NOT NULL,
    renewed_at timestamptz NOT NULL DEFAULT now()
);

-- The newest transaction of the changes that were removed. One row.
CREATE TABLE cache_horizon (
    one boolean CONSTRAINT cache_horizon_pkey PRIMARY KEY DEFAULT true CONSTRAINT cache_horizon_one_check CHECK (one),
    transaction xid8 NOT NULL
);
INSERT INTO cache_horizon (transaction) VALUES ('0');
