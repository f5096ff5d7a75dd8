package store

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
)

// signIn stores a sign-in and returns its first token's hash.
func signIn(t *testing.T, s *Store, user watchparty.User, lifetime time.Duration) []byte {
	t.Helper()
	_, hash := auth.NewRefresh()
	logIn(t, s, user, NewSession{TokenHash: hash, TTL: lifetime})
	return hash
}

func rotateSession(t *testing.T, s *Store, old []byte) (next []byte, user watchparty.User, err error) {
	t.Helper()
	_, next = auth.NewRefresh()
	in, err := s.RotateSession(t.Context(), old, NewSession{TokenHash: next, TTL: time.Hour})
	return next, in.User, err
}

func revokeSession(t *testing.T, s *Store, token []byte) {
	t.Helper()
	require.NoError(t, s.RevokeSession(t.Context(), token))
}

func TestSessions(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")

	t.Run("rotate from token to token", func(t *testing.T) {
		token := signIn(t, s, ada, time.Hour)
		for range 3 {
			next, user, err := rotateSession(t, s, token)
			require.NoError(t, err)
			require.Equal(t, ada, user)
			token = next
		}
	})

	t.Run("unknown", func(t *testing.T) {
		_, unknown := auth.NewRefresh()
		_, user, err := rotateSession(t, s, unknown)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
		require.Empty(t, user.ID)
	})

	t.Run("expired", func(t *testing.T) {
		token := signIn(t, s, ada, -time.Millisecond)
		_, _, err := rotateSession(t, s, token)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	})

	t.Run("revoked", func(t *testing.T) {
		token := signIn(t, s, ada, time.Hour)
		next, _, err := rotateSession(t, s, token)
		require.NoError(t, err)
		revokeSession(t, s, next)
		_, _, err = rotateSession(t, s, next)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	})

	t.Run("signing out with an old token ends the sign-in", func(t *testing.T) {
		token := signIn(t, s, ada, time.Hour)
		next, _, err := rotateSession(t, s, token)
		require.NoError(t, err)
		revokeSession(t, s, token)
		_, _, err = rotateSession(t, s, next)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	})

	t.Run("signing out twice, or with an unknown token, is no error", func(t *testing.T) {
		token := signIn(t, s, ada, time.Hour)
		revokeSession(t, s, token)
		revokeSession(t, s, token)
		_, unknown := auth.NewRefresh()
		revokeSession(t, s, unknown)
	})

	t.Run("reuse ends the family, the newest token too, and no other", func(t *testing.T) {
		stolen := signIn(t, s, ada, time.Hour)
		other := signIn(t, s, ada, time.Hour)
		second, _, err := rotateSession(t, s, stolen)
		require.NoError(t, err)
		newest, _, err := rotateSession(t, s, second)
		require.NoError(t, err)

		_, user, err := rotateSession(t, s, stolen)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
		require.Equal(t, ada.ID, user.ID, "whose access tokens are void now")
		_, _, err = rotateSession(t, s, newest)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
		_, _, err = rotateSession(t, s, other)
		require.NoError(t, err, "another sign-in of the same user goes on")
	})

	t.Run("parallel use of one token ends the family", func(t *testing.T) {
		for range 20 {
			token := signIn(t, s, ada, time.Hour)
			var (
				wg   sync.WaitGroup
				next [2][]byte
				errs [2]error
			)
			for i := range next {
				wg.Go(func() { next[i], _, errs[i] = rotateSession(t, s, token) })
			}
			wg.Wait()
			won := 0
			if errs[0] != nil {
				won = 1
			}
			require.NoError(t, errs[won], "one of them came first")
			require.ErrorIs(t, errs[1-won], watchparty.ErrBadRefresh)
			_, _, err := rotateSession(t, s, next[won])
			require.ErrorIs(t, err, watchparty.ErrBadRefresh, "what the first one got is void")
		}
	})

	// A thief has an old token, and its owner exchanges the live one meanwhile: whichever comes first, nothing is left.
	for name, end := range map[string]func(token []byte) error{
		"reuse": func(token []byte) error {
			_, _, err := rotateSession(t, s, token)
			require.ErrorIs(t, err, watchparty.ErrBadRefresh)
			return nil
		},
		"signing out": func(token []byte) error {
			err := s.RevokeSession(t.Context(), token)
			return err
		},
	} {
		t.Run(name+" with an old token ends what is exchanged meanwhile", func(t *testing.T) {
			for range 50 {
				old := signIn(t, s, ada, time.Hour)
				live, _, err := rotateSession(t, s, old)
				require.NoError(t, err)
				var (
					wg   sync.WaitGroup
					next []byte
					errs [2]error
				)
				wg.Go(func() { next, _, errs[0] = rotateSession(t, s, live) })
				wg.Go(func() { errs[1] = end(old) })
				wg.Wait()
				require.NoError(t, errs[1])
				if errs[0] == nil {
					_, _, err = rotateSession(t, s, next)
					require.ErrorIs(t, err, watchparty.ErrBadRefresh, "the exchanged token is void")
				}
			}
		})
	}

	t.Run("a deleted account is signed out", func(t *testing.T) {
		gone := newUser(t, s, "gone")
		token := signIn(t, s, gone, time.Hour)
		execute(t, s, "DELETE FROM users WHERE id = ?", gone.ID)
		_, _, err := rotateSession(t, s, token)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	})
}
