package activities_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestAccountEmails(t *testing.T) {
	t.Parallel()
	l := newEmailFixture(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	tokens := oneTime
	newAddress := "new-" + l.user.Email
	subject := func() (id string) {
		require.NoError(
			t, l.store.DB().NewRaw("SELECT subject_id FROM emails WHERE id = ?", l.in.EmailID).Scan(t.Context(), &id),
		)
		return id
	}
	rowsToken := func(page string, purpose auth.Purpose) string {
		return "http://watchparty.test" + page + "#token=" + tokens.Token(purpose, subject())
	}
	var first string
	require.NoError(t, l.store.DB().NewRaw("SELECT id FROM email_verifications").Scan(t.Context(), &first))

	welcome := l.letterOf(watchparty.EmailWelcome).requireSent(l.user.Email, watchparty.EmailSent)
	require.Contains(t, welcome, "http://watchparty.test/verify-email#token="+tokens.Token(auth.ForEmail, first))

	require.NoError(t, l.store.RequestReset(t.Context(), l.user.Email, store.IdempotencyKey{}))
	require.Contains(t, l.letterOf(watchparty.EmailReset).requireSent(l.user.Email, watchparty.EmailSent),
		rowsToken("/password-reset", auth.ForReset))

	require.NoError(t, l.store.ChangePassword(t.Context(), l.user.ID, "hash", "another hash", ""))
	require.Contains(t, l.letterOf(watchparty.EmailPasswordChanged).requireSent(l.user.Email, watchparty.EmailSent),
		"password of your WatchParty account was changed")
	require.NoError(t, l.store.ChangePassword(t.Context(), l.user.ID, "another hash", "hash", ""))

	require.NoError(t, l.store.RequestEmailChange(t.Context(), l.user.ID, "hash", newAddress))
	text := l.letterOf(watchparty.EmailVerification).requireSent(newAddress, watchparty.EmailSent)
	require.Contains(t, text, rowsToken("/verify-email", auth.ForEmail))
	require.Empty(t, l.requireSent(l.user.Email, watchparty.EmailSent), "not to the address that she has")

	require.NoError(t, l.store.VerifyEmail(t.Context(), subject()))
	notice := l.letterOf(watchparty.EmailAddressChanged).requireSent(l.user.Email, watchparty.EmailSent)
	require.Contains(t, notice, "was changed")
	require.NotContains(t, notice, newAddress)

	t.Run("cancelled", func(t *testing.T) {
		other := register(t, l.store, "other"+l.user.Username)
		for name, c := range map[string]struct {
			kind watchparty.EmailKind
			ask  func() error
			then string
			why  watchparty.EmailReason
		}{
			"a reset of nobody": {watchparty.EmailReset, func() error {
				return l.store.RequestReset(t.Context(), "nobody@watchparty.test", store.IdempotencyKey{})
			}, "", watchparty.ReasonNoAccount},
			"a reset that has expired": {
				watchparty.EmailReset, func() error {
					return l.store.RequestReset(t.Context(), newAddress,
						store.IdempotencyKey{})
				}, "UPDATE password_resets SET expires_at = now()", watchparty.ReasonLinkEnded,
			},
			"an address that is taken": {watchparty.EmailVerification, func() error {
				return l.store.RequestEmailChange(t.Context(), l.user.ID, "hash", strings.ToUpper(other.Email))
			}, "", watchparty.ReasonAddressTaken},
			"an address that was confirmed": {
				watchparty.EmailVerification, func() error {
					return l.store.ResendVerification(t.Context(), other.ID,
						store.IdempotencyKey{})
				}, "UPDATE email_verifications SET used_at = now()", watchparty.ReasonLinkEnded,
			},
		} {
			require.NoError(t, c.ask(), name)
			if c.then != "" {
				execute(t, l.store, c.then)
			}
			before := len(receivedEmails(t, other.Email))
			dropped := l.letterOf(c.kind)
			dropped.requireSent(l.user.Email, watchparty.EmailCancelled)
			require.Equal(t, c.why, dropped.row().Reason, name)
			require.Len(t, receivedEmails(t, other.Email), before, name)
		}
	})
}

// TestSendReport: a report goes to the recipients in the settings at the time of sending, and not to former recipients.
func TestSendReport(t *testing.T) {
	t.Parallel()
	l := newEmailFixture(t, sender(t, stacktest.SMTPHost(), stacktest.SMTPPort()))
	reportID, err := l.store.CreateActivityReport(t.Context(), watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.NoError(t, err)
	boss, ops := "boss-"+l.user.Email, "ops-"+l.user.Email
	queue := &activities.Report{Store: l.store, Settings: config.Report{Recipients: []string{boss, ops}}}
	_, err = environment(
		queue,
	).ExecuteActivity(job.ActivityQueueReportEmails, job.QueueReportEmailsInput{ReportID: reportID})
	require.NoError(t, err)
	var emails []string
	require.NoError(t,
		l.store.DB().NewRaw("SELECT id FROM emails WHERE kind = 'activity_report' ORDER BY id").Scan(t.Context(), &emails))
	require.Len(t, emails, 2)

	local, domain, _ := strings.Cut(strings.ToUpper(ops), "@") // the domain is mailed to in lower case
	l.activities.Report = config.Report{
		Recipients: []string{"new-" + l.user.Email, local + "@" + domain},
		Language:   watchparty.German,
	}
	l.in.EmailID = emails[1]
	text := l.requireSent(local+"@"+strings.ToLower(domain), watchparty.EmailSent)
	require.Contains(t, text, "https://api.watchparty.test/reports#token="+oneTime.Token(auth.ForReport, reportID))
	require.Contains(t, text, "Februar")
	l.in.EmailID = emails[0]
	require.Empty(t, l.requireSent(boss, watchparty.EmailCancelled), "it is not in the settings any more")
	for _, address := range []string{boss, "new-" + l.user.Email} {
		require.Empty(t, receivedEmails(t, address), address)
	}
}
