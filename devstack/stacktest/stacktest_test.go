package stacktest_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"

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
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres, devstack.Inbox))
}

func open(t *testing.T, url string) *sql.DB {
	t.Helper()
	db := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(url)))
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestEachTestHasASchema(t *testing.T) {
	admin := open(t, stacktest.DatabaseURL(t))
	var schemas []string
	for _, name := range []string{"Å name", strings.Repeat("long", 40)} {
		t.Run(name, func(t *testing.T) {
			db := open(t, stacktest.DatabaseURL(t))
			_, err := db.ExecContext(t.Context(), "CREATE TABLE users (id int)")
			require.NoError(t, err)
			var schema string
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT current_schema()").Scan(&schema))
			schemas = append(schemas, schema)
		})
	}
	require.Len(t, schemas, 2)
	require.NotEqual(t, schemas[0], schemas[1])
	for _, schema := range schemas {
		var exists bool
		row := admin.QueryRowContext(t.Context(), "SELECT to_regnamespace('"+schema+"') IS NOT NULL")
		require.NoError(t, row.Scan(&exists))
		require.False(t, exists, schema)
	}
}

func TestEachTestHasAMigratedDatabase(t *testing.T) {
	admin := open(t, stacktest.DatabaseURL(t))
	var databases []string
	for _, name := range []string{"one", "another"} {
		t.Run(name, func(t *testing.T) {
			db := open(t, stacktest.MigratedURL(t))
			var database string
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&database))
			databases = append(databases, database)
			pending, err := migrations.Pending(t.Context(), bun.NewDB(db, pgdialect.New()))
			require.NoError(t, err)
			require.Zero(t, pending)
			_, err = db.ExecContext(t.Context(), "CREATE TABLE of_this_test (id int)")
			require.NoError(t, err)
		})
	}
	require.NotEqual(t, databases[0], databases[1])
	for _, database := range databases {
		var exists bool
		row := admin.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database)
		require.NoError(t, row.Scan(&exists))
		require.False(t, exists, database)
	}
}

func TestKeyPrefix(t *testing.T) {
	first, second := stacktest.KeyPrefix(t), stacktest.KeyPrefix(t)
	require.NotEqual(t, first, second)
	require.Regexp(t, `^test:testkeyprefix_[a-z0-9]+:$`, first)
}

func TestEnvironmentComesFirst(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://elsewhere:6379/3")
	t.Setenv("TEMPORAL_ADDRESS", "elsewhere:7233")
	require.Equal(t, "redis://elsewhere:6379/3", stacktest.RedisURL())
	require.Equal(t, "elsewhere:7233", stacktest.TemporalAddress())
}

func TestUnnamedServiceIsAMistake(t *testing.T) {
	t.Setenv("REDIS_URL", "")
	require.PanicsWithValue(
		t, "stacktest: pass devstack's redis to Main or With in TestMain", func() { stacktest.RedisURL() },
	)
}

func TestInbox(t *testing.T) {
	require.NotEmpty(t, stacktest.InboxURL(), "with SMTP_HOST, INBOX_URL has to be set too")
	require.NotEmpty(t, stacktest.SMTPHost())
	require.NotZero(t, stacktest.SMTPPort())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, stacktest.InboxURL()+"/api/v1/messages", nil)
	require.NoError(t, err)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestNew(t *testing.T) {
	s := stacktest.New(t, devstack.Redis)
	require.NoError(t, s.Kill(devstack.Redis))
	require.NoError(t, s.Restart(t.Context(), devstack.Redis))
}
