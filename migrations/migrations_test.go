package migrations_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/migrations"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres))
}

// openDatabase connects to an address; several may share a schema, as several processes do.
func openDatabase(t *testing.T, url string) *bun.DB {
	t.Helper()
	db := bun.NewDB(
		sql.OpenDB(pgdriver.NewConnector(pgdriver.WithTimeout(time.Minute), pgdriver.WithDSN(url))), pgdialect.New(),
	)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// listTables are the ones that the steps make, not the migrator's.
func listTables(t *testing.T, db *bun.DB) (names []string) {
	t.Helper()
	require.NoError(t, db.NewRaw(`SELECT tablename FROM pg_tables
		WHERE schemaname = current_schema() AND tablename NOT LIKE 'bun_%' ORDER BY tablename`).Scan(t.Context(), &names))
	return names
}

// listSteps are the names of the files' steps.
func listSteps(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.tx.up.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, up := range files {
		name := strings.TrimSuffix(up, ".tx.up.sql")
		require.FileExists(t, name+".tx.down.sql")
		names = append(names, name)
	}
	return names
}

func TestUpAndDown(t *testing.T) {
	t.Parallel()
	db := openDatabase(t, stacktest.DatabaseURL(t))

	applied, err := migrations.Up(t.Context(), db)
	require.NoError(t, err)
	require.Equal(t, listSteps(t), applied)
	made := listTables(t, db)
	require.Subset(t, made, []string{"users", "rooms", "messages", "outbox"})

	applied, err = migrations.Up(t.Context(), db)
	require.NoError(t, err)
	require.Empty(t, applied, "again there is nothing to do")

	steps := listSteps(t)
	for i := len(steps) - 1; i >= 0; i-- {
		reverted, err := migrations.Down(t.Context(), db)
		require.NoError(t, err)
		require.Equal(t, steps[i], reverted, "one step at a time, however many one run has applied")
		if i == len(steps)-1 {
			require.Subset(t, listTables(t, db), []string{"users", "rooms", "messages", "outbox"})
			applied, err = migrations.Up(t.Context(), db)
			require.NoError(t, err)
			require.Equal(t, steps[i:], applied)
			_, err = migrations.Down(t.Context(), db)
			require.NoError(t, err)
		}
	}
	require.Empty(t, listTables(t, db), "the last step leaves nothing")
	reverted, err := migrations.Down(t.Context(), db)
	require.NoError(t, err)
	require.Empty(t, reverted)

	applied, err = migrations.Up(t.Context(), db)
	require.NoError(t, err)
	require.Equal(t, steps, applied)
	require.Equal(t, made, listTables(t, db))
}

// Processes that start together find a database that one of them migrates, once.
func TestParallelUps(t *testing.T) {
	t.Parallel()
	url := stacktest.DatabaseURL(t)
	const processes = 4
	var (
		wg      sync.WaitGroup
		applied [processes][]string
		errs    [processes]error
	)
	for i := range processes {
		db := openDatabase(t, url)
		wg.Go(func() { applied[i], errs[i] = migrations.Up(t.Context(), db) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, listSteps(t), slices.Concat(applied[:]...))
}

// A step that fails leaves nothing, is not taken for applied, and keeps no lock.
func TestFailedStep(t *testing.T) {
	t.Parallel()
	url := stacktest.DatabaseURL(t)
	db := openDatabase(t, url)
	_, err := db.ExecContext(t.Context(), "CREATE TABLE reports (in_the_way int)") // the last table of the first step
	require.NoError(t, err)
	applied, err := migrations.Up(t.Context(), db)
	require.ErrorContains(t, err, "reports")
	require.Empty(t, applied)
	require.Equal(t, []string{"reports"}, listTables(t, db))

	_, err = db.ExecContext(t.Context(), "DROP TABLE reports")
	require.NoError(t, err)
	applied, err = migrations.Up(t.Context(), openDatabase(t, url))
	require.NoError(t, err)
	require.Equal(t, listSteps(t), applied)
}

// While another process migrates, Up waits, however long that takes, and Down does too.
func TestWaitsForTheLock(t *testing.T) {
	t.Parallel()
	for name, migrate := range map[string]func(ctx context.Context, db *bun.DB) error{
		"up": func(ctx context.Context, db *bun.DB) error { _, err := migrations.Up(ctx, db); return err },
		"down": func(ctx context.Context, db *bun.DB) error {
			_, err := migrations.Down(ctx, db)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := stacktest.DatabaseURL(t)
			holder := openDatabase(t, url)
			_, err := migrations.Up(t.Context(), holder)
			require.NoError(t, err)
			before := listTables(t, holder)
			conn, err := holder.Conn(t.Context())
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			var key int32
			require.NoError(t, conn.QueryRowContext(t.Context(), "SELECT hashtext(current_schema())").Scan(&key))
			_, err = conn.ExecContext(t.Context(), "SELECT pg_advisory_lock(?, ?)", 0x77617463, key)
			require.NoError(t, err)

			const answer = 4 * time.Second // as long as a busy machine may take
			waiter, done := openDatabase(t, fmt.Sprint(url, "&read_timeout=", answer)), make(chan error, 1)
			began := time.Now()
			go func() { done <- migrate(t.Context(), waiter) }()
			// It waits in one transaction after another, for longer together than the connection waits for an answer.
			waits := map[string]bool{}
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				require.Greater(c, time.Since(began), answer+time.Second)
				var starts []string
				require.NoError(c, holder.NewRaw(`SELECT xact_start::text FROM pg_locks JOIN pg_stat_activity USING (pid)
					WHERE locktype = 'advisory' AND objid = (? ::bigint & 4294967295)::oid AND NOT granted`, key).
					Scan(t.Context(), &starts))
				for _, at := range starts {
					waits[at] = true
				}
				require.GreaterOrEqual(c, len(waits), 2)
			}, time.Minute, 100*time.Millisecond)
			require.Equal(t, before, listTables(t, holder))
			_, err = conn.ExecContext(t.Context(), "SELECT pg_advisory_unlock(?, ?)", 0x77617463, key)
			require.NoError(t, err)
			require.NoError(t, <-done)
		})
	}
}

// TestLog: what Postgres logs of the role has no values, when the role may say so; otherwise that is told.
func TestLog(t *testing.T) {
	t.Parallel()
	address := stacktest.DatabaseURL(t)
	super := openDatabase(t, address)
	_, err := migrations.Up(t.Context(), super)
	require.NoError(t, err)
	logs, err := migrations.LogsValues(t.Context(), openDatabase(t, address))
	require.NoError(t, err)
	require.False(t, logs)
	var said []string
	require.NoError(t, super.NewRaw("SELECT unnest(setconfig) FROM pg_db_role_setting "+
		"WHERE setrole = current_user::regrole AND setdatabase = 0").Scan(t.Context(), &said))
	for setting, values := range map[string][2]string{ // that of the migrations, and another
		"log_min_error_statement":     {"panic", "error"},
		"log_min_duration_statement":  {"-1", "0"},
		"log_min_duration_sample":     {"-1", "0"},
		"log_transaction_sample_rate": {"0", "0.01"},
		"log_statement":               {"none", "mod"},
		"log_min_messages":            {"warning", "debug2"},
		"log_error_verbosity":         {"terse", "default"},
	} {
		require.Contains(t, said, setting+"="+values[0])
		logs, err := migrations.LogsValues(t.Context(), openDatabase(t, address+"&"+setting+"="+values[1]))
		require.NoError(t, err)
		require.True(t, logs, setting)
	}

	plain, err := url.Parse(stacktest.DatabaseURL(t))
	require.NoError(t, err)
	schema, role := plain.Query().Get("search_path"), "plain_"+strings.ToLower(rand.Text())
	for _, statement := range []string{"CREATE ROLE ?0 LOGIN PASSWORD 'secret'", "GRANT ALL ON SCHEMA ?1 TO ?0"} {
		_, err := super.ExecContext(t.Context(), statement, bun.Ident(role), bun.Ident(schema))
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		_, err := super.ExecContext(context.WithoutCancel(t.Context()), "DROP OWNED BY ?0 CASCADE; DROP ROLE ?0",
			bun.Ident(role))
		require.NoError(t, err)
	})
	plain.User = url.UserPassword(role, "secret")
	_, err = migrations.Up(t.Context(), openDatabase(t, plain.String()))
	require.NoError(t, err, "it is no reason not to migrate")
	logs, err = migrations.LogsValues(t.Context(), openDatabase(t, plain.String()))
	require.NoError(t, err)
	require.True(t, logs)
}

// Errors of the store are told apart by names of constraints, and later steps change constraints and indexes by name:
// no name may be Postgres' own choice.
func TestNamesAreExplicit(t *testing.T) {
	t.Parallel()
	db := openDatabase(t, stacktest.DatabaseURL(t))
	_, err := migrations.Up(t.Context(), db)
	require.NoError(t, err)
	var text strings.Builder
	files, err := filepath.Glob("*.up.sql")
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		text.Write(content)
	}
	inGo, err := os.ReadFile("indexes.go")
	require.NoError(t, err)
	for _, named := range regexp.MustCompile(`name: "(\w+)"`).FindAllSubmatch(inGo, -1) {
		fmt.Fprintf(&text, " INDEX %s ON ", named[1])
	}
	words := strings.Join(strings.Fields(text.String()), " ") + " "

	var constraints, indexes []string
	require.NoError(t, db.NewRaw(`SELECT conname FROM pg_constraint
		WHERE connamespace = current_schema()::regnamespace AND contype <> 'n' AND conrelid::regclass::text NOT LIKE 'bun_%'`).
		Scan(t.Context(), &constraints))
	require.NoError(t, db.NewRaw(`SELECT indexname FROM pg_indexes AS i
		WHERE schemaname = current_schema() AND tablename NOT LIKE 'bun_%'
		AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.connamespace = current_schema()::regnamespace AND c.conname = i.indexname)`).
		Scan(t.Context(), &indexes))
	require.NotEmpty(t, constraints)
	require.NotEmpty(t, indexes)
	for _, name := range constraints {
		require.Contains(t, words, "CONSTRAINT "+name+" ", "constraint")
	}
	for _, name := range indexes {
		require.Contains(t, words, "INDEX "+name+" ON ", "index")
	}
}

// TestIndexesOfOtherTables: from step 019 on, a step makes indexes of its own tables only. Those of tables that may be
// large are in indexes.go.
func TestIndexesOfOtherTables(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.up.sql")
	require.NoError(t, err)
	made := 0
	for _, file := range files {
		if file < "019" {
			continue
		}
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, index := range regexp.MustCompile(`CREATE (?:UNIQUE )?INDEX (\w+) ON (\w+)`).FindAllSubmatch(content, -1) {
			made++
			require.Contains(t, string(content), "CREATE TABLE "+string(index[2])+" ", "%s: %s", file, index[1])
		}
	}
	require.Positive(t, made)
}

// TestIndexesKeepNobodyWaiting: one of a table with rows is made while others write to it, and anew when it was left
// unfinished.
func TestIndexesKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	url := stacktest.DatabaseURL(t) + "&lock_timeout=1234"
	db := openDatabase(t, url)
	_, err := migrations.Up(t.Context(), db)
	require.NoError(t, err)
	for range 10 { // whatever connection it had
		var timeout string
		require.NoError(t, db.NewRaw("SHOW lock_timeout").Scan(t.Context(), &timeout))
		require.Equal(t, "1234ms", timeout)
	}
	const insert = "INSERT INTO outbox (id, workflow_id, workflow, task_queue, input) " +
		"VALUES (gen_random_uuid(), gen_random_uuid(), '', '', '{}')"
	_, err = db.ExecContext(t.Context(), insert)
	require.NoError(t, err)
	valid := func() (valid bool) {
		require.NoError(
			t,
			db.NewRaw("SELECT coalesce((SELECT indisvalid FROM pg_index "+
				"WHERE indexrelid = to_regclass('outbox_abandoned_idx')), false)").
				Scan(t.Context(), &valid),
		)
		return valid
	}
	for _, unmake := range []string{
		"DROP INDEX outbox_abandoned_idx",
		"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'outbox_abandoned_idx'::regclass",
	} {
		_, err := db.ExecContext(t.Context(), unmake)
		require.NoError(t, err)
		require.False(t, valid())
		writer, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = writer.ExecContext(t.Context(), insert)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() {
			_, err := migrations.Up(t.Context(), openDatabase(t, url))
			done <- err
		}()
		require.Eventually(t, func() bool {
			var waits bool
			require.NoError(t, db.NewRaw(`SELECT EXISTS (SELECT FROM pg_stat_activity
				WHERE query ~ 'INDEX.*outbox_abandoned_idx' AND wait_event_type = 'Lock' AND datname = current_database())`).Scan(t.Context(), &waits))
			return waits
		}, 30*time.Second, 10*time.Millisecond)
		_, err = db.ExecContext(t.Context(), "SET statement_timeout = '10s'; "+insert)
		require.NoError(t, err, "another one writes meanwhile")
		require.NoError(t, writer.Commit())
		require.NoError(t, <-done)
		require.True(t, valid())
	}
}

// A foreign key without an index makes each deletion on its other side read the whole table.
func TestForeignKeysAreIndexed(t *testing.T) {
	t.Parallel()
	db := openDatabase(t, stacktest.DatabaseURL(t))
	_, err := migrations.Up(t.Context(), db)
	require.NoError(t, err)
	var bare []string
	require.NoError(t, db.NewRaw(`SELECT c.conname FROM pg_constraint AS c
		WHERE c.connamespace = current_schema()::regnamespace AND c.contype = 'f' AND NOT EXISTS (
			SELECT FROM pg_index AS i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL AND i.indkey[0] = c.conkey[1])`).
		Scan(t.Context(), &bare))
	require.Empty(t, bare)
}

// TestReportsOfWhatWasNotCounted: reports of former versions said 0 of days before counting began.
func TestReportsOfWhatWasNotCounted(t *testing.T) {
	t.Parallel()
	db := openDatabase(t, stacktest.DatabaseURL(t))
	_, err := migrations.Up(t.Context(), db)
	require.NoError(t, err)
	run := func(file string) {
		t.Helper()
		statements, err := os.ReadFile(file)
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), string(statements))
		require.NoError(t, err)
	}
	data := func() (all []string) {
		t.Helper()
		require.NoError(t, db.NewRaw("SELECT data::text FROM reports ORDER BY period_start").Scan(t.Context(), &all))
		return all
	}
	run("024_ends.tx.down.sql")
	_, err = db.ExecContext(t.Context(), "UPDATE activity_since SET day = '2026-02-10'")
	require.NoError(t, err)
	const figures = `{"new_users": 0, "active_users": 0, "returning_users": 0, "rooms_opened": 0, "participants": 0, "minutes_together": 0, "messages": 0,
		"invitations_sent": 0, "invitations_accepted": 0, "mails_sent": 0, "mails_failed": 0, "avatars": 0, "removed": 0}`
	report := func(from string, days ...string) {
		t.Helper()
		list := make([]string, 0, len(days))
		for _, day := range days {
			list = append(list, `{"day": "`+day+`", "figures": `+figures+`}`)
		}
		_, err := db.ExecContext(
			t.Context(),
			"INSERT INTO reports (id, kind, period_start, period_end, data) VALUES (gen_random_uuid(), 'activity', ?, ?, ?)",
			from,
			days[len(days)-1],
			`{"every": "week", "from": "`+from+`", "to": "`+days[len(days)-1]+`", "previous": null, "removed_by": {},
				"figures": `+figures+`, "days": [`+strings.Join(list, ", ")+`]}`,
		)
		require.NoError(t, err)
	}
	report("2026-02-08", "2026-02-08", "2026-02-09")
	report("2026-02-09", "2026-02-09", "2026-02-10")
	report("2026-02-10", "2026-02-10", "2026-02-11")
	former := data()
	run("024_ends.tx.up.sql")
	var found []string
	require.NoError(
		t,
		db.NewRaw(`SELECT concat_ws(' ', data->'counted_since', jsonb_typeof(data->'figures'), jsonb_typeof(data->'removed_by'),
		jsonb_typeof(data->'days'->0->'figures'), jsonb_typeof(data->'days'->1->'figures')) FROM reports ORDER BY period_start`).
			Scan(t.Context(), &found),
	)
	require.Equal(t, []string{`"2026-02-10" null null null null`, `"2026-02-10" object object null object`,
		`null object object object object`}, found)
	run("024_ends.tx.down.sql")
	require.Equal(t, former, data())
}

// TestRunsHaveTheNewNameOfTheirPolicy: what was stored under the former name of a policy is found under the new one.
func TestRunsHaveTheNewNameOfTheirPolicy(t *testing.T) {
	t.Parallel()
	db := openDatabase(t, stacktest.DatabaseURL(t))
	_, err := migrations.Up(t.Context(), db)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `
		INSERT INTO cleanup_runs (id, trigger, policies, policy, counts, errors, samples, workflow_id) VALUES
			('00000000-0000-7000-8000-000000000001', 'admin', '{old_messages,old_mails}', 'old_mails',
			'{"old_messages": 1, "old_mails": 2}', '{"old_mails": "too slow"}', '{"old_mails": []}', '');
		INSERT INTO reports (id, kind, run_id, period_start, period_end, data) VALUES
			(gen_random_uuid(), 'cleanup', '00000000-0000-7000-8000-000000000001', now(), now(),
			'{"counts": {"old_mails": 2, "old_messages": 1}}')`)
	require.NoError(t, err)
	stored := func() (run string) {
		t.Helper()
		require.NoError(t, db.NewRaw(`SELECT concat_ws(' ', c.policies, c.policy, c.counts, c.errors, c.samples, r.data)
			FROM cleanup_runs AS c JOIN reports AS r ON r.run_id = c.id`).Scan(t.Context(), &run))
		return run
	}
	before := stored()
	run := func(file string) {
		t.Helper()
		statements, err := os.ReadFile(file)
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), string(statements))
		require.NoError(t, err)
	}
	run("048_email_policy.tx.up.sql")
	require.Equal(
		t,
		`{old_messages,old_emails} old_emails {"old_emails": 2, "old_messages": 1} {"old_emails": "too slow"} `+
			`{"old_emails": []} {"counts": {"old_emails": 2, "old_messages": 1}}`,
		stored(),
	)
	run("048_email_policy.tx.down.sql")
	require.Equal(t, before, stored())
}

// TestReportsHaveNullForNothing: reports that were stored with 0, or with null for no errors, are as the contract has
// them.
func TestReportsHaveNullForNothing(t *testing.T) {
	t.Parallel()
	db := openDatabase(t, stacktest.DatabaseURL(t))
	_, err := migrations.Up(t.Context(), db)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `
		INSERT INTO reports (id, kind, period_start, period_end, data)
		SELECT gen_random_uuid(), kind, now() + n * interval '1 s', now() + n * interval '1 s', data::jsonb FROM (VALUES
			(1, 'cleanup', '{"errors": null, "older_than_seconds": 0}'),
			(2, 'cleanup', '{"errors": {"old_emails": "too slow"}, "older_than_seconds": 0}'),
			(3, 'cleanup', '{"errors": null, "older_than_seconds": 60}'),
			(4, 'cleanup', '{"errors": {}, "older_than_seconds": null}'),
			(5, 'activity', '{"errors": null}')) AS stored (n, kind, data)`)
	require.NoError(t, err)
	statements, err := os.ReadFile("053_report_nulls.tx.up.sql")
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), string(statements))
	require.NoError(t, err)
	var found []string
	require.NoError(t, db.NewRaw("SELECT data::text FROM reports ORDER BY period_start").Scan(t.Context(), &found))
	require.Equal(t, []string{
		`{"errors": {}, "older_than_seconds": null}`,
		`{"errors": {"old_emails": "too slow"}, "older_than_seconds": null}`,
		`{"errors": {}, "older_than_seconds": 60}`,
		`{"errors": {}, "older_than_seconds": null}`,
		`{"errors": null}`,
	}, found)
}
