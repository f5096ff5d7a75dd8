package api

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCompressedBodies: no operation takes one.
func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	before := w.rows(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		for _, coding := range [][]string{
			{"gzip"}, {"GZIP"}, {"x-gzip"}, {"deflate"}, {"br"}, {"zstd"}, {"identity, gzip"}, {"gzip,gzip"}, {"identity", "br"},
		} {
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
	w := newCompleteFixture(t)
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
			"surprise=1": "surprise", "surprise": "surprise", "surprise=1&surprise=2": "surprise", "Limit=1": "Limit",
			"limit[]=1":    "limit[]",
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
	w := newCompleteFixture(t)
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
	w := newCompleteFixture(t)
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
	w := newCompleteFixture(t)
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

// TestProblemsAreBounded: the problem is small, whatever the request contains.
func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
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

// TestUnsupportedTypesSayWhichAreTaken: as RFC 9110, 15.5.16 has it.
func TestUnsupportedTypesSayWhichAreTaken(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
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

// TestWhatIsMissing: a parameter or a body that an operation needs is said to be missing, not to be unreadable.
func TestWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	before := w.rows(t)
	requireMissing := func(a answer, field string) {
		t.Helper()
		a.requireField(t, 400, field)
		require.Contains(t, string(a.raw), `{"code":"required","field":"`+field+`","message":"is missing"}`)
	}
	tried := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		for _, parameter := range op.Parameters {
			p := parameter.Value
			if !p.Required || p.In != "query" {
				continue
			}
			tried++
			r := w.build(t, op, c.call)
			query := r.URL.Query()
			query.Del(p.Name)
			r.URL.RawQuery = query.Encode()
			requireMissing(w.send(t, r), p.Name)
		}
		if op.RequestBody == nil || !op.RequestBody.Value.Required ||
			op.RequestBody.Value.Content["application/json"] == nil {
			continue
		}
		tried++
		empty := c.call
		empty.raw = ""
		requireMissing(w.call(t, c.id, empty), "body")
	}
	require.Greater(t, tried, 40)
	require.Equal(t, before, w.rows(t), "something was stored")
}
