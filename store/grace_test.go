package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
)

const (
	grace  = 30 * time.Second
	maxTTL = 90 * 24 * time.Hour
)

// graceSession is a token as the API asks for one.
func graceSession() NewSession {
	_, hash := auth.NewRefresh()
	return NewSession{TokenHash: hash, TTL: time.Hour, MaxTTL: maxTTL, Grace: grace}
}

func beginSession(t *testing.T, s *Store, user watchparty.User) []byte {
	t.Helper()
	n := graceSession()
	logIn(t, s, user, n)
	return n.TokenHash
}

func exchangeToken(t *testing.T, s *Store, old []byte) ([]byte, error) {
	t.Helper()
	n := graceSession()
	_, err := s.RotateSession(t.Context(), old, n)
	return n.TokenHash, err
}

// exchangeTokensInParallel exchanges each token once, all at the same time.
func exchangeTokensInParallel(t *testing.T, s *Store, tokens ...[]byte) (next [][]byte, errs []error) {
	t.Helper()
	next, errs = make([][]byte, len(tokens)), make([]error, len(tokens))
	var wg sync.WaitGroup
	for i, token := range tokens {
		wg.Go(func() { next[i], errs[i] = exchangeToken(t, s, token) })
	}
	wg.Wait()
	return next, errs
}

func repeatToken(token []byte, n int) (all [][]byte) {
	for range n {
		all = append(all, token)
	}
	return all
}

func TestGracePeriod(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	passGrace := func(t *testing.T, token []byte) {
		execute(t, s, "UPDATE sessions SET rotated_at = rotated_at - interval '31 s' WHERE token_hash = ?", token)
	}

	t.Run("a token that many exchange at once yields a pair for each, and every pair works", func(t *testing.T) {
		token := beginSession(t, s, ada)
		next, errs := exchangeTokensInParallel(t, s, repeatToken(token, 50)...)
		for round := range 2 {
			for i, err := range errs {
				require.NoError(t, err, "round %d, number %d", round, i)
			}
			next, errs = exchangeTokensInParallel(t, s, next...)
		}
		sessions, err := s.Sessions(t.Context(), ada.ID, Page{Limit: 100})
		require.NoError(t, err)
		require.Len(t, sessions, 1, "it is one sign-in")
	})
	t.Run("after it, reuse ends what every use has yielded", func(t *testing.T) {
		stolen := beginSession(t, s, ada)
		next, errs := exchangeTokensInParallel(t, s, repeatToken(stolen, 3)...)
		require.Equal(t, []error{nil, nil, nil}, errs)
		passGrace(t, stolen)
		in, err := s.RotateSession(t.Context(), stolen, graceSession())
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
		require.Equal(t, ada.ID, in.User.ID, "whose access tokens are void now")
		for _, token := range next {
			_, err := exchangeToken(t, s, token)
			require.ErrorIs(t, err, watchparty.ErrBadRefresh)
		}
	})
	t.Run("it begins with the first exchange", func(t *testing.T) {
		token := beginSession(t, s, ada)
		for range 2 {
			_, err := exchangeToken(t, s, token)
			require.NoError(t, err)
			execute(t, s, "UPDATE sessions SET rotated_at = rotated_at - interval '16 s' WHERE token_hash = ?", token)
		}
		_, err := exchangeToken(t, s, token)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh, "32 s after the first")
	})
	t.Run("none where it is off", func(t *testing.T) {
		token := beginSession(t, s, ada)
		n := graceSession()
		n.Grace = 0
		_, err := s.RotateSession(t.Context(), token, n)
		require.NoError(t, err)
		_, err = s.RotateSession(t.Context(), token, NewSession{TokenHash: []byte("again"), TTL: time.Hour})
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	})
	t.Run("an expired token has none", func(t *testing.T) {
		token := beginSession(t, s, ada)
		live, err := exchangeToken(t, s, token)
		require.NoError(t, err)
		execute(t, s, "UPDATE sessions SET expires_at = now() WHERE token_hash = ?", token)
		_, err = exchangeToken(t, s, token)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
		_, err = exchangeToken(t, s, live)
		require.NoError(t, err, "the sign-in goes on")
	})
}

// Each operation that ends a sign-in ends all its tokens, also those that are exchanged at the same time.
func TestEndsOfASignIn(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "an.admin")
	ends := map[string]func(user watchparty.User, token []byte) error{
		"sign-out": func(_ watchparty.User, token []byte) error { err := s.RevokeSession(t.Context(), token); return err },
		"end of one": func(user watchparty.User, token []byte) error {
			family := readValue[string](t, s, "SELECT family_id FROM sessions WHERE token_hash = ?", token)
			return s.EndSession(t.Context(), user.ID, family)
		},
		"end of all": func(user watchparty.User, _ []byte) error { return s.EndSessions(t.Context(), user.ID, "") },
		"end of one by an admin": func(user watchparty.User, token []byte) error {
			family := readValue[string](t, s, "SELECT family_id FROM sessions WHERE token_hash = ?", token)
			return s.EndUserSession(t.Context(), admin.ID, user.ID, family)
		},
		"end by an admin": func(user watchparty.User, _ []byte) error {
			return s.EndUserSessions(t.Context(), admin.ID,
				user.ID)
		},
		"change of password": func(user watchparty.User, _ []byte) error {
			return s.ChangePassword(t.Context(), user.ID, hashOf(t, s, user), "new", "")
		},
		"reset of password": func(user watchparty.User, _ []byte) error {
			_, err := s.ResetPassword(t.Context(), requestReset(t, s, user), "new")
			return err
		},
		"suspension": func(user watchparty.User, _ []byte) error {
			_, err := s.SuspendUser(t.Context(), admin.ID, user.ID, watchparty.Suspension{Reason: "spam"})
			return err
		},
		"deletion": func(user watchparty.User, _ []byte) error {
			err := s.DeleteAccount(t.Context(), user.ID, "hash of "+user.Username)
			return err
		},
	}
	number := 0
	for name, end := range ends {
		number++
		user := newUser(t, s, fmt.Sprint("user", number))
		t.Run(name, func(t *testing.T) {
			first := beginSession(t, s, user)
			tokens := [][]byte{first} // within its grace period all the while
			next, errs := exchangeTokensInParallel(t, s, repeatToken(first, 3)...)
			require.Equal(t, []error{nil, nil, nil}, errs)
			tokens = append(tokens, next...)
			var (
				meanwhile [][]byte
				ended     error
				wg        sync.WaitGroup
			)
			wg.Go(func() { ended = end(user, next[0]) })
			wg.Go(func() { meanwhile, errs = exchangeTokensInParallel(t, s, tokens...) })
			wg.Wait()
			require.NoError(t, ended)
			for i, err := range errs {
				if err == nil {
					tokens = append(tokens, meanwhile[i])
				}
			}
			for _, token := range tokens {
				_, err := exchangeToken(t, s, token)
				require.ErrorIs(t, err, watchparty.ErrBadRefresh)
			}
			sessions, err := s.Sessions(t.Context(), user.ID, Page{Limit: 10})
			require.NoError(t, err)
			require.Empty(t, sessions)
		})
	}
}

func TestSignInsEndInAnyCase(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	const beyond = "SELECT count(*) FROM sessions WHERE expires_at > signed_in_at + interval '90 d' AND rotated_at IS NULL"
	token := beginSession(t, s, ada)
	age := func(d time.Duration) {
		execute(t, s, "UPDATE sessions SET signed_in_at = now() - ? * interval '1 s'", d.Seconds())
	}

	age(maxTTL - time.Minute)
	n := graceSession()
	in, err := s.RotateSession(t.Context(), token, n)
	require.NoError(t, err)
	require.InDelta(t, 60, in.Lifetime.Seconds(), 30, "not the hour that a token has")
	require.Positive(t, in.Lifetime)
	require.Zero(t, readValue[int](t, s, beyond))
	in, err = s.RotateSession(t.Context(), token, graceSession())
	require.NoError(t, err)
	require.LessOrEqual(t, in.Lifetime, time.Minute, "within the grace period neither")
	require.Zero(t, readValue[int](t, s, beyond))

	// As after the setting was lowered: what is stored as the token's end does not matter.
	age(maxTTL + time.Second)
	execute(t, s, "UPDATE sessions SET expires_at = now() + interval '1 d'")
	for _, hash := range [][]byte{token, n.TokenHash} {
		_, err = exchangeToken(t, s, hash)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	}

	fresh, err := s.LogIn(t.Context(), ada.ID, "hash of ada", graceSession())
	require.NoError(t, err)
	require.InDelta(t, time.Hour.Seconds(), fresh.Lifetime.Seconds(), 60)
	short := graceSession()
	short.TTL, short.MaxTTL = time.Hour, time.Minute
	fresh, err = s.LogIn(t.Context(), ada.ID, "hash of ada", short)
	require.NoError(t, err)
	require.InDelta(t, 60, fresh.Lifetime.Seconds(), 30)
}

func TestTokensOfASignInAreBounded(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	inForce := func() int { return readValue[int](t, s, "SELECT count(*) FROM sessions WHERE "+live) }

	token := beginSession(t, s, ada)
	next, errs := exchangeTokensInParallel(t, s, repeatToken(token, maxTokens+20)...)
	var tokens [][]byte
	refused := 0
	for i, err := range errs {
		if err == nil {
			tokens = append(tokens, next[i])
			continue
		}
		refused++
		require.True(t, watchparty.IsKind(err, watchparty.KindLimited), "%v", err)
	}
	require.Equal(t, 20, refused)
	require.Equal(t, maxTokens, inForce())
	renewed, errs := exchangeTokensInParallel(t, s, tokens...)
	for _, err := range errs {
		require.NoError(t, err, "the family goes on, and each of its tokens")
	}
	require.Equal(t, maxTokens, inForce())

	// Later, a token that nobody came back with gives way to one that is asked for.
	execute(t, s, "UPDATE sessions SET created_at = created_at - interval '31 s'")
	oldest := readValue[[]byte](t, s, "SELECT token_hash FROM sessions WHERE "+live+" ORDER BY created_at, id LIMIT 1")
	used := renewed[0]
	if string(used) == string(oldest) {
		used = renewed[1]
	}
	_, errs = exchangeTokensInParallel(t, s, used, used)
	require.Equal(t, []error{nil, nil}, errs)
	require.Equal(t, maxTokens, inForce())
	_, err := exchangeToken(t, s, oldest)
	require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	require.Equal(t, maxTokens, inForce(), "which ends no other")
}

// Each sign-in is in the list once, on one page, however many tokens it has.
func TestSignInsAreListedOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	want := map[string]bool{}
	for i := range 5 {
		token := beginSession(t, s, ada)
		want[readValue[string](t, s, "SELECT family_id FROM sessions WHERE token_hash = ?", token)] = true
		_, errs := exchangeTokensInParallel(t, s, repeatToken(token, i)...)
		for _, err := range errs {
			require.NoError(t, err)
		}
	}
	last := graceSession()
	last.UserAgent = "the latest"
	var newest []byte
	require.NoError(
		t,
		s.db.NewRaw("SELECT token_hash FROM sessions WHERE "+live+" ORDER BY family_id DESC, id DESC LIMIT 1").
			Scan(t.Context(), &newest),
	)
	_, err := s.RotateSession(t.Context(), newest, last)
	require.NoError(t, err)

	got := map[string]int{}
	p := Page{Limit: 2}
	for {
		sessions, err := s.Sessions(t.Context(), ada.ID, p)
		require.NoError(t, err)
		if len(p.After) == 0 {
			require.Equal(t, "the latest", sessions[0].UserAgent)
			require.True(t, sessions[0].LastUsedAt.After(sessions[0].SignedInAt))
		}
		for _, session := range sessions {
			got[session.ID]++
		}
		if len(sessions) < p.Limit {
			break
		}
		p.After = Keys{sessions[len(sessions)-1].ID}
	}
	require.Len(t, got, len(want))
	for id, times := range got {
		require.True(t, want[id])
		require.Equal(t, 1, times)
	}
	for id := range want {
		user, err := s.SessionUser(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, ada.ID, user.ID)
	}
}
