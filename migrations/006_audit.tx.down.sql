DROP TABLE audit;
DROP INDEX cleanup_runs_created_idx;
