package store

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

func TestStatementTimeout(t *testing.T) {
	t.Parallel()
	s, err := Open(config.Database{URL: stacktest.DatabaseURL(t), MaxConns: 2, StatementTimeout: time.Second},
		nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })

	begun := time.Now()
	_, err = s.db.ExecContext(t.Context(), "SELECT pg_sleep(20)")
	var refused pgdriver.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "57014", refused.Field('C'), "query_canceled: %v", err)
	require.Less(t, time.Since(begun), 10*time.Second)

	require.NoError(t, s.Ping(t.Context()), "the connection lives on")
	require.Equal(t, "watchparty", readValue[string](t, s, "SELECT current_setting('application_name')"))
}

func TestPing(t *testing.T) {
	t.Parallel()
	t.Run("nobody listens", func(t *testing.T) {
		s, err := Open(config.Database{URL: "postgres://user:secret@127.0.0.1:1/db", MaxConns: 2,
			StatementTimeout: time.Second}, nil)
		require.NoError(t, err, "it connects at first use")
		defer func() { require.NoError(t, s.Close()) }()
		err = s.Ping(t.Context())
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret")
	})
	t.Run("nobody waits", func(t *testing.T) {
		s := openStoreAt(t, stacktest.DatabaseURL(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.Ping(ctx), context.Canceled)
	})
}

func TestDSN(t *testing.T) {
	for _, test := range []struct{ name, url, sslmode string }{
		{"localhost", "postgres://u:p@localhost:5432/db", "disable"},
		{"IPv4 loopback", "postgres://u:p@127.0.0.1/db", "disable"},
		{"all of IPv4 loopback", "postgres://u:p@127.8.9.1/db", "disable"},
		{"IPv6 loopback", "postgres://u:p@[::1]:5432/db", "disable"},
		{"no host", "postgres://u:p@/db", "disable"},
		{"a name", "postgres://u:p@db.example.org:5432/db", "verify-full"},
		{"a private address", "postgres://u:p@10.0.0.7/db", "verify-full"},
		{"a name that starts like localhost", "postgres://u:p@localhost.example.org/db", "verify-full"},
		{"any address", "postgres://u:p@0.0.0.0/db", "verify-full"},
		{"said otherwise", "postgres://u:p@db.example.org/db?sslmode=disable", "disable"},
		{"asked for on this machine", "postgresql://u:p@localhost/db?sslmode=verify-full", "verify-full"},
		{"a socket", "unix://u:p@db/var/run/postgresql/.s.PGSQL.5432", "disable"},
		{"a socket as the parameter host", "postgres://u:p@db.example.org/db?host=/run/.s.PGSQL.5432", "disable"},
		{"a name as the parameter host", "postgres://u:p@localhost/db?host=db.example.org:5432", "verify-full"},
		{"a name as the parameter host alone", "postgres://u:p@/db?host=db.example.org:5432", "verify-full"},
		{"localhost as the parameter host", "postgres://u:p@db.example.org/db?host=localhost:5432", "disable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config.Database{URL: test.url, MaxConns: 2, StatementTimeout: 1500 * time.Millisecond}
			made, err := connectionString(c)
			require.NoError(t, err)
			u, err := url.Parse(made)
			require.NoError(t, err)
			require.Equal(t, test.sslmode, u.Query().Get("sslmode"))
			require.Equal(t, "1500", u.Query().Get("statement_timeout"))
			require.Equal(t, "2000", u.Query().Get("lock_timeout"))
			require.Equal(t, "2.5s", u.Query().Get("read_timeout"), "longer than the statement's, or connections break")
			s, err := Open(c, nil)
			require.NoError(t, err)
			require.NoError(t, s.Close())
		})
	}

	t.Run("what the address says stays", func(t *testing.T) {
		made, err := connectionString(config.Database{
			URL:              "postgres://u:p%40ss@localhost/db?search_path=a&statement_timeout=7&lock_timeout=3&read_timeout=9s",
			StatementTimeout: time.Second,
		})
		require.NoError(t, err)
		u, err := url.Parse(made)
		require.NoError(t, err)
		require.Equal(t, url.Values{
			"search_path": {"a"}, "statement_timeout": {"7"}, "lock_timeout": {"3"}, "read_timeout": {"9s"},
			"sslmode": {"disable"},
		}, u.Query())
		password, _ := u.User.Password()
		require.Equal(t, "p@ss", password)
	})
}

// A wrong setting is an error in words, without the password, and no panic.
func TestOpenRefusesBadURLs(t *testing.T) {
	for name, address := range map[string]string{
		"no address":         "://secret",
		"bad escape":         "postgres://u:secret%zz@localhost/db",
		"bad port":           "postgres://u:secret@localhost:port/db",
		"control character":  "postgres://u:secret@local\nhost/db",
		"empty":              "",
		"another scheme":     "mysql://u:secret@localhost/db",
		"no socket":          "unix://u:secret@db",
		"unknown sslmode":    "postgres://u:secret@localhost/db?sslmode=always",
		"no such root":       "postgres://u:secret@localhost/db?sslmode=verify-full&sslrootcert=/nowhere",
		"no such key":        "postgres://u:secret@localhost/db?sslmode=require&sslcert=/nowhere&sslkey=/nowhere",
		"timeout is a word":  "postgres://u:secret@localhost/db?connect_timeout=soon",
		"nobody to speak as": "postgres://localhost/db",
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			require.NotPanics(t, func() {
				var s *Store
				if s, err = Open(config.Database{URL: address, MaxConns: 2, StatementTimeout: time.Second}, nil); err == nil {
					err = s.Ping(t.Context())
					_ = s.Close()
				}
			})
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

// TestFiles: doc.go names each file of the package, and no file that is gone.
func TestFiles(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	list, _, found := strings.Cut(string(doc), "// # Transactions")
	require.True(t, found)
	named := regexp.MustCompile(`[a-z_]+\.go`).FindAllString(list, -1)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(name string) bool {
		return strings.HasSuffix(name, "_test.go") || name == "doc.go"
	})
	require.ElementsMatch(t, files, named)
}

// TestDeadlock: two transactions that wait for each other both come to their end.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	var (
		wg   sync.WaitGroup
		both sync.WaitGroup
		runs atomic.Int32
		errs [2]error
	)
	both.Add(2)
	for i, order := range [][]watchparty.User{{ada, bob}, {bob, ada}} {
		wg.Go(func() {
			first := true
			errs[i] = s.inTx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				runs.Add(1)
				if _, err := lockUser(ctx, tx, order[0].ID); err != nil {
					return err
				}
				if first {
					first = false
					both.Done()
					both.Wait()
				}
				_, err := lockUser(ctx, tx, order[1].ID)
				return err
			})
		})
	}
	wg.Wait()
	require.NoError(t, errs[0])
	require.NoError(t, errs[1])
	require.GreaterOrEqual(t, runs.Load(), int32(3), "one of them was tried again, or both were")

	runs.Store(0)
	refused := errors.New("no")
	err := s.inTx(t.Context(), func(context.Context, bun.Tx) error { runs.Add(1); return refused })
	require.ErrorIs(t, err, refused)
	require.EqualValues(t, 1, runs.Load(), "nothing else is")
}
