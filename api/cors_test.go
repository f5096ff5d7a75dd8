package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	const frontEnd = "https://front-end.example"
	from := func(t *testing.T, b *bundle, method, origin string) http.Header {
		r := b.request(t, method, "/movies", "", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", http.MethodGet)
		r.Header.Set("Access-Control-Request-Headers", "authorization")
		response, err := b.client.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Less(t, response.StatusCode, 300)
		return response.Header
	}

	t.Run("any origin unless told", func(t *testing.T) {
		b := setup(t)
		require.Equal(t, "*", from(t, b, http.MethodGet, frontEnd).Get("Access-Control-Allow-Origin"))
		exposed := strings.Split(from(t, b, http.MethodGet, frontEnd).Get("Access-Control-Expose-Headers"), ",")
		require.Subset(
			t, exposed, []string{"ETag", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"},
		)
		asked := from(t, b, http.MethodOptions, frontEnd)
		require.Contains(t, asked.Get("Access-Control-Allow-Headers"), "Authorization")
		require.Contains(t, asked.Get("Access-Control-Allow-Methods"), http.MethodPatch)
		require.Empty(t, asked.Get("Access-Control-Allow-Credentials"))
	})

	t.Run("only those that are named", func(t *testing.T) {
		b := setup(t, func(s *settings) { s.config.HTTP.Origins = []string{frontEnd} })
		answer := from(t, b, http.MethodGet, frontEnd)
		require.Equal(t, frontEnd, answer.Get("Access-Control-Allow-Origin"))
		require.ElementsMatch(t, []string{"Origin", "Authorization, Accept-Encoding"}, answer.Values("Vary"),
			"a cache must not give it to another")
		require.Empty(t, from(t, b, http.MethodGet, "https://elsewhere.example").Get("Access-Control-Allow-Origin"))
	})
}

// TestCrossOriginCalls: a front-end of another origin can send every header that an operation takes, and read every
// header that it answers. Of the other pages, each can call what is for all of them, in the same way.
func TestCrossOriginCalls(t *testing.T) {
	t.Parallel()
	const frontEnd, blog = "https://front-end.example", "https://blog.example"
	b := setup(t, func(s *settings) { s.config.HTTP.Origins = []string{frontEnd} })
	parameter := regexp.MustCompile(`{\w+}`)
	listed := func(a answer, name string) []string {
		return strings.Split(strings.ToLower(strings.Join(a.header.Values(name), ",")), ",")
	}
	for id, op := range operations() {
		path := parameter.ReplaceAllString(op.path, unknownID)
		sent := []string{"authorization"} // by the client in TypeScript, with every call
		for _, p := range op.Parameters {
			if p.Value.In == "header" {
				sent = append(sent, strings.ToLower(p.Value.Name))
			}
		}
		if op.RequestBody != nil {
			sent = append(sent, "content-type")
		}
		read := []string{"x-request-id", "retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}
		for _, response := range op.Responses.Map() {
			for name := range response.Value.Headers {
				read = append(read, strings.ToLower(name))
			}
		}
		from := func(t *testing.T, method, origin string) answer {
			r := b.request(t, method, path, "", nil)
			r.Header.Set("Origin", origin)
			if method == http.MethodOptions {
				r.Header.Set("Access-Control-Request-Method", op.method)
				r.Header.Set("Access-Control-Request-Headers", strings.Join(sent, ","))
			}
			return b.exchange(t, r)
		}
		for origin, allowed := range map[string]string{frontEnd: frontEnd, blog: ""} {
			if id == "getNowPlaying" {
				allowed = "*"
			}
			t.Run(id+" from "+origin, func(t *testing.T) {
				preflight := from(t, http.MethodOptions, origin)
				require.Equal(t, 204, preflight.status)
				require.Equal(t, allowed, preflight.header.Get("Access-Control-Allow-Origin"))
				require.Empty(t, preflight.header.Get("RateLimit-Limit"), "a preflight that is refused is no answer to a page")
				call := from(t, op.method, origin)
				require.Equal(t, allowed, call.header.Get("Access-Control-Allow-Origin"))
				require.Contains(t, listed(call, "Vary"), "origin")
				if allowed == "" {
					return
				}
				require.Contains(t, listed(preflight, "Access-Control-Allow-Methods"), strings.ToLower(op.method))
				require.Subset(t, listed(preflight, "Access-Control-Allow-Headers"), sent)
				require.Subset(t, listed(call, "Access-Control-Expose-Headers"), read)
			})
		}
	}
}
