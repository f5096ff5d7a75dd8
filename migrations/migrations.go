// Package migrations holds the database's schema as numbered steps and applies them.
package migrations

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/pgdriver"
	"github.com/uptrace/bun/migrate"
)

//go:embed *.sql
var files embed.FS

// lockKey is the advisory lock that keeps two processes from migrating at once. A lock of the server, unlike a row
// in a table, goes away with the process that held it.
const lockKey = 0x77617463

// Up applies the steps that the database lacks, each in a transaction of its own, and returns their names. Then it does
// what they cannot: it makes indexes of large tables, and gives every address its key.
func Up(ctx context.Context, db *bun.DB) (applied []string, err error) {
	err = locked(ctx, db, func(migrator *migrate.Migrator) error {
		if err := migrator.Init(ctx); err != nil {
			return err
		}
		group, err := migrator.Migrate(ctx)
		for _, step := range slices.Backward(group.Migrations.Applied()) { // it gives the newest first
			applied = append(applied, step.String())
		}
		if err != nil {
			return err
		}
		if err := makeIndexes(ctx, db); err != nil {
			return err
		}
		return keyAddresses(ctx, db)
	})
	return applied, err
}

// LogsValues reports whether Postgres' log may have what people wrote: statements with their values, or details of
// errors. It asks with a connection of its own, since what was said of the role concerns new ones.
func LogsValues(ctx context.Context, db *bun.DB) (logs bool, err error) {
	err = db.NewRaw(`SELECT current_setting('log_min_error_statement') <> 'panic'
		OR current_setting('log_min_duration_statement') <> '-1'
		OR current_setting('log_min_duration_sample') <> '-1' OR current_setting('log_statement') <> 'none'
		OR current_setting('log_transaction_sample_rate')::float8 > 0
		OR current_setting('log_min_messages') LIKE 'debug%'
		OR current_setting('log_error_verbosity') <> 'terse'`).
		Scan(ctx, &logs)
	if err != nil {
		err = fmt.Errorf("migrations: look at what is logged: %w", err)
	}
	return logs, err
}

// Down takes back the newest step alone, and returns its name: empty if there is none. The migrator's own rollback
// would take back all steps of one run, which after a first installation are all.
func Down(ctx context.Context, db *bun.DB) (reverted string, err error) {
	err = locked(ctx, db, func(migrator *migrate.Migrator) error {
		all, err := migrator.MigrationsWithStatus(ctx)
		applied := all.Applied() // the newest first
		if err != nil || len(applied) == 0 {
			return err
		}
		newest := &applied[0]
		if err := newest.Down(ctx, migrator, newest); err != nil {
			return fmt.Errorf("%s: down: %w", newest.Name, err)
		}
		reverted = newest.Name + "_" + newest.Comment
		return migrator.MarkUnapplied(ctx, newest)
	})
	return reverted, err
}

// Pending returns how many of the steps the database lacks. It writes nothing and waits for no other process.
func Pending(ctx context.Context, db *bun.DB) (int, error) {
	steps, err := discover()
	if err != nil {
		return 0, err
	}
	var begun bool
	if err := db.NewSelect().ColumnExpr("to_regclass('bun_migrations') IS NOT NULL").Scan(ctx, &begun); err != nil {
		return 0, fmt.Errorf("migrations: look for the table of steps: %w", err)
	}
	if !begun {
		return len(steps.Sorted()), nil
	}
	all, err := migrate.NewMigrator(db, steps).MigrationsWithStatus(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrations: read the status: %w", err)
	}
	return len(all.Unapplied()), nil
}

func discover() (*migrate.Migrations, error) {
	steps := migrate.NewMigrations()
	if err := steps.Discover(files); err != nil {
		return nil, fmt.Errorf("migrations: read the steps: %w", err)
	}
	return steps, nil
}

// locked runs fn while no other process migrates.
func locked(ctx context.Context, db *bun.DB, fn func(*migrate.Migrator) error) error {
	steps, err := discover()
	if err != nil {
		return err
	}
	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrations: connect: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if err := refusePooler(ctx, db, lock); err != nil { // before a lock would be left with somebody else
		return err
	}
	err = acquire(ctx, lock)
	for errors.Is(err, errOthers) {
		err = acquire(ctx, lock)
	}
	if err != nil {
		return fmt.Errorf("migrations: lock: %w", err)
	}
	defer func() {
		_, _ = lock.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(?, hashtext(current_schema()))",
			lockKey)
	}()
	if err := fn(migrate.NewMigrator(db, steps, migrate.WithMarkAppliedOnSuccess(true))); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return nil
}

// poolerRounds is how often a pooler is looked for: what else uses it may hide it once.
const poolerRounds = 20

// refusePooler returns an error if connections share sessions of Postgres, as they do through a pooler in transaction
// mode: then the lock of one is everybody's, and no setting of a session lasts. A connection to Postgres has one
// session to itself, also while another connection is in a transaction.
func refusePooler(ctx context.Context, db *bun.DB, conn bun.Conn) error {
	const session = "SELECT pg_backend_pid()"
	var first, other, during, after int
	if err := conn.NewRaw(session).Scan(ctx, &first); err != nil {
		return fmt.Errorf("migrations: look for a pooler: %w", err)
	}
	for range poolerRounds {
		err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			return errors.Join(tx.NewRaw(session).Scan(ctx, &other), conn.NewRaw(session).Scan(ctx, &during))
		})
		// A pooler lends the session that was used last. So it may lend one to the transaction and always the same other
		// one to conn, but conn gets that of the transaction after its end.
		err = errors.Join(err, conn.NewRaw(session).Scan(ctx, &after))
		if err != nil {
			return fmt.Errorf("migrations: look for a pooler: %w", err)
		}
		if other == first || during != first || after != first {
			return errors.New(
				"migrations: this address leads to a connection pooler; migrate with the address of Postgres itself",
			)
		}
	}
	return nil
}

// errOthers says that another process migrates.
var errOthers = errors.New("another process migrates")

// lockWait is shorter than any read timeout, so that no wait looks like a server that is down.
const lockWait = "500ms"

// acquire takes the lock for the session, or returns errOthers after lockWait.
func acquire(ctx context.Context, conn bun.Conn) error {
	err := conn.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(
			ctx, "SET LOCAL lock_timeout = ?; SET LOCAL statement_timeout = 0; "+
				"SELECT pg_advisory_lock(?, hashtext(current_schema()))", lockWait, lockKey,
		)
		return err
	})
	var failed pgdriver.Error
	if errors.As(err, &failed) && failed.Field('C') == "55P03" { // lock_not_available
		return errOthers
	}
	return err
}
