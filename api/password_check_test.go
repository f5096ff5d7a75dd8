package api

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
)

// behindProxy makes the server believe X-Forwarded-For, so that a test has as many clients as it likes.
func behindProxy(s *settings) {
	s.config.HTTP.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

func guesses(n int) func(*settings) {
	return limited(func(r *config.RateLimit) { r.SignInFailures, r.SignIn, r.Writes, r.Emails = n, 10_000, 10_000, 1000 })
}

// from is a request of a client.
func (b *bundle) from(t testing.TB, client, method, path, token string, body any) *http.Request {
	t.Helper()
	r := b.request(t, method, path, token, body)
	r.Header.Set("X-Forwarded-For", client)
	return r
}

func (b *bundle) logInFrom(t testing.TB, client, email, password string) answer {
	t.Helper()
	return b.send(t, b.from(t, client, "POST", "/auth/login", "", map[string]any{"email": email, "password": password}))
}

// statuses serves all requests at once, and counts what they were answered with.
func (b *bundle) statuses(requests ...*http.Request) map[int]int {
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		counts = map[int]int{}
	)
	for _, r := range requests {
		wg.Go(func() {
			w := httptest.NewRecorder()
			r.RemoteAddr = "127.0.0.1:1"
			b.server.ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			counts[w.Code]++
		})
	}
	wg.Wait()
	return counts
}

// proofs are the operations of the contract that a password allows, each with what it answers to a wrong one.
var proofs = map[string]struct {
	method, path string
	body         func(p person, password string) map[string]any
	wrong, right int
}{
	"login": {"POST", "/auth/login", func(p person, password string) map[string]any {
		return map[string]any{"email": p.email, "password": password}
	}, 401, 200},
	"changePassword": {"PUT", "/users/me/password", func(_ person, password string) map[string]any {
		return map[string]any{"current_password": password, "new_password": "another horse battery"}
	}, 403, 204},
	"changeEmail": {"PUT", "/users/me/email", func(p person, password string) map[string]any {
		return map[string]any{"email": "new" + p.email, "password": password}
	}, 403, 202},
	"deleteMe": {
		"DELETE",
		"/users/me",
		func(_ person, password string) map[string]any { return map[string]any{"password": password} },
		403,
		204,
	},
}

// However many guesses come at once, by any operations, the answers tell for no more than the limit whether they were
// right. Over the limit the right password is refused.
func TestEveryProofOfAPassword(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for id, op := range operations() {
		if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
			continue
		}
		for _, property := range op.RequestBody.Value.Content["application/json"].Schema.Value.Properties {
			if property.Ref == "#/components/schemas/Password" {
				documented[id] = true
			}
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(documented)), slices.Collect(maps.Keys(proofs)),
		"each operation that takes a password is in the table")

	const limit, parallel = 5, 20
	b := setup(t, guesses(limit))
	for id, c := range proofs {
		t.Run(id, func(t *testing.T) {
			p := b.register(t, "owner."+id)
			request := func(password string) *http.Request {
				token := p.token
				if id == "login" {
					token = ""
				}
				return b.request(t, c.method, c.path, token, c.body(p, password))
			}
			var all []*http.Request
			for i := range parallel {
				all = append(all, request(fmt.Sprint("wrong horse battery ", i)))
			}
			counts := b.statuses(all...)
			require.Equal(t, map[int]int{c.wrong: limit, 429: parallel - limit}, counts)
			r := request(password)
			r.RemoteAddr = "127.0.0.1:1"
			b.serve(t, r).requireLimited(t, limit)
		})
		t.Run(id+", right passwords", func(t *testing.T) {
			p := b.register(t, "other."+id)
			for range limit - 1 {
				a := b.do(t, c.method, c.path, p.token, c.body(p, "wrong horse battery"))
				require.Equal(t, c.wrong, a.status, a)
			}
			for range limit {
				a := b.do(t, "PUT", "/users/me/email", p.token, map[string]any{"email": "x" + p.email, "password": password})
				require.Equal(t, 202, a.status, a)
			}
			a := b.do(t, c.method, c.path, p.token, c.body(p, password))
			require.Equal(t, c.right, a.status, "right ones do not count: %s", a)
		})
	}

	t.Run("all operations of one sign-in count together", func(t *testing.T) {
		p := b.register(t, "together")
		ids := []string{"changePassword", "changeEmail", "deleteMe"}
		for i := range limit {
			c := proofs[ids[i%3]]
			require.Equal(t, 403, b.do(t, c.method, c.path, p.token, c.body(p, "wrong horse battery")).status)
		}
		for _, id := range ids {
			c := proofs[id]
			b.do(t, c.method, c.path, p.token, c.body(p, password)).requireLimited(t, limit)
		}
		require.Equal(t, 200, b.logIn(t, p.email, password).status, "a stolen sign-in does not lock its owner out")
	})
	t.Run("a registration that is sent again", func(t *testing.T) {
		register := func(password string) *http.Request {
			r := b.request(t, "POST", "/auth/register", "",
				map[string]any{"username": "again", "email": "again@example.org", "password": password})
			r.Header.Set("Idempotency-Key", "again-and-again-and-again")
			return r
		}
		require.Equal(t, map[int]int{201: 1}, b.statuses(register(password)))
		var all []*http.Request
		for i := range parallel {
			all = append(all, register(fmt.Sprint("wrong horse battery ", i)))
		}
		require.Equal(t, map[int]int{401: limit, 429: parallel - limit}, b.statuses(all...))
		require.Equal(t, map[int]int{429: 1}, b.statuses(register(password)))
	})
}

// Nothing is hashed for a guess over the limit. Addresses without an account have the same limits as those with one.
func TestGuessesOverTheLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, guesses(3))
	alice := b.register(t, "alice")
	for range 5 {
		require.Equal(t, 200, b.logIn(t, alice.email, password).status)
	}
	var refusals []answer
	for _, email := range []string{alice.email, "nobody@example.org"} {
		for range 3 {
			b.logIn(t, email, "wrong horse battery").requireProblem(t, 401, "bad_credentials")
		}
		a := b.logIn(t, email, password)
		a.requireLimited(t, 3)
		require.InDelta(t, 15*60, a.number(t, "Retry-After"), 60)
		delete(a.body, "request_id")
		refusals = append(refusals, a)
	}
	require.Equal(t, refusals[0].body, refusals[1].body, "the refusal does not tell who has an account")
	require.Equal(t, 200, b.do(t, "GET", "/users/me", alice.token, nil).status, "who is signed in stays so")

	options, err := redis.ParseURL(b.cfg.Redis.URL)
	require.NoError(t, err)
	client := redis.NewClient(options)
	defer client.Close()
	keys, err := client.Keys(t.Context(), b.cfg.Redis.KeyPrefix+"guard:*").Result()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(keys), 2)
	for _, key := range keys {
		require.NotRegexp(t, "(?i)alice|nobody|example|127|::", key[len(b.cfg.Redis.KeyPrefix):])
	}
}

// Strangers together have 100 guesses an hour, from however many clients, and cannot lock out a client that signed in
// before.
func TestStrangersGuesses(t *testing.T) {
	t.Parallel()
	b := setup(t, guesses(20), behindProxy)
	const home, phone, cafe = "192.0.2.1", "192.0.2.2", "192.0.2.3"
	alice := person{email: "alice@example.org", password: password}
	a := b.send(
		t,
		b.from(t, home, "POST", "/auth/register", "",
			map[string]any{"username": "alice", "email": alice.email, "password": password}),
	)
	require.Equal(t, 201, a.status, a)
	alice.id = a.data()["user"].(map[string]any)["id"].(string)
	require.Equal(t, 200, b.logInFrom(t, phone, alice.email, password).status)

	var all []*http.Request
	for i := range 200 {
		guess := map[string]any{"email": alice.email, "password": fmt.Sprint("wrong horse battery ", i)}
		all = append(all, b.from(t, fmt.Sprint("198.51.100.", i%100), "POST", "/auth/login", "", guess))
	}
	counts := map[int]int{}
	for some := range slices.Chunk(all, 20) { // no more than wait for a hash at once
		for status, n := range b.statuses(some...) {
			counts[status] += n
		}
	}
	require.Equal(t, map[int]int{401: 100, 429: 100}, counts)

	b.logInFrom(t, cafe, alice.email, password).requireLimited(t, 100)
	for _, client := range []string{home, phone} {
		require.Equal(t, 200, b.logInFrom(t, client, alice.email, password).status)
	}
	t.Run("a known client has a limit of its own", func(t *testing.T) {
		for range 20 {
			b.logInFrom(t, phone, alice.email, "wrong horse battery").requireProblem(t, 401, "bad_credentials")
		}
		b.logInFrom(t, phone, alice.email, password).requireLimited(t, 20)
		require.Equal(t, 200, b.logInFrom(t, home, alice.email, password).status)
	})
	t.Run("a client is known for 90 days", func(t *testing.T) {
		require.Equal(
			t,
			2,
			value1[int](t, b,
				"SELECT count(*) FROM known_clients WHERE expires_at BETWEEN now() + interval '89 d' AND now() + interval '91 d'"),
		)
		b.exec(t, "UPDATE known_clients SET expires_at = now()")
		b.logInFrom(t, home, alice.email, password).requireLimited(t, 100)
	})
	t.Run("a reset of the password lets its client in, and forgets the others", func(t *testing.T) {
		b.exec(t, "UPDATE known_clients SET expires_at = now() + interval '1 d'")
		require.Equal(t, 202, b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": alice.email}).status)
		body := map[string]any{"token": b.mailed(t, "password-reset", alice), "password": "another horse battery"}
		require.Equal(t, 204, b.send(t, b.from(t, cafe, "POST", "/auth/password-reset/confirm", "", body)).status)
		require.Equal(t, 200, b.logInFrom(t, cafe, alice.email, "another horse battery").status)
		b.logInFrom(t, home, alice.email, "another horse battery").requireLimited(t, 100)
	})
	t.Run("another account's owner is a stranger", func(t *testing.T) {
		b.send(
			t,
			b.from(t, home, "POST", "/auth/register", "",
				map[string]any{"username": "bob", "email": "bob@example.org", "password": password}),
		)
		require.NotEqual(t, value1[string](t, b, "SELECT min(encode(client_hash, 'hex')) FROM known_clients"),
			value1[string](t, b, "SELECT max(encode(client_hash, 'hex')) FROM known_clients"),
			"one client of two accounts cannot be told to be one")
	})
}

// The log shows that the guesses were one attack, but neither the passwords, nor the account, nor the client.
func TestRefusedSignInsAreLogged(t *testing.T) {
	t.Parallel()
	b := setup(t, guesses(3), behindProxy)
	alice := b.register(t, "alice")
	bob := b.register(t, "bob")
	b.exec(t, "UPDATE users SET suspended_at = now() WHERE id = ?", bob.id)
	const thief = "203.0.113.9"
	b.logs.secret(thief, alice.id, "wrong horse battery", "nobody@example.org")
	for range 5 {
		b.logInFrom(t, thief, alice.email, "wrong horse battery")
	}
	b.logInFrom(t, thief, "nobody@example.org", "wrong horse battery")
	b.logInFrom(t, "203.0.113.77", alice.email, "wrong horse battery")
	b.do(
		t, "PUT", "/users/me/email", alice.token, map[string]any{"email": "x@example.org", "password": "wrong horse battery"},
	)
	b.logInFrom(t, thief, bob.email, password).requireProblem(t, 403, "account_suspended")
	require.Equal(t, 200, b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": alice.refresh}).status)
	b.passGrace(t, alice.refresh)
	b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": alice.refresh}).
		requireProblem(t, 401, "bad_refresh_token")

	var got []string
	accounts, clients := map[any]int{}, map[any]int{}
	records := b.logs.records(t, "Sign-in refused")
	for _, r := range records {
		got = append(got, fmt.Sprint(r["level"], " ", r["act"], " ", r["reason"], " ", r["known_client"]))
		accounts[r["account"]]++
		clients[r["client"]]++
		require.Regexp(t, "^[0-9a-f]{16}$", r["account"])
		require.Regexp(t, "^[0-9a-f]{16}$", r["client"])
		require.NotEmpty(t, r["request_id"])
	}
	wrong := slog.LevelInfo.String() + " login wrong_password false"
	require.Equal(t, []string{
		wrong, wrong, wrong, "WARN login too_many_guesses false", // once for two
		"INFO login unknown_account false", wrong, "INFO change_email wrong_password true", "INFO login suspended false",
		"WARN refresh refresh_token_reused false",
	}, got)
	require.ElementsMatch(t, []int{7, 1, 1}, slices.Collect(maps.Values(accounts)), "alice's are one account's")
	require.ElementsMatch(t, []int{6, 1, 2}, slices.Collect(maps.Values(clients)), "the thief's are one client's")
	encoded, err := json.Marshal(records)
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "203.0.113")
}
