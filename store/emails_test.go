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

// queueWelcome is the email of a new user.
func queueWelcome(t *testing.T, s *Store, name string) string {
	t.Helper()
	return readValue[string](t, s, "SELECT id FROM emails WHERE user_id = ?", newUser(t, s, name).ID)
}

func readEmail(t *testing.T, s *Store, id string) watchparty.Email {
	t.Helper()
	email, err := s.Email(t.Context(), id)
	require.NoError(t, err)
	return email
}

// beginAttempt returns the attempt's number.
func beginAttempt(t *testing.T, s *Store, id string) int {
	t.Helper()
	attempt, err := s.BeginEmailAttempt(t.Context(), id)
	require.NoError(t, err)
	return attempt
}

// recordAttempt ends the newest attempt and returns how many are ambiguous.
func recordAttempt(t *testing.T, s *Store, id string, outcome watchparty.EmailOutcome, answer string) int {
	t.Helper()
	count, err := s.RecordEmailAttempt(t.Context(), id, readEmail(t, s, id).Attempts,
		EmailRefusal{Outcome: outcome, Reason: watchparty.ReasonServerUnreachable, Answer: answer})
	require.NoError(t, err)
	return count
}

// markSent ends the newest attempt.
func markSent(t *testing.T, s *Store, id string) {
	t.Helper()
	require.NoError(t, s.MarkEmailSent(t.Context(), id, readEmail(t, s, id).Attempts))
}

// readOutcomes are those and the answers of all that was tried.
func readOutcomes(t *testing.T, s *Store, id string) (found []string) {
	t.Helper()
	all, err := s.EmailAttempts(t.Context(), id)
	require.NoError(t, err)
	for i, a := range all {
		require.Equal(t, i+1, a.Number)
		require.WithinDuration(t, time.Now(), a.StartedAt, time.Minute)
		require.Equal(t, a.Outcome == watchparty.EmailOutcomeOpen, a.EndedAt.IsZero())
		found = append(found, strings.TrimSpace(string(a.Outcome)+" "+a.Answer))
	}
	return found
}

func TestEmail(t *testing.T) {
	t.Parallel()
	s := openStore(t)

	t.Run("sent at the second attempt", func(t *testing.T) {
		id := queueWelcome(t, s, "ada")
		require.Zero(t, readEmail(t, s, id).Attempts)
		require.Equal(t, 1, beginAttempt(t, s, id))
		require.Equal(t, watchparty.EmailSending, readEmail(t, s, id).State)
		require.Equal(t, []string{"open"}, readOutcomes(t, s, id))
		recordAttempt(t, s, id, watchparty.EmailOutcomeTemporary, "451 try later")
		email := readEmail(t, s, id)
		require.Equal(t, watchparty.EmailSending, email.State)
		require.Equal(t, 1, email.Attempts)
		require.Equal(t, "451 try later", email.LastAnswer)
		require.True(t, email.SentAt.IsZero())

		require.Equal(t, 2, beginAttempt(t, s, id))
		require.Equal(t, "451 try later", readEmail(t, s, id).LastAnswer, "stays until the next answer")
		markSent(t, s, id)
		email = readEmail(t, s, id)
		require.Equal(t, watchparty.EmailSent, email.State)
		require.Equal(t, 2, email.Attempts)
		require.Empty(t, email.LastAnswer)
		require.WithinDuration(t, time.Now(), email.SentAt, time.Minute)
		require.Equal(t, []string{"temporary 451 try later", "sent"}, readOutcomes(t, s, id))
	})

	t.Run("failed for good", func(t *testing.T) {
		id := queueWelcome(t, s, "bob")
		beginAttempt(t, s, id)
		recordAttempt(t, s, id, watchparty.EmailOutcomePermanent, "550 no such user")
		require.NoError(t, s.MarkEmailFailed(t.Context(), id))
		email := readEmail(t, s, id)
		require.Equal(t, watchparty.EmailFailed, email.State)
		require.Equal(t, "550 no such user", email.LastAnswer)
		require.True(t, email.SentAt.IsZero())
	})

	for _, ended := range []watchparty.EmailState{watchparty.EmailSent, watchparty.EmailFailed,
		watchparty.EmailCancelled} {
		t.Run(string(ended)+" stays so", func(t *testing.T) {
			id := queueWelcome(t, s, "user-"+string(ended))
			beginAttempt(t, s, id)
			execute(t, s, "UPDATE emails SET state = ?, last_answer = 'the last one' WHERE id = ?", string(ended), id)
			before := readEmail(t, s, id)
			require.Zero(t, beginAttempt(t, s, id))
			require.NoError(t, s.MarkEmailFailed(t.Context(), id))
			require.NoError(t, s.CancelUndeliverableEmail(t.Context(), id, 1, watchparty.ReasonCancelled))
			recordAttempt(t, s, id, watchparty.EmailOutcomeUnreachable, "from an attempt that was given up")
			require.Equal(t, before, readEmail(t, s, id))
			require.Equal(t, []string{"unreachable from an attempt that was given up"}, readOutcomes(t, s, id))
		})
		t.Run(string(ended)+", and the server has it after all", func(t *testing.T) {
			id := queueWelcome(t, s, "late-"+string(ended))
			beginAttempt(t, s, id)
			execute(t, s, "UPDATE emails SET state = ?, sent_at = '2026-01-01' WHERE id = ?", string(ended), id)
			markSent(t, s, id)
			email := readEmail(t, s, id)
			require.Equal(t, watchparty.EmailSent, email.State)
			require.Equal(t, ended == watchparty.EmailSent, email.SentAt.Year() == 2026 && email.SentAt.YearDay() == 1,
				"the first time counts")
		})
	}

	t.Run("an attempt ends as itself, however late", func(t *testing.T) {
		id := queueWelcome(t, s, "overlap")
		beginAttempt(t, s, id)
		beginAttempt(t, s, id)
		markSent(t, s, id)
		_, err := s.RecordEmailAttempt(t.Context(), id, 1,
			EmailRefusal{Outcome: watchparty.EmailOutcomeAmbiguous, Reason: watchparty.ReasonUnconfirmed, Answer: "hung up"})
		require.NoError(t, err)
		require.Equal(t, []string{"ambiguous hung up", "sent"}, readOutcomes(t, s, id))
	})
	t.Run("nothing to say", func(t *testing.T) {
		id := queueWelcome(t, s, "dropped")
		beginAttempt(t, s, id)
		require.NoError(t, s.CancelUndeliverableEmail(t.Context(), id, 1, watchparty.ReasonCancelled))
		require.Equal(t, watchparty.EmailCancelled, readEmail(t, s, id).State)
		require.Equal(t, []string{"cancelled"}, readOutcomes(t, s, id))
	})

	t.Run("one email only", func(t *testing.T) {
		id, other := queueWelcome(t, s, "carl"), queueWelcome(t, s, "dora")
		beginAttempt(t, s, id)
		recordAttempt(t, s, id, watchparty.EmailOutcomeTemporary, "451")
		markSent(t, s, id)
		require.Equal(t, watchparty.EmailQueued, readEmail(t, s, other).State)
		require.Empty(t, readEmail(t, s, other).LastAnswer)
	})

	t.Run("unknown", func(t *testing.T) {
		require.Zero(t, beginAttempt(t, s, newID()))
		_, err := s.Email(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.NoError(t, s.MarkEmailSent(t.Context(), newID(), 1))
	})

	t.Run("an email outlives its account", func(t *testing.T) {
		id := queueWelcome(t, s, "gone")
		execute(t, s, "DELETE FROM users WHERE username = 'gone'")
		require.Empty(t, readEmail(t, s, id).UserID)
	})

	t.Run("parallel attempts are all counted", func(t *testing.T) {
		id := queueWelcome(t, s, "busy")
		var (
			wg    sync.WaitGroup
			begun [20]int
			errs  [20]error
		)
		for i := range begun {
			wg.Go(func() { begun[i], errs[i] = s.BeginEmailAttempt(t.Context(), id) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs[:]...))
		slices.Sort(begun[:])
		require.Equal(t, 20, len(slices.Compact(begun[:])))
		require.Equal(t, 20, readEmail(t, s, id).Attempts)
		require.Len(t, readOutcomes(t, s, id), 20)
	})
}

func TestAmbiguousAttemptsAreCountedByThemselves(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	id := queueWelcome(t, s, "amy")
	for i, c := range []struct {
		outcome watchparty.EmailOutcome
		want    int
	}{
		{watchparty.EmailOutcomeUnreachable, 0}, {watchparty.EmailOutcomeAmbiguous, 1},
		{watchparty.EmailOutcomeTemporary, 1}, {watchparty.EmailOutcomeAmbiguous, 2},
	} {
		require.Equal(t, i+1, beginAttempt(t, s, id))
		require.Equal(t, c.want, recordAttempt(t, s, id, c.outcome, "hung up"))
	}
}

func TestListEmails(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	first, second := queueWelcome(t, s, "ada"), queueWelcome(t, s, "bob")
	ada := readEmail(t, s, first).UserID
	require.NoError(t, s.ResendVerification(t.Context(), ada, IdempotencyKey{}))
	third := readValue[string](t, s, "SELECT id FROM emails WHERE kind = 'email_verification'")
	beginAttempt(t, s, second)
	for _, c := range []struct {
		filter watchparty.EmailFilter
		want   []string
	}{
		{watchparty.EmailFilter{}, []string{third, second, first}},
		{watchparty.EmailFilter{Kind: watchparty.EmailWelcome}, []string{second, first}},
		{watchparty.EmailFilter{State: watchparty.EmailSending}, []string{second}},
		{watchparty.EmailFilter{UserID: ada}, []string{third, first}},
		{watchparty.EmailFilter{UserID: ada, Kind: watchparty.EmailWelcome, State: watchparty.EmailQueued}, []string{first}},
		{watchparty.EmailFilter{State: watchparty.EmailFailed}, nil},
	} {
		list := func(p Page) ([]watchparty.Email, error) { return s.Emails(t.Context(), c.filter, p) }
		for _, limit := range []int{1, 2, 10} {
			require.Equal(t, c.want, pages(t, limit, list, func(m watchparty.Email) string { return m.ID }), c.filter)
		}
	}
}

func TestResendEmail(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	id := queueWelcome(t, s, "ada")
	_, err := s.ResendEmail(t.Context(), root.ID, id, IdempotencyKey{})
	require.ErrorIs(t, err, watchparty.ErrEmailOpen)
	_, err = s.ResendEmail(t.Context(), root.ID, newID(), IdempotencyKey{})
	require.ErrorIs(t, err, watchparty.ErrNotFound)

	former := readEmail(t, s, id)
	for _, state := range []watchparty.EmailState{watchparty.EmailSent, watchparty.EmailFailed,
		watchparty.EmailCancelled} {
		execute(t, s, "UPDATE emails SET state = ? WHERE id = ?", string(state), id)
		again, err := s.ResendEmail(t.Context(), root.ID, id, IdempotencyKey{})
		require.NoError(t, err)
		require.Equal(t, watchparty.Email{
			ID: again.ID, Kind: watchparty.EmailWelcome, SubjectID: former.SubjectID, UserID: former.UserID,
			State:      watchparty.EmailQueued,
			WorkflowID: job.ResendID(again.ID), ResendOf: id, CreatedAt: again.CreatedAt, UpdatedAt: again.CreatedAt,
		}, again)
		require.Equal(t, again, readEmail(t, s, again.ID))
		require.Equal(t, 1, readValue[int](t, s,
			"SELECT count(*) FROM outbox WHERE workflow = 'Resend' AND workflow_id = ? AND input->>'email_id' = ?",
			again.WorkflowID, again.ID))
		require.Equal(t, state, readEmail(t, s, id).State, "the former one stays as it is")
		require.Equal(t, []string{`email_resent {"kind": "welcome", "resend_of": "` + id + `"}`}, readAudit(t, s, again.ID))
	}
	idempotencyKey := IdempotencyKey{Hash: []byte("key"), Fingerprint: []byte(id)}
	first, err := s.ResendEmail(t.Context(), root.ID, id, idempotencyKey)
	require.NoError(t, err)
	second, err := s.ResendEmail(t.Context(), root.ID, id, idempotencyKey)
	require.NoError(t, err)
	require.Equal(t, first, second)
}

func TestCancelEmail(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	for name, begun := range map[string]bool{"queued": false, "sending": true} {
		id := queueWelcome(t, s, name)
		if begun {
			beginAttempt(t, s, id)
		}
		for range 2 {
			email, err := s.CancelEmail(watchparty.WithAdminNote(t.Context(), "a typo"), root.ID, id)
			require.NoError(t, err)
			require.Equal(t, watchparty.EmailCancelled, email.State)
			require.Equal(t, readEmail(t, s, id), email)
		}
		require.Zero(t, beginAttempt(t, s, id))
		require.Equal(t, []string{`email_cancelled {"kind": "welcome", "note": "a typo"}`}, readAudit(t, s, id))
	}
	for _, state := range []watchparty.EmailState{watchparty.EmailSent, watchparty.EmailFailed} {
		id := queueWelcome(t, s, string(state))
		execute(t, s, "UPDATE emails SET state = ? WHERE id = ?", string(state), id)
		_, err := s.CancelEmail(watchparty.WithAdminNote(t.Context(), "a typo"), root.ID, id)
		require.ErrorIs(t, err, watchparty.ErrEmailEnded)
		require.Equal(t, state, readEmail(t, s, id).State)
	}
	_, err := s.CancelEmail(t.Context(), root.ID, newID())
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

func TestEmailPause(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	sending, ended := queueWelcome(t, s, "ada"), queueWelcome(t, s, "bob")
	beginAttempt(t, s, sending)
	execute(t, s, "UPDATE emails SET state = 'failed' WHERE id = ?", ended)
	require.Equal(t, watchparty.EmailPause{Waiting: 2}, readEmailPause(t, s))

	require.NoError(t, s.ResumeEmails(t.Context(), root.ID), "when they are not paused")
	for range 2 {
		var wg sync.WaitGroup
		var errs [10]error
		for i := range errs {
			wg.Go(func() { errs[i] = s.PauseEmails(t.Context(), root.ID) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs[:]...))
		since := readEmailPause(t, s).PausedAt
		require.WithinDuration(t, time.Now(), since, time.Minute)
		require.NoError(t, s.PauseEmails(t.Context(), root.ID))
		require.Equal(t, since, readEmailPause(t, s).PausedAt)
		require.NoError(t, s.ResumeEmails(t.Context(), root.ID))
		require.Zero(t, readEmailPause(t, s).PausedAt)
	}
	log, err := s.Audit(t.Context(), watchparty.AuditFilter{}, Page{Limit: 10})
	require.NoError(t, err)
	acts := ids(log, func(e watchparty.AuditEntry) string { return string(e.Action) })
	require.Equal(t, []string{"queue_resumed", "queue_paused", "queue_resumed", "queue_paused"}, acts,
		"what changes nothing is not written down")
}

// readEmailPause checks that the short answer is the same.
func readEmailPause(t *testing.T, s *Store) watchparty.EmailPause {
	t.Helper()
	pause, err := s.EmailPause(t.Context())
	require.NoError(t, err)
	paused, err := s.EmailsPaused(t.Context())
	require.NoError(t, err)
	require.Equal(t, !pause.PausedAt.IsZero(), paused)
	return pause
}

func queueReminder(t *testing.T, s *Store, id string) string {
	t.Helper()
	reminder, err := s.QueueReminder(t.Context(), id)
	require.NoError(t, err)
	return reminder
}

func TestQueueReminder(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	invitation := func(t *testing.T) (emailID string, invited watchparty.Invitation) {
		invited = createInvitation(t, s, newRoom(t, s, ada, nil), ada, "guest@example.org")
		return readValue[string](t, s, "SELECT id FROM emails WHERE subject_id = ?", invited.ID), invited
	}

	t.Run("once", func(t *testing.T) {
		invited, _ := invitation(t)
		for id, want := range map[string]watchparty.EmailKind{
			queueWelcome(t, s, "bob"): watchparty.EmailWelcomeReminder, invited: watchparty.EmailInvitationReminder,
		} {
			reminder := queueReminder(t, s, id)
			former, email := readEmail(t, s, id), readEmail(t, s, reminder)
			require.Equal(t, []any{want, former.SubjectID, former.UserID, former.WorkflowID, watchparty.EmailQueued},
				[]any{email.Kind, email.SubjectID, email.UserID, email.WorkflowID, email.State})
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
			execute(t, s, "UPDATE users SET email_verified_at = now()")
			require.Equal(t, reminder, queueReminder(t, s, id), "what is queued stays so")
			execute(t, s, "UPDATE users SET email_verified_at = NULL WHERE username <> 'ada'")
		}
	})
	t.Run("none of a welcome that is of no use", func(t *testing.T) {
		for name, change := range map[string]string{
			"verified": "email_verified_at = now()", "suspended": "suspended_at = now()", "deleted": "deleted_at = now()",
		} {
			id := queueWelcome(t, s, name)
			execute(t, s, "UPDATE users SET "+change+" WHERE username = ?", name)
			require.Empty(t, queueReminder(t, s, id), name)
		}
	})
	t.Run("none of an invitation that has ended", func(t *testing.T) {
		id, invited := invitation(t)
		require.NoError(t, s.DeclineInvitation(t.Context(), invited.ID))
		require.Empty(t, queueReminder(t, s, id))
		id, invited = invitation(t)
		expireInvitation(t, s, invited)
		require.Empty(t, queueReminder(t, s, id))
	})
	t.Run("of nothing", func(t *testing.T) {
		_, err := s.QueueReminder(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.NoError(t, s.RequestReset(t.Context(), ada.Email, IdempotencyKey{}))
		_, err = s.QueueReminder(t.Context(), readValue[string](t, s, "SELECT id FROM emails WHERE kind = 'password_reset'"))
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})
}
