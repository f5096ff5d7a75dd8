package activities_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
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
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres, devstack.Redis, devstack.Inbox), stacktest.Redialing())
}

var discard = slog.New(slog.DiscardHandler)

// openStore is a migrated database of the test's own.
func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(config.Database{URL: stacktest.MigratedURL(t), MaxConns: 4, StatementTimeout: 10 * time.Second},
		auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
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
	env.SetTestTimeout(2 * time.Minute)
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

// changes are the tags that a store has announced.
type changes struct {
	mu   sync.Mutex
	tags []string
}

// recordChanges has a store's changes recorded.
func recordChanges(s *store.Store) *changes {
	c := &changes{}
	s.OnChange(func(_ context.Context, change coherence.Change) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.tags = append(c.tags, change.Tags...)
		return nil
	})
	return c
}

// take returns what was announced since it was called last.
func (c *changes) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	tags := c.tags
	c.tags = nil
	return tags
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func TestRegisterRefusesAGroupThatIsMissing(t *testing.T) {
	var missing *activities.Webhook
	require.PanicsWithValue(t, "activities: the worker has no *activities.Webhook", func() {
		activities.Register(new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment(), missing)
	})
}
