package console

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/api/contract"
)

// TestAccountsThatCannotBeRead: an admin whose account cannot be read now is told why, and not that it is no admin.
func TestAccountsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer any
		status int // of the answer
		page   int
		shows  string
	}{
		{"no admin", contract.AccountAnswer{}, 200, 403, "This account is not an admin."},
		{"too busy", contract.Problem{Title: "The service is busy"}, 503, 503, "The service is busy"},
		{"too many requests", contract.Problem{Title: "Too many requests"}, 429, 429, "Too many requests"},
		{"signed out meanwhile", contract.Problem{Title: "Sign in"}, 401, 303, ""},
	} {
		s := newConsoleFixture(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			require.NoError(t, json.NewEncoder(w).Encode(c.answer))
		}))
		w := s.sendRequest(t, http.MethodGet, Base+"/jobs", nil)
		require.Equal(t, c.page, w.Code, c.name)
		require.Contains(t, w.Body.String(), c.shows, c.name)
	}
}
