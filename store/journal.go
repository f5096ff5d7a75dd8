package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty/coherence"
)

// Journal is the record of changes in the database, by which processes coordinate their caches. It has connections of
// its own, so that it does not wait for those that requests use.
type Journal struct {
	db   *bun.DB
	pool *pool
}

var _ coherence.Journal = (*Journal)(nil)

// journalConns is how many statements of the journal run at once.
const journalConns = 3

func newJournal(connector *connector) (*Journal, error) {
	pool, err := newPool(connector, journalConns)
	if err != nil {
		return nil, err
	}
	return &Journal{db: bun.NewDB(pool.open(), pgdialect.New()), pool: pool}, nil
}

// Journal returns the store's journal.
func (s *Store) Journal() *Journal { return s.journal }

// maxChanges is the number of changes that one renewal reads; older ones are left out. Without a limit, a new process
// could have more changes to read than coherence.Timing.Call allows. The horizon covers the changes that are left out.
// This includes changes that Record has stored late, since their transactions are older than their records.
const maxChanges = 20_000

// renewStatement stores the row of a process, and reads what a renewal needs.
const renewStatement = `
	WITH mine AS (
		INSERT INTO cache_members AS m (process, turn, reads, deaf, seen) VALUES (?0, ?1, ?2, ?3, ?4::pg_snapshot)
		ON CONFLICT (process) DO UPDATE SET turn = EXCLUDED.turn, reads = EXCLUDED.reads, deaf = EXCLUDED.deaf,
			seen = EXCLUDED.seen, renewed_at = now()
		WHERE m.turn < EXCLUDED.turn
	), new AS (
		SELECT transaction, tags, recorded FROM cache_changes
		WHERE recorded >= ?6::xid8 AND recorded < pg_snapshot_xmax(pg_current_snapshot())
			AND NOT pg_visible_in_snapshot(recorded, ?5::pg_snapshot)
		ORDER BY recorded DESC LIMIT ?7
	)
	SELECT pg_current_snapshot() AS snapshot,
		(SELECT system_identifier FROM pg_control_system())::text AS cluster,
		left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline,
		(SELECT oid FROM pg_database WHERE datname = current_database()) || '-' || 'cache_changes'::regclass::oid
			AS changes_table,
		extract(epoch FROM pg_postmaster_start_time())::text AS start,
		greatest('0'::xid8,
			(SELECT transaction FROM cache_horizon WHERE transaction < pg_snapshot_xmax(pg_current_snapshot())),
			(SELECT min(recorded) FROM new HAVING count(*) = ?7)) AS horizon,
		(SELECT coalesce(jsonb_agg(jsonb_build_object('x', transaction::text::bigint, 't', tags)), '[]')
			FROM new) AS changes,
		(SELECT coalesce(bool_or(recorded <> transaction), false) FROM new) AS urgent,
		(SELECT coalesce(jsonb_agg(jsonb_build_object('id', process, 'turn', turn, 'reads', reads, 'deaf', deaf,
			'seen', seen::text)), '[]') FROM cache_members) AS rows`

// Renew implements coherence.Journal. It is one statement, so everything is read in one snapshot, taken before its own
// row is stored. The timeline is read from the write-ahead log: after a promotion, the control file has the former
// timeline until the next checkpoint. Horizons and changes that a dump has brought from another server are left out
// until Prune removes them, because their transaction IDs have not been reached on this server.
func (j *Journal) Renew(
	ctx context.Context, row coherence.Row, since coherence.Snapshot,
) (coherence.Renewal, error) {
	var found foundRenewal
	seen := row.Seen
	if seen.Next == 0 {
		seen = noSnapshot
	}
	if since.Next == 0 {
		since = noSnapshot
	}
	err := j.db.NewRaw(renewStatement,
		row.Process, row.Turn, row.Reads, row.Deaf, seen.String(), since.String(), strconv.FormatUint(since.Oldest, 10),
		maxChanges).Scan(ctx, &found)
	if err != nil {
		return coherence.Renewal{}, fmt.Errorf("store: renew lease: %w", err)
	}
	r, err := found.renewal()
	if err != nil {
		return coherence.Renewal{}, fmt.Errorf("store: renew lease: %w", err)
	}
	return r, nil
}

// foundRenewal is what Renew reads.
type foundRenewal struct {
	Snapshot     string
	Cluster      string
	Timeline     string
	ChangesTable string // with its database; another one after a dump was restored
	Start        string // of the server, which may have lost transactions: in a crash, or as a copy of its disk
	Horizon      string
	Changes      json.RawMessage
	Urgent       bool
	Rows         json.RawMessage
}

func (f foundRenewal) renewal() (r coherence.Renewal, err error) {
	r.Generation = strings.Join([]string{f.Cluster, f.Timeline, f.ChangesTable, f.Start}, ".")
	r.Urgent = f.Urgent
	if r.Snapshot, err = coherence.ParseSnapshot(f.Snapshot); err != nil {
		return r, err
	}
	if r.Horizon, err = strconv.ParseUint(f.Horizon, 10, 64); err != nil {
		return r, err
	}
	if err := json.Unmarshal(f.Changes, &r.Changes); err != nil {
		return r, err
	}
	return r, json.Unmarshal(f.Rows, &r.Rows)
}

// noSnapshot is from before all transactions, which have IDs from 3 on.
var noSnapshot = coherence.Snapshot{Oldest: 1, Next: 1}

// Record implements coherence.Journal.
func (j *Journal) Record(ctx context.Context, c coherence.Change) (uint64, error) {
	var recorded string
	err := j.db.NewRaw("INSERT INTO cache_changes (transaction, tags) VALUES (?::xid8, ?) RETURNING recorded",
		strconv.FormatUint(c.Transaction, 10), pgdialect.Array(c.Tags)).Scan(ctx, &recorded)
	if err != nil {
		return 0, fmt.Errorf("store: record change: %w", err)
	}
	return strconv.ParseUint(recorded, 10, 64)
}

// Snapshot implements coherence.Journal.
func (j *Journal) Snapshot(ctx context.Context) (coherence.Snapshot, error) {
	var text string
	if err := j.db.NewRaw("SELECT pg_current_snapshot()").Scan(ctx, &text); err != nil {
		return coherence.Snapshot{}, fmt.Errorf("store: snapshot: %w", err)
	}
	return coherence.ParseSnapshot(text)
}

// Prune implements coherence.Journal. A change is kept while a transaction runs that is older than its record, so that
// every snapshot from now on sees past the horizon. What a dump from another server has brought is removed.
func (j *Journal) Prune(ctx context.Context, gone []coherence.Row) error {
	rows, err := json.Marshal(append([]coherence.Row{}, gone...))
	if err != nil {
		return fmt.Errorf("store: prune changes: %w", err)
	}
	_, err = j.db.NewRaw(`
		WITH foreigners AS (
			DELETE FROM cache_changes WHERE recorded >= pg_snapshot_xmax(pg_current_snapshot())
		), removed AS (
			DELETE FROM cache_changes WHERE created_at < now() - ?0 * interval '1 second'
				AND recorded < pg_snapshot_xmin(pg_current_snapshot())
			RETURNING recorded
		), gone AS (
			DELETE FROM cache_members AS m USING jsonb_to_recordset(?1::jsonb) AS g (id uuid, turn bigint)
			WHERE m.process = g.id AND m.turn = g.turn
		)
		UPDATE cache_horizon SET transaction = coalesce(newest.recorded, '0'::xid8)
		FROM (SELECT max(recorded) AS recorded FROM removed) AS newest
		WHERE newest.recorded > transaction OR transaction >= pg_snapshot_xmax(pg_current_snapshot())`,
		coherence.KeepTime.Seconds(), string(rows)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: prune changes: %w", err)
	}
	return nil
}

// recordChange stores in a transaction which tags it changes, and returns the change.
func recordChange(ctx context.Context, tx bun.Tx, tags []string) (coherence.Change, error) {
	var id string
	err := tx.NewRaw("INSERT INTO cache_changes (tags) VALUES (?) RETURNING transaction", pgdialect.Array(tags)).
		Scan(ctx, &id)
	if err != nil {
		return coherence.Change{}, fmt.Errorf("store: record change: %w", err)
	}
	transaction, err := strconv.ParseUint(id, 10, 64)
	return coherence.Change{Transaction: transaction, Tags: tags}, err
}
