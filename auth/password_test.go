package auth

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func verify(t *testing.T, p *Passwords, password, hash string) (bool, error) {
	t.Helper()
	turn, err := p.Wait(t.Context())
	require.NoError(t, err)
	defer turn.End()
	return turn.Verify(password, hash)
}

func TestHashAndVerify(t *testing.T) {
	t.Parallel()
	p := NewPasswords(2, OWASP)
	for name, password := range map[string]string{
		"plain":        "correct horse battery staple",
		"unicode":      "пароль-密码-🔑-e\u0301",
		"white space":  " leading and trailing ",
		"null":         "before\x00after",
		"the longest":  strings.Repeat("界", 128),
		"dollar signs": "$argon2id$v=19$",
		"empty":        "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hash, err := p.Hash(t.Context(), password)
			require.NoError(t, err)
			require.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, hash,
				"OWASP's parameters, a salt of 16 bytes and a key of 32")
			ok, err := verify(t, p, password, hash)
			require.NoError(t, err)
			require.True(t, ok)
			for _, wrong := range []string{password + " ", "x" + password, strings.ToUpper(password) + "X", "before"} {
				ok, err = verify(t, p, wrong, hash)
				require.NoError(t, err)
				require.False(t, ok, "%q", wrong)
			}
		})
	}
}

func TestEachHashHasItsSalt(t *testing.T) {
	t.Parallel()
	p := NewPasswords(1, OWASP)
	first, err := p.Hash(t.Context(), "the same password")
	require.NoError(t, err)
	second, err := p.Hash(t.Context(), "the same password")
	require.NoError(t, err)
	require.NotEqual(t, first, second)
}

// A hash that was made with other parameters is still good: they are in it. This one is a test vector of the reference
// implementation, phc-winner-argon2/src/test.c (argon2id, t=2, m=2^8, p=1, "password", "somesalt").
func TestVerifyReadsParameters(t *testing.T) {
	t.Parallel()
	const hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	p := NewPasswords(1, OWASP)
	ok, err := verify(t, p, "password", hash)
	require.NoError(t, err)
	require.True(t, ok)
	ok, err = verify(t, p, "Password", hash)
	require.NoError(t, err)
	require.False(t, ok)
}

// An unknown account must not answer sooner than a known one, so that nobody can tell them apart: it derives a key.
func TestEmptyHash(t *testing.T) {
	t.Parallel()
	p := NewPasswords(1, OWASP)
	for _, password := range []string{"", "guess", strings.Repeat("\x00", 32)} {
		ok, err := verify(t, p, password, "")
		require.NoError(t, err)
		require.False(t, ok)
	}

	require.NoError(t, p.slots.Acquire(t.Context(), 1))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := p.Wait(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded, "a guess waits for a slot, whoever it is about")
	p.slots.Release(1)

	// What is derived is what a known account's is: the decoy has the parameters and lengths of a new hash.
	hash, err := p.Hash(t.Context(), "guess")
	require.NoError(t, err)
	require.Equal(t, strings.Split(hash, "$")[:4], strings.Split(p.decoy, "$")[:4])
	require.Len(t, p.decoy, len(hash))
}

func TestMalformedHashes(t *testing.T) {
	t.Parallel()
	p := NewPasswords(1, OWASP)
	const salt, key = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for name, hash := range map[string]string{
		"a word":              "hash",
		"no fields":           "$$$$$",
		"bcrypt":              "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"another variant":     "$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + key,
		"an older version":    "$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + key,
		"no version":          "$argon2id$m=256,t=2,p=1$" + salt + "$" + key,
		"one field more":      "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key + "$",
		"parameters missing":  "$argon2id$v=19$m=256$" + salt + "$" + key,
		"parameters negative": "$argon2id$v=19$m=-1,t=2,p=1$" + salt + "$" + key,
		"no passes":           "$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + key,
		"no lanes":            "$argon2id$v=19$m=256,t=2,p=0$" + salt + "$" + key,
		"too many lanes":      "$argon2id$v=19$m=256,t=2,p=256$" + salt + "$" + key,
		"more memory than is": "$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + key,
		"no salt":             "$argon2id$v=19$m=256,t=2,p=1$$" + key,
		"short salt":          "$argon2id$v=19$m=256,t=2,p=1$c29tZQ$" + key,
		"short key":           "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$c29tZXNhbHQ",
		"years of passes":     "$argon2id$v=19$m=256,t=4294967295,p=1$" + salt + "$" + key,
		"no key":              "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$",
		"padded":              "$argon2id$v=19$m=256,t=2,p=1$" + salt + "=$" + key,
		"salt is no base64":   "$argon2id$v=19$m=256,t=2,p=1$!!!$" + key,
		"key is no base64":    "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$!!!",
	} {
		t.Run(name, func(t *testing.T) {
			require.NotPanics(t, func() {
				ok, err := verify(t, p, "password", hash)
				require.ErrorIs(t, err, ErrMalformedHash)
				require.False(t, ok)
			})
		})
	}
}

func TestHashesAreBounded(t *testing.T) {
	t.Parallel()
	const parallel = 2
	p := NewPasswords(parallel, OWASP)
	require.NoError(t, p.slots.Acquire(t.Context(), parallel))

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() {
		_, err := p.Hash(ctx, "password")
		done <- err
	}()
	go func() {
		_, err := p.Wait(ctx)
		done <- err
	}()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.ErrorIs(t, <-done, context.Canceled)

	go func() {
		_, err := p.Hash(t.Context(), "password")
		done <- err
	}()
	p.slots.Release(1)
	require.NoError(t, <-done, "a free slot is enough")
	p.slots.Release(1)
	require.True(t, p.slots.TryAcquire(parallel), "every slot was given back")
}

// In a flood of sign-ins one that gets no turn is told so, instead of waiting for as long as its client does.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPasswords(1, OWASP)
		require.NoError(t, p.slots.Acquire(t.Context(), 1))
		began := time.Now()
		_, err := p.Hash(t.Context(), "correct horse battery staple")
		require.ErrorIs(t, err, watchparty.ErrBusy)
		require.Equal(t, maxWait, time.Since(began))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = p.Hash(ctx, "correct horse battery staple")
		require.ErrorIs(t, err, context.Canceled)
	})
}
