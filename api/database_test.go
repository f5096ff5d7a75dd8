package api

import (
	"bytes"
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty/devstack/badnet"
)

// faultyDatabase is a database in which a test makes faults. The server reaches it through a proxy, as a role of its
// own.
type faultyDatabase struct {
	*badnet.Proxy
	url  string // for an admin, without the proxy
	role string
}

// statementTimeout is that of a server with a faultyDatabase.
const statementTimeout = 3 * time.Second

// newFaultyDatabase returns the database and the setting with which a server uses it.
func newFaultyDatabase(t *testing.T) (*faultyDatabase, func(*settings)) {
	t.Helper()
	d := &faultyDatabase{}
	return d, func(s *settings) {
		s.config.Database.StatementTimeout = statementTimeout
		s.wayToDatabase = func(direct string) string {
			u, err := url.Parse(direct)
			require.NoError(t, err)
			d.url, d.role, d.Proxy = direct, strings.TrimPrefix(u.Path, "/"), badnet.New(t, u.Host)
			d.execute(t, `CREATE ROLE "?" LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO "?"`)
			t.Cleanup(func() { d.execute(t, `DROP OWNED BY "?"; DROP ROLE "?"`) })
			u.Host, u.User = d.Addr(), url.User(d.role)
			return u.String()
		}
	}
}

// execute runs statements as an admin. ? is the role.
func (d *faultyDatabase) execute(t *testing.T, statements string) {
	t.Helper()
	db := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(d.url)))
	defer db.Close()
	_, err := db.ExecContext(context.WithoutCancel(t.Context()), strings.ReplaceAll(statements, "?", d.role))
	require.NoError(t, err)
}

// alter changes the role, and ends its connections.
func (d *faultyDatabase) alter(t *testing.T, change string) {
	t.Helper()
	d.execute(t, `ALTER ROLE "?" `+change)
	d.execute(t, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '?'")
}

// databaseFaults are ways in which a database does not work.
var databaseFaults = map[string]struct {
	begin, end func(*testing.T, *faultyDatabase)
	reads      bool // whether it still reads
}{
	"black hole": {
		begin: func(_ *testing.T, d *faultyDatabase) { d.Set(badnet.Swallow) },
		end:   func(_ *testing.T, d *faultyDatabase) { d.Set(badnet.Pass) },
	},
	"away": {
		begin: func(_ *testing.T, d *faultyDatabase) { d.Set(badnet.Cut) },
		end:   func(_ *testing.T, d *faultyDatabase) { d.Set(badnet.Pass) },
	},
	"no connection is free": {
		begin: func(t *testing.T, d *faultyDatabase) { d.alter(t, `CONNECTION LIMIT 0`) },
		end:   func(t *testing.T, d *faultyDatabase) { d.alter(t, `CONNECTION LIMIT -1`) },
	},
	"role may not log in": {
		begin: func(t *testing.T, d *faultyDatabase) { d.alter(t, `NOLOGIN`) },
		end:   func(t *testing.T, d *faultyDatabase) { d.alter(t, `LOGIN`) },
	},
	"takes no writes": {
		begin: func(t *testing.T, d *faultyDatabase) { d.alter(t, `SET default_transaction_read_only = on`) },
		end:   func(t *testing.T, d *faultyDatabase) { d.alter(t, `RESET default_transaction_read_only`) },
		reads: true,
	},
}

// TestEveryOperationDuringDatabaseFaults: each operation either does without what the database does not do, or ends
// soon with a 503 that says when to try again. After the fault all operations succeed, so nothing was done by halves.
func TestEveryOperationDuringDatabaseFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range databaseFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, faulty := newFaultyDatabase(t)
			w := newCompleteFixture(t, faulty)
			w.fillPool(t)
			fault.begin(t, d)
			w.requireRefusals(t, fault.reads)
			fault.end(t, d)
			require.Eventually(t, func() bool { return w.do(t, "GET", "/health", "", nil).status == http.StatusOK },
				time.Minute, 10*time.Millisecond)
			w.requireAllSucceed(t)
		})
	}
}

// fillPool makes all connections that the server may have.
func (b *bundle) fillPool(t *testing.T) {
	t.Helper()
	var all []bun.Tx
	for range b.cfg.Database.MaxConns {
		tx, err := b.store.DB().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		all = append(all, tx)
	}
	for _, tx := range all {
		require.NoError(t, tx.Rollback())
	}
}

// requireRefusals calls all operations at once. reads says whether the database reads; then calls that need what others
// were to make may be refused as always.
func (w *completeFixture) requireRefusals(t *testing.T, reads bool) {
	t.Helper()
	type outcome struct {
		answer
		took time.Duration
	}
	calls := w.calls()
	outcomes := make([]outcome, len(calls))
	var running sync.WaitGroup
	for i, c := range calls {
		request := w.build(t, operations()[c.id], c.call)
		running.Go(func() {
			began := time.Now()
			outcomes[i].answer = w.send(t, request)
			outcomes[i].took = time.Since(began)
		})
	}
	running.Wait()
	refused := 0
	for i, got := range outcomes {
		id := calls[i].id
		// An answer takes at most a statement without an answer, and then a connection that does not come; all of them come
		// at once, and a busy machine takes several times as long.
		require.Less(t, got.took, 5*(statementTimeout+3*time.Second), id)
		if got.status == operations()[id].success() || reads && got.status < http.StatusInternalServerError {
			continue
		}
		refused++
		require.Equal(t, http.StatusServiceUnavailable, got.status, "%s: %s", id, got)
		require.True(t, id == "getHealth" || got.header.Get("Retry-After") != "", id)
	}
	t.Logf("%d of %d are refused", refused, len(calls))
	require.Greater(t, refused, len(calls)/4)
}

// TestLostCommits: Postgres commits what a request does, and the answer is lost on the way. The request is a 503, and
// sent again with its key it succeeds without being done twice.
func TestLostCommits(t *testing.T) {
	t.Parallel()
	d, faulty := newFaultyDatabase(t)
	w := newCompleteFixture(t, faulty)
	commits := func() badnet.Matcher {
		return func(call []byte) bool { return bytes.Contains(call, []byte("COMMIT")) }
	}
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.Parameters.GetByInAndName("header", idempotencyKey) == nil {
			require.Equal(t, op.success(), w.call(t, c.id, c.call).status, c.id)
			continue
		}
		send := func() answer {
			r := w.build(t, op, c.call)
			r.Header.Set(idempotencyKey, "the-key-of-"+c.id)
			return w.send(t, r)
		}
		d.Intercept(commits, func() (deliver bool) { return false })
		lost := send()
		d.Intercept(nil, nil)
		require.Equal(t, http.StatusServiceUnavailable, lost.status, "%s: %s", c.id, lost)
		before := w.rows(t)
		again := send()
		require.Equal(t, op.success(), again.status, "%s: %s", c.id, again)
		require.Equal(t, "true", again.header.Get("Idempotent-Replayed"), c.id)
		if c.id != "register" { // which begins a session
			require.Equal(t, before, w.rows(t), c.id)
		}
	}
}
