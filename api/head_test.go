package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/web"
)

// pagePaths are public documents and pages beside the contract, which may be stored.
func pagePaths() []string {
	return append(web.Pages(), "/", "/health", "/docs", "/docs/", "/openapi.yaml", "/api/docs", "/api/docs/",
		"/api/openapi.yaml", "/live.yaml", "/docs/live", "/api/live.yaml", "/api/docs/live", "/assets/pages.css")
}

// allPagePaths are what is served beside the contract. TestEveryPageIsAsked keeps them complete.
func allPagePaths() []string {
	return append(pagePaths(), web.Watch, web.Problems, "/admin", "/admin/sign-in", "/admin/jobs",
		"/admin/assets/of-any-version/console.css")
}

// TestEveryPageIsAsked: allPagePaths has a path for each route for GET beside the contract, and each of them has HEAD.
func TestEveryPageIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	documented, asked := map[string]bool{}, map[string]bool{}
	for _, op := range operations() {
		documented[basePath+regexp.MustCompile(`\{(\w+)\}`).ReplaceAllString(op.path, ":$1")] = true
	}
	for _, path := range append(allPagePaths(), basePath, basePath+"/", basePath+livePath) {
		c := b.server.echo.NewContext(httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder())
		b.server.echo.Router().Find(http.MethodGet, path, c)
		asked[c.Path()] = true
	}
	routes := b.server.echo.Routes()
	for _, route := range routes {
		if route.Method != http.MethodGet {
			continue
		}
		require.True(t, slices.ContainsFunc(routes, func(r *echo.Route) bool {
			return r.Method == http.MethodHead && r.Path == route.Path
		}), "%s has no HEAD", route.Path)
		require.True(t, documented[route.Path] || asked[route.Path], route.Path)
	}
}

// page asks for what is beside the contract.
func (b *bundle) page(t testing.TB, method, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, nil)
	require.NoError(t, err)
	return r
}

// exchange is send for what is not in the contract as it is: HEAD and OPTIONS.
func (b *bundle) exchange(t testing.TB, r *http.Request) answer {
	t.Helper()
	response, err := b.client.Do(r)
	require.NoError(t, err)
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return answer{status: response.StatusCode, header: response.Header, raw: raw}
}

// lasting are the headers that do not differ from one answer to the same request to the next, on a busy machine too,
// where Redis may once take longer than it is given.
func lasting(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Date", "X-Request-Id", "Content-Length", "X-Cache"} {
		h.Del(name)
	}
	if tag := h.Get("ETag"); tag != "" {
		h.Set("ETag", strings.Replace(tag, cachedSuffix, "", 1))
	}
	return h
}

// requireHead asks for r with HEAD, which answers as GET has, without content.
func (b *bundle) requireHead(t *testing.T, r *http.Request, got answer) {
	t.Helper()
	r = r.Clone(t.Context())
	r.Method = http.MethodHead
	a := b.exchange(t, r)
	require.Equal(t, got.status, a.status, "HEAD %s", r.URL.Path)
	require.Empty(t, a.raw)
	require.Equal(t, lasting(got.header), lasting(a.header), "HEAD %s", r.URL.Path)
	tellsTime := strings.HasSuffix(r.URL.Path, "/playback") // with as many digits as its present fraction has
	if length := a.header.Get("Content-Length"); length != "" && !tellsTime &&
		got.header.Get("X-Cache") == a.header.Get("X-Cache") {
		require.Equal(t, got.header.Get("Content-Length"), length, r.URL.Path)
	}
}

// TestHeadIsGetWithoutContent: wherever there is GET.
func TestHeadIsGetWithoutContent(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	asked := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.method != http.MethodGet {
			a := w.call(t, c.id, c.call)
			require.Equal(t, op.success(), a.status, "%s: %s", c.id, a)
			head := w.build(t, op, c.call)
			head.Method, head.Body, head.ContentLength = http.MethodHead, nil, 0
			if a := w.exchange(t, head); a.status != http.StatusOK && a.status != http.StatusNoContent { // the path has no GET
				require.NotContains(t, a.header.Get("Allow"), "GET", c.id)
			}
			continue
		}
		asked++
		if op.Responses.Status(200) != nil && op.Responses.Status(200).Value.Headers["X-Cache"] != nil {
			r := w.build(t, op, c.call)
			w.requireHit(t, strings.TrimPrefix(r.URL.RequestURI(), basePath), c.token)
		}
		r := w.build(t, op, c.call)
		got := w.send(t, r)
		for began := time.Now(); c.id == "getHealth" && got.status != op.success() && time.Since(began) < time.Minute; {
			got = w.send(t, r) // on a busy machine a part may take longer to answer than health waits
		}
		require.Equal(t, op.success(), got.status, "%s: %s", c.id, got)
		w.requireHead(t, r, got)
		if op.needsToken() {
			r = w.build(t, op, c.call)
			r.Header.Del("Authorization")
			w.requireHead(t, r, w.send(t, r))
		}
	}
	require.Greater(t, asked, 35)
	for _, path := range append(allPagePaths(), basePath, basePath+"/") {
		r := w.page(t, http.MethodGet, path)
		w.requireHead(t, r, w.exchange(t, r))
	}
	r := w.page(t, http.MethodGet, "/nowhere")
	w.requireHead(t, r, w.exchange(t, r))
	for _, path := range []string{"/assets/pages.css", "/api/files/avatars/" + w.alice.id + "/1/medium.webp"} {
		whole := w.exchange(t, w.page(t, http.MethodGet, path))
		r := w.page(t, http.MethodGet, path)
		r.Header.Set("Range", "bytes=0-3")
		require.Equal(t, http.StatusPartialContent, w.exchange(t, r).status)
		w.requireHead(t, r, whole)
	}
	methods := map[any]bool{}
	for _, record := range w.logs.records(t, "request") {
		methods[record["method"]] = true
	}
	require.True(t, methods["HEAD"], "HEAD is logged as what it is")
}

// TestLongerPaths: a path that goes on after its route is none, whatever the method, also after a parameter.
func TestLongerPaths(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	for _, op := range operations() {
		path := basePath + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(op.path, unknownID)
		for _, rest := range []string{"/", "/a/b/c"} {
			for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "OPTIONS", "BREW"} {
				a := b.exchange(t, b.page(t, method, path+rest))
				require.Equal(t, http.StatusNotFound, a.status, "%s %s", method, path+rest)
			}
		}
	}
}

// TestAllow: OPTIONS and the 405 of every path of the contract name what it takes.
func TestAllow(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	taken := map[string][]string{}
	for _, op := range operations() {
		taken[op.path] = append(taken[op.path], op.method)
		if op.method == http.MethodGet {
			taken[op.path] = append(taken[op.path], http.MethodHead)
		}
	}
	for path, methods := range taken {
		methods = append(methods, http.MethodOptions)
		path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, unknownID)
		allowed := func(a answer) []string { return strings.Split(a.header.Get("Allow"), ", ") }
		a := b.exchange(t, b.page(t, http.MethodOptions, basePath+path))
		require.Equal(t, http.StatusNoContent, a.status, path)
		require.Subset(t, allowed(a), methods, path)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
			if slices.Contains(methods, method) {
				continue
			}
			a := b.exchange(t, b.page(t, method, basePath+path))
			require.Equal(t, http.StatusMethodNotAllowed, a.status, "%s %s", method, path)
			require.ElementsMatch(t, methods, allowed(a), "%s %s", method, path)
		}
	}
	require.Equal(t, http.StatusNotFound, b.exchange(t, b.page(t, http.MethodOptions, "/api/nowhere")).status)
	for _, path := range allPagePaths() {
		a := b.exchange(t, b.page(t, http.MethodDelete, path))
		require.Equal(t, http.StatusMethodNotAllowed, a.status, path)
		require.Contains(t, a.header.Get("Allow"), "HEAD", path)
	}
}

// TestPagesThatFail: people who open a page in a browser read why it is not shown, and other clients get a problem.
// Broken parameters do not keep a page from being shown, since others put them to links.
func TestPagesThatFail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	requestPage := func(method, path, accept string) answer {
		r := b.page(t, method, path)
		r.Header.Set("Accept", accept)
		return b.exchange(t, r)
	}
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, path := range allPagePaths() {
		for _, query := range []string{"utm_source=100%", "q=%zz", "a;b", "%E9=1", "q=%ff"} {
			a := requestPage(http.MethodGet, path+"?"+query, browser)
			require.Less(t, a.status, 400, "%s?%s", path, query)
		}
	}
	for path, failure := range map[string]struct {
		method string
		status int
		code   string
		text   string
	}{
		"/nowhere":           {http.MethodGet, 404, "not_found", "There is no page at this address."},
		"/docs/nowhere":      {http.MethodGet, 404, "not_found", "Not found"},
		"/api/docs/nowhere":  {http.MethodGet, 404, "not_found", "Not found"},
		"/assets/nowhere.js": {http.MethodGet, 404, "not_found", "Not found"},
		"/assets/%ff":        {http.MethodGet, 400, "invalid_request", "not valid"},
		"/watch":             {http.MethodDelete, 405, "method_not_allowed", "method"},
	} {
		for _, accept := range []string{"", "*/*", "application/json"} {
			a := requestPage(failure.method, path, accept)
			require.Equal(
				t,
				[]any{failure.status, "application/problem+json"},
				[]any{a.status, a.header.Get("Content-Type")},
				path,
			)
			require.Contains(t, string(a.raw), `"code":"`+failure.code+`"`)
			require.Contains(t, a.header.Values("Vary"), "Accept", path)
		}
		a := requestPage(failure.method, path, browser)
		require.Equal(
			t,
			[]any{failure.status, "text/html; charset=utf-8"},
			[]any{a.status, a.header.Get("Content-Type")},
			path,
		)
		require.Contains(t, string(a.raw), failure.text, path)
		require.Contains(t, string(a.raw), `<a href="/watch">`)
		require.Contains(t, a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		require.NotRegexp(t, internals, string(a.raw))
	}
	for _, path := range []string{"/api/nowhere", "/api/users/nobody", "/api/movies?q=%zz"} {
		a := requestPage(http.MethodGet, path, browser)
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), "the API has one form of errors")
	}
}
