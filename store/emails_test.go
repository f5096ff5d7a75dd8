package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
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

// begin returns the attempt's number.
func begin(t *testing.T, s *Store, id string) int {
	t.Helper()
	attempt, err := s.BeginMail(t.Context(), id)
	require.NoError(t, err)
	return attempt
}

// note ends the newest attempt and returns how many are ambiguous.
func note(t *testing.T, s *Store, id string, outcome watchparty.MailOutcome, answer string) int {
	t.Helper()
	count, err := s.NoteMail(t.Context(), id, mailOf(t, s, id).Attempts, outcome, watchparty.ReasonServerUnreachable, answer)
	require.NoError(t, err)
	return count
}

// sent ends the newest attempt.
func sent(t *testing.T, s *Store, id string) {
	t.Helper()
	require.NoError(t, s.SentMail(t.Context(), id, mailOf(t, s, id).Attempts))
}

// outcomes are those and the answers of all that was tried.
func outcomes(t *testing.T, s *Store, id string) (found []string) {
	t.Helper()
	all, err := s.MailAttempts(t.Context(), id)
	require.NoError(t, err)
	for i, a := range all {
		require.Equal(t, i+1, a.Number)
		require.WithinDuration(t, time.Now(), a.StartedAt, time.Minute)
		require.Equal(t, a.Outcome == watchparty.AttemptOpen, a.EndedAt.IsZero())
		found = append(found, strings.TrimSpace(string(a.Outcome)+" "+a.Answer))
	}
	return found
}

func TestMail(t *testing.T) {
	t.Parallel()
	s := open(t)

	t.Run("sent at the second attempt", func(t *testing.T) {
		id := welcome(t, s, "ada")
		require.Zero(t, mailOf(t, s, id).Attempts)
		require.Equal(t, 1, begin(t, s, id))
		require.Equal(t, watchparty.MailSending, mailOf(t, s, id).State)
		require.Equal(t, []string{"open"}, outcomes(t, s, id))
		note(t, s, id, watchparty.AttemptTemporary, "451 try later")
		mail := mailOf(t, s, id)
		require.Equal(t, watchparty.MailSending, mail.State)
		require.Equal(t, 1, mail.Attempts)
		require.Equal(t, "451 try later", mail.LastAnswer)
		require.True(t, mail.SentAt.IsZero())

		require.Equal(t, 2, begin(t, s, id))
		require.Equal(t, "451 try later", mailOf(t, s, id).LastAnswer, "stays until the next answer")
		sent(t, s, id)
		mail = mailOf(t, s, id)
		require.Equal(t, watchparty.MailSent, mail.State)
		require.Equal(t, 2, mail.Attempts)
		require.Empty(t, mail.LastAnswer)
		require.WithinDuration(t, time.Now(), mail.SentAt, time.Minute)
		require.Equal(t, []string{"temporary 451 try later", "sent"}, outcomes(t, s, id))
	})

	t.Run("failed for good", func(t *testing.T) {
		id := welcome(t, s, "bob")
		begin(t, s, id)
		note(t, s, id, watchparty.AttemptPermanent, "550 no such user")
		require.NoError(t, s.FailMail(t.Context(), id))
		mail := mailOf(t, s, id)
		require.Equal(t, watchparty.MailFailed, mail.State)
		require.Equal(t, "550 no such user", mail.LastAnswer)
		require.True(t, mail.SentAt.IsZero())
	})

	for _, ended := range []watchparty.MailState{watchparty.MailSent, watchparty.MailFailed, watchparty.MailCancelled} {
		t.Run(string(ended)+" stays so", func(t *testing.T) {
			id := welcome(t, s, "user-"+string(ended))
			begin(t, s, id)
			exec(t, s, "UPDATE emails SET state = ?, last_answer = 'the last one' WHERE id = ?", string(ended), id)
			before := mailOf(t, s, id)
			require.Zero(t, begin(t, s, id))
			require.NoError(t, s.FailMail(t.Context(), id))
			require.NoError(t, s.DropMail(t.Context(), id, 1, watchparty.ReasonCancelled))
			note(t, s, id, watchparty.AttemptUnreachable, "from an attempt that was given up")
			require.Equal(t, before, mailOf(t, s, id))
			require.Equal(t, []string{"unreachable from an attempt that was given up"}, outcomes(t, s, id))
		})
		t.Run(string(ended)+", and the server has it after all", func(t *testing.T) {
			id := welcome(t, s, "late-"+string(ended))
			begin(t, s, id)
			exec(t, s, "UPDATE emails SET state = ?, sent_at = '2026-01-01' WHERE id = ?", string(ended), id)
			sent(t, s, id)
			mail := mailOf(t, s, id)
			require.Equal(t, watchparty.MailSent, mail.State)
			require.Equal(t, ended == watchparty.MailSent, mail.SentAt.Year() == 2026 && mail.SentAt.YearDay() == 1, "the first time counts")
		})
	}

	t.Run("an attempt ends as itself, however late", func(t *testing.T) {
		id := welcome(t, s, "overlap")
		begin(t, s, id)
		begin(t, s, id)
		sent(t, s, id)
		_, err := s.NoteMail(t.Context(), id, 1, watchparty.AttemptAmbiguous, watchparty.ReasonUnconfirmed, "hung up")
		require.NoError(t, err)
		require.Equal(t, []string{"ambiguous hung up", "sent"}, outcomes(t, s, id))
	})
	t.Run("nothing to say", func(t *testing.T) {
		id := welcome(t, s, "dropped")
		begin(t, s, id)
		require.NoError(t, s.DropMail(t.Context(), id, 1, watchparty.ReasonCancelled))
		require.Equal(t, watchparty.MailCancelled, mailOf(t, s, id).State)
		require.Equal(t, []string{"cancelled"}, outcomes(t, s, id))
	})

	t.Run("one mail only", func(t *testing.T) {
		id, other := welcome(t, s, "carl"), welcome(t, s, "dora")
		begin(t, s, id)
		note(t, s, id, watchparty.AttemptTemporary, "451")
		sent(t, s, id)
		require.Equal(t, watchparty.MailQueued, mailOf(t, s, other).State)
		require.Empty(t, mailOf(t, s, other).LastAnswer)
	})

	t.Run("unknown", func(t *testing.T) {
		require.Zero(t, begin(t, s, newID()))
		_, err := s.Mail(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.NoError(t, s.SentMail(t.Context(), newID(), 1))
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
			begun [20]int
			errs  [20]error
		)
		for i := range begun {
			wg.Go(func() { begun[i], errs[i] = s.BeginMail(t.Context(), id) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs[:]...))
		slices.Sort(begun[:])
		require.Equal(t, 20, len(slices.Compact(begun[:])))
		require.Equal(t, 20, mailOf(t, s, id).Attempts)
		require.Len(t, outcomes(t, s, id), 20)
	})
}

func TestAmbiguousAttemptsAreCountedByThemselves(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := welcome(t, s, "amy")
	for i, c := range []struct {
		outcome watchparty.MailOutcome
		want    int
	}{{watchparty.AttemptUnreachable, 0}, {watchparty.AttemptAmbiguous, 1}, {watchparty.AttemptTemporary, 1}, {watchparty.AttemptAmbiguous, 2}} {
		require.Equal(t, i+1, begin(t, s, id))
		require.Equal(t, c.want, note(t, s, id, c.outcome, "hung up"))
	}
}

func TestListMails(t *testing.T) {
	t.Parallel()
	s := open(t)
	first, second := welcome(t, s, "ada"), welcome(t, s, "bob")
	ada := mailOf(t, s, first).UserID
	require.NoError(t, s.ResendVerification(t.Context(), ada, Once{}))
	third := get[string](t, s, "SELECT id FROM emails WHERE kind = 'email_verification'")
	begin(t, s, second)
	for _, c := range []struct {
		filter watchparty.MailFilter
		want   []string
	}{
		{watchparty.MailFilter{}, []string{third, second, first}},
		{watchparty.MailFilter{Kind: watchparty.MailWelcome}, []string{second, first}},
		{watchparty.MailFilter{State: watchparty.MailSending}, []string{second}},
		{watchparty.MailFilter{UserID: ada}, []string{third, first}},
		{watchparty.MailFilter{UserID: ada, Kind: watchparty.MailWelcome, State: watchparty.MailQueued}, []string{first}},
		{watchparty.MailFilter{State: watchparty.MailFailed}, nil},
	} {
		list := func(p Page) ([]watchparty.Mail, error) { return s.Mails(t.Context(), c.filter, p) }
		for _, limit := range []int{1, 2, 10} {
			require.Equal(t, c.want, pages(t, limit, list, func(m watchparty.Mail) string { return m.ID }), c.filter)
		}
	}
}

func TestResendMail(t *testing.T) {
	t.Parallel()
	s := open(t)
	root := newAdmin(t, s, "root")
	id := welcome(t, s, "ada")
	_, err := s.ResendMail(t.Context(), root.ID, id, Once{})
	require.ErrorIs(t, err, watchparty.ErrMailOpen)
	_, err = s.ResendMail(t.Context(), root.ID, newID(), Once{})
	require.ErrorIs(t, err, watchparty.ErrNotFound)

	former := mailOf(t, s, id)
	for _, state := range []watchparty.MailState{watchparty.MailSent, watchparty.MailFailed, watchparty.MailCancelled} {
		exec(t, s, "UPDATE emails SET state = ? WHERE id = ?", string(state), id)
		again, err := s.ResendMail(t.Context(), root.ID, id, Once{})
		require.NoError(t, err)
		require.Equal(t, watchparty.Mail{
			ID: again.ID, Kind: watchparty.MailWelcome, SubjectID: former.SubjectID, UserID: former.UserID, State: watchparty.MailQueued,
			WorkflowID: job.ResendID(again.ID), ResendOf: id, CreatedAt: again.CreatedAt, UpdatedAt: again.CreatedAt,
		}, again)
		require.Equal(t, again, mailOf(t, s, again.ID))
		require.Equal(t, 1, get[int](t, s, "SELECT count(*) FROM outbox WHERE workflow = 'Resend' AND workflow_id = ? AND input->>'email_id' = ?", again.WorkflowID, again.ID))
		require.Equal(t, state, mailOf(t, s, id).State, "the former one stays as it is")
		require.Equal(t, []string{`mail_resent {"kind": "welcome", "resend_of": "` + id + `"}`}, audited(t, s, again.ID))
	}
	once := Once{KeyHash: []byte("key"), Fingerprint: []byte(id)}
	first, err := s.ResendMail(t.Context(), root.ID, id, once)
	require.NoError(t, err)
	second, err := s.ResendMail(t.Context(), root.ID, id, once)
	require.NoError(t, err)
	require.Equal(t, first, second)
}

func TestCancelMail(t *testing.T) {
	t.Parallel()
	s := open(t)
	root := newAdmin(t, s, "root")
	for name, begun := range map[string]bool{"queued": false, "sending": true} {
		id := welcome(t, s, name)
		if begun {
			begin(t, s, id)
		}
		for range 2 {
			mail, err := s.CancelMail(t.Context(), root.ID, id)
			require.NoError(t, err)
			require.Equal(t, watchparty.MailCancelled, mail.State)
			require.Equal(t, mailOf(t, s, id), mail)
		}
		require.Zero(t, begin(t, s, id))
		require.Equal(t, []string{`mail_cancelled {"kind": "welcome"}`}, audited(t, s, id))
	}
	for _, state := range []watchparty.MailState{watchparty.MailSent, watchparty.MailFailed} {
		id := welcome(t, s, string(state))
		exec(t, s, "UPDATE emails SET state = ? WHERE id = ?", string(state), id)
		_, err := s.CancelMail(t.Context(), root.ID, id)
		require.ErrorIs(t, err, watchparty.ErrMailEnded)
		require.Equal(t, state, mailOf(t, s, id).State)
	}
	_, err := s.CancelMail(t.Context(), root.ID, newID())
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

func TestMailPause(t *testing.T) {
	t.Parallel()
	s := open(t)
	root := newAdmin(t, s, "root")
	sending, ended := welcome(t, s, "ada"), welcome(t, s, "bob")
	begin(t, s, sending)
	exec(t, s, "UPDATE emails SET state = 'failed' WHERE id = ?", ended)
	require.Equal(t, watchparty.MailPause{Waiting: 2}, mailPause(t, s))

	require.NoError(t, s.ResumeMails(t.Context(), root.ID), "when they are not paused")
	for range 2 {
		var wg sync.WaitGroup
		var errs [10]error
		for i := range errs {
			wg.Go(func() { errs[i] = s.PauseMails(t.Context(), root.ID) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs[:]...))
		since := mailPause(t, s).PausedAt
		require.WithinDuration(t, time.Now(), since, time.Minute)
		require.NoError(t, s.PauseMails(t.Context(), root.ID))
		require.Equal(t, since, mailPause(t, s).PausedAt)
		require.NoError(t, s.ResumeMails(t.Context(), root.ID))
		require.Zero(t, mailPause(t, s).PausedAt)
	}
	log, err := s.Audit(t.Context(), watchparty.AuditFilter{}, Page{Limit: 10})
	require.NoError(t, err)
	acts := ids(log, func(e watchparty.AuditEntry) string { return string(e.Action) })
	require.Equal(t, []string{"mails_resumed", "mails_paused", "mails_resumed", "mails_paused"}, acts, "what changes nothing is not written down")
}

// mailPause checks that the short answer is the same.
func mailPause(t *testing.T, s *Store) watchparty.MailPause {
	t.Helper()
	pause, err := s.MailPause(t.Context())
	require.NoError(t, err)
	paused, err := s.MailsPaused(t.Context())
	require.NoError(t, err)
	require.Equal(t, !pause.PausedAt.IsZero(), paused)
	return pause
}

func remind(t *testing.T, s *Store, id string) string {
	t.Helper()
	reminder, err := s.QueueReminder(t.Context(), id)
	require.NoError(t, err)
	return reminder
}

func TestQueueReminder(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := newUser(t, s, "ada")
	invitation := func(t *testing.T) (mailID string, invited watchparty.Invitation) {
		invited = invite(t, s, newRoom(t, s, ada, nil), ada, "guest@example.org")
		return get[string](t, s, "SELECT id FROM emails WHERE subject_id = ?", invited.ID), invited
	}

	t.Run("once", func(t *testing.T) {
		invited, _ := invitation(t)
		for id, want := range map[string]watchparty.MailKind{
			welcome(t, s, "bob"): watchparty.MailWelcomeReminder, invited: watchparty.MailInvitationReminder,
		} {
			reminder := remind(t, s, id)
			former, mail := mailOf(t, s, id), mailOf(t, s, reminder)
			require.Equal(t, []any{want, former.SubjectID, former.UserID, former.WorkflowID, watchparty.MailQueued},
				[]any{mail.Kind, mail.SubjectID, mail.UserID, mail.WorkflowID, mail.State})
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					again, err := s.QueueReminder(context.WithoutCancel(t.Context()), id)
					if err != nil || again != reminder {
						t.Errorf("another reminder: %s %v", again, err)
					}
				})
			}
			wg.Wait()
			exec(t, s, "UPDATE users SET email_verified_at = now()")
			require.Equal(t, reminder, remind(t, s, id), "what is queued stays so")
			exec(t, s, "UPDATE users SET email_verified_at = NULL WHERE username <> 'ada'")
		}
	})
	t.Run("none of a welcome that is of no use", func(t *testing.T) {
		for name, change := range map[string]string{
			"verified": "email_verified_at = now()", "suspended": "suspended_at = now()", "deleted": "deleted_at = now()",
		} {
			id := welcome(t, s, name)
			exec(t, s, "UPDATE users SET "+change+" WHERE username = ?", name)
			require.Empty(t, remind(t, s, id), name)
		}
	})
	t.Run("none of an invitation that has ended", func(t *testing.T) {
		id, invited := invitation(t)
		require.NoError(t, s.DeclineInvitation(t.Context(), invited.ID))
		require.Empty(t, remind(t, s, id))
		id, invited = invitation(t)
		expire(t, s, invited)
		require.Empty(t, remind(t, s, id))
	})
	t.Run("of nothing", func(t *testing.T) {
		_, err := s.QueueReminder(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.NoError(t, s.RequestReset(t.Context(), ada.Email, Once{}))
		_, err = s.QueueReminder(t.Context(), get[string](t, s, "SELECT id FROM emails WHERE kind = 'password_reset'"))
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})
}
