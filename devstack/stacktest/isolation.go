package stacktest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty/devstack"
)

// cleanupTimeout limits the wait for locks that a test's connections still hold on its schema.
const cleanupTimeout = time.Minute

// DatabaseURL makes a new, empty schema and returns a URL whose connections have it as their search_path. The schema
// is dropped in t.Cleanup, so close what uses it in a Cleanup that is registered after this call.
func DatabaseURL(t testing.TB) string {
	t.Helper()
	base := databaseURL()
	schema := "test_" + uniqueName(t)
	execute(t, t.Context(), base, `CREATE SCHEMA "`+schema+`"`)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		execute(t, ctx, base, `DROP SCHEMA IF EXISTS "`+schema+`" CASCADE`)
	})
	return changed(base, func(u *url.URL) {
		query := u.Query()
		query.Set("search_path", schema)
		u.RawQuery = query.Encode()
	})
}

// KeyPrefix returns a prefix for the test, which ends with a colon.
func KeyPrefix(t testing.TB) string {
	t.Helper()
	return "test:" + uniqueName(t) + ":"
}

// changed changes the URL of a database. If it cannot read the URL, it panics without its password.
func changed(base string, change func(*url.URL)) string {
	parsed, err := url.Parse(base)
	if err != nil {
		panic("stacktest: DATABASE_URL is not a URL")
	}
	change(parsed)
	return parsed.String()
}

func databaseURL() string {
	return named("DATABASE_URL", devstack.Postgres, (*devstack.Stack).DatabaseURL)
}

func connect(url string) *sql.DB {
	return sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(url), pgdriver.WithTimeout(migrateTimeout)))
}

func execute(t testing.TB, ctx context.Context, base, statement string) {
	t.Helper()
	db := connect(base)
	defer db.Close()
	_, err := db.ExecContext(ctx, statement)
	for deadlocked(err) && ctx.Err() == nil {
		_, err = db.ExecContext(ctx, statement)
	}
	if err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

// deadlocked reports whether Postgres cancelled the statement because of a deadlock, with a statement of a closed
// connection that is still running and ends by itself.
func deadlocked(err error) bool {
	var e pgdriver.Error
	return errors.As(err, &e) && e.Field('C') == "40P01"
}

// uniqueName returns a name for a schema: lower case, short, and different in each call and each run.
func uniqueName(t testing.TB) string {
	const longest = 40
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(t.Name()))
	return name[:min(len(name), longest)] + "_" + strings.ToLower(rand.Text()[:12])
}

// FreeAddress is the host:port for a server of the test's own, also after it has restarted.
func FreeAddress(t testing.TB) string {
	t.Helper()
	addr, err := devstack.FreeAddress(t.Context())
	require.NoError(t, err)
	return addr
}

// FreePort is the port of a FreeAddress.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := devstack.FreePort(t.Context())
	require.NoError(t, err)
	return port
}
