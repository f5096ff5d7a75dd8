package api

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

func identityOf(p person) auth.Identity {
	return auth.Identity{UserID: p.id, Username: p.name, SessionID: p.session}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.register(t, "Alice")
	login := func(email, password string) answer {
		return b.do(t, "POST", "/auth/login", "", map[string]any{"email": email, "password": password})
	}
	refresh := func(token string) answer {
		return b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": token})
	}
	logout := func(token string) answer {
		return b.do(t, "POST", "/auth/logout", "", map[string]any{"refresh_token": token})
	}

	t.Run("the account", func(t *testing.T) {
		me := b.do(t, "GET", "/users/me", alice.token, nil).data()
		require.Equal(t, []any{"Alice", "Alice", "Alice@example.org", false, false, generated(alice)},
			[]any{me["username"], me["display_name"], me["email"], me["email_verified"], me["is_admin"], me["avatar"]})
	})
	t.Run("its welcome email is promised", func(t *testing.T) {
		var n int
		require.NoError(
			t,
			b.store.DB().
				NewRaw("SELECT count(*) FROM outbox WHERE workflow_id = ?", "welcome-email/"+alice.id).
				Scan(t.Context(), &n),
		)
		require.Equal(t, 1, n)
	})
	t.Run("taken names", func(t *testing.T) {
		for _, name := range []string{"Alice", "alice", "ALICE", " alice "} {
			body := map[string]any{"username": name, "email": "other@example.org", "password": password}
			if strings.Contains(name, " ") {
				b.do(t, "POST", "/auth/register", "", body).requireField(t, 400, "username")
				continue
			}
			a := b.do(t, "POST", "/auth/register", "", body)
			a.requireProblem(t, 409, "username_taken")
			a.requireField(t, 409, "username")
		}
		for _, email := range []string{"Alice@example.org", "alice@EXAMPLE.org", " alice@example.org "} {
			a := b.do(t, "POST", "/auth/register", "", map[string]any{"username": "other", "email": email, "password": password})
			a.requireProblem(t, 409, "email_taken")
			a.requireField(t, 409, "email")
		}
		require.Equal(t, 404, b.do(t, "GET", "/users/other", "", nil).status)
	})
	t.Run("passwords are not stored", func(t *testing.T) {
		var hash string
		require.NoError(
			t, b.store.DB().NewRaw("SELECT password_hash FROM users WHERE id = ?", alice.id).Scan(t.Context(), &hash),
		)
		require.True(t, strings.HasPrefix(hash, "$argon2id$"))
		require.NotContains(t, hash, password)
	})
	t.Run("log in", func(t *testing.T) {
		a := login("ALICE@example.org", password)
		require.Equal(t, 200, a.status, a)
		require.EqualValues(t, 900, a.data()["expires_in"])
		require.Equal(t, 200, b.do(t, "GET", "/users/me", a.data()["access_token"].(string), nil).status)
	})
	t.Run("an unknown address looks like a wrong password", func(t *testing.T) {
		wrong, unknown := login(alice.email, "wrong horse battery"), login("nobody@example.org", password)
		wrong.requireProblem(t, 401, "bad_credentials")
		delete(wrong.body, "request_id")
		delete(unknown.body, "request_id")
		require.Equal(t, wrong.body, unknown.body)
	})
	t.Run("hostile credentials", func(t *testing.T) {
		for _, email := range []string{"' OR ''='", "%", strings.Repeat("😀", 254), "\\"} {
			login(email, password+"\x00").requireProblem(t, 401, "bad_credentials")
		}
		for _, email := range []string{"\x00", "alice@example.org\x00"} { // it would be hers without
			login(email, password).requireField(t, 400, "email")
		}
	})
	t.Run("refresh", func(t *testing.T) {
		first := login(alice.email, password).data()["refresh_token"].(string)
		a := refresh(first)
		require.Equal(t, 200, a.status, a)
		second := a.data()["refresh_token"].(string)
		require.NotEqual(t, first, second)
		require.Equal(t, 200, b.do(t, "GET", "/users/me", a.data()["access_token"].(string), nil).status)

		require.Equal(t, 200, refresh(first).status, "its answer may have been lost")
		b.passGrace(t, first)
		refresh(first).requireProblem(t, 401, "bad_refresh_token")
		refresh(second).requireProblem(t, 401, "bad_refresh_token") // the whole family has ended
		require.Equal(t, 200, refresh(alice.refresh).status, "another sign-in goes on")
	})
	t.Run("log out", func(t *testing.T) {
		a := login(alice.email, password)
		first := a.data()["refresh_token"].(string)
		second := refresh(first).data()["refresh_token"].(string)
		require.Equal(t, 204, logout(second).status)
		refresh(second).requireProblem(t, 401, "bad_refresh_token")
		require.Equal(t, 204, logout(second).status)
		require.Equal(t, 204, logout(strings.Repeat("x", 43)).status)
	})
	t.Run("unknown, expired and hostile refresh tokens", func(t *testing.T) {
		token := login(alice.email, password).data()["refresh_token"].(string)
		_, err := b.store.DB().
			ExecContext(t.Context(), "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE token_hash = ?",
				auth.HashRefresh(token))
		require.NoError(t, err)
		for _, bad := range []string{
			token, token + "x", strings.Repeat("x", 43), strings.Repeat("\x00", 43), alice.token[:100],
		} {
			refresh(bad).requireProblem(t, 401, "bad_refresh_token")
		}
	})
}

func TestAccessTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	now := time.Now()
	issue := func(secret string, at time.Time) string {
		token, err := auth.NewTokens(secret, b.cfg.Auth.AccessTTL).Access(identityOf(alice), at, b.cfg.Auth.AccessTTL)
		require.NoError(t, err)
		return token
	}
	claims := jwt.MapClaims{
		"iss": "watchparty", "aud": "watchparty", "sub": alice.id, "name": "alice", "exp": now.Add(time.Hour).Unix(),
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(b.cfg.Auth.Secret))
	require.NoError(t, err)
	parts := strings.Split(alice.token, ".")
	forged := base64.RawURLEncoding.EncodeToString(
		[]byte(`{"iss":"watchparty","aud":["watchparty"],"sub":"` + unknownID + `","name":"root","exp":9999999999}`),
	)

	headers := map[string]string{
		"garbage":           "Bearer x",
		"empty":             "Bearer ",
		"no token":          "Bearer",
		"another scheme":    "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:word-of-alice")),
		"another secret":    "Bearer " + issue(strings.Repeat("another", 6), now),
		"the secret itself": "Bearer " + raw,
		"expired":           "Bearer " + issue(b.cfg.Auth.Secret, now.Add(-b.cfg.Auth.AccessTTL-time.Second)),
		"alg none":          "Bearer " + none,
		"alg None by hand": "Bearer " + base64.RawURLEncoding.EncodeToString(
			[]byte(`{"alg":"None"}`),
		) + "." + parts[1] + ".",
		"other claims":         "Bearer " + parts[0] + "." + forged + "." + parts[2],
		"without a signature":  "Bearer " + parts[0] + "." + parts[1] + ".",
		"two tokens":           "Bearer " + alice.token + " " + alice.token,
		"many dots":            "Bearer " + strings.Repeat(".", 4000),
		"bytes beyond ASCII":   "Bearer \xff\xfe",
		"not the whole header": alice.token,
	}
	for name, header := range headers {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{
				"/users/me", "/rooms/" + room, "/rooms/" + room + "/participants", "/chat/messages?room_id=" + room,
			} {
				r := b.request(t, "GET", path, "", nil)
				r.Header.Set("Authorization", header)
				a := b.send(t, r)
				a.requireProblem(t, 401, "unauthenticated")
				require.Equal(t, `Bearer realm="watchparty"`, a.header.Get("WWW-Authenticate"))
			}
		})
	}
	t.Run("a scheme has no case", func(t *testing.T) {
		r := b.request(t, "GET", "/users/me", "", nil)
		r.Header.Set("Authorization", "bearer  "+alice.token)
		require.Equal(t, 200, b.send(t, r).status)
	})
	t.Run("no token is anonymous", func(t *testing.T) {
		for _, path := range []string{
			"/rooms/" + room, "/rooms/" + room + "/participants", "/chat/messages?room_id=" + room,
		} {
			require.Equal(t, 200, b.do(t, "GET", path, "", nil).status)
		}
	})
	t.Run("an admin who is one no more", func(t *testing.T) {
		root := b.admin(t, "root")
		require.Equal(t, 200, b.do(t, "GET", "/admin/reports", root.token, nil).status)
		_, err := b.store.DB().ExecContext(t.Context(), "UPDATE users SET is_admin = false WHERE id = ?", root.id)
		require.NoError(t, err)
		b.do(t, "GET", "/admin/reports", root.token, nil).requireProblem(t, 403, "forbidden")
	})
}
