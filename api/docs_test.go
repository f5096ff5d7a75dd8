package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/web"
)

func TestDocs(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	get := func(t *testing.T, path string) answer {
		r := b.request(t, "GET", "", "", nil)
		r.URL.Path = path
		return b.send(t, r)
	}
	for _, base := range []string{"", "/api"} {
		t.Run("the contract at "+base+"/openapi.yaml", func(t *testing.T) {
			a := get(t, base+"/openapi.yaml")
			require.Equal(t, http.StatusOK, a.status)
			require.Equal(t, "application/yaml", a.header.Get("Content-Type"))
			require.Equal(t, string(contractYAML), string(a.raw))
		})
		t.Run("the contract of live rooms at "+base+"/live.yaml", func(t *testing.T) {
			a := get(t, base+"/live.yaml")
			require.Equal(t, []any{http.StatusOK, "application/yaml"}, []any{a.status, a.header.Get("Content-Type")})
			require.Equal(t, string(liveYAML), string(a.raw))
			a = get(t, base+"/docs/live")
			require.Equal(t, http.StatusOK, a.status)
			require.Contains(t, string(a.raw), "/live.yaml")
			require.NotRegexp(t, `(src|href)="(https?:)?//`, string(a.raw), "the page works without other servers")
		})
		t.Run("a page at "+base+"/docs", func(t *testing.T) {
			for _, path := range []string{base + "/docs", base + "/docs/"} {
				a := get(t, path)
				require.Equal(t, http.StatusOK, a.status)
				require.True(t, strings.HasPrefix(a.header.Get("Content-Type"), "text/html"), a.header)
				require.Contains(t, string(a.raw), base+"/openapi.yaml")
				require.NotRegexp(t, `(src|href)="(https?:)?//`, string(a.raw), "the page works without other servers")
			}
		})
		t.Run("what the page loads, below "+base, func(t *testing.T) {
			for _, name := range []string{"docs.css", "docs.js"} {
				address := regexp.MustCompile(`"(/assets/\w+/` + name + `)"`).FindStringSubmatch(string(get(t, base+"/docs").raw))
				require.Len(t, address, 2, name)
				require.Equal(t, http.StatusOK, get(t, address[1]).status)
			}
			require.Equal(t, http.StatusNotFound, b.raw(t, base+"/docs/nowhere.js"))
		})
	}
	t.Run("where the links in emails lead", func(t *testing.T) {
		for _, path := range web.Pages() {
			a := get(t, path)
			require.Equal(t, http.StatusOK, a.status, path)
			require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))
			require.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'none'")
			require.NotRegexp(t, `(src|href)="(https?:)?//|<script>|style=`, string(a.raw))
			for _, asset := range regexp.MustCompile(`"(/assets/[^"]+)"`).FindAllStringSubmatch(string(a.raw), -1) {
				require.Equal(t, http.StatusOK, get(t, asset[1]).status, asset[1])
			}
		}
	})
	t.Run("the way there", func(t *testing.T) {
		a := get(t, "/")
		require.Equal(t, []any{http.StatusFound, "/docs"}, []any{a.status, a.header.Get("Location")})
		for _, path := range []string{"/api", "/api/"} {
			a = get(t, path)
			require.Equal(t, http.StatusOK, a.status, path)
			require.Contains(t, string(a.raw), `"documentation":"/docs"`)
		}
		a = get(t, "/health")
		require.Equal(t, []any{http.StatusPermanentRedirect, "/api/health"}, []any{a.status, a.header.Get("Location")})
	})
}

// raw asks for what need not keep the contract.
func (b *bundle) raw(t *testing.T, path string) int {
	t.Helper()
	response, err := b.client.Get(b.url + path)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}
