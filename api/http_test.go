package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/contentcoding"
)

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
			w := newCompleteFixture(t, func(s *settings) { s.config.HTTP.PublicURL = address })
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
		require.Equal(t, []any{200, "public, max-age=31536000, immutable"},
			[]any{whole.status, whole.header.Get("Cache-Control")}, path)
		require.Regexp(t, `^(text/css|text/javascript|image/svg\+xml)`, whole.header.Get("Content-Type"), path)
		again := get(path, "If-None-Match", whole.header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.status)
		requireSameMeta(t, whole, again)
		part := get(path, "Range", "Bytes=0-3", "If-Range", whole.header.Get("ETag"))
		require.Equal(t, []any{206, string(whole.raw[:4])}, []any{part.status, string(part.raw)})
		require.Equal(t, http.StatusRequestedRangeNotSatisfiable, get(path, "Range", "bytes=99999999-").status)
		for _, coding := range contentcoding.All {
			encoded := get(path, "Accept-Encoding", "br, "+coding.String()+";q=0.5")
			if encoded.header.Get("Content-Encoding") == coding.String() {
				require.NotEqual(t, whole.header.Get("ETag"), encoded.header.Get("ETag"))
				require.Contains(t, whole.header.Values("Vary"), "Accept-Encoding")
				require.Less(t, len(encoded.raw), len(whole.raw))
			}
			require.Equal(t, string(whole.raw), decompressed(t, encoded.header, encoded.raw))
			refused := get(path, "Accept-Encoding", coding.String()+";q=0, br")
			require.Empty(t, refused.header.Get("Content-Encoding"))
		}
		name := path[strings.LastIndex(path, "/"):]
		for _, other := range []string{"/assets" + name, "/assets/" + strings.Repeat("0", 32) + name} {
			a := get(other)
			require.Equal(t, []any{200, "no-cache", whole.raw}, []any{a.status, a.header.Get("Cache-Control"), a.raw}, other)
		}
	}
	for _, path := range []string{
		"/assets/", "/assets/nowhere.css", "/assets/../web.go", "/assets/" + strings.Repeat("0", 32) + "/",
	} {
		require.Equal(t, http.StatusNotFound, get(path).status, path)
	}
}
