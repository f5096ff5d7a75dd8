package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/web"
)

// strict is the contract, read so that an answer may hold no property that it does not name.
var strict = sync.OnceValue(func() routers.Router {
	spec := parseContract()
	for _, schema := range spec.Components.Schemas {
		if len(schema.Value.Properties) > 0 {
			no := false
			schema.Value.AdditionalProperties.Has = &no
		}
	}
	router, err := gorillamux.NewRouter(spec)
	if err != nil {
		panic(err)
	}
	return router
})

// readContract returns the contract, which no caller changes.
var readContract = sync.OnceValue(parseContract)

// parseContract takes a sixth of a second.
func parseContract() *openapi3.T {
	spec, err := openapi3.NewLoader().LoadFromData(contractYAML)
	if err != nil {
		panic(err)
	}
	return spec
}

var problemSchema = sync.OnceValue(
	func() *openapi3.Schema { return readContract().Components.Schemas["Problem"].Value },
)

// documented is one operation of the contract.
type documented struct {
	method, path string // path without /api
	*openapi3.Operation
}

var contractProblems = sync.OnceValue(func() map[string]web.Problem {
	problems, err := problemsIn(readContract())
	if err != nil {
		panic(err)
	}
	return problems
})

// operations are all of the contract's, by their IDs.
var operations = sync.OnceValue(func() map[string]documented {
	all := map[string]documented{}
	for path, item := range readContract().Paths.Map() {
		for method, op := range item.Operations() {
			all[op.OperationID] = documented{method, path, op}
		}
	}
	return all
})

// success is the status that the operation promises.
func (d documented) success() int {
	for _, status := range []int{200, 201, 202, 204} {
		if d.Responses.Status(status) != nil {
			return status
		}
	}
	return 0
}

// needsToken, takesToken and tagged read what the contract says of access.
func (d documented) needsToken() bool { return d.takesToken() && len(*d.Security) == 1 }
func (d documented) takesToken() bool { return d.Security != nil && len(*d.Security) > 0 }

// role is what authorize goes by.
func (d documented) role() string {
	role, _ := d.Extensions[roleExtension].(string)
	return role
}

// forAdmins: refused to everyone else.
func (d documented) forAdmins() bool { return d.role() == string(roleAdmin) }

// internals are words that no client should read.
var internals = regexp.MustCompile(
	`(?i)sqlstate|select |insert into|goroutine|\.go:|127\.0\.0\.1|localhost|dial tcp|store:|api:|cache:|pgdriver|bun\.|hidden-`,
)

// requireContract fails unless a is what the contract allows as an answer to r.
func requireContract(t testing.TB, r *http.Request, a answer) {
	t.Helper()
	id := a.header.Get("X-Request-Id")
	require.NoError(t, uuid.Validate(id), "X-Request-Id")
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	if a.status >= 400 {
		requireProblem(t, a, id)
	}
	if a.body != nil {
		requireForms(t, a)
	}
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		require.Empty(t, a.raw)
	}
	route, params, err := strict().FindRoute(r)
	if err != nil {
		under, ok := strings.CutPrefix(r.URL.Path, basePath)
		page := !ok || isDocument(under) || strings.Trim(under, "/") == ""
		require.True(t, page || a.status >= 400, "%s %s is not in the contract", r.Method, r.URL.Path)
		return // requireProblem has checked what there is to check
	}
	response := route.Operation.Responses.Status(a.status)
	if a.status >= 400 && a.status < 500 {
		requireProblemInContract(t, route.Operation, a)
	}
	if a.status < 400 {
		require.NotNil(t, response, "%s answers an undocumented %d", route.Operation.OperationID, a.status)
	}
	if r.Method == http.MethodGet && (a.status < 300 || a.status == http.StatusNotModified) {
		requireCaching(t, a)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 a.status, Header: a.header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	input.SetBodyBytes(a.raw)
	if err := openapi3filter.ValidateResponse(t.Context(), input); err != nil {
		// The error and the answer may be as long as a list; one line of them must not exceed what testify can show.
		require.Fail(t, "the answer is not that of the contract", "%s %s: %.2000s\n%.2000s", r.Method, r.URL.Path, err, a)
	}
}

// requireCaching checks that clients may store what they can revalidate, and nothing else.
func requireCaching(t testing.TB, a answer) {
	t.Helper()
	if caching := a.header.Get("Cache-Control"); a.header.Get("ETag") == "" {
		require.Equal(t, "no-store", caching)
	} else {
		require.Regexp(t, "no-cache$|immutable$", caching)
	}
}

func requireProblem(t testing.TB, a answer, requestID string) {
	t.Helper()
	if a.header.Get("Content-Type") == "application/json" && a.status == 503 && a.body["data"] != nil {
		return // health says what is wrong in its own words
	}
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), a)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.EqualValues(t, a.status, a.body["status"])
	require.Equal(t, requestID, a.body["request_id"])
	explained := contractProblems()[a.code()]
	require.Equal(t, explained.Status, a.status, a)
	require.Equal(t, explained.Title, a.body["title"])
	require.Equal(t, "https://party.example/problems#"+a.code(), a.body["type"])
	require.NotRegexp(t, internals, string(a.raw))
	require.Empty(t, a.header.Get("ETag"))
	require.Equal(t, a.status == http.StatusUnauthorized, a.header.Get("WWW-Authenticate") != "")
	require.NoError(t, problemSchema().VisitJSON(a.body))
}

var (
	snakeCase = regexp.MustCompile(`^_?[a-z][a-z0-9_]*$`)
	utcTime   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)
)

// requireForms checks what holds for every JSON answer: snake_case, UTC, and `_cached` that agrees with X-Cache.
func requireForms(t testing.TB, a answer) {
	t.Helper()
	if cached, ok := a.body["_cached"]; ok {
		require.Equal(t, a.header.Get("X-Cache") == "HIT", cached)
	}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				require.True(t, snakeCase.MatchString(key), key)
				walk(key, inner)
			}
		case []any:
			for _, inner := range v {
				walk(name, inner)
			}
		case string:
			require.False(t, strings.HasSuffix(name, "id") && uuid.Validate(v) == nil && strings.ToLower(v) != v,
				"%s is in upper case: %s", name, v)
			if slices.Contains([]string{
				"expires_at", "until", "muted_until", "period_start", "period_end", "deadline_at", "starts_at",
				"deletion_due_at",
			}, name) {
				require.True(t, utcTime.MatchString(v), "%s: %s", name, v)
				return
			}
			if strings.HasSuffix(name, "_at") {
				parsed, err := time.Parse(time.RFC3339, v)
				require.NoError(t, err)
				require.True(t, strings.HasSuffix(v, "Z"), "%s is not in UTC: %s", name, v)
				require.WithinRange(t, parsed, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), name)
			}
		}
	}
	walk("", a.body)
}

func TestEmbeddedContractIsTheFile(t *testing.T) {
	embedded, err := contract.GetSpec()
	require.NoError(t, err)
	for _, item := range embedded.Paths.Map() {
		for _, op := range item.Operations() { // the generator writes them as Go names
			op.OperationID = strings.ToLower(op.OperationID[:1]) + op.OperationID[1:]
		}
	}
	got, err := json.Marshal(embedded)
	require.NoError(t, err)
	want, err := json.Marshal(readContract())
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got), "contract.gen.go is older than openapi.yaml")
}

func TestContractIsValid(t *testing.T) {
	require.NoError(t, readContract().Validate(t.Context()))
}

func TestRoutesAreTheContracts(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	var routed, promised []string
	for _, route := range b.server.echo.Routes() {
		path, ok := strings.CutPrefix(route.Path, basePath)
		if !ok || isDocument(path) || path == livePath || strings.Trim(path, "/") == "" {
			continue
		}
		routed = append(routed, route.Method+" "+path)
	}
	parameter := regexp.MustCompile(`\{(\w+)\}`)
	for _, op := range operations() {
		path := parameter.ReplaceAllString(op.path, ":$1")
		promised = append(promised, op.method+" "+path)
		if op.method == http.MethodGet {
			promised = append(promised, http.MethodHead+" "+path)
		}
	}
	require.ElementsMatch(t, promised, routed)
}
