package api

import (
	"net/http"
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
