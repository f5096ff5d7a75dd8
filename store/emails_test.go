package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// welcome is the mail of a new user.
func welcome(t *testing.T, s *Store, name string) string {
	t.Helper()
	return get[string](t, s, "SELECT id FROM emails WHERE user_id = ?", newUser(t, s, name).ID)
}

func mailOf(t *testing.T, s *Store, id string) watchparty.Mail {
	t.Helper()
	mail, err := s.Mail(t.Context(), id)
	require.NoError(t, err)
	return mail
}

func begin(t *testing.T, s *Store, id string) bool {
	t.Helper()
	ok, err := s.BeginMail(t.Context(), id)
	require.NoError(t, err)
	return ok
}

func note(t *testing.T, s *Store, id, answer string, ambiguous bool) int {
	t.Helper()
	count, err := s.NoteMail(t.Context(), id, answer, ambiguous)
	require.NoError(t, err)
	return count
}

func TestMail(t *testing.T) {
	t.Parallel()
	s := open(t)

	t.Run("sent at the second attempt", func(t *testing.T) {
		id := welcome(t, s, "ada")
		require.Zero(t, mailOf(t, s, id).Attempts)
		require.True(t, begin(t, s, id))
		require.Equal(t, watchparty.MailSending, mailOf(t, s, id).State)
		note(t, s, id, "451 try later", false)
		mail := mailOf(t, s, id)
		require.Equal(t, watchparty.MailSending, mail.State)
		require.Equal(t, 1, mail.Attempts)
		require.Equal(t, "451 try later", mail.LastAnswer)
		require.True(t, mail.SentAt.IsZero())

		require.True(t, begin(t, s, id))
		require.Equal(t, "451 try later", mailOf(t, s, id).LastAnswer, "stays until the next answer")
		require.NoError(t, s.SentMail(t.Context(), id))
		mail = mailOf(t, s, id)
		require.Equal(t, watchparty.MailSent, mail.State)
		require.Equal(t, 2, mail.Attempts)
		require.Empty(t, mail.LastAnswer)
		require.WithinDuration(t, time.Now(), mail.SentAt, time.Minute)
	})

	t.Run("failed for good", func(t *testing.T) {
		id := welcome(t, s, "bob")
		require.True(t, begin(t, s, id))
		note(t, s, id, "550 no such user", false)
		require.NoError(t, s.FailMail(t.Context(), id))
		mail := mailOf(t, s, id)
		require.Equal(t, watchparty.MailFailed, mail.State)
		require.Equal(t, "550 no such user", mail.LastAnswer)
		require.True(t, mail.SentAt.IsZero())
	})

	for _, ended := range []watchparty.MailState{watchparty.MailSent, watchparty.MailFailed, "cancelled"} {
		t.Run(string(ended)+" stays so", func(t *testing.T) {
			id := welcome(t, s, "user-"+string(ended))
			require.True(t, begin(t, s, id))
			exec(t, s, "UPDATE emails SET state = ?, last_answer = 'the last one' WHERE id = ?", string(ended), id)
			before := mailOf(t, s, id)
			require.False(t, begin(t, s, id))
			require.NoError(t, s.SentMail(t.Context(), id))
			require.NoError(t, s.FailMail(t.Context(), id))
			note(t, s, id, "from an attempt that was given up", false)
			require.Equal(t, before, mailOf(t, s, id))
		})
	}

	t.Run("one mail only", func(t *testing.T) {
		id, other := welcome(t, s, "carl"), welcome(t, s, "dora")
		begin(t, s, id)
		note(t, s, id, "451", false)
		require.NoError(t, s.SentMail(t.Context(), id))
		require.Equal(t, watchparty.MailQueued, mailOf(t, s, other).State)
		require.Empty(t, mailOf(t, s, other).LastAnswer)
	})

	t.Run("unknown", func(t *testing.T) {
		require.False(t, begin(t, s, newID()))
		_, err := s.Mail(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.NoError(t, s.SentMail(t.Context(), newID()))
	})

	t.Run("a mail outlives its account", func(t *testing.T) {
		id := welcome(t, s, "gone")
		exec(t, s, "DELETE FROM users WHERE username = 'gone'")
		require.Empty(t, mailOf(t, s, id).UserID)
	})

	t.Run("parallel attempts are all counted", func(t *testing.T) {
		id := welcome(t, s, "busy")
		var (
			wg    sync.WaitGroup
			begun atomic.Int32
		)
		for range 20 {
			wg.Go(func() {
				if ok, err := s.BeginMail(t.Context(), id); err == nil && ok {
					begun.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 20, begun.Load())
		require.Equal(t, 20, mailOf(t, s, id).Attempts)
	})
}

func TestAmbiguousAttemptsAreCountedByThemselves(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := welcome(t, s, "amy")
	require.True(t, begin(t, s, id))
	require.Zero(t, note(t, s, id, "the server refused the connection", false))
	require.Equal(t, 1, note(t, s, id, "the server closed the connection", true))
	require.Equal(t, 1, note(t, s, id, "451 try later", false))
	require.Equal(t, 2, note(t, s, id, "the server closed the connection", true))
	require.NoError(t, s.SentMail(t.Context(), id))
	require.Zero(t, note(t, s, id, "too late", true), "a mail that has ended stays as it is")
	require.Empty(t, mailOf(t, s, id).LastAnswer)
}
