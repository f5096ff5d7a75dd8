package store

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// typedForms are ways to write one address.
var typedForms = []string{
	"andr\u00e9..b@b\u00fccher.example", "ANDRE\u0301..B@xn--bcher-kva.example",
	" \"andre\u0301..b\"@bu\u0308cher.example", "Andr\u00c9..b@B\u00dcCHER。example\n",
}

// Each operation that looks up an address, or compares addresses, does so for all spellings. Add an entry for each new
// operation.
func TestOneAddressInEveryEntry(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	confirmAddresses(t, s, ada)
	r := registration("andre")
	r.Email = typedForms[0]
	andre, err := s.CreateUser(t.Context(), r, "hash of andre")
	require.NoError(t, err)
	require.Equal(t, typedForms[0], andre.Email)
	invitation := createInvitation(t, s, room, ada, typedForms[1])

	for i, spelling := range typedForms {
		for entry, find := range map[string]func() error{
			"sign-in": func() error {
				found, hash, err := s.Credentials(t.Context(), spelling)
				require.Equal(t, []string{andre.ID, "hash of andre"}, []string{found.ID, hash})
				require.Equal(t, typedForms[0], found.Email, "what was typed is shown")
				return err
			},
			"registration": func() error {
				again := registration(fmt.Sprint("other", i))
				again.Email = spelling
				_, err := s.CreateUser(t.Context(), again, "h")
				require.ErrorIs(t, err, watchparty.ErrEmailTaken)
				return nil
			},
			"reset": func() error {
				before := readValue[int](t, s, "SELECT count(*) FROM password_resets WHERE user_id = ?", andre.ID)
				err := s.RequestReset(t.Context(), spelling, IdempotencyKey{})
				require.Equal(t, before+1, readValue[int](t, s, "SELECT count(*) FROM password_resets WHERE user_id = ?", andre.ID))
				return err
			},
			"change of address": func() error {
				if err := s.RequestEmailChange(t.Context(), ada.ID, "hash of ada", spelling); err != nil {
					return err
				}
				_, err := s.PendingVerification(t.Context(), readValue[string](t, s,
					"SELECT max(id::text) FROM email_verifications WHERE user_id = ?", ada.ID))
				require.ErrorIs(t, err, watchparty.ErrNotFound, "it is another's")
				return nil
			},
			"invitation": func() error {
				require.Equal(t, invitation.ID, createInvitation(t, s, room, ada, spelling).ID, "there is one already")
				return nil
			},
			"admin": func() error {
				execute(t, s, "UPDATE users SET email_verified_at = now() WHERE id = ?", andre.ID)
				granted, err := s.GrantAdmin(t.Context(), spelling)
				require.Equal(t, andre.ID, granted.ID)
				execute(t, s, "UPDATE users SET email_verified_at = NULL, is_admin = false WHERE id = ?", andre.ID)
				return err
			},
			"search": func() error {
				users, err := s.Users(t.Context(), watchparty.UserFilter{Search: strings.TrimSpace(spelling)}, Page{Limit: 10})
				require.Len(t, users, 1, spelling)
				require.Equal(t, andre.ID, users[0].ID)
				return err
			},
			"opt-out": func() error {
				require.NoError(t, s.OptIn(t.Context(), invitation.ID))
				out, err := s.OptedOut(t.Context(), spelling)
				require.NoError(t, err)
				require.False(t, out)
				require.NoError(t, s.OptOut(t.Context(), invitation.ID))
				out, err = s.OptedOut(t.Context(), spelling)
				require.True(t, out)
				return err
			},
		} {
			require.NoError(t, find(), "%s by %q", entry, spelling)
		}
	}

	// Its own address in another spelling confirms it, and is shown from then on; nobody is told of a change.
	require.NoError(t, s.RequestEmailChange(t.Context(), andre.ID, "hash of andre", typedForms[1]))
	pending, err := s.PendingEmailAddress(t.Context(), andre.ID)
	require.NoError(t, err)
	require.Empty(t, pending, "it is the account's already")
	first, err := s.FirstVerification(t.Context(), andre.ID)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, s.VerifyEmail(t.Context(), first.ID))
		found, _, err := s.Credentials(t.Context(), typedForms[3])
		require.NoError(t, err)
		require.Equal(t, typedForms[1], found.Email)
		require.False(t, found.EmailVerifiedAt.IsZero())
	}
	require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM emails WHERE kind = 'email_changed'"))

	err = s.DeleteAccount(t.Context(), andre.ID, "hash of andre")
	require.NoError(t, err)
	_, err = s.Invitation(t.Context(), invitation.ID)
	require.ErrorIs(t, err, watchparty.ErrNotFound, "what went to the confirmed address goes with the account")
	again := registration("andre2")
	again.Email = typedForms[2]
	_, err = s.CreateUser(t.Context(), again, "h")
	require.NoError(t, err, "the address is free again")
}

func TestNoAddressInTheStore(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	confirmAddresses(t, s, ada)
	room := newRoom(t, s, ada, nil)
	for _, bad := range []string{"", "ada", "Ada <ada@example.org>", "x@deleted.invalid", "ada@[192.0.2.1]"} {
		r := registration("eve")
		r.Email = bad
		_, err := s.CreateUser(t.Context(), r, "h")
		require.True(t, watchparty.IsKind(err, watchparty.KindInvalid), bad)
		_, err = s.Invite(t.Context(), room.ID, ada.ID, watchparty.NewInvitation{Email: bad}, IdempotencyKey{})
		require.True(t, watchparty.IsKind(err, watchparty.KindInvalid), bad)
		require.True(t, watchparty.IsKind(s.RequestEmailChange(t.Context(), ada.ID, "hash of ada", bad),
			watchparty.KindInvalid), bad)
		_, _, err = s.Credentials(t.Context(), bad)
		require.ErrorIs(t, err, watchparty.ErrNotFound, bad)
		require.NoError(t, s.RequestReset(t.Context(), bad, IdempotencyKey{}), "it does not tell")
	}
	require.Equal(t, 1, countRows(t, s, "users"))
	require.Zero(t, countRows(t, s, "invitations"))
}

func TestParallelRegistrationsOfOneAddress(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	var (
		wg   sync.WaitGroup
		errs [8]error
	)
	for i := range errs {
		r := registration(fmt.Sprint("andre", i))
		r.Email = typedForms[i%len(typedForms)]
		wg.Go(func() { _, errs[i] = s.CreateUser(t.Context(), r, "h") })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		require.ErrorIs(t, err, watchparty.ErrEmailTaken)
	}
	require.Equal(t, 1, made)
}

// Accounts whose addresses were stored before addresses had one form go on: each signs in by its own spelling.
func TestAccountsFoundBySpelling(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	winner, loser, odd := newUser(t, s, "winner"), newUser(t, s, "loser"), newUser(t, s, "odd")
	execute(t, s, "UPDATE users SET email = 'hans@bücher.example', email_key = 'hans@xn--bcher-kva.example' WHERE id = ?",
		winner.ID)
	execute(t, s, "UPDATE users SET email = 'Hans@xn--bcher-kva.example' WHERE id = ?", loser.ID)
	execute(t, s, "UPDATE users SET email = 'odd@foo_bar.example' WHERE id = ?", odd.ID)
	for typed, want := range map[string]watchparty.User{
		"hans@bücher.example": winner, "HANS@BÜCHER.example": winner, "hans@bu\u0308cher.example": winner,
		`"hans"@bücher.example`:      winner,
		"hans@xn--bcher-kva.example": loser, "HANS@XN--bcher-kva.example": loser, "odd@foo_bar.example": odd,
		"Odd@Foo_Bar.example": odd,
	} {
		found, _, err := s.Credentials(t.Context(), typed)
		require.NoError(t, err, typed)
		require.Equal(t, want.ID, found.ID, typed)
	}
	list, err := s.AccountsWithOldSpelling(t.Context(), 10)
	require.NoError(t, err)
	slices.SortFunc(list, func(a, b SpelledAccount) int { return strings.Compare(a.UserID, b.UserID) })
	require.Equal(t, []SpelledAccount{{UserID: loser.ID, HolderID: winner.ID}, {UserID: odd.ID}}, list)

	err = s.DeleteAccount(t.Context(), loser.ID, "hash of "+loser.Username)
	require.NoError(t, err)
	list, err = s.AccountsWithOldSpelling(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, list, 1, "those that are deleted are not in question")

	require.NoError(t, s.RequestEmailChange(t.Context(), odd.ID, "hash of odd", "odd@foobar.example"))
	require.NoError(t, s.VerifyEmail(t.Context(), readValue[string](t, s,
		"SELECT max(id::text) FROM email_verifications WHERE user_id = ?", odd.ID)))
	found, _, err := s.Credentials(t.Context(), "ODD@foobar.example")
	require.NoError(t, err)
	require.Equal(t, odd.ID, found.ID, "another address has a key")
}

// Opt-outs of before hashes were keyed hold for every form, and become keyed when their address is seen.
func TestPlainOptOutsHold(t *testing.T) {
	t.Parallel()
	for _, stored := range []string{"hans@b\u00fccher.example", "hans@xn--bcher-kva.example",
		"hans@bu\u0308cher.example"} {
		s := openStore(t)
		ada := newUser(t, s, "ada")
		room := newRoom(t, s, ada, nil)
		invitation := createInvitation(t, s, room, ada, "Hans@B\u00dccher.example")
		hash := sha256.Sum256([]byte(stored))
		execute(t, s, "INSERT INTO invitation_optouts (id, email_hash, created_at) VALUES (?, ?, '2026-01-02Z')", newID(),
			hash[:])
		for _, typed := range []string{"hans@xn--bcher-kva.example", "HANS@bu\u0308cher.example",
			"hans@b\u00fccher.example"} {
			out, err := s.OptedOut(t.Context(), typed)
			require.NoError(t, err)
			require.True(t, out, "%q by %q", stored, typed)
		}
		require.True(
			t,
			readValue[bool](
				t, s, "SELECT email_hash IS NULL AND address_hash <> ? AND created_at = '2026-01-02Z' FROM invitation_optouts",
				hash[:],
			),
		)
		require.NoError(t, s.OptOut(t.Context(), invitation.ID))
		require.Equal(t, 1, countRows(t, s, "invitation_optouts"))
		require.NoError(t, s.OptIn(t.Context(), invitation.ID))
		require.Zero(t, countRows(t, s, "invitation_optouts"))
		execute(t, s, "INSERT INTO invitation_optouts (id, email_hash) VALUES (?, ?)", newID(), hash[:])
		require.NoError(t, s.OptIn(t.Context(), invitation.ID), "without looking first")
		require.Zero(t, countRows(t, s, "invitation_optouts"))
	}
}

// A person who has the database and a list of addresses cannot find out which hashes belong to them.
func TestHashesAreKeyed(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	s.SetEmailLimit(5)
	ada := newUser(t, s, "ada")
	confirmAddresses(t, s, ada)
	invitation := createInvitation(t, s, newRoom(t, s, ada, nil), ada, "guest@example.org")
	require.NoError(t, s.OptOut(t.Context(), invitation.ID))
	require.NoError(t, s.RequestReset(WithClient(t.Context(), "192.0.2.1"), "guest@example.org", IdempotencyKey{}))
	report := diary{t, s}.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	_, err := s.QueueReportEmails(t.Context(), report.ID, reportReaders(t, "guest@example.org"))
	require.NoError(t, err)
	a := reportReaders(t, "guest@example.org")[0]
	id := readValue[string](t, s, "SELECT id FROM emails WHERE kind = 'room_invitation'")
	_, err = s.AdmitEmail(t.Context(), id, a)
	require.NoError(t, err)
	var hashes [][]byte
	require.NoError(
		t,
		s.db.NewRaw(`SELECT address_hash FROM invitation_optouts UNION ALL SELECT subject_hash FROM email_budgets
		UNION ALL SELECT recipient_hash FROM report_mails`).Scan(t.Context(), &hashes),
	)
	require.GreaterOrEqual(t, len(hashes), 6)
	for _, hash := range hashes {
		for _, plain := range append(a.Spellings(), "192.0.2.1", ada.ID) {
			sum := sha256.Sum256([]byte(plain))
			require.NotEqual(t, sum[:], hash)
			require.NotContains(t, string(hash), plain)
		}
	}
}
