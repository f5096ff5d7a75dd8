package activities_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// The address whose budget the tests use up, in two spellings.
const (
	victim      = "victim..x@bücher.example"
	sameVictim  = `"Victim..X"@xn--bcher-kva.example`
	mailsAnHour = 5
)

// newLimited is a letter whose store counts emails, at a server that takes all of them.
func newLimited(t *testing.T) (*emailFixture, *peer) {
	t.Helper()
	p := &peer{}
	l := newEmailFixture(t, serve(t, p))
	l.store.SetEmailLimit(mailsAnHour)
	return l, p
}

// hasToWait reports whether an email has to wait for its recipient, which is no failure.
func (l *emailFixture) hasToWait(id string) bool {
	_, err := l.activities.SendEmail(l.t.Context(), job.EmailInput{EmailID: id})
	if err == nil {
		return false
	}
	var failure *temporal.ApplicationError
	if !errors.As(err, &failure) || failure.Type() != job.ErrorRecipientLimit || failure.NonRetryable() {
		l.t.Errorf("an email fails: %v", err)
		return false
	}
	if delay := failure.NextRetryDelay(); delay < 50*time.Minute || delay > 24*time.Hour+time.Minute {
		l.t.Errorf("tried again after %s", delay)
	}
	return true
}

func (l *emailFixture) emailID(kind watchparty.EmailKind, subject string) (id string) {
	l.t.Helper()
	require.NoError(
		l.t,
		l.store.DB().
			NewRaw("SELECT id FROM emails WHERE kind = ? AND subject_id = ?", string(kind), subject).
			Scan(l.t.Context(), &id),
	)
	return id
}

// mailMakers queue one email of each kind to victim, and return its ID.
var mailMakers = map[watchparty.EmailKind]func(t *testing.T, l *emailFixture) string{
	watchparty.EmailWelcome: func(t *testing.T, l *emailFixture) string {
		return l.emailID(watchparty.EmailWelcome, newVictim(t, l).ID)
	},
	watchparty.EmailWelcomeReminder: func(t *testing.T, l *emailFixture) string {
		id, err := l.store.QueueReminder(t.Context(), l.emailID(watchparty.EmailWelcome, newVictim(t, l).ID))
		require.NoError(t, err)
		return id
	},
	watchparty.EmailVerification: func(t *testing.T, l *emailFixture) string {
		require.NoError(t, l.store.RequestEmailChange(t.Context(), l.user.ID, "hash", sameVictim))
		return l.newest(watchparty.EmailVerification)
	},
	watchparty.EmailPasswordChanged: func(t *testing.T, l *emailFixture) string {
		require.NoError(t, l.store.ChangePassword(t.Context(), newVictim(t, l).ID, "hash", "hash", ""))
		return l.newest(watchparty.EmailPasswordChanged)
	},
	watchparty.EmailReset: func(t *testing.T, l *emailFixture) string {
		newVictim(t, l)
		require.NoError(t, l.store.RequestReset(t.Context(), sameVictim, store.IdempotencyKey{}))
		return l.newest(watchparty.EmailReset)
	},
	watchparty.EmailAddressChanged: func(t *testing.T, l *emailFixture) string {
		user := newVictim(t, l)
		require.NoError(t, l.store.RequestEmailChange(t.Context(), user.ID, "hash", "another@example.org"))
		var id string
		require.NoError(t,
			l.store.DB().NewRaw("SELECT id FROM email_verifications WHERE email = 'another@example.org'").Scan(t.Context(), &id))
		require.NoError(t, l.store.VerifyEmail(t.Context(), id))
		return l.newest(watchparty.EmailAddressChanged)
	},
	watchparty.EmailRoomInvitation: inviteVictim,
	watchparty.EmailInvitationReminder: func(t *testing.T, l *emailFixture) string {
		id, err := l.store.QueueReminder(t.Context(), inviteVictim(t, l))
		require.NoError(t, err)
		return id
	},
	watchparty.EmailPartyReminder:  tellVictim(watchparty.NoticeDay),
	watchparty.EmailPartyChanged:   tellVictim(watchparty.NoticeMoved),
	watchparty.EmailPartyCancelled: tellVictim(watchparty.NoticeCancelled),
	watchparty.EmailActivityReport: func(t *testing.T, l *emailFixture) string {
		id, err := l.store.CreateActivityReport(t.Context(), watchparty.ReportWeek, "2026-02-23", "2026-03-01")
		require.NoError(t, err)
		l.activities.Report = config.Report{Recipients: []string{sameVictim}, Language: watchparty.English}
		queue := &activities.Report{Store: l.store, Settings: l.activities.Report}
		_, err = environment(queue).ExecuteActivity(job.ActivityQueueReportEmails, job.QueueReportEmailsInput{ReportID: id})
		require.NoError(t, err)
		return l.newest(watchparty.EmailActivityReport)
	},
}

// tellVictim has the victim come to a party, and queues an email about it.
func tellVictim(kind watchparty.PartyNotice) func(t *testing.T, l *emailFixture) string {
	return func(t *testing.T, l *emailFixture) string {
		user := newVictim(t, l)
		execute(t, l.store, "UPDATE users SET email_verified_at = now() WHERE id = ?", user.ID)
		room, err := l.store.CreateRoom(t.Context(), l.user.ID,
			watchparty.NewRoom{Name: "A room", Visibility: watchparty.Public, Capacity: 5}, store.IdempotencyKey{})
		require.NoError(t, err)
		party, err := l.store.ScheduleParty(t.Context(), room.ID, l.user.ID, watchparty.NewParty{
			StartsAt: store.Now().Add(2 * time.Hour), TimeZone: "Europe/Berlin",
		}, store.IdempotencyKey{})
		require.NoError(t, err)
		require.NoError(t, l.store.AnswerParty(t.Context(), party.ID, user.ID, watchparty.AnswerMaybe))
		in := job.PartyNoticesInput{PartyID: party.ID, Kind: kind}
		if kind == watchparty.NoticeCancelled {
			_, err := l.store.CancelParty(t.Context(), party.ID, l.user.ID, nil)
			require.NoError(t, err)
			in.Moves = 1
		}
		_, err = environment(&activities.Party{Store: l.store}).ExecuteActivity(job.ActivityQueuePartyNotices, in)
		require.NoError(t, err)
		return l.newest(kind.Email())
	}
}

func (l *emailFixture) newest(kind watchparty.EmailKind) (id string) {
	l.t.Helper()
	require.NoError(l.t,
		l.store.DB().NewRaw("SELECT max(id::text) FROM emails WHERE kind = ?", string(kind)).Scan(l.t.Context(), &id))
	return id
}

func newVictim(t *testing.T, l *emailFixture) watchparty.User {
	t.Helper()
	user, err := l.store.CreateUser(
		t.Context(), watchparty.Registration{Username: "victim", Email: victim, DisplayName: "V"}, "hash",
	)
	require.NoError(t, err)
	return user
}

func inviteVictim(t *testing.T, l *emailFixture) string {
	execute(t, l.store, "UPDATE users SET email_verified_at = now() WHERE id = ?", l.user.ID)
	room, err := l.store.CreateRoom(
		t.Context(), l.user.ID, watchparty.NewRoom{Name: "A room", Visibility: watchparty.Private, Capacity: 5},
		store.IdempotencyKey{},
	)
	require.NoError(t, err)
	invitation, err := l.store.Invite(
		t.Context(), room.ID, l.user.ID, watchparty.NewInvitation{Email: sameVictim}, store.IdempotencyKey{},
	)
	require.NoError(t, err)
	return l.emailID(watchparty.EmailRoomInvitation, invitation.ID)
}

// Every kind of email counts against its recipient's limit, since all emails are sent by SendMail.
func TestNoKindPassesTheRecipientsLimit(t *testing.T) {
	t.Parallel()
	for _, kind := range watchparty.EmailKinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			queue, ok := mailMakers[kind]
			require.True(t, ok, "say in mailMakers how an email of this kind comes to be")
			l, p := newLimited(t)
			id := queue(t, l)
			// As many as there may be have gone to the address already.
			execute(t, l.store, "UPDATE emails SET counted_at = NULL")
			to, err := watchparty.ParseAddress(victim)
			require.NoError(t, err)
			for n := 0; ; n++ {
				require.Less(t, n, 100, "without limit")
				var filler string
				require.NoError(t, l.store.DB().NewRaw(`INSERT INTO emails (id, kind, subject_id, workflow_id)
					VALUES (gen_random_uuid(), ?, gen_random_uuid(), '') RETURNING id`, string(kind)).Scan(t.Context(), &filler))
				wait, err := l.store.AdmitEmail(t.Context(), filler, to)
				require.NoError(t, err)
				if wait > 0 {
					break
				}
			}
			for range 2 {
				require.True(t, l.hasToWait(id))
			}
			require.Empty(t, p.Contents())
			row, err := l.store.Email(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, watchparty.EmailQueued, row.State)
			require.Zero(t, row.Attempts, "waiting is no attempt")
			require.Greater(t, time.Until(row.WaitsUntil), 50*time.Minute)

			execute(t, l.store, "DELETE FROM email_budgets") // time passes
			require.False(t, l.hasToWait(id))
			require.Len(t, p.Contents(), 1, "it is not lost")
			require.Regexp(t, `(?i)RCPT TO:<"victim\.\.x"@xn--bcher-kva\.example>`, strings.Join(p.Commands(), "\n"))
		})
	}
}

// A person who registers, deletes the account and registers again, eight times, causes no more emails than the limit.
func TestRegisteringAgainAndAgain(t *testing.T) {
	t.Parallel()
	l, p := newLimited(t)
	for i := range 8 {
		user, err := l.store.CreateUser(t.Context(), watchparty.Registration{
			Username: fmt.Sprint("victim", i), Email: []string{victim, sameVictim}[i%2], DisplayName: "V",
		}, "hash")
		require.NoError(t, err, "the account begins all the same")
		require.Equal(t, i >= mailsAnHour, l.hasToWait(l.emailID(watchparty.EmailWelcome, user.ID)))
		if i < 7 {
			err = l.store.DeleteAccount(t.Context(), user.ID, "hash")
			require.NoError(t, err)
		}
	}
	require.Len(t, p.Contents(), mailsAnHour)
	execute(t, l.store, "UPDATE email_budgets SET times = ARRAY(SELECT t - interval '61 min' FROM unnest(times) AS t)")
	var waiting []string
	require.NoError(t,
		l.store.DB().NewRaw("SELECT id FROM emails WHERE waits_until IS NOT NULL ORDER BY id").Scan(t.Context(), &waiting))
	for _, id := range waiting {
		require.False(t, l.hasToWait(id))
	}
	require.Len(
		t, p.Contents(), mailsAnHour+1, "the one of the account that is there comes later, those of the others do not",
	)
}

// Eight rooms invite one address at the same time.
func TestEightRoomsInviteOneAddress(t *testing.T) {
	t.Parallel()
	l, p := newLimited(t)
	ids := make([]string, 8)
	for i := range ids {
		ids[i] = inviteVictim(t, l)
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() { l.hasToWait(id) })
	}
	wg.Wait()
	require.Len(t, p.Contents(), watchparty.BudgetInvitee.Limit(mailsAnHour).Hour)
}

// What registers can be mailed: a server gets it in the form that it knows.
func TestWhatRegistersIsMailed(t *testing.T) {
	t.Parallel()
	inbox := sender(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	l := newEmailFixture(t, inbox)
	unique := l.user.Username
	for typed, mailbox := range map[string]string{
		"a.." + unique + "@example.org":    "a.." + unique + "@example.org",
		"." + unique + "@example.org":      "." + unique + "@example.org",
		`"` + unique + `."@example.org`:    unique + ".@example.org",
		unique + "@bu\u0308cher.example":   unique + "@xn--bcher-kva.example",
		"andre\u0301" + unique + "@例子.广告":  "andr\u00e9" + unique + "@xn--fsqu00a.xn--4rr70v",
		"\u3000" + unique + "＠ｅｘａｍｐｌｅ．ｎｅｔ": unique + "@example.net",
	} {
		r := watchparty.Registration{
			Username:    fmt.Sprint("user", len(typed), strings.Count(typed, ".")),
			Email:       typed,
			DisplayName: "V",
		}
		user, err := l.store.CreateUser(t.Context(), r, "hash")
		require.NoError(t, err, typed)
		l.in.EmailID = l.emailID(watchparty.EmailWelcome, user.ID)
		require.NoError(t, l.send(), typed)
		require.Equal(t, watchparty.EmailSent, l.row().State)
		require.Len(t, receivedEmails(t, mailbox), 1, typed)
	}
}
