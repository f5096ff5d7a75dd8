DROP TABLE cache_horizon;
DROP TABLE cache_members;
DROP TABLE cache_changes;
