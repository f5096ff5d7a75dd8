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

func newestReset(t *testing.T, s *Store, user watchparty.User) string {
	t.Helper()
	return readValue[string](t, s, "SELECT id FROM password_resets WHERE user_id = ? ORDER BY id DESC LIMIT 1", user.ID)
}

func requestReset(t *testing.T, s *Store, user watchparty.User) string {
	t.Helper()
	require.NoError(t, s.RequestReset(t.Context(), user.Email, IdempotencyKey{}))
	return newestReset(t, s, user)
}

func hashOf(t *testing.T, s *Store, user watchparty.User) string {
	t.Helper()
	hash, err := s.PasswordHash(t.Context(), user.ID)
	require.NoError(t, err)
	return hash
}

func TestResets(t *testing.T) {
	t.Parallel()
	s := openStore(t)

	t.Run("known and unknown addresses leave the same rows", func(t *testing.T) {
		ada := newUser(t, s, "ada")
		rows := func() [3]int {
			return [3]int{countRows(t, s, "password_resets"), countRows(t, s, "emails"), countRows(t, s, "outbox")}
		}
		before := rows()
		require.NoError(t, s.RequestReset(t.Context(), "ADA@example.org", IdempotencyKey{}))
		require.NoError(t, s.RequestReset(t.Context(), "nobody@example.org", IdempotencyKey{}))
		after := rows()
		for i := range before {
			require.Equal(t, before[i]+2, after[i])
		}
		known := newestReset(t, s, ada)
		unknown := readValue[string](t, s, "SELECT id FROM password_resets WHERE user_id IS NULL")
		for id, owner := range map[string]*string{known: &ada.ID, unknown: nil} {
			require.Equal(t, 1, countEmails(t, s, watchparty.EmailReset, id))
			require.Equal(t, owner, readValue[*string](t, s, "SELECT user_id FROM emails WHERE subject_id = ?", id))
			require.Equal(t, "password-reset/"+id, readValue[string](t, s,
				"SELECT workflow_id FROM emails WHERE subject_id = ?", id))
			require.InDelta(t, 1800, readValue[float64](t, s,
				"SELECT extract(epoch FROM expires_at - created_at) FROM password_resets WHERE id = ?", id), 1)
		}
		found, err := s.ResetUser(t.Context(), known)
		require.NoError(t, err)
		require.Equal(t, ada, found)
		_, err = s.ResetUser(t.Context(), unknown)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		_, err = s.ResetPassword(t.Context(), unknown, "new")
		require.ErrorIs(t, err, watchparty.ErrBadToken)
	})

	t.Run("sets the password and ends every sign-in", func(t *testing.T) {
		bob, other := newUser(t, s, "bob"), newUser(t, s, "other")
		phone, laptop, foreign := signIn(t, s, bob, time.Hour), signIn(t, s, bob, time.Hour), signIn(t, s, other, time.Hour)
		id := requestReset(t, s, bob)
		userID, err := s.ResetPassword(t.Context(), id, "new")
		require.NoError(t, err)
		require.Equal(t, bob.ID, userID)
		require.Equal(t, "new", hashOf(t, s, bob))
		for _, token := range [][]byte{phone, laptop} {
			_, _, err := rotateSession(t, s, token)
			require.ErrorIs(t, err, watchparty.ErrBadRefresh)
		}
		_, _, err = rotateSession(t, s, foreign)
		require.NoError(t, err)
		require.Equal(t, "hash of other", hashOf(t, s, other))
		_, err = s.ResetPassword(t.Context(), id, "again")
		require.ErrorIs(t, err, watchparty.ErrBadToken, "once")
		require.Equal(t, "new", hashOf(t, s, bob))
		stored, err := s.User(t.Context(), bob.ID)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), stored.EmailVerifiedAt, time.Minute, "the link came to the address")
	})

	t.Run("asked for again under one key", func(t *testing.T) {
		once := IdempotencyKey{Hash: []byte("key of the reset"), Fingerprint: []byte("ivy")}
		ivy, other := newUser(t, s, "ivy"), newUser(t, s, "jack")
		before := countRows(t, s, "outbox")
		for range 2 {
			require.NoError(t, s.RequestReset(t.Context(), ivy.Email, once))
			require.Equal(t, before+1, countRows(t, s, "outbox"))
		}
		once.Fingerprint = []byte("jack")
		require.ErrorIs(t, s.RequestReset(t.Context(), other.Email, once), watchparty.ErrKeyReused)
	})

	t.Run("void", func(t *testing.T) {
		carl := newUser(t, s, "carl")
		replaced := requestReset(t, s, carl)
		expired := requestReset(t, s, carl)
		execute(t, s, "UPDATE password_resets SET expires_at = now() WHERE id = ?", expired)
		for _, id := range []string{replaced, expired, newID()} {
			_, err := s.ResetPassword(t.Context(), id, "new")
			require.ErrorIs(t, err, watchparty.ErrBadToken)
			_, err = s.ResetUser(t.Context(), id)
			require.ErrorIs(t, err, watchparty.ErrNotFound)
		}
		changed := requestReset(t, s, carl)
		require.NoError(t, s.ChangePassword(t.Context(), carl.ID, "hash of carl", "changed", ""))
		_, err := s.ResetPassword(t.Context(), changed, "new")
		require.ErrorIs(t, err, watchparty.ErrBadToken)
		require.Equal(t, "changed", hashOf(t, s, carl))
	})

	t.Run("a suspended account stays suspended", func(t *testing.T) {
		dora := newUser(t, s, "dora")
		execute(t, s, "UPDATE users SET suspended_at = now() WHERE id = ?", dora.ID)
		_, err := s.ResetPassword(t.Context(), requestReset(t, s, dora), "new")
		require.NoError(t, err)
		_, err = s.LogIn(t.Context(), dora.ID, "new", NewSession{TokenHash: []byte("dora"), TTL: time.Hour})
		require.ErrorIs(t, err, watchparty.ErrSuspended)
	})

	t.Run("parallel use sets one password", func(t *testing.T) {
		for i := range 5 {
			eve := newUser(t, s, fmt.Sprint("eve", i))
			id := requestReset(t, s, eve)
			var wg sync.WaitGroup
			errs := make([]error, 8)
			for j := range errs {
				wg.Go(func() { _, errs[j] = s.ResetPassword(t.Context(), id, fmt.Sprint("new ", j)) })
			}
			wg.Wait()
			won := -1
			for j, err := range errs {
				if err == nil {
					require.Equal(t, -1, won, "two of them set it")
					won = j
					continue
				}
				require.ErrorIs(t, err, watchparty.ErrBadToken)
			}
			require.Equal(t, fmt.Sprint("new ", won), hashOf(t, s, eve))
		}
	})
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	kept, err := s.LogIn(t.Context(), ada.ID, "hash of ada", NewSession{TokenHash: []byte("kept"), TTL: time.Hour})
	require.NoError(t, err)
	other := signIn(t, s, ada, time.Hour)
	require.NoError(t, s.ChangePassword(t.Context(), ada.ID, "hash of ada", "second", kept.SessionID))
	_, _, err = rotateSession(t, s, []byte("kept"))
	require.NoError(t, err)
	_, _, err = rotateSession(t, s, other)
	require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	require.ErrorIs(t, s.ChangePassword(t.Context(), ada.ID, "hash of ada", "third", ""), watchparty.ErrWrongPassword)
	require.Equal(t, "second", hashOf(t, s, ada))
	require.ErrorIs(t, s.ChangePassword(t.Context(), newID(), "x", "y", ""), watchparty.ErrUnauthenticated)
	_, err = s.LogIn(t.Context(), ada.ID, "hash of ada", NewSession{TokenHash: []byte("late"), TTL: time.Hour})
	require.ErrorIs(t, err, watchparty.ErrBadCredentials, "the password was checked before it was changed")
}

// TestNoSignInOutlivesTheEndOfAll: refreshes and sign-ins that are on their way when a password is changed.
func TestNoSignInOutlivesTheEndOfAll(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	const most = 100 // far more than there is time for
	for i := range 15 {
		ada := newUser(t, s, fmt.Sprint("ada", i))
		former := "hash of " + ada.Username
		id := requestReset(t, s, ada)
		tokens := [][]byte{signIn(t, s, ada, time.Hour), signIn(t, s, ada, time.Hour), signIn(t, s, ada, time.Hour)}
		var wg sync.WaitGroup
		for _, token := range tokens {
			wg.Go(func() { // from token to token, until one is refused
				for range most {
					_, next := auth.NewRefresh()
					if _, err := s.RotateSession(t.Context(), token, NewSession{TokenHash: next, TTL: time.Hour}); err != nil {
						return
					}
					token = next
				}
			})
		}
		wg.Go(func() {
			for range most {
				_, hash := auth.NewRefresh()
				if _, err := s.LogIn(t.Context(), ada.ID, former, NewSession{TokenHash: hash, TTL: time.Hour}); err != nil {
					return
				}
			}
		})
		_, err := s.ResetPassword(t.Context(), id, "new")
		require.NoError(t, err)
		wg.Wait()
		sessions, err := s.Sessions(t.Context(), ada.ID, Page{Limit: 100})
		require.NoError(t, err)
		require.Empty(t, sessions)
	}
}

func TestSessionsOfAUser(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	list := func(p Page) []watchparty.Session {
		sessions, err := s.Sessions(t.Context(), ada.ID, p)
		require.NoError(t, err)
		return sessions
	}
	var ids []string
	for i := range 5 {
		id := logIn(t, s, ada, NewSession{TokenHash: fmt.Append(nil, i), UserAgent: fmt.Sprint("agent ", i), TTL: time.Hour})
		ids = append(ids, id)
	}
	signIn(t, s, ada, -time.Second)
	foreign := signIn(t, s, bob, time.Hour)
	bobs, err := s.Sessions(t.Context(), bob.ID, Page{Limit: 10})
	require.NoError(t, err)
	_, _, err = rotateSession(t, s, fmt.Append(nil, 1))
	require.NoError(t, err)

	all := list(Page{Limit: 10})
	require.Len(t, all, 5, "one for each sign-in that lasts")
	for i, session := range all {
		require.Equal(t, ids[4-i], session.ID)
		require.Equal(t, fmt.Sprint("agent ", 4-i), session.UserAgent)
		require.WithinDuration(t, time.Now(), session.SignedInAt, time.Minute)
	}
	require.True(t, all[3].LastUsedAt.After(all[3].SignedInAt), "it was used since")
	require.Equal(t, all[2:4], list(Page{After: Keys{all[1].ID}, Limit: 2}))

	require.ErrorIs(t, s.EndSession(t.Context(), ada.ID, bobs[0].ID), watchparty.ErrNotFound, "not hers")
	require.NoError(t, s.EndSession(t.Context(), ada.ID, ids[2]))
	require.ErrorIs(t, s.EndSession(t.Context(), ada.ID, ids[2]), watchparty.ErrNotFound)
	require.Len(t, list(Page{Limit: 10}), 4)
	require.NoError(t, s.EndSessions(t.Context(), ada.ID, ids[0]))
	require.Equal(t, all[4:], list(Page{Limit: 10}))
	require.NoError(t, s.EndSessions(t.Context(), ada.ID, ""))
	require.Empty(t, list(Page{Limit: 10}))
	_, _, err = rotateSession(t, s, foreign)
	require.NoError(t, err, "bob goes on")
}

func TestSuspended(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	token := signIn(t, s, ada, time.Hour)
	execute(t, s, "UPDATE users SET suspended_at = now() WHERE id = ?", ada.ID)
	_, _, err := rotateSession(t, s, token)
	require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	session := NewSession{TokenHash: []byte("x"), TTL: time.Hour}
	_, err = s.LogIn(t.Context(), ada.ID, "hash of ada", session)
	require.ErrorIs(t, err, watchparty.ErrSuspended)
	_, err = s.LogIn(t.Context(), ada.ID, "wrong", session)
	require.ErrorIs(t, err, watchparty.ErrBadCredentials, "who does not know the password learns nothing")
	execute(t, s, "UPDATE users SET suspended_at = NULL WHERE id = ?", ada.ID)
	_, _, err = rotateSession(t, s, token)
	require.NoError(t, err)
}

// A person who knew a password must not keep access when it is replaced.
func TestNewPasswordEndsAChangeOfAddress(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for name, replace := range map[string]func(watchparty.User) error{
		"reset": func(user watchparty.User) error {
			_, err := s.ResetPassword(t.Context(), requestReset(t, s, user), "new hash")
			return err
		},
		"change": func(user watchparty.User) error {
			return s.ChangePassword(t.Context(), user.ID, hashOf(t, s, user), "new hash", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			ada := newUser(t, s, "ada"+name)
			first := readValue[string](t, s, "SELECT id FROM email_verifications WHERE user_id = ?", ada.ID)
			require.NoError(t, s.RequestEmailChange(t.Context(), ada.ID, hashOf(t, s, ada), name+"@evil.example"))
			theirs := readValue[string](t, s, "SELECT id FROM email_verifications WHERE user_id = ? AND id <> ?", ada.ID, first)
			require.NoError(t, replace(ada))
			require.ErrorIs(t, s.VerifyEmail(t.Context(), theirs), watchparty.ErrBadToken)
			stored, err := s.User(t.Context(), ada.ID)
			require.NoError(t, err)
			require.Equal(t, ada.Email, stored.Email)
		})
	}
	t.Run("not the confirmation of the present one", func(t *testing.T) {
		bob := newUser(t, s, "bob")
		first := readValue[string](t, s, "SELECT id FROM email_verifications WHERE user_id = ?", bob.ID)
		require.NoError(t, s.ChangePassword(t.Context(), bob.ID, hashOf(t, s, bob), "new hash", ""))
		require.NoError(t, s.VerifyEmail(t.Context(), first))
	})
}
