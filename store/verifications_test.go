package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// newestVerification is the ID of a user's newest verification.
func newestVerification(t *testing.T, s *Store, user watchparty.User) string {
	t.Helper()
	return readValue[string](t, s, "SELECT id FROM email_verifications WHERE user_id = ? ORDER BY id DESC LIMIT 1",
		user.ID)
}

// requestEmailChange makes a verification for an address, as a request does that has proved its password.
func requestEmailChange(t *testing.T, s *Store, user watchparty.User, email string) string {
	t.Helper()
	require.NoError(t, s.RequestEmailChange(t.Context(), user.ID, "hash of "+user.Username, email))
	return newestVerification(t, s, user)
}

func countEmails(t *testing.T, s *Store, kind watchparty.EmailKind, subjectID string) int {
	t.Helper()
	return readValue[int](t, s, `SELECT count(*) FROM emails AS e JOIN outbox AS o ON o.workflow_id = e.workflow_id
		WHERE e.kind = ? AND e.subject_id = ? AND o.input->>'email_id' = e.id::text`, string(kind), subjectID)
}

func TestVerifyEmail(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	verify := func(id string) error { return s.VerifyEmail(t.Context(), id) }
	userOf := func(t *testing.T, user watchparty.User) watchparty.User {
		t.Helper()
		stored, err := s.User(t.Context(), user.ID)
		require.NoError(t, err)
		return stored
	}

	t.Run("a registration's", func(t *testing.T) {
		ada := newUser(t, s, "ada")
		id := newestVerification(t, s, ada)
		first, err := s.FirstVerification(t.Context(), ada.ID)
		require.NoError(t, err)
		require.Equal(t, watchparty.Verification{ID: id, User: ada, Email: ada.Email}, first)
		require.InDelta(t, 7*24*3600, readValue[float64](t, s,
			"SELECT extract(epoch FROM expires_at - created_at) FROM email_verifications WHERE id = ?", id), 1)
		for range 2 {
			require.NoError(t, verify(id))
			require.WithinDuration(t, time.Now(), userOf(t, ada).EmailVerifiedAt, time.Minute)
			require.Equal(t, ada.Email, userOf(t, ada).Email)
		}
		require.Zero(t, countEmails(t, s, watchparty.EmailAddressChanged, id), "nothing has changed")
		_, err = s.FirstVerification(t.Context(), ada.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.NoError(t, s.ResendVerification(t.Context(), ada.ID, IdempotencyKey{}))
		require.Equal(t, id, newestVerification(t, s, ada), "there is nothing to confirm")
	})

	t.Run("a new address", func(t *testing.T) {
		bob := newUser(t, s, "bob")
		require.NoError(t, verify(newestVerification(t, s, bob)))
		require.NoError(t, s.RequestReset(t.Context(), bob.Email, IdempotencyKey{}))
		reset := newestReset(t, s, bob)
		id := requestEmailChange(t, s, bob, "Bob@new.example")
		require.Equal(t, 1, countEmails(t, s, watchparty.EmailVerification, id))
		require.Equal(t, bob.Email, userOf(t, bob).Email, "until it is confirmed")
		for range 2 {
			require.NoError(t, verify(id))
			require.Equal(t, "Bob@new.example", userOf(t, bob).Email)
			require.Equal(t, 1, countEmails(t, s, watchparty.EmailAddressChanged, id))
		}
		replaced, err := s.ReplacedAddress(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, bob.Email, replaced.Former)
		_, err = s.ResetUser(t.Context(), reset)
		require.ErrorIs(t, err, watchparty.ErrNotFound, "it was mailed to the former address")

		require.NoError(t, verify(requestEmailChange(t, s, bob, "bob@third.example")))
		require.ErrorIs(t, verify(id), watchparty.ErrBadToken, "the account has another address by now")
		require.Equal(t, "bob@third.example", userOf(t, bob).Email)
	})

	t.Run("the same address in other letters", func(t *testing.T) {
		carl := newUser(t, s, "carl")
		id := requestEmailChange(t, s, carl, "CARL@example.org")
		require.NoError(t, verify(id))
		require.Equal(t, "CARL@example.org", userOf(t, carl).Email)
		require.Zero(t, countEmails(t, s, watchparty.EmailAddressChanged, id))
	})

	t.Run("void", func(t *testing.T) {
		dora := newUser(t, s, "dora")
		first := newestVerification(t, s, dora)
		require.NoError(t, s.ResendVerification(t.Context(), dora.ID, IdempotencyKey{}))
		second := newestVerification(t, s, dora)
		require.NotEqual(t, first, second)
		idempotencyKey := IdempotencyKey{Hash: []byte("key of dora's"), Fingerprint: []byte("")}
		require.NoError(t, s.ResendVerification(t.Context(), dora.ID, idempotencyKey))
		second = newestVerification(t, s, dora)
		require.NoError(t, s.ResendVerification(t.Context(), dora.ID, idempotencyKey))
		require.Equal(t, second, newestVerification(t, s, dora), "a request that is sent again")
		require.Equal(t, 1, countEmails(t, s, watchparty.EmailVerification, second))
		pendingEmail := func(want string) {
			got, err := s.PendingEmailAddress(t.Context(), dora.ID)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		pendingEmail("")
		third := requestEmailChange(t, s, dora, "dora@new.example")
		pendingEmail("dora@new.example")
		for name, id := range map[string]string{"replaced": first, "replaced too": second, "unknown": newID()} {
			require.ErrorIs(t, verify(id), watchparty.ErrBadToken, name)
			_, err := s.PendingVerification(t.Context(), id)
			require.ErrorIs(t, err, watchparty.ErrNotFound, name)
		}
		_, err := s.PendingVerification(t.Context(), third)
		require.NoError(t, err)
		_, err = s.FirstVerification(t.Context(), dora.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound, "the newest is not for the address that she has")
		execute(t, s, "UPDATE email_verifications SET expires_at = now() WHERE id = ?", third)
		require.ErrorIs(t, verify(third), watchparty.ErrBadToken)
		pendingEmail("")
		_, err = s.PendingVerification(t.Context(), third)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.Zero(t, userOf(t, dora).EmailVerifiedAt)
	})

	t.Run("an address that is taken", func(t *testing.T) {
		eve, frank := newUser(t, s, "eve"), newUser(t, s, "frank")
		id := requestEmailChange(t, s, eve, "FRANK@example.org")
		require.Equal(t, 1, countEmails(t, s, watchparty.EmailVerification, id), "the same is written for any address")
		_, err := s.PendingVerification(t.Context(), id)
		require.ErrorIs(t, err, watchparty.ErrNotFound, "no email is sent")
		require.ErrorIs(t, verify(id), watchparty.ErrEmailTaken)
		require.Equal(t, eve.Email, userOf(t, eve).Email)
		require.Equal(t, frank, userOf(t, frank))
	})

	t.Run("another password by now", func(t *testing.T) {
		gus := newUser(t, s, "gus")
		before := newestVerification(t, s, gus)
		require.ErrorIs(t, s.RequestEmailChange(t.Context(), gus.ID, "another hash", "gus@new.example"),
			watchparty.ErrWrongPassword)
		require.Equal(t, before, newestVerification(t, s, gus))
	})

	t.Run("parallel use changes the address once", func(t *testing.T) {
		for i := range 5 {
			hal := newUser(t, s, fmt.Sprint("hal", i))
			id := requestEmailChange(t, s, hal, fmt.Sprintf("hal%d@new.example", i))
			var wg sync.WaitGroup
			errs := make([]error, 8)
			for j := range errs {
				wg.Go(func() { errs[j] = verify(id) })
			}
			wg.Wait()
			for _, err := range errs {
				require.NoError(t, err)
			}
			require.Equal(t, 1, countEmails(t, s, watchparty.EmailAddressChanged, id))
		}
	})

	t.Run("one address that several ask for is the first one's", func(t *testing.T) {
		for i := range 5 {
			email := fmt.Sprintf("wanted%d@new.example", i)
			var ids []string
			for j := range 6 {
				ids = append(ids, requestEmailChange(t, s, newUser(t, s, fmt.Sprintf("rival%d-%d", i, j)), email))
			}
			var wg sync.WaitGroup
			errs := make([]error, len(ids))
			for j, id := range ids {
				wg.Go(func() { errs[j] = verify(id) })
			}
			wg.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
					continue
				}
				require.ErrorIs(t, err, watchparty.ErrEmailTaken)
			}
			require.Equal(t, 1, won)
			require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM users WHERE email = ?", email))
		}
	})
}
