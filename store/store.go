package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/workflows/job"
)

// Store reads and writes the database. It is safe for concurrent use.
type Store struct {
	db    bun.IDB // all, or the transaction of a Snapshot
	all   *bun.DB
	pool  *pool
	probe *probe
	aside *pool // of health
	// health is for ForHealth.
	health *bun.DB
	// digests hash addresses that are only compared: those of opt-outs and budgets. With another secret, no stored address
	// matches: opt-outs are lost, and budgets begin at zero.
	digests    *auth.Digests
	sealer     *auth.Sealer // of the keys of webhooks
	emailLimit int          // SetEmailLimit
	// events is sent after each transaction that added an outbox event.
	events outbox.Signal
	// announce is called in a transaction that changes cached data, before the commit.
	announce func(context.Context, coherence.Change) error
	// changed is called after the commit of such a transaction.
	changed func(tags []string)
	journal *Journal
}

// Open makes a store with a pool of connections, which connects at first use. digests hash addresses that are only
// compared.
func Open(c config.Database, digests *auth.Digests) (*Store, error) {
	connector, err := newConnector(c)
	if err != nil {
		return nil, err
	}
	pool, err := newPool(connector, c.MaxConns)
	if err != nil {
		return nil, err
	}
	journal, err := newJournal(connector)
	if err != nil {
		return nil, err
	}
	aside, err := newPool(connector, healthConns)
	if err != nil {
		return nil, err
	}
	// During an update a newer version has migrated already, so there may be columns that this version does not know.
	db := bun.NewDB(pool.open(), pgdialect.New(), bun.WithDiscardUnknownColumns())
	return &Store{
		db: db, all: db, pool: pool, probe: newProbe(connector),
		aside:   aside,
		health:  bun.NewDB(aside.open(), pgdialect.New(), bun.WithDiscardUnknownColumns()),
		digests: digests, sealer: digests.Sealer(),
		events:   outbox.NewSignal(),
		announce: func(context.Context, coherence.Change) error { return nil }, changed: func([]string) {},
		journal: journal,
	}, nil
}

// DB returns the pool, for the relay and the migrations.
func (s *Store) DB() *bun.DB { return s.all }

// SetLogger sets where connections that fail are logged, once an interval. Call it before the first use.
func (s *Store) SetLogger(log *slog.Logger) {
	s.pool.log = logging.Sparse(log, slog.LevelWarn, "while")
	s.journal.pool.log, s.aside.log = s.pool.log, s.pool.log
}

// Events is sent after each transaction that added an outbox event. It is for the relay of this process.
func (s *Store) Events() outbox.Signal { return s.events }

// OnChange sets the function that each transaction which changes cached data calls before its commit. An error rolls
// the transaction back. Call it before the first use.
func (s *Store) OnChange(announce func(context.Context, coherence.Change) error) {
	s.announce = announce
}

// OnCommitted sets the function that is called, with the changed tags, after each transaction of this process that
// changed cached data. Call it before the first use.
func (s *Store) OnCommitted(changed func(tags []string)) { s.changed = changed }

// Ping reports whether the database answers, however busy the pool is. It sends at most one query a second.
func (s *Store) Ping(ctx context.Context) error {
	s.pool.reap()
	if err := s.probe.ping(ctx); err != nil {
		return fmt.Errorf("store: ping: %w", err)
	}
	return nil
}

// ProbeDB is the connection of Ping, for reads that say whether the database is as it should be. They must not wait
// for anything that users do, since Ping waits for them.
func (s *Store) ProbeDB() *bun.DB { return s.probe.bun }

// healthConns is how many statements of ForHealth run at once.
const healthConns = 2

// ForHealth returns the store for reads of health checks. They have connections of their own, so that a part does not
// look as if it had failed while requests use all others.
func (s *Store) ForHealth() *Store {
	reads := *s
	reads.db = s.health
	return &reads
}

// Close ends all connections.
func (s *Store) Close() error {
	return errors.Join(s.all.Close(), s.probe.db.Close(), s.health.Close(), s.journal.db.Close())
}

// attempts is how often inTx tries a transaction, and deadlockPause is the longest pause after the first attempt; it
// doubles with each attempt. Pauses are random, since Postgres may end both sides of a deadlock.
const (
	attempts      = 5
	deadlockPause = 50 * time.Millisecond
)

// inTx runs fn in a transaction. It queues the webhooks' deliveries of what fn says has happened (tell), and announces
// the tags that fn says it changes. It runs fn again when fn returns errLockedLate, or was the victim of a deadlock.
// Therefore fn must not depend on variables that an earlier run of it has set.
func (s *Store) inTx(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	for attempt := 1; ; attempt++ {
		told := &telling{}
		tags := map[string]struct{}{}
		err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if err := fn(context.WithValue(context.WithValue(ctx, tagsKey{}, tags), tellingKey{}, told), tx); err != nil {
				return err
			}
			if err := told.queue(ctx, tx); err != nil {
				return err
			}
			return s.announceTags(ctx, tx, tags)
		})
		if err == nil && told.queued {
			s.events.Send()
		}
		if err == nil && len(tags) > 0 {
			s.changed(slices.Sorted(maps.Keys(tags)))
		}
		var e pgdriver.Error
		again := errors.Is(err, errLockedLate) || errors.As(err, &e) && e.Field('C') == codeDeadlockDetected
		if attempt == attempts || !again {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(deadlockPause << (attempt - 1))): //nolint:gosec // no secret
		}
	}
}

type tagsKey struct{}

// changes records that the transaction of ctx, begun by inTx, changes the cached data with these tags
// (coherence/tags.go).
func changes(ctx context.Context, tags ...string) {
	all := ctx.Value(tagsKey{}).(map[string]struct{})
	for _, tag := range tags {
		all[tag] = struct{}{}
	}
}

func (s *Store) announceTags(ctx context.Context, tx bun.Tx, tags map[string]struct{}) error {
	if len(tags) == 0 {
		return nil
	}
	change, err := recordChange(ctx, tx, slices.Sorted(maps.Keys(tags)))
	if err != nil {
		return err
	}
	return s.announce(ctx, change)
}

// snapshotOptions are those of a read-only transaction whose statements all see the same snapshot.
var snapshotOptions = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

// Snapshot runs fn on a store whose reads all see the same snapshot of the data.
func (s *Store) Snapshot(ctx context.Context, fn func(at *Store) error) error {
	return s.db.RunInTx(ctx, snapshotOptions, func(_ context.Context, tx bun.Tx) error {
		at := *s
		at.db = tx
		return fn(&at)
	})
}

// withEvents runs fn in a transaction and adds the outbox events that it returns. After the commit it sends
// s.events, if there are events.
func (s *Store) withEvents(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) ([]job.Event, error)) error {
	added := false
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		events, err := fn(ctx, tx)
		if err != nil {
			return err
		}
		if err := outbox.Add(ctx, tx, events...); err != nil {
			return err
		}
		added = len(events) > 0
		return nil
	})
	if err != nil {
		return err
	}
	if added {
		s.events.Send()
	}
	return nil
}

// withEvent is withEvents for a function that always returns one event.
func (s *Store) withEvent(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) (job.Event, error)) error {
	return s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		event, err := fn(ctx, tx)
		return []job.Event{event}, err
	})
}

// Postgres error codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	codeUniqueViolation     = "23505"
	codeForeignKeyViolation = "23503"
	codeDeadlockDetected    = "40P01"
)

// violates reports whether err is a violation of the named constraint or unique index.
func violates(err error, constraint string) bool {
	var e pgdriver.Error
	if !errors.As(err, &e) || e.Field('n') != constraint {
		return false
	}
	return e.Field('C') == codeUniqueViolation || e.Field('C') == codeForeignKeyViolation
}
