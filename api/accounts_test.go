package api

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty/auth"
)

// value1 reads one value of one row.
func value1[T any](t testing.TB, b *bundle, query string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, b.store.DB().NewRaw(query, args...).Scan(t.Context(), &v))
	return v
}

// mailed is the token in the newest email of a kind to a user.
func (b *bundle) mailed(t *testing.T, purpose auth.Purpose, p person) string {
	t.Helper()
	table := map[auth.Purpose]string{auth.ForEmail: "email_verifications", auth.ForReset: "password_resets"}[purpose]
	token := b.server.oneTime.Token(purpose,
		value1[string](t, b, "SELECT id FROM ? WHERE user_id = ? ORDER BY id DESC LIMIT 1", bun.Ident(table), p.id))
	b.logs.secret(token)
	return token
}

func TestConfirmingAddresses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.register(t, "alice")
	bob := b.user(t, "bob")
	verify := func(token string) answer {
		return b.do(t, "POST", "/auth/verify-email", "", map[string]any{"token": token})
	}
	change := func(email, password string) answer {
		return b.do(t, "PUT", "/users/me/email", alice.token, map[string]any{"email": email, "password": password})
	}
	me := func() []any {
		data := b.do(t, "GET", "/users/me", alice.token, nil).data()
		return []any{data["email"], data["email_verified"]}
	}
	resend := func() answer { return b.do(t, "POST", "/users/me/email/verification", alice.token, nil) }

	first := b.mailed(t, auth.ForEmail, alice)
	require.Equal(t, 202, resend().status)
	second := b.mailed(t, auth.ForEmail, alice)
	require.NotEqual(t, first, second)
	for _, bad := range []string{
		first, strings.Repeat("A", 64), b.server.oneTime.Token(auth.ForEmail, unknownID),
		b.server.oneTime.Token(auth.ForReset, unknownID),
	} {
		verify(bad).requireProblem(t, 400, "bad_token")
	}
	for range 2 {
		require.Equal(t, 204, verify(second).status)
		require.Equal(t, []any{alice.email, true}, me())
	}
	emails := value1[int](t, b, "SELECT count(*) FROM emails")
	require.Equal(t, 202, resend().status)
	require.Equal(t, emails, value1[int](t, b, "SELECT count(*) FROM emails"), "there is nothing to confirm")

	a := change("new@example.net", "wrong horse battery")
	a.requireProblem(t, 403, "wrong_password")
	a.requireField(t, 403, "password")
	for _, bad := range []string{"none", "a@b c", "x@deleted.invalid", "a@b\x00"} {
		change(bad, password).requireField(t, 400, "email")
	}
	require.Equal(t, 202, change(" new@example.net ", password).status)
	require.Equal(t, []any{alice.email, true}, me())
	pending := func() any { return b.do(t, "GET", "/users/me", alice.token, nil).data()["pending_email"] }
	require.Equal(t, "new@example.net", pending())
	require.Equal(t, 204, verify(b.mailed(t, auth.ForEmail, alice)).status)
	require.Nil(t, pending())
	require.Equal(t, []any{"new@example.net", true}, me())
	verify(second).requireProblem(t, 400, "bad_token")
	require.Equal(t, 200, b.logIn(t, "new@example.net", password).status)

	require.Equal(t, 202, change(strings.ToUpper(bob.email), password).status, "whose it is, is not told")
	a = verify(b.mailed(t, auth.ForEmail, alice))
	a.requireProblem(t, 409, "email_taken")
	require.Equal(t, []any{"new@example.net", true}, me())
}

func TestPasswordReset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.register(t, "alice")
	requestReset := func(email string) answer {
		return b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": email})
	}
	confirm := func(token, password string) answer {
		return b.do(t, "POST", "/auth/password-reset/confirm", "", map[string]any{"token": token, "password": password})
	}
	const strange = "e\u0301😀 שלום ' \" \\ %"

	known, unknown := requestReset(" ALICE@example.org "), requestReset("nobody@example.org")
	require.Equal(t, []any{202, ""}, []any{known.status, string(known.raw)})
	require.Equal(t, []any{202, ""}, []any{unknown.status, string(unknown.raw)})
	requestReset("alice@example.org\x00").requireField(t, 400, "email")
	for _, email := range []string{"' OR ''='", "%%%", strings.Repeat("😀", 254)} {
		require.Equal(t, 202, requestReset(email).status)
	}
	token := b.mailed(t, auth.ForReset, alice)
	for _, bad := range []string{
		strings.Repeat("A", 64), b.server.oneTime.Token(auth.ForEmail, unknownID),
		b.server.oneTime.Token(auth.ForReset, unknownID),
	} {
		confirm(bad, strange).requireProblem(t, 400, "bad_token")
	}
	require.True(t, b.works(t, alice.token))
	require.Equal(t, 204, confirm(token, strange).status)
	require.False(t, b.works(t, alice.token), "every sign-in has ended")
	b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": alice.refresh}).
		requireProblem(t, 401, "bad_refresh_token")
	b.logIn(t, alice.email, password).requireProblem(t, 401, "bad_credentials")
	require.Equal(t, 200, b.logIn(t, alice.email, strange).status)
	confirm(token, password).requireProblem(t, 400, "bad_token")

	t.Run("lengths in characters", func(t *testing.T) {
		for n, want := range map[int]int{9: 400, 10: 204, 128: 204, 129: 400} {
			require.Equal(t, 202, requestReset(alice.email).status)
			long := strings.Repeat("😀", n)
			require.Equal(t, want, confirm(b.mailed(t, auth.ForReset, alice), long).status, n)
			if want == 204 {
				require.Equal(t, 200, b.logIn(t, alice.email, long).status)
			}
		}
	})
	t.Run("used twice in parallel it sets one password", func(t *testing.T) {
		require.Equal(t, 202, requestReset(alice.email).status)
		token := b.mailed(t, auth.ForReset, alice)
		statuses := inParallel(4, func(i int) int { return confirm(token, fmt.Sprint("parallel password ", i)).status })
		slices.Sort(statuses)
		require.Equal(t, []int{204, 400, 400, 400}, statuses)
		worked := 0
		for i := range 4 {
			if b.logIn(t, alice.email, fmt.Sprint("parallel password ", i)).status == 200 {
				worked++
			}
		}
		require.Equal(t, 1, worked)
	})
	t.Run("suspended", func(t *testing.T) {
		b.exec(t, "UPDATE users SET suspended_at = now() WHERE id = ?", alice.id)
		require.Equal(t, 202, requestReset(alice.email).status)
		require.Equal(t, 204, confirm(b.mailed(t, auth.ForReset, alice), password).status)
		b.logIn(t, alice.email, password).requireProblem(t, 403, "account_suspended")
		b.logIn(t, alice.email, "wrong horse battery").requireProblem(t, 401, "bad_credentials")
	})
}

func inParallel(n int, do func(i int) int) []int {
	results := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { results[i] = do(i) })
	}
	wg.Wait()
	return results
}

func TestChangingThePassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.register(t, "alice")
	other := b.logIn(t, alice.email, password).data()["access_token"].(string)
	change := func(current, next string) answer {
		return b.do(
			t, "PUT", "/users/me/password", alice.token, map[string]any{"current_password": current, "new_password": next},
		)
	}
	const next = "пароль из слов"
	b.logs.secret(next)
	require.Equal(t, 202, b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": alice.email}).status)
	reset := b.mailed(t, auth.ForReset, alice)

	a := change("wrong horse battery", next)
	a.requireProblem(t, 403, "wrong_password")
	a.requireField(t, 403, "current_password")
	require.True(t, b.works(t, other))
	require.Equal(t, 204, change(password, next).status)
	require.True(t, b.works(t, alice.token), "the one that asks goes on")
	require.False(t, b.works(t, other))
	require.Equal(t, 200, b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": alice.refresh}).status)
	require.Equal(t, 200, b.logIn(t, alice.email, next).status)
	b.do(t, "POST", "/auth/password-reset/confirm", "", map[string]any{"token": reset, "password": password}).
		requireProblem(t, 400, "bad_token")
	require.Equal(t, []int{204, 403, 403},
		sorted(inParallel(3, func(i int) int { return change(next, fmt.Sprint("another password ", i)).status })))
}

func sorted(s []int) []int { slices.Sort(s); return s }

func TestListProfiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "Bob.B")
	a := b.do(t, "GET", "/users?usernames=bob.b,nobody,ALICE,alice,", "", nil)
	require.Equal(t, 200, a.status, a)
	profile := func(p person) map[string]any { return b.do(t, "GET", "/users/"+p.name, "", nil).data() }
	require.Equal(t, []map[string]any{profile(alice), profile(bob)}, a.list())
	require.Equal(t, 200, b.do(t, "GET", "/users?usernames="+strings.Repeat("x,", 99)+"x", "", nil).status)
	b.do(t, "GET", "/users?usernames="+strings.Repeat("x,", 100)+"x", "", nil).requireField(t, 400, "usernames")
	b.do(t, "GET", "/users", "", nil).requireField(t, 400, "usernames")
}

func TestDeletingTheAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.register(t, "alice"), b.user(t, "bob")
	hosted, left := b.room(t, alice, nil), b.room(t, bob, nil)
	b.join(t, hosted, bob)
	b.join(t, left, alice)
	b.post(t, left, alice, "hello")
	messages := func() answer { return b.do(t, "GET", "/chat/messages?room_id="+left, bob.token, nil) }
	roomOf := func(id string) map[string]any { return b.do(t, "GET", "/rooms/"+id, bob.token, nil).data() }
	// All of it is in the cache.
	require.Equal(t, "alice", messages().list()[0]["author"].(map[string]any)["username"])
	require.Equal(t, 200, b.do(t, "GET", "/users/alice", "", nil).status)
	require.Equal(t, alice.id, roomOf(hosted)["host"].(map[string]any)["id"])
	require.EqualValues(t, 2, roomOf(left)["participants"])
	require.Len(t, b.do(t, "GET", "/rooms", "", nil).list(), 2)

	remove := func(password string) answer {
		return b.do(t, "DELETE", "/users/me", alice.token, map[string]any{"password": password})
	}
	b.do(t, "DELETE", "/users/me", alice.token, nil).requireField(t, 400, "body")
	wrong := remove("wrong horse battery")
	wrong.requireProblem(t, 403, "wrong_password")
	wrong.requireField(t, 403, "password")
	require.True(t, b.works(t, alice.token))
	require.Equal(t, 204, remove(password).status)
	require.False(t, b.works(t, alice.token))
	remove(password).requireProblem(t, 401, "unauthenticated")
	b.logIn(t, alice.email, password).requireProblem(t, 401, "bad_credentials")
	require.Nil(t, messages().list()[0]["author"])
	b.do(t, "GET", "/users/alice", "", nil).requireProblem(t, 404, "not_found")
	require.Equal(t, bob.id, roomOf(hosted)["host"].(map[string]any)["id"])
	require.EqualValues(t, 1, roomOf(hosted)["participants"])
	require.EqualValues(t, 1, roomOf(left)["participants"])
	require.NotContains(t, string(b.do(t, "GET", "/rooms", "", nil).raw), "alice")
	again := b.register(t, "alice")
	require.NotEqual(t, alice.id, again.id)
}
