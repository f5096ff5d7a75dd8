package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

func TestParallelRegistrations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	statuses := inParallel(100, func(i int) int {
		return b.do(t, "POST", "/auth/register", "", map[string]any{
			"username": []string{"Alice", "alice", "ALICE"}[i%3],
			"email":    fmt.Sprintf("alice%d@example.org", i),
			"password": password,
		}).status
	})
	created := 0
	for _, status := range statuses {
		if status == 201 {
			created++
			continue
		}
		require.Contains(t, []int{409, 503}, status, "taken, or too many hashes wait")
	}
	require.Equal(t, 1, created)
	require.Equal(t, 1, value1[int](t, b, "SELECT count(*) FROM users"))
	require.Equal(t, 1, value1[int](t, b, "SELECT count(*) FROM outbox"))
}

func TestRegisteringOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	registerBy := func(key, name, password string) answer {
		r := b.request(t, "POST", "/auth/register", "",
			map[string]any{"username": name, "email": name + "@example.org", "password": password})
		r.Header.Set("Idempotency-Key", key)
		return b.send(t, r)
	}
	register := func(key, name string) answer { return registerBy(key, name, password) }
	first, second := register("first-key", "alice"), register("first-key", "alice")
	require.Equal(t, []int{201, 201}, []int{first.status, second.status}, second)
	require.Equal(t, first.data()["user"], second.data()["user"])
	require.NotEqual(t, first.data()["refresh_token"], second.data()["refresh_token"])
	require.True(t, b.works(t, second.data()["access_token"].(string)))
	register("first-key", "bob").requireProblem(t, 422, "idempotency_key_reused")
	registerBy("first-key", "alice", "another password").requireProblem(t, 401, "bad_credentials")
	register("second-key", "alice").requireProblem(t, 409, "username_taken")
	require.Equal(t, []int{201, 201, 201}, inParallel(3, func(int) int { return register("second-key", "carol").status }))
	require.Equal(t, 2, value1[int](t, b, "SELECT count(*) FROM users"))
	require.Equal(t, 2, value1[int](t, b, "SELECT count(*) FROM emails"))
	b.exec(t, "UPDATE users SET suspended_at = now()")
	register("first-key", "alice").requireProblem(t, 403, "account_suspended")
}

func TestReservedNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for field, body := range map[string]map[string]any{
		"username": {"username": "Deleted-1234", "email": "a@example.org", "password": password},
		"email":    {"username": "alice", "email": "A@Deleted.Invalid", "password": password},
	} {
		b.do(t, "POST", "/auth/register", "", body).requireField(t, 400, field)
	}
}

// TestTimeTellsNothing compares the time of answers for addresses with and without an account, one right after the
// other: what else the machine does then falls on both. For the same reason it is not parallel.
func TestTimeTellsNothing(t *testing.T) {
	b := setup(t, func(s *settings) { s.hashCost = auth.OWASP })
	alice := b.register(t, "alice")
	const pairs = 80
	for name, ask := range map[string]func(email string) int{
		"log in": func(email string) int { return b.logIn(t, email, "wrong horse battery").status },
		"reset": func(email string) int {
			return b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": email}).status
		},
	} {
		ratios := make([]float64, pairs)
		for i := range ratios {
			took := map[bool]time.Duration{}
			for j := range 2 {
				known := (i+j)%2 == 0
				email := alice.email
				if !known {
					email = fmt.Sprintf("nobody%d@example.org", i)
				}
				start := time.Now()
				require.Contains(t, []int{401, 202}, ask(email))
				took[known] = time.Since(start)
			}
			ratios[i] = float64(took[true]) / float64(took[false])
		}
		slices.Sort(ratios)
		ratio := ratios[pairs/2]
		require.InDelta(
			t, 1, min(ratio, 1/ratio), 1-1/1.5, "%s: an answer for a known address takes %.2f times as long", name, ratio,
		)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	register := func(header string, body map[string]any) answer {
		r := b.request(t, "POST", "/auth/register", "", body)
		r.Header.Set("Accept-Language", header)
		return b.send(t, r)
	}
	for i, c := range []struct{ header, body, want string }{
		{"", "", "en"}, {"de-AT,en;q=0.5", "", "de"}, {"fr, de;q=0.8", "", "de"}, {"fr", "", "en"}, {"de", "en", "en"},
		{";;;=", "", "en"}, {strings.Repeat("de-", 2000), "", "en"},
	} {
		name := fmt.Sprint("user", i)
		body := map[string]any{"username": name, "email": name + "@example.org", "password": password}
		if c.body != "" {
			body["language"] = c.body
		}
		a := register(c.header, body)
		require.Equal(t, 201, a.status, a)
		require.Equal(t, c.want, a.data()["user"].(map[string]any)["language"], c.header)
	}
	alice := b.user(t, "alice")
	language := func() any { return b.do(t, "GET", "/users/me", alice.token, nil).data()["language"] }
	require.Equal(t, "en", language())
	require.Equal(t, 200, b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"language": "de"}).status)
	require.Equal(t, "de", language())
	require.Equal(t, 200, b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"display_name": "Alice"}).status)
	require.Equal(t, "de", language())
	b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"language": "tlh"}).requireField(t, 400, "language")
	require.NotContains(t, string(b.do(t, "GET", "/users/alice", "", nil).raw), "language")
}
