package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/avatar/probe"
	"github.com/watchparty/watchparty/coherence"
)

func TestProblem(t *testing.T) {
	t.Parallel()
	mistyped := json.Unmarshal([]byte(`{"a": 1.5}`), &struct{ A int }{})
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"wrapped domain error":       {fmt.Errorf("store: x: %w", watchparty.ErrNotFound), 404, "not_found"},
		"conflict":                   {watchparty.ErrRoomFull, 409, "room_full"},
		"anything else":              {errors.New("dial tcp 10.0.0.7:5432"), 500, "internal"},
		"Echo's":                     {echo.ErrMethodNotAllowed, 405, "method_not_allowed"},
		"Echo's that has no code":    {echo.NewHTTPError(418, "teapot at 10.0.0.7"), 500, "internal"},
		"too large":                  {fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 1}), 413, "body_too_large"},
		"an undecodable body":        {echo.NewHTTPError(400).SetInternal(mistyped), 400, "invalid_request"},
		"an undecodable row":         {fmt.Errorf("store: %w", mistyped), 500, "internal"},
		"domain error within echo's": {&echo.HTTPError{Code: 500, Internal: watchparty.ErrForbidden}, 403, "forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			p := problem(c.err)
			require.Equal(t, []any{c.status, c.code}, []any{p.Status, string(p.Code)})
			text, err := json.Marshal(p)
			require.NoError(t, err)
			require.NotContains(t, string(text), "10.0.0.7")
		})
	}
	for kind := watchparty.KindInvalid; kind <= watchparty.KindUnavailable; kind++ {
		require.NotZero(t, statuses[kind], "kind %d has no status", kind)
	}
}

// TestProblemCodes: the contract lists the codes that there are, and no others.
func TestProblemCodes(t *testing.T) {
	known := map[string]bool{}
	text := func(e ast.Expr) {
		if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			code, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			known[code] = true
		}
	}
	named := func(e ast.Expr, name string) bool {
		if s, ok := e.(*ast.SelectorExpr); ok {
			return s.Sel.Name == name
		}
		i, ok := e.(*ast.Ident)
		return ok && i.Name == name
	}
	for _, pattern := range []string{
		"../*.go", "*.go", "../store/*.go", "../auth/*.go", "../limit/*.go", "../playback/*.go",
	} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, ".gen.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			require.NoError(t, err)
			ast.Inspect(parsed, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					if named(n.Type, "Error") {
						for _, e := range n.Elts {
							if pair, ok := e.(*ast.KeyValueExpr); ok && named(pair.Key, "Code") {
								text(pair.Value)
							}
						}
					}
				case *ast.CallExpr:
					if named(n.Fun, "newProblem") && len(n.Args) == 3 {
						text(n.Args[1])
					}
				}
				return true
			})
		}
	}
	for _, code := range codes {
		known[code] = true
	}
	for _, code := range []string{
		probe.CodeEmpty, probe.CodeTooLarge, probe.CodeUnsupportedFormat, probe.CodeUnreadable, probe.CodeTooManyPixels,
	} {
		known[code] = true
	}
	spec, err := contract.GetSpec()
	require.NoError(t, err)
	listed := map[string]bool{}
	for _, code := range spec.Components.Schemas["ProblemCode"].Value.Enum {
		listed[code.(string)] = true
	}
	require.Equal(t, known, listed)
}

// TestBrokenParts: an internal failure is a 500 without details, and one line in the log with the cause.
func TestBrokenParts(t *testing.T) {
	t.Parallel()
	t.Run("the database", func(t *testing.T) {
		t.Parallel()
		w := newCompleteFixture(t)
		require.NoError(t, w.store.Close())
		requireBroken(t, w, "sql: database is closed")
	})
	t.Run("a schema from elsewhere", func(t *testing.T) {
		t.Parallel()
		w := newCompleteFixture(t)
		for _, table := range []string{"users", "rooms", "movies", "cleanup_runs", "reports", "participants", "messages",
			"sessions", "members", "bans", "mutes",
			"room_log", "invitations", "email_verifications", "password_resets", "audit", "idempotency_keys", "abuse_reports"} {
			_, err := w.store.DB().ExecContext(t.Context(), "ALTER TABLE "+table+" RENAME TO old_"+table)
			require.NoError(t, err)
		}
		requireBroken(t, w, "SQLSTATE")
	})
}

func requireBroken(t *testing.T, w *completeFixture, cause string) {
	t.Helper()
	// Nothing is cached any more: no snapshot of the database will see this transaction as ended.
	w.member.Ledger().Add(coherence.Change{Transaction: math.MaxInt64, Tags: []string{
		"rooms", "movies", "profile:alice", "room:" + w.open, "room:" + w.private, "messages:" + w.private,
	}})
	failed := 0
	for _, c := range w.calls() {
		if c.id == "getAvatarFile" || c.id == "getDefaultAvatar" || strings.Contains(c.id, "Health") ||
			strings.Contains(c.id, "ness") {
			continue
		}
		failed++
		a := w.call(t, c.id, c.call)
		a.requireProblem(t, 500, "internal")
	}
	records := w.logs.records(t, "request failed")
	require.Len(t, records, failed, "each failure is logged once")
	for _, record := range records {
		require.Contains(t, record["error"], cause)
		require.NotEmpty(t, record["request_id"])
		require.NotEmpty(t, record["route"])
	}
}

// TestRefusalsAreLoggedOnce: while a server is down, or the process stops, the log has one line an interval for each part
// of the API and code, however many requests there are.
func TestRefusalsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change           []func(*settings)
		begin            func(t *testing.T, b *bundle)
		path, part, code string
	}{
		"Postgres is down, movies": {
			change: []func(*settings){databaseAway}, path: "/movies", part: "movies", code: "unavailable",
		},
		"Postgres is down, rooms": {
			change: []func(*settings){databaseAway}, path: "/rooms/" + unknownID, part: "rooms", code: "unavailable",
		},
		"Postgres is down, readiness": {
			change: []func(*settings){databaseAway}, path: "/health/ready", part: "health", code: "not_ready",
		},
		"it stops": {
			begin: func(_ *testing.T, b *bundle) { b.server.draining.Store(true) },
			path:  "/health/ready", part: "health", code: "not_ready",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, c.change...)
			if c.begin != nil {
				c.begin(t, b)
			}
			const requests = 20
			for range requests {
				b.do(t, "GET", c.path, "", nil).requireProblem(t, http.StatusServiceUnavailable, c.code)
			}
			require.Empty(t, b.logs.records(t, "request failed"))
			records := b.logs.records(t, "requests are refused")
			require.NotEmpty(t, records)
			require.Less(t, len(records), requests/2, "a slow machine may take several intervals")
			for _, r := range records {
				require.Equal(t, []any{c.part, c.code, "WARN"}, []any{r["part"], r["code"], r["level"]})
				require.NotEmpty(t, r["error"])
			}
		})
	}
}

func TestPanics(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	b.server.bucket = nil // a handler that asks it panics
	a := b.do(t, "GET", "/files/avatars/"+unknownID+"/1/medium.webp", "", nil)
	a.requireProblem(t, 500, "internal")
	require.NotContains(t, string(a.raw), "nil pointer")
	records := b.logs.records(t, "handler panicked")
	require.Len(t, records, 1)
	require.Contains(t, records[0]["stack"], "GetAvatarFile")
	requests := b.logs.records(t, "request")
	require.Len(t, requests, 1, "the request is logged and measured like any other")
	require.EqualValues(t, 500, requests[0]["status"])
	require.Equal(t, 204, b.do(t, "GET", "/health/live", "", nil).status)
}

func TestRoutesThatAreNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	for _, path := range []string{
		"/nowhere", "/rooms/", "/users/alice/", "/users/alice/rooms", "/rooms/" + unknownID + "/nothing", "/api/rooms",
		"//rooms",
		"/%2e%2e/health", "/admin", "/rooms%2f" + unknownID, "/Rooms", "/docs.yaml",
	} {
		for _, token := range []string{"", alice.token} {
			b.do(t, "GET", path, token, nil).requireProblem(t, 404, "not_found")
		}
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
		for path, allowed := range map[string][]string{
			"/rooms": {"GET", "POST"}, "/users/me": {"GET", "PATCH", "DELETE"}, "/auth/login": {"POST"},
			"/rooms/" + unknownID + "/join": {"POST"}, "/rooms/" + unknownID + "/mutes": {"GET", "POST"},
			"/admin/cleanup": {"POST"}, "/health/live": {"GET"},
		} {
			if strings.Contains(strings.Join(allowed, " "), method) {
				continue
			}
			for _, token := range []string{"", alice.token, "x"} {
				a := b.do(t, method, path, token, nil)
				a.requireProblem(t, 405, "method_not_allowed")
				for _, m := range allowed {
					require.Contains(t, a.header.Get("Allow"), m, "%s %s", method, path)
				}
			}
		}
	}
	for _, path := range []string{"/nowhere", "/health/x", "/favicon.ico", "/.env", "/debug/pprof/", "/metrics"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		b.server.ServeHTTP(w, r)
		b.accept(t, r, w.Result()).requireProblem(t, 404, "not_found")
	}
}

// TestRequestsAreLogged: one line each, by route and without what was in the path or the query.
func TestRequestsAreLogged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.request(t, "GET", "/users/secret-name", "", nil)
	r.Header.Set("X-Request-Id", "from outside")
	a := b.send(t, r)
	require.NotEqual(t, "from outside", a.header.Get("X-Request-Id"))
	records := b.logs.records(t, "request")
	require.Len(t, records, 1)
	require.Equal(t, []any{"GET", "/api/users/:username", 404.0, a.header.Get("X-Request-Id")},
		[]any{records[0]["method"], records[0]["route"], records[0]["status"], records[0]["request_id"]})
	line, err := json.Marshal(records[0])
	require.NoError(t, err)
	require.NotContains(t, string(line), "secret")
}

func TestRequestIDsDiffer(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	seen := map[string]bool{}
	for range 20 {
		seen[b.do(t, "GET", "/health/live", "", nil).header.Get("X-Request-Id")] = true
	}
	require.Len(t, seen, 20)
}
