package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
)

// value1 reads one value of one row.
func value1[T any](t testing.TB, b *bundle, query string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, b.store.DB().NewRaw(query, args...).Scan(t.Context(), &v))
	return v
}

// mailed is the token in the newest mail of a kind to a user.
func (b *bundle) mailed(t *testing.T, purpose auth.Purpose, p person) string {
	t.Helper()
	table := map[auth.Purpose]string{auth.ForEmail: "email_verifications", auth.ForReset: "password_resets"}[purpose]
	token := b.server.oneTime.Token(
		purpose,
		value1[string](t, b, "SELECT id FROM ? WHERE user_id = ? ORDER BY id DESC LIMIT 1", bun.Ident(table), p.id),
	)
	b.logs.secret(token)
	return token
}

func (b *bundle) logIn(t *testing.T, email, password string) answer {
	t.Helper()
	return b.do(t, "POST", "/auth/login", "", map[string]any{"email": email, "password": password})
}

func (b *bundle) works(t *testing.T, token string) bool {
	t.Helper()
	a := b.do(t, "GET", "/users/me", token, nil)
	if a.status != 200 {
		a.requireProblem(t, 401, "unauthenticated")
	}
	return a.status == 200
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
	for _, bad := range []string{first, strings.Repeat("A", 64), b.server.oneTime.Token(auth.ForEmail, unknownID), b.server.oneTime.Token(auth.ForReset, unknownID)} {
		verify(bad).requireProblem(t, 400, "bad_token")
	}
	for range 2 {
		require.Equal(t, 204, verify(second).status)
		require.Equal(t, []any{alice.email, true}, me())
	}
	mails := value1[int](t, b, "SELECT count(*) FROM emails")
	require.Equal(t, 202, resend().status)
	require.Equal(t, mails, value1[int](t, b, "SELECT count(*) FROM emails"), "there is nothing to confirm")

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
	ask := func(email string) answer {
		return b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": email})
	}
	confirm := func(token, password string) answer {
		return b.do(t, "POST", "/auth/password-reset/confirm", "", map[string]any{"token": token, "password": password})
	}
	const strange = "e\u0301😀 שלום ' \" \\ %"

	known, unknown := ask(" ALICE@example.org "), ask("nobody@example.org")
	require.Equal(t, []any{202, ""}, []any{known.status, string(known.raw)})
	require.Equal(t, []any{202, ""}, []any{unknown.status, string(unknown.raw)})
	ask("alice@example.org\x00").requireField(t, 400, "email")
	for _, email := range []string{"' OR ''='", "%%%", strings.Repeat("😀", 254)} {
		require.Equal(t, 202, ask(email).status)
	}
	token := b.mailed(t, auth.ForReset, alice)
	for _, bad := range []string{strings.Repeat("A", 64), b.server.oneTime.Token(auth.ForEmail, unknownID), b.server.oneTime.Token(auth.ForReset, unknownID)} {
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
			require.Equal(t, 202, ask(alice.email).status)
			long := strings.Repeat("😀", n)
			require.Equal(t, want, confirm(b.mailed(t, auth.ForReset, alice), long).status, n)
			if want == 204 {
				require.Equal(t, 200, b.logIn(t, alice.email, long).status)
			}
		}
	})
	t.Run("used twice in parallel it sets one password", func(t *testing.T) {
		require.Equal(t, 202, ask(alice.email).status)
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
		require.Equal(t, 202, ask(alice.email).status)
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
			t,
			"PUT",
			"/users/me/password",
			alice.token,
			map[string]any{"current_password": current, "new_password": next},
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
	require.Equal(
		t,
		[]int{204, 403, 403},
		sorted(inParallel(3, func(i int) int { return change(next, fmt.Sprint("another password ", i)).status })),
	)
}

func sorted(s []int) []int { slices.Sort(s); return s }

func TestSessionsOfTheCaller(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.register(t, "alice"), b.user(t, "bob")
	signIn := func(agent string) (token, id string) {
		r := b.request(t, "POST", "/auth/login", "", map[string]any{"email": alice.email, "password": password})
		r.Header.Set("User-Agent", agent)
		token = b.send(t, r).data()["access_token"].(string)
		identity, err := b.server.tokens.Verify(token, time.Now())
		require.NoError(t, err)
		return token, identity.SessionID
	}
	phone, phoneID := signIn("Phone 😀")
	laptop, laptopID := signIn("Laptop")
	list := func(query string) answer { return b.do(t, "GET", "/users/me/sessions"+query, alice.token, nil) }
	end := func(id string) answer { return b.do(t, "DELETE", "/users/me/sessions/"+id, alice.token, nil) }

	all := list("").list()
	require.Len(t, all, 3)
	require.Equal(
		t,
		[]any{laptopID, "Laptop", false, phoneID, "Phone 😀", false, true},
		[]any{
			all[0]["id"],
			all[0]["user_agent"],
			all[0]["current"],
			all[1]["id"],
			all[1]["user_agent"],
			all[1]["current"],
			all[2]["current"],
		},
	)
	var paged []map[string]any
	for query := "?limit=2"; query != ""; {
		a := list(query)
		paged = append(paged, a.list()...)
		query = ""
		if next, ok := a.body["next_cursor"].(string); ok {
			query = "?limit=2&cursor=" + next
		}
	}
	require.Equal(t, all, paged)

	foreign := b.do(t, "GET", "/users/me/sessions", bob.token, nil).list()[0]["id"].(string)
	for _, id := range []string{foreign, unknownID} {
		end(id).requireProblem(t, 404, "not_found")
	}
	require.True(t, b.works(t, bob.token))
	require.True(t, b.works(t, phone))
	require.Equal(t, 204, end(phoneID).status)
	require.False(t, b.works(t, phone), "at once")
	end(phoneID).requireProblem(t, 404, "not_found")
	require.Equal(t, 204, b.do(t, "DELETE", "/users/me/sessions", alice.token, nil).status)
	require.False(t, b.works(t, laptop))
	require.Len(t, list("").list(), 1)
	require.Equal(t, 204, end(all[2]["id"].(string)).status)
	require.False(t, b.works(t, alice.token))
}

// passGrace makes it long ago that a refresh token was exchanged.
func (b *bundle) passGrace(t *testing.T, token string) {
	t.Helper()
	b.exec(
		t,
		"UPDATE sessions SET rotated_at = rotated_at - interval '31 s' WHERE token_hash = ?",
		auth.HashRefresh(token),
	)
}

// Two tabs may exchange one token at once, and an answer may be lost: every pair works. Later, two parties have the
// token, and neither keeps the sign-in.
func TestRefreshTokenUsedTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.register(t, "alice")
	other := b.logIn(t, alice.email, password).data()["access_token"].(string)
	refresh := func(token string) answer {
		return b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": token})
	}
	first := b.logIn(t, alice.email, password)
	token := first.data()["refresh_token"].(string)
	const tabs = 50
	answers := make([]answer, tabs)
	inParallel(tabs, func(i int) int { answers[i] = refresh(token); return answers[i].status })
	seen := map[string]bool{}
	for _, a := range answers {
		require.Equal(t, 200, a.status, a)
		require.True(t, b.works(t, a.data()["access_token"].(string)))
		require.False(t, seen[a.data()["refresh_token"].(string)], "each has a token of its own")
		seen[a.data()["refresh_token"].(string)] = true
	}
	for _, status := range inParallel(tabs, func(i int) int { return refresh(answers[i].data()["refresh_token"].(string)).status }) {
		require.Equal(t, 200, status)
	}
	require.Len(t, b.do(t, "GET", "/users/me/sessions", other, nil).list(), 3, "it is one sign-in of three")

	b.passGrace(t, token)
	require.Equal(t, []int{401, 401}, inParallel(2, func(int) int { return refresh(token).status }))
	require.False(t, b.works(t, first.data()["access_token"].(string)))
	for _, a := range answers {
		require.False(t, b.works(t, a.data()["access_token"].(string)))
		refresh(a.data()["refresh_token"].(string)).requireProblem(t, 401, "bad_refresh_token")
	}
	require.True(t, b.works(t, other), "another sign-in goes on")
	require.NotEmpty(t, b.logs.records(t, "Sign-in refused"))
}

// A sign-in ends after AUTH_SESSION_TTL, and its access tokens do not outlive it.
func TestSignInsEndByTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.register(t, "alice")
	b.exec(t, "UPDATE sessions SET signed_in_at = now() - interval '90 d' + interval '1 min'")
	a := b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": alice.refresh})
	require.Equal(t, 200, a.status, a)
	require.InDelta(t, 60, a.data()["expires_in"], 30)
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(a.data()["access_token"].(string), claims)
	require.NoError(t, err)
	require.InDelta(t, time.Now().Add(time.Minute).Unix(), claims["exp"], 30)
	b.exec(t, "UPDATE sessions SET signed_in_at = now() - interval '90 d'")
	for _, token := range []string{alice.refresh, a.data()["refresh_token"].(string)} {
		b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": token}).
			requireProblem(t, 401, "bad_refresh_token")
	}
}

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
		r := b.request(
			t,
			"POST",
			"/auth/register",
			"",
			map[string]any{"username": name, "email": name + "@example.org", "password": password},
		)
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

func TestExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	const said = 3000
	b.exec(
		t,
		`INSERT INTO messages (id, room_id, user_id, body) SELECT ('01890000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, ?, ?, 'message ' || i
		FROM generate_series(1, ?) AS i`,
		room,
		alice.id,
		said,
	)
	b.exec(
		t,
		"INSERT INTO invitations (id, room_id, inviter_id, email, expires_at) VALUES (?, ?, ?, 'guest@example.org', now() + interval '1 h')",
		unknownID,
		room,
		alice.id,
	)
	require.Equal(t, 202, b.send(t, b.upload(t, alice.token, part{"avatar", "me.png", "image/png", picture(8, 8)})).status)

	a := b.do(t, "GET", "/users/me/export", alice.token, nil)
	require.Equal(t, 200, a.status)
	require.Equal(t, `attachment; filename="watchparty-alice.json"`, a.header.Get("Content-Disposition"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	var answer contract.ExportAnswer
	require.NoError(t, json.Unmarshal(a.raw, &answer))
	document := answer.Data
	require.Equal(t, alice.email, document.Account.Email)
	require.Len(t, document.Messages, said)
	for i, m := range document.Messages {
		require.Equal(t, fmt.Sprint("message ", i+1), m.Body)
	}
	require.Len(t, document.Sessions, 1)
	require.True(t, document.Sessions[0].Current)
	require.Equal(
		t,
		[]any{room, contract.RoleHost, true},
		[]any{document.Rooms[0].Room.ID, document.Rooms[0].Role, document.Rooms[0].Joined},
	)
	require.Equal(t, "guest@example.org", *document.Invitations[0].Email)
	require.Equal(t, 1, document.Avatars[0].Version)

	t.Run("is written as it is read", func(t *testing.T) {
		user, err := b.store.User(t.Context(), alice.id)
		require.NoError(t, err)
		w := &pieces{}
		require.NoError(t, export{Server: b.server, ctx: t.Context(), user: user}.VisitExportMeResponse(w))
		require.Greater(t, w.writes, said)
		require.Less(t, w.largest, 2000, "no piece holds more than a row")
	})
	t.Run("breaks off rather than end early", func(t *testing.T) {
		b.exec(t, "ALTER TABLE invitations RENAME TO elsewhere")
		r := b.request(t, "GET", "/users/me/export", alice.token, nil)
		response, err := b.client.Do(r)
		if err == nil {
			_, err = io.ReadAll(response.Body)
			require.NoError(t, response.Body.Close())
		}
		require.Error(t, err)
		require.Len(t, b.logs.records(t, "export broke off"), 1)
	})
}

// pieces counts what is written.
type pieces struct {
	writes, largest int
}

func (*pieces) Header() http.Header { return http.Header{} }
func (*pieces) WriteHeader(int)     {}
func (p *pieces) Write(b []byte) (int, error) {
	p.writes++
	p.largest = max(p.largest, len(b))
	return len(b), nil
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
			t,
			1,
			min(ratio, 1/ratio),
			1-1/1.5,
			"%s: an answer for a known address takes %.2f times as long",
			name,
			ratio,
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
