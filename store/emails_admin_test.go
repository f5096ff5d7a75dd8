package store

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
)

func TestFindEmails(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	bob := queueWelcome(t, s, "bob")
	room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
	invited := createInvitation(t, s, room, ada, "Guest@Bücher.example")
	invitation := emailAbout(t, s, watchparty.EmailRoomInvitation, invited.ID)
	elsewhere := emailAbout(t, s, watchparty.EmailRoomInvitation,
		createInvitation(t, s, other, ada, "guest@xn--bcher-kva.example").ID)
	require.NoError(t, s.RequestReset(t.Context(), "nobody@example.org", IdempotencyKey{}))
	reset := readValue[string](t, s, "SELECT id FROM emails WHERE kind = 'password_reset'")
	require.NoError(t, s.CancelUndeliverableEmail(t.Context(), reset, beginAttempt(t, s, reset), ""))
	welcome := emailAbout(t, s, watchparty.EmailWelcome, ada.ID)
	require.NoError(t, s.MarkEmailSent(t.Context(), welcome, beginAttempt(t, s, welcome)))
	// ada gets another address: what was sent to the former one is still found by it.
	former := ada.Email
	require.NoError(t, s.RequestEmailChange(t.Context(), ada.ID, "hash of "+ada.Username, "new@example.org"))
	verification := readValue[string](t, s, "SELECT id FROM emails WHERE kind = 'email_verification'")
	err := s.VerifyEmail(t.Context(), readEmail(t, s, verification).SubjectID)
	require.NoError(t, err)
	notice := readValue[string](t, s, "SELECT id FROM emails WHERE kind = 'email_changed'")
	execute(t, s, "UPDATE emails SET created_at = '2026-01-02' WHERE id = ?", bob)

	find := func(s *Store, f watchparty.EmailFilter) []string {
		t.Helper()
		list := func(p Page) ([]watchparty.Email, error) { return s.Emails(t.Context(), f, p) }
		return pages(t, 1, list, func(m watchparty.Email) string { return m.ID })
	}
	for name, c := range map[string]struct {
		filter watchparty.EmailFilter
		want   []string
	}{
		"an address, however written":     {watchparty.EmailFilter{Address: " guest@BÜCHER.example"}, []string{elsewhere, invitation}},
		"an address of no account":        {watchparty.EmailFilter{Address: "nobody@example.org"}, []string{reset}},
		"a former address":                {watchparty.EmailFilter{Address: former}, []string{notice, welcome}},
		"a new address":                   {watchparty.EmailFilter{Address: "new@example.org"}, []string{verification}},
		"a part of an address":            {watchparty.EmailFilter{Address: "guest@"}, nil},
		"what is no address":              {watchparty.EmailFilter{Address: "%"}, nil},
		"a room":                          {watchparty.EmailFilter{RoomID: room.ID}, []string{invitation}},
		"an invitation":                   {watchparty.EmailFilter{InvitationID: invited.ID}, []string{invitation}},
		"a reason":                        {watchparty.EmailFilter{Reason: watchparty.ReasonNoAccount}, []string{reset}},
		"a time":                          {watchparty.EmailFilter{To: day(3)}, []string{bob}},
		"from a time":                     {watchparty.EmailFilter{From: day(2), To: day(3)}, []string{bob}},
		"from later":                      {watchparty.EmailFilter{From: day(2).Add(time.Second), To: day(3)}, nil},
		"a room and an address elsewhere": {watchparty.EmailFilter{RoomID: room.ID, Address: former}, nil},
	} {
		require.Equal(t, c.want, find(s, c.filter), name)
	}
	rows, err := s.Emails(t.Context(), watchparty.EmailFilter{RoomID: room.ID}, Page{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, room.ID, rows[0].RoomID)

	// The secret is replaced; a database that a former version wrote has no hash.
	later := *s
	later.digests = auth.NewDigests("another secret of the tests", "a secret of the tests")
	require.Equal(t, []string{elsewhere, invitation}, find(&later, watchparty.EmailFilter{Address: invited.Email}))
	later.digests = auth.NewDigests("another secret of the tests")
	require.Empty(t, find(&later, watchparty.EmailFilter{Address: invited.Email}), "the hash has a key")
	execute(t, s, "UPDATE emails SET recipient_hash = NULL")
	require.Equal(t, []string{elsewhere, invitation}, find(s, watchparty.EmailFilter{Address: invited.Email}))
	require.Contains(t, find(s, watchparty.EmailFilter{Address: "new@example.org"}), welcome, "by the account")
}

func day(n int) time.Time { return time.Date(2026, time.January, n, 0, 0, 0, 0, time.UTC) }

// TestAdmittedAddress: the hash is of the address to which an email goes, not of the one at the time of its queueing.
func TestAdmittedAddress(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	id := queueWelcome(t, s, "ada")
	to, err := watchparty.ParseAddress("other@example.org")
	require.NoError(t, err)
	_, err = s.AdmitEmail(t.Context(), id, to)
	require.NoError(t, err)
	found, err := s.Emails(t.Context(), watchparty.EmailFilter{Address: "other@example.org"}, Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestForgottenAddress(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	require.NoError(t, s.DeleteAccount(t.Context(), ada.ID, "hash of "+ada.Username))
	found, err := s.Emails(t.Context(), watchparty.EmailFilter{Address: ada.Email}, Page{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, found)
	require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM emails WHERE recipient_hash IS NOT NULL"))
	require.Equal(t, watchparty.ReasonNoAccount, readEmail(t, s, emailAbout(t, s, watchparty.EmailWelcome, ada.ID)).Reason)
}

func TestEveryKindOfEmailHasItsReasons(t *testing.T) {
	for _, kind := range watchparty.EmailKinds() {
		require.NotEmpty(t, voidReasons[kind], "add %s to voidReasons in email_cancel.go", kind)
	}
}

// TestWhyEmailsAreDropped: the transaction that cancels an email stores the reason.
func TestWhyEmailsAreDropped(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	const theInviter = " WHERE id = (SELECT inviter_id FROM invitations WHERE id = ?)"
	const theRoom = " WHERE id = (SELECT room_id FROM invitations WHERE id = ?)"
	for _, c := range []struct {
		kind   watchparty.EmailKind
		change string // with the email's subject as ?
		want   watchparty.EmailReason
	}{
		{watchparty.EmailWelcome, "DELETE FROM users WHERE id = ?", watchparty.ReasonNoAccount},
		{watchparty.EmailPasswordChanged, "", watchparty.ReasonNoAccount},
		{watchparty.EmailWelcomeReminder, "UPDATE users SET deleted_at = now() WHERE id = ?", watchparty.ReasonNoAccount},
		{watchparty.EmailWelcomeReminder, "UPDATE users SET suspended_at = now() WHERE id = ?", watchparty.ReasonSuspended},
		{watchparty.EmailWelcomeReminder, "UPDATE users SET email_verified_at = now() WHERE id = ?",
			watchparty.ReasonAlreadyConfirmed},
		{watchparty.EmailWelcomeReminder, "UPDATE email_verifications SET expires_at = now() WHERE user_id = ?",
			watchparty.ReasonLinkEnded},
		{watchparty.EmailVerification, "UPDATE users SET email_verified_at = now() WHERE id = (SELECT user_id " +
			"FROM email_verifications WHERE id = ?)", watchparty.ReasonAlreadyConfirmed},
		{watchparty.EmailVerification, "UPDATE email_verifications SET email_key = (SELECT email_key FROM users " +
			"WHERE username = 'ada') WHERE id = ?", watchparty.ReasonAddressTaken},
		{watchparty.EmailVerification, "UPDATE email_verifications SET expires_at = now() WHERE id = ?",
			watchparty.ReasonLinkEnded},
		{watchparty.EmailReset, "UPDATE password_resets SET used_at = now() WHERE id = ?", watchparty.ReasonLinkEnded},
		{watchparty.EmailRoomInvitation, "UPDATE invitations SET state = 'declined' WHERE id = ?",
			watchparty.ReasonInvitationEnded},
		{watchparty.EmailRoomInvitation, "DELETE FROM invitations WHERE id = ?", watchparty.ReasonInvitationEnded},
		{watchparty.EmailRoomInvitation, "UPDATE rooms SET archived_at = now()" + theRoom, watchparty.ReasonRoomEnded},
		{watchparty.EmailRoomInvitation, "UPDATE rooms SET archived_at = now(), deleted_at = now()" + theRoom,
			watchparty.ReasonRoomEnded},
		{watchparty.EmailInvitationReminder, "UPDATE users SET email_verified_at = NULL" + theInviter,
			watchparty.ReasonMayNotInvite},
		{watchparty.EmailActivityReport, "", watchparty.ReasonNotRecipient},
	} {
		name := string(c.kind) + " " + string(c.want)
		user := newUser(t, s, "user"+strings.ReplaceAll(newID()[24:], "-", ""))
		id, subject := emailAbout(t, s, watchparty.EmailWelcome, user.ID), user.ID
		switch c.kind {
		case watchparty.EmailVerification:
			require.NoError(t, s.ResendVerification(t.Context(), user.ID, IdempotencyKey{}), name)
		case watchparty.EmailReset:
			require.NoError(t, s.RequestReset(t.Context(), user.Email, IdempotencyKey{}), name)
		case watchparty.EmailRoomInvitation, watchparty.EmailInvitationReminder:
			subject = createInvitation(t, s, newRoom(t, s, ada, nil), ada, user.Email).ID
			execute(t, s, "UPDATE emails SET kind = ? WHERE subject_id = ?", string(c.kind), subject)
		default:
			execute(t, s, "UPDATE emails SET kind = ? WHERE id = ?", string(c.kind), id)
		}
		if c.kind == watchparty.EmailVerification || c.kind == watchparty.EmailReset {
			subject = readValue[string](t, s, "SELECT subject_id FROM emails WHERE user_id = ? AND kind = ?", user.ID,
				string(c.kind))
		}
		id = readValue[string](t, s, "SELECT id FROM emails WHERE subject_id = ? AND kind = ?", subject, string(c.kind))
		if c.change != "" {
			execute(t, s, c.change, subject)
		}
		require.NoError(t, s.CancelUndeliverableEmail(t.Context(), id, beginAttempt(t, s, id), ""), name)
		email := readEmail(t, s, id)
		require.Equal(t, []any{watchparty.EmailCancelled, c.want}, []any{email.State, email.Reason}, name)
		require.Contains(t, watchparty.CancelReasons(), email.Reason)
		execute(t, s, "UPDATE users SET email_verified_at = now() WHERE id = ?", ada.ID)
	}
}

// TestWhatEmailsWaitFor: an admin sees for each unsent email what it waits for.
func TestWhatEmailsWaitFor(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	id := queueWelcome(t, s, "ada")
	requireWait := func(want watchparty.EmailWait, why string) watchparty.Email {
		t.Helper()
		email, err := s.AdminEmail(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, email.WaitsFor, why)
		return email
	}
	requireWait(watchparty.WaitRelay, "Temporal does not have its event")
	execute(t, s, "UPDATE outbox SET state = 'started'")
	requireWait(watchparty.WaitWorker, "no attempt was made")
	require.NoError(t, s.PauseEmails(t.Context(), root.ID))
	requireWait(watchparty.WaitPause, "")
	require.NoError(t, s.ResumeEmails(t.Context(), root.ID))
	attempt := beginAttempt(t, s, id)
	requireWait("", "an attempt lasts")
	_, err := s.RecordEmailAttempt(t.Context(), id, attempt, EmailRefusal{
		Outcome: watchparty.EmailOutcomeTemporary, Reason: watchparty.ReasonServerUnreachable, Answer: "451",
		Next: time.Minute, Deadline: time.Hour,
	})
	require.NoError(t, err)
	email := requireWait(watchparty.WaitRetry, "")
	require.Equal(t, 59*time.Minute, email.DeadlineAt.Sub(email.WaitsUntil))
	require.WithinDuration(t, Now().Add(time.Minute), email.WaitsUntil, 30*time.Second)
	execute(t, s, "UPDATE emails SET next_attempt_at = now() - interval '1 s'")
	requireWait(watchparty.WaitWorker, "the attempt is due")
	attempt = beginAttempt(t, s, id)
	require.Zero(t, requireWait("", "an attempt lasts").WaitsUntil)
	require.NoError(t, s.MarkEmailSent(t.Context(), id, attempt))
	require.Zero(t, requireWait("", "it is sent").DeadlineAt)
}
