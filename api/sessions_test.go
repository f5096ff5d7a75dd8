package api

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

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
		t, "UPDATE sessions SET rotated_at = rotated_at - interval '31 s' WHERE token_hash = ?", auth.HashRefresh(token),
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
		return repeatWhileBusy(func() answer {
			return b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": token})
		})
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
