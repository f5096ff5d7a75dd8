package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
)

// passwordSetters are the operations that set one, each for a person whose password is known.
var passwordSetters = map[string]struct {
	field string
	set   func(t *testing.T, b *bundle, p person, next string) answer
	done  int
}{
	"register": {"password", func(t *testing.T, b *bundle, p person, next string) answer {
		b.exec(t, "DELETE FROM users WHERE username = ?", p.name)
		return b.do(t, "POST", "/auth/register", "", map[string]any{"username": p.name, "email": p.email, "password": next})
	}, 201},
	"changePassword": {"new_password", func(t *testing.T, b *bundle, p person, next string) answer {
		b.givePassword(t, p)
		return b.do(
			t, "PUT", "/users/me/password", p.token, map[string]any{"current_password": password, "new_password": next},
		)
	}, 204},
	"confirmPasswordReset": {"password", func(t *testing.T, b *bundle, p person, next string) answer {
		require.Equal(t, 202, b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": p.email}).status)
		return b.do(t, "POST", "/auth/password-reset/confirm", "",
			map[string]any{"token": b.mailed(t, auth.ForReset, p), "password": next})
	}, 204},
}

func TestEverySettingOfAPassword(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for id, op := range operations() {
		if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
			continue
		}
		for _, property := range op.RequestBody.Value.Content["application/json"].Schema.Value.Properties {
			if property.Ref == "#/components/schemas/NewPassword" {
				documented[id] = true
			}
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(documented)), slices.Collect(maps.Keys(passwordSetters)),
		"each operation that sets a password is in the table")

	b := setup(t)
	for id, c := range passwordSetters {
		t.Run(id, func(t *testing.T) {
			name := "ada.love." + strings.ToLower(id[:3])
			p := b.register(t, name)
			for why, bad := range map[string][2]string{
				"too short":             {"ninechars", "too_short"},
				"too short, composed":   {strings.Repeat("e\u0301", 5) + "abcd", "too_short"},
				"too long":              {strings.Repeat("界", 129), "too_long"},
				"a control character":   {"correct horse\tbattery", "characters"},
				"the username":          {strings.ToUpper(name), "name"},
				"the address":           {p.email, "name"},
				"common":                {"Password123", "common"},
				"common, in wide forms": {"ｐａｓｓｗｏｒｄ１２３", "common"},
			} {
				a := c.set(t, b, p, bad[0])
				require.Equal(t, 400, a.status, "%s: %s", why, a)
				a.requireField(t, 400, c.field)
				require.Equal(t, bad[1], a.body["errors"].([]any)[0].(map[string]any)["code"], why)
			}
			// From whatever keyboard it comes.
			const typed = "cafe\u0301 du\u00a0monde 界"
			b.logs.secret(typed)
			a := c.set(t, b, p, typed)
			require.Equal(t, c.done, a.status, a)
			for _, form := range []string{typed, "café du monde 界", "cafe\u0301 du\u3000monde 界"} {
				require.Equal(t, 200, b.logIn(t, p.email, form).status, "%q", form)
			}
			for _, other := range []string{"cafe du monde 界", "Café du monde 界", "café du  monde 界", "café du monde"} {
				b.logIn(t, p.email, other).requireProblem(t, 401, "bad_credentials")
			}
			a = c.set(t, b, p, strings.Repeat("e\u0301", 128))
			require.Equal(t, c.done, a.status, "128 characters: %s", a)
		})
	}
}

// A hash from before is of what was typed. It works for that, and from then on for every form.
func TestHashesOfPasswordsAsTyped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const decomposed, composed = "cafe\u0301 du monde", "café du monde"
	hashOf := func(text string) string {
		hash, err := b.server.passwords.Hash(context.Background(), text)
		require.NoError(t, err)
		return hash
	}
	stored := func(p person) string {
		return value1[string](t, b, "SELECT password_hash FROM users WHERE id = ?", p.id)
	}
	for name, prove := range map[string]func(p person, password string) int{
		"login": func(p person, password string) int { return b.logIn(t, p.email, password).status },
		"address": func(p person, password string) int {
			return b.do(t, "PUT", "/users/me/email", p.token,
				map[string]any{"email": "x" + p.email, "password": password}).status
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.register(t, name)
			old := hashOf(decomposed)
			b.exec(t, "UPDATE users SET password_hash = ? WHERE id = ?", old, p.id)
			require.Contains(t, []int{401, 403}, prove(p, composed), "the old hash is not of it")
			require.Equal(t, old, stored(p))
			require.Less(t, prove(p, decomposed), 300)
			renewed := stored(p)
			require.NotEqual(t, old, renewed)
			for _, form := range []string{decomposed, composed} {
				require.Less(t, prove(p, form), 300)
			}
			require.Equal(t, renewed, stored(p), "it is renewed once")
			require.True(t, b.works(t, p.token), "which ends no sign-in")
		})
	}
	t.Run("what would be no password today", func(t *testing.T) {
		p := b.register(t, "tab")
		old := hashOf("tab\tbed")
		b.exec(t, "UPDATE users SET password_hash = ? WHERE id = ?", old, p.id)
		require.Equal(t, 200, b.logIn(t, p.email, "tab\tbed").status)
		require.Equal(t, old, stored(p))
		a := b.do(t, "PUT", "/users/me/password", p.token,
			map[string]any{"current_password": "tab\tbed", "new_password": "another horse battery"})
		require.Equal(t, 204, a.status, a)
	})
}

// Several sign-ins may find the old hash at once. One of them renews it, and all succeed.
func TestHashesRenewedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) { s.config.Auth.HashParallel = 10 })
	const typed = "cafe\u0301 du monde"
	p := b.register(t, "ada")
	hashOf := func(text string) string {
		hash, err := b.server.passwords.Hash(t.Context(), text)
		require.NoError(t, err)
		return hash
	}
	old := hashOf(typed)
	store := func(hash string) { b.exec(t, "UPDATE users SET password_hash = ? WHERE id = ?", hash, p.id) }
	stored := func() string {
		return value1[string](t, b, "SELECT password_hash FROM users WHERE id = ?", p.id)
	}
	t.Run("all succeed", func(t *testing.T) {
		store(old)
		var requests []*http.Request
		for range 10 {
			requests = append(
				requests, b.request(t, "POST", "/auth/login", "", map[string]any{"email": p.email, "password": typed}),
			)
		}
		require.Equal(t, map[int]int{200: 10}, b.statuses(requests...))
		require.NotEqual(t, old, stored())
	})
	check := func() (string, error) {
		return b.server.checkPassword(
			t.Context(), passwordCheck{act: "login", userID: p.id, account: p.id, hash: old, password: typed},
		)
	}
	t.Run("renewed since it was read", func(t *testing.T) {
		renewed := hashOf("café du monde")
		store(renewed)
		hash, err := check()
		require.NoError(t, err)
		require.Equal(t, renewed, hash)
		require.Equal(t, renewed, stored())
	})
	t.Run("another password since it was read", func(t *testing.T) {
		another := hashOf("another horse battery")
		store(another)
		_, err := check()
		require.ErrorIs(t, err, watchparty.ErrWrongPassword)
		require.Equal(t, another, stored())
	})
	t.Run("deleted since it was read", func(t *testing.T) {
		b.exec(t, "UPDATE users SET deleted_at = now() WHERE id = ?", p.id)
		_, err := check()
		require.ErrorIs(t, err, watchparty.ErrWrongPassword)
	})
}

// Each change of a password is reported to the account's address; a request that changes nothing is not.
func TestChangesOfPasswordsAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.register(t, "alice")
	countNotices := func() int {
		return value1[int](t, b, `SELECT count(*) FROM emails AS e JOIN outbox AS o ON o.workflow_id = e.workflow_id
			WHERE e.kind = 'password_changed' AND e.user_id = ? AND o.workflow = 'PasswordChangedNotice'`, p.id)
	}
	change := func(current, next string) answer {
		return b.do(
			t, "PUT", "/users/me/password", p.token, map[string]any{"current_password": current, "new_password": next},
		)
	}
	change("wrong horse battery", "another horse battery").requireProblem(t, 403, "wrong_password")
	change(password, "short").requireField(t, 400, "new_password")
	require.Zero(t, countNotices())
	require.Equal(t, 204, change(password, "another horse battery").status)
	require.Equal(t, 1, countNotices())
	require.Equal(t, 202, b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": p.email}).status)
	require.Equal(t, 1, countNotices(), "nothing has changed")
	body := map[string]any{"token": b.mailed(t, auth.ForReset, p), "password": password}
	require.Equal(t, 204, b.do(t, "POST", "/auth/password-reset/confirm", "", body).status)
	b.do(t, "POST", "/auth/password-reset/confirm", "", body).requireProblem(t, 400, "bad_token")
	require.Equal(t, 2, countNotices())
}
