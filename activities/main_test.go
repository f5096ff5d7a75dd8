package activities_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres, devstack.Redis, devstack.Inbox))
}

var discard = slog.New(slog.DiscardHandler)

// openStore is a migrated database of the test's own.
func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(
		config.Database{URL: stacktest.MigratedURL(t), MaxConns: 4, StatementTimeout: 10 * time.Second},
		auth.NewDigests("a secret of the tests"),
	)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func openCache(t *testing.T) *cache.Cache {
	t.Helper()
	c, err := cache.New(config.Redis{
		URL: stacktest.RedisURL(), KeyPrefix: stacktest.KeyPrefix(t), Timeout: 20 * time.Second, PoolSize: 4,
	}, discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func register(t *testing.T, s *store.Store, username string) watchparty.User {
	t.Helper()
	user, err := s.CreateUser(t.Context(), watchparty.Registration{
		Username: username, Email: username + "@watchparty.test", DisplayName: "Dear " + username,
	}, "hash")
	require.NoError(t, err)
	return user
}

// registerAdmin registers an admin with a confirmed address.
func registerAdmin(t *testing.T, s *store.Store) watchparty.User {
	t.Helper()
	user := register(t, s, "admin")
	execute(t, s, "UPDATE users SET email_verified_at = now() WHERE id = ?", user.ID)
	admin, err := s.GrantAdmin(t.Context(), user.Email)
	require.NoError(t, err)
	return admin
}

// execute changes rows in ways that the store has no method for: their age above all.
func execute(t *testing.T, s *store.Store, statement string, args ...any) {
	t.Helper()
	_, err := s.DB().ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

// environment runs activities as a worker does, one call at a time, without retries.
func environment(group activities.Group) *testsuite.TestActivityEnvironment {
	return environmentWithLog(group, discard)
}

func environmentWithLog(group activities.Group, log *slog.Logger) *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(log))
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(20 * time.Second)
	activities.Register(env, group)
	return env
}

// requireFailure wants an activity's error to be of that type, and returns it.
func requireFailure(t *testing.T, err error, wantType string, nonRetryable bool) *temporal.ApplicationError {
	t.Helper()
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, wantType, failure.Type())
	require.Equal(t, nonRetryable, failure.NonRetryable())
	return failure
}

// cached is a read through the cache whose loader counts.
type cached struct {
	cache *cache.Cache
	query cache.Query
	loads int
}

func cachedRead(t *testing.T, c *cache.Cache, key string, tags ...string) *cached {
	t.Helper()
	read := &cached{cache: c, query: cache.Query{Key: key, Tags: tags, TTL: time.Hour}}
	// A busy machine's Redis may be too slow for the cache at first.
	require.Eventually(
		t,
		func() bool { return read.hits(t) },
		10*time.Second,
		10*time.Millisecond,
		"%s is not cached",
		key,
	)
	return read
}

// hits reads and tells whether the cache had it.
func (r *cached) hits(t *testing.T) bool {
	t.Helper()
	_, hit, err := r.cache.Get(t.Context(), r.query, func(context.Context) (cache.Loaded, error) {
		r.loads++
		return cache.Loaded{Body: []byte(`{}`)}, nil
	})
	require.NoError(t, err)
	return hit
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
