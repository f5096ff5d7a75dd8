package api

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

// TestSignInsEndAtOnce: an access token is worth nothing from the moment on in which its sign-in ends, wherever that
// is looked up.
func TestSignInsEndAtOnce(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*settings){"with Redis": func(*settings) {}, "without Redis": redisAway} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, change)
			alice := b.register(t, "alice")
			works := func(token string) bool {
				a := b.do(t, "GET", "/users/me", token, nil)
				require.Contains(t, []int{200, 401}, a.status, a)
				return a.status == 200
			}
			signIn := func() (access, refresh string) {
				a := b.do(t, "POST", "/auth/login", "", map[string]any{"email": alice.email, "password": alice.password})
				require.Equal(t, 200, a.status, a)
				return a.data()["access_token"].(string), a.data()["refresh_token"].(string)
			}
			t.Run("by signing out", func(t *testing.T) {
				access, refresh := signIn()
				require.True(t, works(access))
				b.do(t, "POST", "/auth/logout", "", map[string]any{"refresh_token": refresh})
				require.False(t, works(access))
				require.True(t, works(alice.token), "another sign-in goes on")
			})
			t.Run("by a token that is used twice", func(t *testing.T) {
				access, stolen := signIn()
				next := b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": stolen})
				require.Equal(t, 200, next.status, next)
				require.True(t, works(access))
				b.passGrace(t, stolen)
				b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": stolen}).
					requireProblem(t, 401, "bad_refresh_token")
				require.False(t, works(access))
				require.False(t, works(next.data()["access_token"].(string)))
			})
			t.Run("a token of another's session", func(t *testing.T) {
				bob := b.user(t, "bob"+strings.ReplaceAll(name, " ", ""))
				mixed := identityOf(bob)
				require.True(t, works(b.sign(t, mixed)))
				mixed.SessionID = alice.session
				require.False(t, works(b.sign(t, mixed)))
			})
		})
	}
}

func (b *bundle) sign(t *testing.T, id auth.Identity) string {
	t.Helper()
	token, err := b.server.tokens.Access(id, time.Now(), b.server.tokens.TTL())
	require.NoError(t, err)
	return token
}

// TestUserAgent: the stored text is short and can be shown.
func TestUserAgent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "alice")
	for sent, want := range map[string]string{
		"Firefox/140": "Firefox/140", strings.Repeat("ü", 300): strings.Repeat("ü", maxUserAgent), "a\xff\xfeb": "ab",
	} {
		r := b.request(t, "POST", "/auth/login", "", map[string]any{"email": "alice@example.org", "password": password})
		r.Header.Set("User-Agent", sent)
		require.Equal(t, 200, b.send(t, r).status)
		var kept string
		require.NoError(
			t, b.store.DB().NewRaw("SELECT user_agent FROM sessions ORDER BY id DESC LIMIT 1").Scan(t.Context(), &kept),
		)
		require.Equal(t, want, kept)
	}
}
