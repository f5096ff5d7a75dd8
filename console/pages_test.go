package console

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
)

// TestPagesShowTheExamples: each page shows the contract's examples of what it reads, so that a template that asks for
// a field which an answer no longer has fails here.
func TestPagesShowTheExamples(t *testing.T) {
	t.Parallel()
	s := newConsoleFixture(t, examples(t))
	for _, p := range pages() {
		w := s.sendRequest(t, http.MethodGet, pathOf(p), nil)
		require.Equal(t, http.StatusOK, w.Code, "%s: %s", p.path, s.logged.String())
		require.Contains(t, w.Body.String(), "</html>", p.path)
	}
	require.Empty(t, s.logged.String())
}

// TestFiltersThatCannotBeRead: a list is not shown without the filters that an address was meant to have.
func TestFiltersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newConsoleFixture(t, examples(t))
	for _, query := range []string{"kind=%zz", "state=a%", "kind=Cleanup;state=failed"} {
		w := s.sendRequest(t, http.MethodGet, Base+"/jobs?"+query, nil)
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		require.Contains(t, w.Body.String(), "The filters in the address cannot be read.")
		require.Contains(t, w.Body.String(), "Without filters")
	}
	require.Empty(t, s.logged.String())
}

// TestRefusedFilters: filters that the API refuses are shown as they were typed, to be mended.
func TestRefusedFilters(t *testing.T) {
	t.Parallel()
	s := newConsoleFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/users/me" { // the admin
			examples(t).ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"title": "Refused by the API."}`))
	}))
	tried := 0
	for _, p := range pages() {
		query := url.Values{}
		for _, name := range p.filters {
			query.Set(name, `<typed> as "`+name+`"`)
		}
		if len(query) == 0 {
			continue
		}
		tried++
		w := s.sendRequest(t, http.MethodGet, pathOf(p)+"?"+query.Encode(), nil)
		require.GreaterOrEqual(t, w.Code, http.StatusBadRequest, p.path)
		require.Contains(t, w.Body.String(), `role="alert"`, p.path)
		require.NotContains(t, w.Body.String(), "None matches", p.path)
		root, err := html.Parse(w.Body)
		require.NoError(t, err)
		shown := map[string]bool{}
		for n := range root.Descendants() {
			a := attributes(n)
			switch {
			case !query.Has(a["name"]) || shown[a["name"]]:
			case n.Data == "select", a["type"] == "datetime-local", a["type"] == "checkbox": // they take no other texts
				shown[a["name"]] = true
			case n.Data == "input" && a["type"] != "hidden":
				require.Equal(t, query.Get(a["name"]), a["value"], p.path)
				shown[a["name"]] = true
			}
		}
		for _, name := range p.filters {
			require.True(t, shown[name], "%s: %s", p.path, name)
		}
	}
	require.Positive(t, tried)
	require.Empty(t, s.logged.String())
}

// consoleFixture is a console whose admin carol is signed in.
type consoleFixture struct {
	*Console
	logged *bytes.Buffer
}

func newConsoleFixture(t *testing.T, api http.Handler) consoleFixture {
	t.Helper()
	var logged bytes.Buffer
	c, err := New(Deps{
		Log: slog.New(slog.NewTextHandler(&logged, nil)),
		API: api,
		Session: func(context.Context, string, time.Duration) (auth.Identity, error) {
			return auth.Identity{Username: "carol"}, nil
		},
		Access: func(auth.Identity) (string, error) { return "token", nil },
	})
	require.NoError(t, err)
	return consoleFixture{c, &logged}
}

func (s consoleFixture) sendRequest(t *testing.T, method, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.AddCookie(s.cookie("session", "token", time.Hour))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// pathOf returns the path of a page about some thing.
func pathOf(p page) string {
	return strings.NewReplacer("{id}", "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4", "{$}", "").Replace(p.path)
}

// examples is an API whose every answer is the contract's example, as an admin sees it.
func examples(t *testing.T) http.Handler {
	t.Helper()
	spec, err := contract.GetSpec()
	require.NoError(t, err)
	spec.Servers = openapi3.Servers{{URL: "/api"}}
	router, err := gorillamux.NewRouter(spec)
	require.NoError(t, err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, _, err := router.FindRoute(r)
		require.NoError(t, err, "%s %s", r.Method, r.URL.Path)
		answer := exampleOf(t, route)
		if data, ok := answer["data"].(map[string]any); ok && route.Path == "/users/me" {
			data["is_admin"] = true
		}
		require.NoError(t, json.NewEncoder(w).Encode(answer))
	})
}

func exampleOf(t *testing.T, route *routers.Route) map[string]any {
	t.Helper()
	schema := route.Operation.Responses.Status(http.StatusOK).Value.Content["application/json"].Schema
	answer, ok := schema.Value.Example.(map[string]any)
	require.True(t, ok, "%s %s has no example", route.Method, route.Path)
	return answer
}

// TestAccessKeys: each page of the navigation has a letter of its own.
func TestAccessKeys(t *testing.T) {
	t.Parallel()
	c := &Console{}
	letters := map[string]string{}
	for _, e := range c.functions()["nav"].(func() []entry)() {
		require.Len(t, e.AccessKey(), 1, e.Key)
		require.Empty(t, letters[e.AccessKey()], "%s has the letter of another page", e.Key)
		letters[e.AccessKey()] = e.Key
	}
}
