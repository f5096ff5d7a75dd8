package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/pgdriver"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/outbox"
)

// All tests run in a process whose clock is wrong.
// drain takes back a signal that was sent.
func drain(s outbox.Signal) {
	select {
	case <-s:
	default:
	}
}

func TestMain(m *testing.M) {
	clock.skew = -20 * time.Minute
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres))
}

// patience is the time-out for operations that take milliseconds on an idle machine.
const patience = 30 * time.Second

// openStore gives the test a store on a migrated schema of its own.
func openStore(t testing.TB) *Store {
	t.Helper()
	return openStoreInZone(t, "UTC")
}

// openStoreInZone does so with sessions in a time zone.
func openStoreInZone(t testing.TB, zone string) *Store {
	t.Helper()
	s := openStoreAt(t, stacktest.MigratedURL(t)+"&timezone="+url.QueryEscape(zone))
	require.Equal(t, zone, readValue[string](t, s, "SHOW timezone"))
	return s
}

func openStoreAt(t testing.TB, url string) *Store {
	t.Helper()
	// On a busy machine others keep locks and connections for longer than in production.
	s, err := Open(config.Database{URL: url + "&lock_timeout=60000", MaxConns: 10, StatementTimeout: 2 * time.Minute},
		auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	s.pool.wait = time.Minute
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	s.DB().AddQueryHook(violations{t})
	return s
}

// violations fails the test when a statement breaks a constraint: Postgres would log the values, which people wrote.
type violations struct{ t testing.TB }

func (v violations) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (v violations) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	var answer pgdriver.Error
	if !errors.As(e.Err, &answer) || !answer.IntegrityViolation() {
		return
	}
	switch constraint := answer.Field('n'); constraint {
	case "": // a test raised it
	case "sessions_token_hash_key", "outbox_workflow_id_key", "avatars_user_version_key": // the service's own values
	case "movies_title_year_key": // an admin wrote the title
	case "users_email_key", "users_email_address_key": // two confirm one address at the same moment
	default:
		v.t.Errorf("%s: %s", constraint, e.Query)
	}
}

func registration(name string) watchparty.Registration {
	return watchparty.Registration{Username: name, Email: name + "@example.org", DisplayName: "The " + name}
}

func newUser(t testing.TB, s *Store, name string) watchparty.User {
	t.Helper()
	user, err := s.CreateUser(t.Context(), registration(name), "hash of "+name)
	require.NoError(t, err)
	return user
}

// newAdmin is somebody with an admin's rights.
func newAdmin(t testing.TB, s *Store, name string) watchparty.User {
	t.Helper()
	user := newUser(t, s, name)
	execute(t, s, "UPDATE users SET is_admin = true, email_verified_at = now() WHERE id = ?", user.ID)
	user, err := s.User(t.Context(), user.ID)
	require.NoError(t, err)
	return user
}

// confirmAddresses makes users' addresses theirs.
func confirmAddresses(t testing.TB, s *Store, users ...watchparty.User) {
	t.Helper()
	for _, user := range users {
		execute(t, s, "UPDATE users SET email_verified_at = coalesce(email_verified_at, now()) WHERE id = ?", user.ID)
	}
}

// logIn returns the session's ID.
func logIn(t testing.TB, s *Store, user watchparty.User, n NewSession) string {
	t.Helper()
	in, err := s.LogIn(t.Context(), user.ID, "hash of "+user.Username, n)
	require.NoError(t, err)
	return in.SessionID
}

func newRoom(t testing.TB, s *Store, host watchparty.User, change func(*watchparty.NewRoom)) watchparty.Room {
	t.Helper()
	n := watchparty.NewRoom{Name: "Room of " + host.Username}
	if change != nil {
		change(&n)
	}
	n.Normalise()
	room, err := s.CreateRoom(t.Context(), host.ID, n, IdempotencyKey{})
	require.NoError(t, err)
	return room
}

func joinRoom(t testing.TB, s *Store, room watchparty.Room, users ...watchparty.User) {
	t.Helper()
	for _, user := range users {
		_, err := s.JoinRoom(t.Context(), room.ID, user.ID)
		require.NoError(t, err)
	}
}

func postMessage(t testing.TB, s *Store, room watchparty.Room, author watchparty.User, body string) watchparty.Message {
	t.Helper()
	message, err := s.PostMessage(t.Context(), author, watchparty.NewMessage{RoomID: room.ID, Body: body},
		IdempotencyKey{})
	require.NoError(t, err)
	return message
}

// execute changes rows behind the store's back, mostly to make them old.
func execute(t testing.TB, s *Store, query string, args ...any) {
	t.Helper()
	_, err := s.db.NewRaw(query, args...).Exec(t.Context())
	require.NoError(t, err)
}

// readValue reads one value of one row.
func readValue[T any](t testing.TB, s *Store, query string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, s.db.NewRaw(query, args...).Scan(t.Context(), &v))
	return v
}

func countRows(t testing.TB, s *Store, table string) int {
	t.Helper()
	return readValue[int](t, s, "SELECT count(*) FROM ?", bun.Ident(table))
}

// barrier holds up statements after they have taken their snapshot and before they have found their rows, so that a
// test can change what they are about to find.
type barrier struct {
	s    *Store
	key  int32
	conn bun.Conn
}

// raiseBarrier puts up a barrier before statements of one kind on one table. The test has to call release.
func raiseBarrier(t *testing.T, s *Store, operation, table string) *barrier {
	t.Helper()
	b := newBarrier(t, s)
	execute(t, s, `CREATE FUNCTION wait_at_barrier() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_advisory_xact_lock_shared(?, 0); RETURN NULL; END'`, b.key)
	execute(t, s, `CREATE TRIGGER barrier BEFORE ? ON ? FOR EACH STATEMENT EXECUTE FUNCTION wait_at_barrier()`,
		bun.Safe(operation), bun.Ident(table))
	return b
}

// raiseReadBarrier does so with statements that read a table, at its first row. They cannot write it then.
func raiseReadBarrier(t *testing.T, s *Store, table string) *barrier {
	t.Helper()
	b := newBarrier(t, s)
	execute(t, s, `CREATE FUNCTION wait_at_barrier() RETURNS boolean LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_advisory_xact_lock_shared(?, 0); RETURN true; END'`, b.key)
	execute(t, s, `ALTER TABLE ? RENAME TO behind_barrier`, bun.Ident(table))
	execute(t, s, `CREATE VIEW ? AS SELECT * FROM behind_barrier WHERE wait_at_barrier() OFFSET 0`, bun.Ident(table))
	return b
}

func newBarrier(t *testing.T, s *Store) *barrier {
	t.Helper()
	b := &barrier{s: s, key: rand.Int32()}
	var err error
	b.conn, err = s.DB().Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.conn.Close() })
	_, err = b.conn.ExecContext(t.Context(), "SELECT pg_advisory_lock(?, 0)", b.key)
	require.NoError(t, err)
	return b
}

// countStopped counts the sessions that wait at the barrier, and those that wait for such a session.
func (b *barrier) countStopped(ctx context.Context) (n int, err error) {
	err = b.s.db.NewRaw(`
		WITH stopped AS (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = ?::bigint::oid AND NOT granted)
		SELECT count(*) FROM pg_stat_activity
		WHERE pid IN (SELECT pid FROM stopped) OR pg_blocking_pids(pid)
			&& ARRAY(SELECT pid FROM stopped)`, b.key).Scan(ctx, &n)
	return n, err
}

// awaitStopped returns when at least n are stopped, or enough reports that there is no need to wait on.
func (b *barrier) awaitStopped(t *testing.T, n int, enough func() bool) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		if enough != nil && enough() {
			return
		}
		stopped, err := b.countStopped(t.Context())
		require.NoError(c, err)
		require.GreaterOrEqual(c, stopped, n)
	}, patience, 5*time.Millisecond)
}

func (b *barrier) release(t *testing.T) {
	t.Helper()
	_, err := b.conn.ExecContext(t.Context(), "SELECT pg_advisory_unlock(?, 0)", b.key)
	require.NoError(t, err)
}

// changesOf returns the tags that a store announces while act runs. Nothing else may use the store meanwhile.
func changesOf(s *Store, act func()) []string {
	var (
		mu   sync.Mutex
		tags []string
	)
	former := s.announce
	s.OnChange(func(_ context.Context, c coherence.Change) error {
		mu.Lock()
		defer mu.Unlock()
		tags = append(tags, c.Tags...)
		return nil
	})
	act()
	s.OnChange(former)
	return tags
}

// withTags is the context of a transaction, for what takes one.
func withTags(ctx context.Context) context.Context {
	return context.WithValue(ctx, tagsKey{}, map[string]struct{}{})
}
