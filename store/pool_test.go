package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// openSmallPool is a store with few connections, which waits for one for that long.
func openSmallPool(t *testing.T, connections int, wait time.Duration) *Store {
	t.Helper()
	s, err := Open(config.Database{URL: stacktest.DatabaseURL(t), MaxConns: connections,
		StatementTimeout: 2 * time.Minute}, auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	s.pool.wait = wait
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// occupyConnection takes a connection until the test ends, or it is released before.
func occupyConnection(
	t *testing.T,
	s *Store,
	ctx context.Context,
) (release func()) { //nolint:revive // the test comes first
	t.Helper()
	tx, err := s.db.BeginTx(ctx, nil)
	require.NoError(t, err)
	release = sync.OnceFunc(func() { _ = tx.Rollback() })
	t.Cleanup(release)
	return release
}

func selectOne(ctx context.Context, s *Store) error {
	var one int
	return s.db.NewRaw("SELECT 1").Scan(ctx, &one)
}

// TestPoolForgetsDeadConnections: a restart of Postgres costs no query that begins after it, and is one line in the
// log.
func TestPoolForgetsDeadConnections(t *testing.T) {
	t.Parallel()
	const connections = 10
	s, other := openSmallPool(t, connections, time.Minute), openSmallPool(t, 1, time.Minute)
	var logged bytes.Buffer
	s.SetLogger(slog.New(slog.NewTextHandler(&logged, nil)))
	for _, pid := range readPIDs(t, s, connections) {
		var ended bool
		require.NoError(t, other.db.NewRaw("SELECT pg_terminate_backend(?, 10000)", pid).Scan(t.Context(), &ended))
		require.True(t, ended)
	}
	for range 2 * connections {
		require.NoError(t, selectOne(t.Context(), s))
	}
	require.Equal(t, 1, strings.Count(logged.String(), "\n"), logged.String())
	require.Contains(t, logged.String(), `msg="database connection failed" while=idle`)
}

// TestPoolKeepsIdleConnections: a connection outlives the read deadline of its last query.
func TestPoolKeepsIdleConnections(t *testing.T) {
	t.Parallel()
	s := openSmallPool(t, 1, time.Minute)
	pid := func() int { return readPIDs(t, s, 1)[0] }
	before := pid()
	idle := s.pool.connections.AcquireAllIdle()
	require.Len(t, idle, 1)
	require.NoError(t, idle[0].Value().Conn().SetReadDeadline(time.Now().Add(-time.Second)))
	idle[0].Release()
	require.Equal(t, before, pid())
}

// TestPoolLogsConnectionsThatFailInUse: the pool logs it, since the code that used the connection may not.
func TestPoolLogsConnectionsThatFailInUse(t *testing.T) {
	t.Parallel()
	s, other := openSmallPool(t, 1, time.Minute), openSmallPool(t, 1, time.Minute)
	require.NoError(t, selectOne(t.Context(), s))
	var logged bytes.Buffer
	s.SetLogger(slog.New(slog.NewTextHandler(&logged, nil)))
	for range 3 {
		tx, err := s.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		var pid int
		require.NoError(t, tx.NewRaw("SELECT pg_backend_pid()").Scan(t.Context(), &pid))
		var ended bool
		require.NoError(t, other.db.NewRaw("SELECT pg_terminate_backend(?, 10000)", pid).Scan(t.Context(), &ended))
		require.True(t, ended)
		require.True(t, Unavailable(tx.NewRaw("SELECT 1").Scan(t.Context(), &pid)))
		_ = tx.Rollback()
	}
	require.NoError(t, selectOne(t.Context(), s))
	require.Equal(t, 1, strings.Count(logged.String(), "\n"), logged.String())
	require.Contains(t, logged.String(), `msg="database connection failed" while="in use"`)
	require.Contains(t, logged.String(), "57P01", "Postgres' reason")
}

// readPIDs are those of as many connections.
func readPIDs(t *testing.T, s *Store, connections int) []int {
	t.Helper()
	var all []int
	var releases []func()
	for range connections {
		tx, err := s.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		var pid int
		require.NoError(t, tx.NewRaw("SELECT pg_backend_pid()").Scan(t.Context(), &pid))
		all = append(all, pid)
		releases = append(releases, func() { require.NoError(t, tx.Rollback()) })
	}
	for _, release := range releases {
		release()
	}
	return all
}

// TestPoolDoesNotWaitForEver: without a free connection a query fails, and succeeds when one is given back in time.
func TestPoolDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	s := openSmallPool(t, 1, time.Minute)
	release := occupyConnection(t, s, t.Context())
	s.pool.wait = 50 * time.Millisecond
	require.ErrorIs(t, selectOne(t.Context(), s), watchparty.ErrBusy)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	require.ErrorIs(t, selectOne(stopped, s), context.Canceled)
	s.pool.wait = time.Minute
	answered := make(chan error, 1)
	go func() { answered <- selectOne(t.Context(), s) }()
	release()
	require.NoError(t, <-answered)
}

// TestPoolIsShared: work of one kind never has all connections, and gets its share back.
func TestPoolIsShared(t *testing.T) {
	t.Parallel()
	s := openSmallPool(t, 9, time.Minute)
	rooms := WithKind(t.Context(), "rooms")
	var releases []func()
	for range 3 {
		releases = append(releases, occupyConnection(t, s, rooms))
	}
	s.pool.wait = 50 * time.Millisecond
	require.ErrorIs(t, selectOne(rooms, s), watchparty.ErrBusy)
	s.pool.wait = time.Minute
	require.NoError(t, selectOne(WithKind(t.Context(), "movies"), s))
	require.NoError(t, selectOne(t.Context(), s))
	releases[0]()
	require.NoError(t, selectOne(rooms, s))
	require.EqualValues(t, 2, s.pool.connections.Stat().AcquiredResources())
}

// TestLockTimeout: a statement does not wait for a lock for ever, and says so in a way that a client may try again.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	s, err := Open(config.Database{URL: stacktest.MigratedURL(t), MaxConns: 2, StatementTimeout: 2 * time.Minute},
		auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	ada := newUser(t, s, "ada")
	require.NoError(t, s.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := lockUser(ctx, tx, ada.ID); err != nil {
			return err
		}
		name := "Another"
		_, err := s.UpdateProfile(t.Context(), ada.ID, watchparty.ProfileChange{DisplayName: &name})
		require.ErrorContains(t, err, "55P03")
		require.True(t, Unavailable(err))
		return nil
	}))
}

// TestPingHasItsOwnConnection: a busy pool is no database that is away.
func TestPingHasItsOwnConnection(t *testing.T) {
	t.Parallel()
	s := openSmallPool(t, 1, time.Minute)
	occupyConnection(t, s, t.Context())
	require.NoError(t, s.Ping(t.Context()))
}

// TestPingIsShared: one question to the database answers all who ask. Each waits as long as it likes, and one that
// gives up takes nothing from the others.
func TestPingIsShared(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(stacktest.DatabaseURL(t))
	require.NoError(t, err)
	database := badnet.New(t, u.Host)
	u.Host = database.Addr()
	s := openStoreAt(t, u.String())
	gone, goes := context.WithCancel(t.Context())
	goes()
	_ = s.Ping(gone)
	require.NoError(t, s.Ping(t.Context()))

	database.Set(badnet.Swallow)
	s.probe.asked = time.Time{} // the answer is old
	patient := make(chan error, 1)
	go func() { patient <- s.Ping(t.Context()) }()
	const impatience = probeTimeout / 20
	hurried, cancel := context.WithTimeout(t.Context(), impatience)
	defer cancel()
	require.ErrorIs(t, s.Ping(hurried), context.DeadlineExceeded)
	require.Empty(t, patient, "the other one still waits")
	require.True(t, Unavailable(<-patient))
}

// TestBlackHole: a server that says nothing any more costs a query no more than the statement timeout with its slack,
// or the wait for a connection. When it answers again, so does the next query, and nothing is left of the others.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	const connections, queries = 6, 10
	u, err := url.Parse(stacktest.DatabaseURL(t))
	require.NoError(t, err)
	for name, begin := range map[string]func(t *testing.T) (addr string, dig func() (fill func())){
		"packets are lost": func(t *testing.T) (string, func() func()) {
			hole := badnet.New(t, u.Host)
			return hole.Addr(), func() func() {
				hole.Set(badnet.Swallow)
				return func() { hole.Set(badnet.Pass) }
			}
		},
		"packets are late": func(t *testing.T) (string, func() func()) {
			path, err := badnet.NewPath(badnet.Quality{}, u.Host)
			require.NoError(t, err)
			t.Cleanup(path.Close)
			return path.Addr(), path.Hold
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr, dig := begin(t)
			through := *u
			through.Host = addr
			c := config.Database{URL: through.String(), MaxConns: connections, StatementTimeout: time.Second}
			s, err := Open(c, auth.NewDigests("a secret of the tests"))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			readPIDs(t, s, connections) // all are pooled
			tx, err := s.db.BeginTx(t.Context(), nil)
			require.NoError(t, err)

			fill := dig()
			type end struct {
				err  error
				took time.Duration
			}
			ends := make(chan end, queries+2)
			began := time.Now()
			recordEnd := func(err error) { ends <- end{err, time.Since(began)} }
			go func() { recordEnd(tx.NewRaw("SELECT 1").Scan(t.Context(), new(int))) }()
			go func() { recordEnd(s.Ping(t.Context())) }()
			for range queries {
				go func() { recordEnd(selectOne(t.Context(), s)) }()
			}
			for range queries + 2 {
				ended := <-ends
				require.True(t, Unavailable(ended.err) || errors.Is(ended.err, watchparty.ErrBusy), ended.err)
				require.Less(t, ended.took, 4*(c.StatementTimeout+readSlack+lockTimeout))
			}
			_ = tx.Rollback()

			fill()
			require.NoError(t, selectOne(t.Context(), s))
			require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, patience, time.Millisecond)
			require.Eventually(t, func() bool {
				stat := s.pool.connections.Stat()
				return stat.AcquiredResources() == 0 && stat.ConstructingResources() == 0
			}, patience, time.Millisecond)
			for range connections {
				require.NoError(t, selectOne(t.Context(), s))
			}
		})
	}
}

// TestForgottenConnections: a network forgets all connections. That costs one statement, however many connections are
// idle, whether the time of the statement or that of its caller is over first.
func TestForgottenConnections(t *testing.T) {
	t.Parallel()
	const connections = 6
	u, err := url.Parse(stacktest.DatabaseURL(t))
	require.NoError(t, err)
	begin := func(ctx context.Context, s *Store) error {
		return s.db.RunInTx(ctx, nil, func(context.Context, bun.Tx) error { return nil })
	}
	journal := func(ctx context.Context, s *Store) error { return second(s.Journal().Snapshot(ctx)) }
	for name, c := range map[string]struct {
		statement, caller time.Duration // how long they wait
		work              func(context.Context, *Store) error
	}{
		"the statement's time": {time.Second, time.Minute, selectOne},
		"the caller's time":    {time.Minute, longSilence + time.Second/2, selectOne},
		"in a transaction":     {time.Minute, longSilence + time.Second/2, begin},
		"in the journal":       {time.Minute, longSilence + time.Second/2, journal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network := badnet.New(t, u.Host)
			through := *u
			through.Host = network.Addr()
			s, err := Open(config.Database{URL: through.String(), MaxConns: connections, StatementTimeout: c.statement},
				auth.NewDigests("a secret of the tests"))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			s.pool.wait = time.Minute
			readPIDs(t, s, connections)
			onJournal := *s
			onJournal.db = s.journal.db
			readPIDs(t, &onJournal, journalConns)
			network.Strand()
			limited, cancel := context.WithTimeout(t.Context(), c.caller)
			defer cancel()
			require.True(t, Unavailable(c.work(limited, s)))
			patient, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			for range connections {
				require.NoError(t, c.work(patient, s))
			}
		})
	}
}

// TestPoolKeepsQuietAboutCancellations: a statement that Postgres has canceled is no failure of its connection. Other
// idle connections are kept.
func TestPoolKeepsQuietAboutCancellations(t *testing.T) {
	t.Parallel()
	s := openSmallPool(t, 3, time.Minute)
	var logged bytes.Buffer
	s.SetLogger(slog.New(slog.NewTextHandler(&logged, nil)))
	for _, code := range []string{"57014", "25P02"} {
		readPIDs(t, s, 3)
		_, err := s.db.ExecContext(t.Context(), fmt.Sprintf("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '%s'; END $$", code))
		require.ErrorContains(t, err, code)
		require.EqualValues(t, 2, s.pool.connections.Stat().IdleResources())
	}
	require.Empty(t, logged.String())
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	raise := func(code string) error {
		_, err := s.db.ExecContext(t.Context(), fmt.Sprintf("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '%s'; END $$", code))
		require.ErrorAs(t, err, new(pgdriver.Error))
		return fmt.Errorf("store: something: %w", err)
	}
	for _, code := range []string{"53300", "53200", "57014", "57P01", "57P02", "57P03", "55P03", "40001", "40P01",
		"08006", "25006"} {
		require.True(t, Unavailable(raise(code)), code)
	}
	for _, code := range []string{"23505", "23503", "22001", "42P01", "55000", "P0001", "57000", "XX000"} {
		require.False(t, Unavailable(raise(code)), code)
	}
	for _, err := range []error{
		driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, os.ErrDeadlineExceeded, context.DeadlineExceeded,
		&net.OpError{Op: "read", Err: errors.New("connection reset by peer")},
	} {
		require.True(t, Unavailable(fmt.Errorf("store: something: %w", err)), err)
	}
	for _, err := range []error{sql.ErrNoRows, errors.New("anything"), context.Canceled, watchparty.ErrNotFound, nil} {
		require.False(t, Unavailable(err), err)
	}
}

// TestPatience: a query waits for a connection as long as a statement for a lock.
func TestPatience(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]time.Duration{
		"": lockTimeout, "&lock_timeout=60000": time.Minute, "&lock_timeout=0": lockTimeout, "&lock_timeout=5s": lockTimeout,
	} {
		c, err := newConnector(config.Database{URL: "postgres://u@localhost/d?sslmode=disable" + limit})
		require.NoError(t, err)
		require.Equal(t, want, c.patience(), limit)
	}
}
