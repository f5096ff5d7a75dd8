package auth

import (
	"encoding/base64"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

const secret = "a secret of thirty-two bytes or more"

var (
	ada = Identity{
		UserID:    "019a0000-0000-7000-8000-000000000001",
		Username:  "ada",
		SessionID: "01890000-0000-7000-8000-00000000beef",
	}
	moment = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func TestAccessTokens(t *testing.T) {
	tokens := NewTokens(secret, 15*time.Minute)
	require.Equal(t, 15*time.Minute, tokens.TTL())
	token, err := tokens.Access(ada, moment, tokens.TTL())
	require.NoError(t, err)
	refused := func(t *testing.T, tokens *Tokens, token string, now time.Time) {
		t.Helper()
		id, err := tokens.Verify(token, now)
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
		require.Empty(t, id)
	}

	t.Run("says whose it is", func(t *testing.T) {
		id, err := tokens.Verify(token, moment)
		require.NoError(t, err)
		require.Equal(t, ada, id)
		id, err = NewTokens(secret, time.Hour).Verify(token, moment)
		require.NoError(t, err, "another process with the same secret takes it")
		require.Equal(t, ada, id)
	})

	t.Run("lives for its time", func(t *testing.T) {
		_, err := tokens.Verify(token, moment.Add(15*time.Minute-time.Second))
		require.NoError(t, err)
		refused(t, tokens, token, moment.Add(15*time.Minute))
		refused(t, tokens, token, moment.Add(24*time.Hour))
	})

	t.Run("of another secret", func(t *testing.T) {
		refused(t, NewTokens(secret+"!", 15*time.Minute), token, moment)
	})

	t.Run("the secret itself signs nothing", func(t *testing.T) {
		forged, err := jwt.NewWithClaims(jwt.SigningMethodHS256, good()).SignedString([]byte(secret))
		require.NoError(t, err)
		refused(t, tokens, forged, moment)
	})

	t.Run("tampered", func(t *testing.T) {
		parts := strings.Split(token, ".")
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		require.NoError(t, err)
		other := strings.Replace(string(payload), `"ada"`, `"eve"`, 1)
		require.NotEqual(t, string(payload), other)
		forged := base64.RawURLEncoding.EncodeToString([]byte(other))
		refused(t, tokens, parts[0]+"."+forged+"."+parts[2], moment)
		refused(t, tokens, parts[0]+"."+parts[1]+".", moment)
		refused(t, tokens, parts[0]+"."+parts[1], moment)
		refused(t, tokens, token[1:], moment)
		for i := range parts[2][:len(parts[2])-1] { // the last character has bits that do not count
			changed := []byte(parts[2])
			changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
			refused(t, tokens, parts[0]+"."+parts[1]+"."+string(changed), moment)
		}
	})

	t.Run("no token", func(t *testing.T) {
		for _, text := range []string{"", ".", "..", "Bearer " + token, "null", strings.Repeat("a.", 10_000)} {
			refused(t, tokens, text, moment)
		}
	})

	t.Run("a refresh token is none", func(t *testing.T) {
		refresh, _ := NewRefresh()
		refused(t, tokens, refresh, moment)
	})
}

// good are the claims of a token that is taken.
func good() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": "watchparty", "aud": "watchparty", "sub": ada.UserID, "name": ada.Username, "sid": ada.SessionID,
		"iat": moment.Unix(), "exp": moment.Add(time.Minute).Unix(),
	}
}

func TestForgedTokens(t *testing.T) {
	tokens := NewTokens(secret, time.Minute)
	sign := func(t *testing.T, method jwt.SigningMethod, key any, c jwt.MapClaims) string {
		t.Helper()
		token, err := jwt.NewWithClaims(method, c).SignedString(key)
		require.NoError(t, err)
		return token
	}

	t.Run("the right claims are taken", func(t *testing.T) {
		id, err := tokens.Verify(sign(t, jwt.SigningMethodHS256, tokens.keys[0], good()), moment)
		require.NoError(t, err)
		require.Equal(t, ada, id)
	})

	for name, test := range map[string]struct {
		method jwt.SigningMethod
		key    any
	}{
		"none":  {jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType},
		"HS384": {jwt.SigningMethodHS384, tokens.keys[0]},
		"HS512": {jwt.SigningMethodHS512, tokens.keys[0]},
	} {
		t.Run("algorithm "+name, func(t *testing.T) {
			_, err := tokens.Verify(sign(t, test.method, test.key, good()), moment)
			require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
		})
	}

	for name, change := range map[string]func(jwt.MapClaims){
		"no exp":           func(c jwt.MapClaims) { delete(c, "exp") },
		"exp is a word":    func(c jwt.MapClaims) { c["exp"] = "never" },
		"another issuer":   func(c jwt.MapClaims) { c["iss"] = "elsewhere" },
		"no issuer":        func(c jwt.MapClaims) { delete(c, "iss") },
		"another audience": func(c jwt.MapClaims) { c["aud"] = []string{"elsewhere"} },
		"no audience":      func(c jwt.MapClaims) { delete(c, "aud") },
		"no subject":       func(c jwt.MapClaims) { delete(c, "sub") },
		"no name":          func(c jwt.MapClaims) { delete(c, "name") },
		"no session":       func(c jwt.MapClaims) { delete(c, "sid") },
		"not yet":          func(c jwt.MapClaims) { c["nbf"] = moment.Add(time.Hour).Unix() },
	} {
		t.Run(name, func(t *testing.T) {
			c := maps.Clone(good())
			change(c)
			_, err := tokens.Verify(sign(t, jwt.SigningMethodHS256, tokens.keys[0], c), moment)
			require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
		})
	}
}

func TestRefreshTokens(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		token, hash := NewRefresh()
		require.Len(t, token, 43, "256 bits")
		require.NotContains(t, token, "=")
		require.False(t, seen[token])
		seen[token] = true
		require.Equal(t, HashRefresh(token), hash)
		require.Len(t, hash, 32)
	}
	// SHA-256 of "abc", FIPS 180-2, B.1: what is stored today must be found by a later version.
	require.Equal(t, []byte{
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
		0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
	}, HashRefresh("abc"))
}

// A token that was found genuine is known from then on, and is refused all the same when it has expired.
func TestKnownTokenExpires(t *testing.T) {
	t.Parallel()
	tokens := NewTokens("a secret of the tests", time.Hour)
	now := time.Now()
	id := Identity{UserID: "user", Username: "ada", SessionID: "session"}
	token, err := tokens.Access(id, now, time.Minute)
	require.NoError(t, err)
	for range 2 {
		found, err := tokens.Verify(token, now)
		require.NoError(t, err)
		require.Equal(t, id, found)
	}
	_, err = tokens.Verify(token, now.Add(2*time.Minute))
	require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
	_, err = NewTokens("another secret", time.Hour).Verify(token, now)
	require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
}
