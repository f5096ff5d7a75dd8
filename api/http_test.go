package api

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/web"
)

// pagePaths are what is served beside the contract.
func pagePaths() []string {
	return append(
		web.Pages(),
		"/",
		"/health",
		"/docs",
		"/docs/",
		"/openapi.yaml",
		"/api/docs",
		"/api/docs/",
		"/api/openapi.yaml",
		"/live.yaml",
		"/docs/live",
		"/api/live.yaml",
		"/api/docs/live",
		"/assets/pages.css",
	)
}

// page asks for what is beside the contract.
func (b *bundle) page(t testing.TB, method, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, nil)
	require.NoError(t, err)
	r.Header.Set("Accept-Encoding", "identity") // else Go asks for gzip with GET, and not with HEAD
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
	if length := a.header.Get("Content-Length"); length != "" && got.header.Get("X-Cache") == a.header.Get("X-Cache") {
		require.Equal(t, got.header.Get("Content-Length"), length, r.URL.Path)
	}
}

// TestHeadIsGetWithoutContent: wherever there is GET.
func TestHeadIsGetWithoutContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
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
		require.Equal(t, op.success(), got.status, "%s: %s", c.id, got)
		w.requireHead(t, r, got)
		if op.needsToken() {
			r = w.build(t, op, c.call)
			r.Header.Del("Authorization")
			w.requireHead(t, r, w.send(t, r))
		}
	}
	require.Greater(t, asked, 35)
	for _, path := range pagePaths() {
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
	for _, path := range pagePaths() {
		a := b.exchange(t, b.page(t, http.MethodDelete, path))
		require.Equal(t, http.StatusMethodNotAllowed, a.status, path)
		require.Contains(t, a.header.Get("Allow"), "HEAD", path)
	}
}

// TestCompressedBodies: no operation takes one.
func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		for _, coding := range [][]string{{"gzip"}, {"GZIP"}, {"x-gzip"}, {"deflate"}, {"br"}, {"zstd"}, {"identity, gzip"}, {"gzip,gzip"}, {"identity", "br"}} {
			r := w.build(t, op, c.call)
			var body bytes.Buffer
			zip := gzip.NewWriter(&body)
			if r.Body != nil {
				_, err := io.Copy(zip, r.Body)
				require.NoError(t, err)
			}
			require.NoError(t, zip.Close())
			r.Body, r.ContentLength = io.NopCloser(&body), int64(body.Len())
			r.Header["Content-Encoding"] = coding
			a := w.send(t, r)
			a.requireProblem(t, http.StatusUnsupportedMediaType, "unsupported_content_encoding")
			require.Equal(t, "identity", a.header.Get("Accept-Encoding"))
		}
	}
	require.Equal(t, before, w.rows(t), "something was stored")
	for _, coding := range []string{"identity", "Identity", " ", ","} { // is none
		r := w.request(t, "POST", "/rooms", w.alice.token, map[string]any{"name": "A room"})
		r.Header.Set("Content-Encoding", coding)
		require.Equal(t, http.StatusCreated, w.send(t, r).status, coding)
	}
}

// TestQueriesOfEveryOperation: a query that is malformed, and one that has what the operation does not know.
func TestQueriesOfEveryOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		send := func(query string) answer {
			r := w.build(t, op, c.call)
			r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&"+query, "&")
			return w.send(t, r)
		}
		for _, query := range []string{"q=%zz", "q=%", "a;b", "limit=1;cursor=x", "%=1", "q=%c3%2", "%zz"} {
			send(query).requireField(t, 400, "query")
		}
		for query, field := range map[string]string{
			"surprise=1": "surprise", "surprise": "surprise", "surprise=1&surprise=2": "surprise", "Limit=1": "Limit", "limit[]=1": "limit[]",
			"room_id%20=x": "room_id ", "=1": "query", "a.b=1": "a.b", "%C3%A9=1": "é", "utm_source=x&q%00=": "utm_source",
		} {
			a := send(query)
			a.requireField(t, 400, field)
			require.Equal(t, "invalid_request", a.code())
			require.Contains(t, string(a.raw), `"unknown"`)
		}
		for _, other := range []string{"limit", "cursor", "q", "user_id", "before"} {
			if op.Parameters.GetByInAndName("query", other) == nil {
				send(other+"=1").requireField(t, 400, other)
			}
		}
		require.LessOrEqual(t, len(send(strings.Repeat("&x", 100)+numbered("y%d=1&", 1000)).raw), 16<<10)
	}
	require.Equal(t, before, w.rows(t), "something was stored")
	for _, path := range pagePaths() { // others put parameters to links
		require.Less(t, w.exchange(t, w.page(t, "GET", path+"?utm_source=x")).status, 400, path)
	}
}

// numbered is format with each number below n.
func numbered(format string, n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, format, i)
	}
	return text.String()
}

// TestHeadersGivenTwice: one may hold what the other does not.
func TestHeadersGivenTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows(t)
	for _, c := range w.calls() {
		for _, name := range []string{"Authorization", "Content-Type"} {
			r := w.build(t, operations()[c.id], c.call)
			r.Header[name] = append(r.Header.Values(name), "application/json", "Bearer x")[:2]
			w.send(t, r).requireField(t, 400, name)
		}
		if op := operations()[c.id]; op.method == http.MethodPut {
			r := w.build(t, op, c.call)
			r.Header.Set("Content-Range", "bytes 0-3/10")
			w.send(t, r).requireField(t, 400, "Content-Range")
		}
	}
	require.Equal(t, before, w.rows(t), "something was stored")
}

// TestAcceptIsNotNegotiated: every operation answers in its one type.
func TestAcceptIsNotNegotiated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		r := w.build(t, op, c.call)
		r.Header.Set("Accept", "text/html, application/json;q=0")
		r.Header.Set("Accept-Charset", "utf-16")
		require.Equal(t, op.success(), w.send(t, r).status, c.id)
	}
}

// TestUUIDsInUpperCase: every operation takes them, and means the same thing.
func TestUUIDsInUpperCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	raised := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		upper := c.call
		upper.params, upper.body = copied(c.params), maps.Clone(c.body)
		for _, p := range op.Parameters {
			if v, ok := upper.params[p.Value.Name]; ok && p.Value.Schema.Value.Format == "uuid" {
				upper.params[p.Value.Name] = strings.ToUpper(v)
				raised++
			}
		}
		if op.RequestBody != nil && op.RequestBody.Value.Content["application/json"] != nil {
			for name, property := range op.RequestBody.Value.Content["application/json"].Schema.Value.Properties {
				if v, ok := upper.body[name].(string); ok && property.Value.Format == "uuid" {
					upper.body[name] = strings.ToUpper(v)
					raised++
				}
			}
		}
		a := w.call(t, c.id, upper)
		require.Equal(t, op.success(), a.status, "%s: %s", c.id, a)
	}
	require.Greater(t, raised, 50)

	t.Run("what is cached under one is under the other", func(t *testing.T) {
		b := setup(t)
		alice, bob := b.user(t, "alice"), b.user(t, "bob")
		room := b.room(t, alice, nil)
		b.requireHit(t, "/rooms/"+room, "")
		b.requireHit(t, "/rooms/"+strings.ToUpper(room), "")
		b.requireHit(t, "/chat/messages?room_id="+room, "")
		b.join(t, strings.ToUpper(room), bob)
		require.EqualValues(t, 2, b.requireMiss(t, "/rooms/"+room, "").data()["participants"])
		b.post(t, strings.ToUpper(room), bob, "Hello")
		require.Len(t, b.requireMiss(t, "/chat/messages?room_id="+room, "").list(), 1)
	})
	t.Run("a cursor of one list goes on in the other", func(t *testing.T) {
		b := setup(t)
		alice := b.user(t, "alice")
		room := b.room(t, alice, nil)
		b.post(t, room, alice, "One")
		b.post(t, room, alice, "Two")
		next := b.do(t, "GET", "/chat/messages?limit=1&room_id="+room, "", nil).body["next_cursor"].(string)
		a := b.do(t, "GET", "/chat/messages?limit=1&room_id="+strings.ToUpper(room)+"&before="+next, "", nil)
		require.Equal(t, "One", a.list()[0]["body"], a)
	})
	t.Run("a text that looks like one stays as it is", func(t *testing.T) {
		b := setup(t)
		alice := b.user(t, "alice")
		room := b.room(t, alice, map[string]any{"name": strings.ToUpper(unknownID)})
		require.Equal(t, strings.ToUpper(unknownID), b.do(t, "GET", "/rooms/"+room, "", nil).data()["name"])
	})
}

// TestProblemsAreBounded: whatever a request holds, its problem is small.
func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows(t)
	tried := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
			continue
		}
		size := 50_000
		if c.id == "createRoom" {
			size = 900_000
		}
		if strings.HasPrefix(op.path, "/auth/") {
			size = maxAuthBytes - 100
		}
		long := strings.Repeat("a", size)
		for why, body := range map[string]string{
			"many properties":      "{" + numbered(`"p%d":1,`, size/16) + `"x":1}`,
			"a long name":          `{"` + long + `": 1}`,
			"a long name twice":    `{"` + long[:size/2-20] + `": 1, "` + long[:size/2-20] + `": 1}`,
			"a long name, no text": `{"` + long + `": "` + "\xff" + `"}`,
			"many names in one":    `{"\n` + strings.Repeat(`\u0001`, size/6-10) + `": 1}`,
			"deep":                 strings.Repeat(`{"a":`, 1000) + `"` + "\xff" + `"` + strings.Repeat("}", 1000),
		} {
			tried++
			bad := c.call
			bad.raw = body
			a := w.call(t, c.id, bad)
			require.Equal(t, "invalid_request", a.code(), "%s: %s: %.200s", c.id, why, a)
			require.LessOrEqual(t, len(a.fields()), maxFieldErrors)
			require.LessOrEqual(t, len(a.raw), 16<<10, "%s: %s", c.id, why)
		}
		for name, property := range op.RequestBody.Value.Content["application/json"].Schema.Value.Properties {
			if !property.Value.Type.Is("array") {
				continue
			}
			bad := c.call
			bad.raw = withRaw(t, c.body, name, "["+strings.TrimSuffix(strings.Repeat("7,", size/4), ",")+"]")
			a := w.call(t, c.id, bad)
			require.Equal(t, 400, a.status)
			require.LessOrEqual(t, len(a.raw), 16<<10, "%s: %s", c.id, name)
		}
	}
	require.Greater(t, tried, 150)
	require.Equal(t, before, w.rows(t), "something was stored")
}

// TestHeadersOfEveryAnswer: of all operations and pages, and of what is refused.
func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, a answer, secure bool) {
		t.Helper()
		require.Equal(t, secure, a.header.Get("Strict-Transport-Security") == "max-age=31536000", a.header)
		policies := a.header.Values("Content-Security-Policy")
		require.Len(t, policies, 1)
		require.Contains(t, policies[0], "default-src 'none'")
		require.Contains(t, policies[0], "frame-ancestors 'none'")
		require.NotContains(t, policies[0], "http")
		require.NotEmpty(t, a.header.Get("Cache-Control"))
		require.NotEmpty(t, a.header.Get("Date"))
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	}
	for address, secure := range map[string]bool{"https://party.example": true, "http://party.example": false} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s *settings) { s.config.HTTP.PublicURL = address })
			for _, c := range w.calls() {
				check(t, w.call(t, c.id, c.call), secure)
				op := operations()[c.id]
				r := w.build(t, op, c.call)
				r.Method = "BREW"
				check(t, w.exchange(t, r), secure)
			}
			for _, path := range append(pagePaths(), "/nowhere", "/api/nowhere", "/assets/nowhere.js") {
				a := w.exchange(t, w.page(t, "GET", path))
				check(t, a, secure)
				require.Equal(t, a.status >= 400, a.header.Get("Content-Type") == "application/problem+json", path)
			}
			check(t, w.exchange(t, w.page(t, "OPTIONS", "/api/rooms")), secure)
		})
	}
}

// TestAssetsAreKept: pages load what they load under its hash, which is kept for a year; all else is asked for again.
func TestAssetsAreKept(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	get := func(path string, headers ...string) answer {
		r := b.page(t, "GET", path)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return b.exchange(t, r)
	}
	loaded := map[string]bool{}
	for _, path := range pagePaths() {
		page := get(path)
		for _, found := range regexp.MustCompile(`"(/assets/[^"]+)"`).FindAllStringSubmatch(string(page.raw), -1) {
			loaded[found[1]] = true
		}
		if page.status != http.StatusOK {
			continue
		}
		require.Equal(t, "no-cache", page.header.Get("Cache-Control"), path)
		again := get(path, "If-None-Match", page.header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.status, path)
		requireSameMeta(t, page, again)
	}
	require.Greater(t, len(loaded), 5)
	for path := range loaded {
		require.Regexp(t, `^/assets/[0-9a-f]{32}/[\w.-]+$`, path)
		whole := get(path)
		require.Equal(
			t,
			[]any{200, "public, max-age=31536000, immutable"},
			[]any{whole.status, whole.header.Get("Cache-Control")},
			path,
		)
		require.Regexp(t, `^(text/css|text/javascript|image/svg\+xml)`, whole.header.Get("Content-Type"), path)
		again := get(path, "If-None-Match", whole.header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.status)
		requireSameMeta(t, whole, again)
		part := get(path, "Range", "Bytes=0-3", "If-Range", whole.header.Get("ETag"))
		require.Equal(t, []any{206, string(whole.raw[:4])}, []any{part.status, string(part.raw)})
		require.Equal(t, http.StatusRequestedRangeNotSatisfiable, get(path, "Range", "bytes=99999999-").status)
		zipped := get(path, "Accept-Encoding", "br, gzip;q=0.5")
		if zipped.header.Get("Content-Encoding") == "gzip" {
			require.NotEqual(t, whole.header.Get("ETag"), zipped.header.Get("ETag"))
			require.Contains(t, whole.header.Values("Vary"), "Accept-Encoding")
			reader, err := gzip.NewReader(bytes.NewReader(zipped.raw))
			require.NoError(t, err)
			text, err := io.ReadAll(reader)
			require.NoError(t, err)
			require.Equal(t, whole.raw, text)
			require.Empty(t, get(path, "Accept-Encoding", "gzip;q=0, br").header.Get("Content-Encoding"))
		}
		name := path[strings.LastIndex(path, "/"):]
		for _, other := range []string{"/assets" + name, "/assets/" + strings.Repeat("0", 32) + name} {
			a := get(other)
			require.Equal(t, []any{200, "no-cache", whole.raw}, []any{a.status, a.header.Get("Cache-Control"), a.raw}, other)
		}
	}
	for _, path := range []string{"/assets/", "/assets/nowhere.css", "/assets/../web.go", "/assets/" + strings.Repeat("0", 32) + "/"} {
		require.Equal(t, http.StatusNotFound, get(path).status, path)
	}
}

// requireSameMeta fails unless a 304 has the headers of the 200, but for those of its content.
func requireSameMeta(t *testing.T, whole, again answer) {
	t.Helper()
	want := lasting(whole.header)
	for _, name := range []string{"Content-Type", "Content-Encoding", "Accept-Ranges"} {
		want.Del(name)
	}
	got := lasting(again.header)
	got.Del("Accept-Ranges")
	require.Equal(t, want, got)
	require.Empty(t, again.raw)
}

// TestMadeThings: each 201 says where the thing is, with the tag that it has there.
func TestMadeThings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		a := w.call(t, c.id, c.call)
		require.Equal(t, op.success(), a.status, "%s: %s", c.id, a)
		require.Empty(t, a.header.Get("Idempotent-Replayed"))
		if a.status != http.StatusCreated && c.id != "startCleanup" {
			require.Empty(t, a.header.Get("Location"), c.id)
			continue
		}
		made++
		path, ok := strings.CutPrefix(a.header.Get("Location"), basePath)
		require.True(t, ok, "%s: %s", c.id, a.header)
		if a.status != http.StatusCreated {
			require.Equal(t, 200, w.do(t, "GET", path, c.token, nil).status)
			continue
		}
		tag := a.header.Get("ETag")
		require.Regexp(t, `^(W/"[\w-]{22}"|"\d+-[\w-]{22}")$`, tag, c.id)
		got := w.do(t, "GET", path, c.token, nil)
		require.Equal(t, 200, got.status, "%s: GET %s: %s", c.id, path, got)
		require.Equal(t, tag, got.header.Get("ETag"), c.id)
		r := w.request(t, "GET", path, c.token, nil)
		r.Header.Set("If-None-Match", tag)
		require.Equal(t, 304, w.send(t, r).status, c.id)
		if c.id != "register" { // it answers tokens, and the profile is where it says
			require.Equal(t, a.data(), got.data(), c.id)
		}
	}
	require.Equal(t, 11, made)
}

// TestWhoMayReadWhatWasMade: who may list it, and of a report its reporter.
func TestWhoMayReadWhatWasMade(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob, carol := b.user(t, "alice"), b.user(t, "bob"), b.user(t, "carol")
	room := b.room(t, alice, nil)
	b.join(t, room, bob)
	b.join(t, room, carol)
	var made []string
	for path, body := range map[string]map[string]any{
		"/rooms/" + room + "/mutes":       {"username": "carol", "until": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)},
		"/rooms/" + room + "/bans":        {"username": "CAROL"},
		"/rooms/" + room + "/invitations": {"email": "guest@example.org"},
	} {
		a := b.do(t, "POST", path, alice.token, body)
		require.Equal(t, 201, a.status, a)
		made = append(made, strings.TrimPrefix(a.header.Get("Location"), basePath))
	}
	for _, path := range made {
		require.Equal(t, 200, b.do(t, "GET", path, alice.token, nil).status, path)
		b.do(t, "GET", path, bob.token, nil).requireProblem(t, 403, "forbidden")
		b.do(t, "GET", path, carol.token, nil).requireProblem(t, 403, "banned")
	}
	for _, list := range []string{"mutes", "bans"} {
		path := "/rooms/" + room + "/" + list + "/Carol"
		require.Equal(t, 200, b.do(t, "GET", path, alice.token, nil).status)
		require.Equal(t, 204, b.do(t, "DELETE", path, alice.token, nil).status)
		b.do(t, "GET", path, alice.token, nil).requireProblem(t, 404, "not_found")
	}
	report := b.do(t, "POST", "/reports", bob.token, map[string]any{"kind": "spam", "username": "alice"})
	path := strings.TrimPrefix(report.header.Get("Location"), basePath)
	require.Equal(t, report.data(), b.do(t, "GET", path, bob.token, nil).data())
	b.do(t, "GET", path, alice.token, nil).requireProblem(t, 404, "not_found")
	message := "/chat/messages/" + b.post(t, room, bob, "Hello")
	require.Equal(t, "Hello", b.do(t, "GET", message, "", nil).data()["body"])
	require.Equal(t, 204, b.do(t, "DELETE", message, bob.token, nil).status)
	b.do(t, "GET", message, bob.token, nil).requireProblem(t, 404, "not_found")
}

// TestIfMatchOfEveryOperation: one that knows no tags does nothing under a tag, and none changes what is not there.
func TestIfMatchOfEveryOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	send := func(c named, lines ...string) answer {
		r := w.build(t, operations()[c.id], c.call)
		r.Header["If-Match"] = lines
		return w.send(t, r)
	}
	before := w.rows(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.Parameters.GetByInAndName("header", "If-Match") == nil {
			for _, lines := range [][]string{{`"x"`}, {`W/"x"`}, {`"1-x", "2-x"`}, {`"x"`, `"y"`}, {"garbage"}} {
				send(c, lines...).requireProblem(t, http.StatusPreconditionFailed, "precondition_failed")
			}
		}
		if op.method == http.MethodGet {
			continue
		}
		for _, header := range []string{"*", `"x"`, `W/"x"`} {
			r := w.build(t, op, c.call)
			r.Header.Set("If-None-Match", header)
			w.send(t, r).requireProblem(t, http.StatusPreconditionFailed, "precondition_failed")
		}
	}
	require.Equal(t, before, w.rows(t), "something was stored")
	taken := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.Parameters.GetByInAndName("header", "If-Match") != nil {
			taken++
			path := w.build(t, op, c.call).URL.Path
			tag := w.do(t, "GET", strings.TrimPrefix(path, basePath), c.token, nil).header.Get("ETag")
			require.NotEmpty(t, tag)
			stale := `"0-x"`
			for _, lines := range [][]string{{stale}, {"W/" + tag}, {stale + ", W/" + tag}, {stale, stale}, {"garbage"}, {strings.Trim(tag, `"`)}} {
				send(c, lines...).requireProblem(t, http.StatusPreconditionFailed, "precondition_failed")
			}
			lines := []string{stale, "W/" + tag + " , " + tag}
			require.Equal(t, op.success(), send(c, lines...).status, c.id)
			continue
		}
		require.Equal(t, op.success(), send(c, "*").status, c.id)
	}
	require.Equal(t, 8, taken)
}

// TestChangesAreTagged: a change under If-Match answers the tag of what there is then, and voids the former.
func TestChangesAreTagged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ path, token, property string }{
		{"/rooms/" + w.open, w.alice.token, "name"}, {"/movies/" + w.movie, w.admin.token, "title"},
	} {
		t.Run(c.path, func(t *testing.T) {
			change := func(tag, value string) answer {
				r := w.request(t, "PATCH", c.path, c.token, map[string]any{c.property: value})
				r.Header.Set("If-Match", tag)
				return w.send(t, r)
			}
			w.requireHit(t, c.path, "")
			first := w.do(t, "GET", c.path, "", nil).header.Get("ETag")
			second := change(first, "One")
			require.Equal(t, 200, second.status, second)
			require.Regexp(t, `^"\d+-[\w-]{22}"$`, second.header.Get("ETag"))
			require.Equal(t, second.header.Get("ETag"), w.requireMiss(t, c.path, "").header.Get("ETag"))
			change(first, "Two").requireProblem(t, 412, "precondition_failed")
			r := w.request(t, "DELETE", c.path, c.token, nil)
			r.Header.Set("If-Match", first)
			w.send(t, r).requireProblem(t, 412, "precondition_failed")
			hit := w.requireHit(t, c.path, "")
			require.NotEqual(
				t,
				second.header.Get("ETag"),
				hit.header.Get("ETag"),
				"the bytes differ in _cached, so strong tags do",
			)
			require.Equal(t, 200, change(hit.header.Get("ETag"), "Three").status)
		})
	}
}

// TestUnsupportedTypesSayWhichAreTaken: as RFC 9110, 15.5.16 has it.
func TestUnsupportedTypesSayWhichAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.RequestBody == nil {
			continue
		}
		r := w.build(t, op, c.call)
		if r.Body == nil {
			continue
		}
		r.Header.Set("Content-Type", "text/plain")
		a := w.send(t, r)
		a.requireProblem(t, 415, "unsupported_media_type")
		require.Equal(t, strings.Join(slices.Sorted(maps.Keys(op.RequestBody.Value.Content)), ", "), a.header.Get("Accept"))
	}
}
