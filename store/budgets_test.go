package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// openLimitedStore is a store in which emails count.
func openLimitedStore(t *testing.T, emails int) *Store {
	t.Helper()
	s := openStore(t)
	s.SetEmailLimit(emails)
	return s
}

func parseAddress(t *testing.T, typed string) watchparty.Address {
	t.Helper()
	to, err := watchparty.ParseAddress(typed)
	require.NoError(t, err)
	return to
}

// queueEmail adds an email of a kind, about nothing.
func queueEmail(t *testing.T, s *Store, kind watchparty.EmailKind) (id string) {
	t.Helper()
	id = newID()
	execute(t, s, "INSERT INTO emails (id, kind, subject_id, workflow_id) VALUES (?, ?, ?, '')", id, string(kind), newID())
	return id
}

// admitEmail reports whether an email may be sent to an address now.
func admitEmail(t *testing.T, s *Store, id string, to watchparty.Address) bool {
	t.Helper()
	wait, err := s.AdmitEmail(t.Context(), id, to)
	require.NoError(t, err)
	email := readEmail(t, s, id)
	require.Equal(t, wait > 0, !email.WaitsUntil.IsZero())
	return wait == 0
}

// passTime lets time pass for what was counted.
func passTime(t *testing.T, s *Store, d string) {
	t.Helper()
	execute(t, s, "UPDATE email_budgets SET times = ARRAY(SELECT t - ?::interval FROM unnest(times) AS t ORDER BY t)", d)
}

// Every kind counts against its recipient, in whatever way the address is written: none goes out without limit.
func TestEveryKindCountsForItsRecipient(t *testing.T) {
	t.Parallel()
	for _, kind := range watchparty.EmailKinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := openLimitedStore(t, 5)
			rule, known := kind.Rule()
			require.True(t, known, "say in emailRules what the kind counts against")
			least := watchparty.EmailLimit{Hour: 1000, Day: 1000}
			for _, budget := range rule.Recipient {
				limit := budget.Limit(5)
				least = watchparty.EmailLimit{Hour: min(least.Hour, limit.Hour), Day: min(least.Day, limit.Day)}
			}
			day := 0
			for hour := 0; day < least.Day; hour++ {
				for range min(least.Hour, least.Day-day) {
					require.True(t, admitEmail(t, s, queueEmail(t, s, kind), parseAddress(t, typedForms[day%len(typedForms)])))
					day++
				}
				over := queueEmail(t, s, kind)
				require.False(t, admitEmail(t, s, over, parseAddress(t, typedForms[0])), "the hour's are used up")
				require.True(t, admitEmail(t, s, queueEmail(t, s, kind),
					parseAddress(t, fmt.Sprintf("other%d@example.org", hour))), "others have theirs")
				if day < least.Day {
					require.WithinDuration(t, time.Now().Add(time.Hour), readEmail(t, s, over).WaitsUntil, 5*time.Minute)
				}
				passTime(t, s, "61 min")
			}
			require.False(t, admitEmail(t, s, queueEmail(t, s, kind), parseAddress(t, typedForms[1])), "the day's are used up")
			passTime(t, s, "24 h")
			require.True(t, admitEmail(t, s, queueEmail(t, s, kind), parseAddress(t, typedForms[2])))
		})
	}
}

func TestEmailBudgets(t *testing.T) {
	t.Parallel()
	s := openLimitedStore(t, 5)
	to := parseAddress(t, "ada@example.org")
	sendAll := func(kind watchparty.EmailKind, n int) (sent int) {
		t.Helper()
		for range n {
			if admitEmail(t, s, queueEmail(t, s, kind), to) {
				sent++
			}
		}
		return sent
	}
	require.Equal(t, 3, sendAll(watchparty.EmailRoomInvitation, 8), "strangers cannot use up what the owner needs")
	require.Equal(t, 2, sendAll(watchparty.EmailVerification, 8), "all kinds together")
	require.Equal(t, 5, sendAll(watchparty.EmailReset, 8), "but links that set a password")
	require.Equal(t, 5, sendAll(watchparty.EmailAddressChanged, 8), "but what the owner has to learn")

	t.Run("an email counts once", func(t *testing.T) {
		id := queueEmail(t, s, watchparty.EmailWelcome)
		other := parseAddress(t, "bob@example.org")
		for range 10 {
			require.True(t, admitEmail(t, s, id, other))
		}
		require.Equal(t, 1, readValue[int](t, s,
			"SELECT cardinality(times) FROM email_budgets ORDER BY created_at DESC, id DESC LIMIT 1"))
	})
	t.Run("one that waits counts when it goes", func(t *testing.T) {
		id := queueEmail(t, s, watchparty.EmailVerification)
		require.False(t, admitEmail(t, s, id, to))
		require.False(t, admitEmail(t, s, id, to))
		passTime(t, s, "61 min")
		require.True(t, admitEmail(t, s, id, to))
		require.True(t, readEmail(t, s, id).WaitsUntil.IsZero())
	})
	t.Run("one that has ended does not count", func(t *testing.T) {
		id := queueEmail(t, s, watchparty.EmailWelcome)
		execute(t, s, "UPDATE emails SET state = 'cancelled' WHERE id = ?", id)
		before := countRows(t, s, "email_budgets")
		require.True(t, admitEmail(t, s, id, parseAddress(t, "carol@example.org")))
		require.Equal(t, before, countRows(t, s, "email_budgets"))
	})
	t.Run("a row ends with its day", func(t *testing.T) {
		require.True(
			t,
			readValue[bool](
				t, s, "SELECT bool_and(expires_at BETWEEN now() + interval '23 h' AND now() + interval '25 h') FROM email_budgets",
			),
		)
	})
	_, err := s.AdmitEmail(t.Context(), newID(), to)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

// Eight times register and delete, at once with eight more: no more emails than the limit, whatever becomes of the
// accounts.
func TestCountOutlivesAccounts(t *testing.T) {
	t.Parallel()
	s := openLimitedStore(t, 5)
	to := parseAddress(t, "victim@example.org")
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		sent int
	)
	for round := range 2 {
		wg.Go(func() {
			for i := range 8 {
				r := registration(fmt.Sprintf("again%d-%d", round, i))
				r.Email = fmt.Sprintf("victim@%s", []string{"example.org", "EXAMPLE.org"}[i%2])
				user, err := s.CreateUser(t.Context(), r, "h")
				for errors.Is(err, watchparty.ErrEmailTaken) { // the other round has it
					user, err = s.CreateUser(t.Context(), r, "h")
				}
				if err != nil {
					t.Error(err)
					return
				}
				wait, err := s.AdmitEmail(t.Context(), readValue[string](t, s, "SELECT id FROM emails WHERE user_id = ?", user.ID),
					to)
				if err == nil && wait == 0 {
					mu.Lock()
					sent++
					mu.Unlock()
				}
				if err := s.DeleteAccount(t.Context(), user.ID, "h"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 5, sent)
}

// Eight rooms invite one address at once.
func TestRoomsInviteOneAddress(t *testing.T) {
	t.Parallel()
	s := openLimitedStore(t, 5)
	hosts := make([]watchparty.User, 8)
	ids := make([]string, len(hosts))
	for i := range hosts {
		hosts[i] = newUser(t, s, fmt.Sprint("host", i))
		confirmAddresses(t, s, hosts[i])
		invitation := createInvitation(t, s, newRoom(t, s, hosts[i], nil), hosts[i], typedForms[i%len(typedForms)])
		ids[i] = readValue[string](t, s, "SELECT id FROM emails WHERE subject_id = ?", invitation.ID)
	}
	var (
		wg    sync.WaitGroup
		waits [8]time.Duration
		errs  [8]error
	)
	for i, id := range ids {
		wg.Go(func() {
			waits[i], errs[i] = s.AdmitEmail(t.Context(), id, parseAddress(t, typedForms[(i+1)%len(typedForms)]))
		})
	}
	wg.Wait()
	sent := 0
	for i := range ids {
		require.NoError(t, errs[i])
		if waits[i] == 0 {
			sent++
		}
	}
	require.Equal(t, 3, sent)
	require.Equal(t, 5, readValue[int](t, s,
		"SELECT count(*) FROM emails WHERE waits_until > now() AND state = 'queued'"), "the others come later")
}

// A request over the limit is refused, whether or not the address has an account.
func TestAskersAreLimited(t *testing.T) {
	t.Parallel()
	limited := func(err error) bool { return watchparty.IsKind(err, watchparty.KindLimited) }
	for name, scene := range map[string]struct {
		limit int
		ask   func(s *Store, ada watchparty.User, n int) error
	}{
		"resets of one address": {2, func(s *Store, _ watchparty.User, n int) error {
			return s.RequestReset(t.Context(), []string{"ada@example.org", " ADA@EXAMPLE.ORG"}[n%2], IdempotencyKey{})
		}},
		"resets of nobody": {2, func(s *Store, _ watchparty.User, n int) error {
			return s.RequestReset(t.Context(), []string{"nobody@bücher.example", "nobody@xn--bcher-kva.example"}[n%2],
				IdempotencyKey{})
		}},
		"resets by one client": {40, func(s *Store, _ watchparty.User, n int) error {
			return s.RequestReset(WithClient(t.Context(), "192.0.2.1"), fmt.Sprintf("nobody%d@example.org", n), IdempotencyKey{})
		}},
		"registrations by one client": {400, func(s *Store, _ watchparty.User, n int) error {
			_, err := s.CreateUser(WithClient(t.Context(), "192.0.2.1"), registration(fmt.Sprint("many", n)), "h")
			return err
		}},
		"changes of address": {2, func(s *Store, ada watchparty.User, n int) error {
			return s.RequestEmailChange(t.Context(), ada.ID, "hash of ada", fmt.Sprintf("new%d@example.org", n))
		}},
		"confirmations": {2, func(s *Store, ada watchparty.User, _ int) error {
			execute(t, s, "UPDATE users SET email_verified_at = NULL WHERE id = ?", ada.ID)
			return s.ResendVerification(t.Context(), ada.ID, IdempotencyKey{})
		}},
		"invitations": {20, func(s *Store, ada watchparty.User, n int) error {
			execute(t, s, "UPDATE users SET email_verified_at = now() WHERE id = ?", ada.ID)
			room := newRoom(t, s, ada, nil)
			_, err := s.Invite(t.Context(), room.ID, ada.ID,
				watchparty.NewInvitation{Email: fmt.Sprintf("guest%d@example.org", n)}, IdempotencyKey{})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openLimitedStore(t, 2)
			ada := newUser(t, s, "ada")
			before := countRows(t, s, "emails")
			for n := range scene.limit {
				require.NoError(t, scene.ask(s, ada, n))
			}
			for n := range 2 {
				err := scene.ask(s, ada, scene.limit+n)
				require.True(t, limited(err), "%v", err)
				var coded *watchparty.Error
				require.ErrorAs(t, err, &coded)
				require.InDelta(t, time.Hour.Seconds(), coded.RetryAfter.Seconds(), 300)
			}
			require.Equal(t, before+scene.limit, countRows(t, s, "emails"), "what is refused leaves nothing")
			passTime(t, s, "61 min")
			require.NoError(t, scene.ask(s, ada, scene.limit+2))
		})
	}

	t.Run("at once", func(t *testing.T) {
		s := openLimitedStore(t, 2)
		ada := newUser(t, s, "ada")
		var (
			wg   sync.WaitGroup
			errs [8]error
		)
		for i := range errs {
			wg.Go(func() { errs[i] = s.RequestReset(WithClient(t.Context(), "192.0.2.1"), ada.Email, IdempotencyKey{}) })
		}
		wg.Wait()
		taken := slices.DeleteFunc(errs[:], func(err error) bool { return limited(err) })
		require.Equal(t, []error{nil, nil}, taken)
	})
	t.Run("a request that is sent again does not count", func(t *testing.T) {
		s := openLimitedStore(t, 2)
		idempotencyKey := IdempotencyKey{Hash: []byte("key"), Fingerprint: []byte("print")}
		for range 5 {
			require.NoError(t, s.RequestReset(t.Context(), "ada@example.org", idempotencyKey))
		}
	})
}

func TestEmailsWithoutLimit(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for range 30 {
		require.True(t, admitEmail(t, s, queueEmail(t, s, watchparty.EmailWelcome), parseAddress(t, "ada@example.org")))
		require.NoError(t, s.RequestReset(WithClient(t.Context(), "192.0.2.1"), "ada@example.org", IdempotencyKey{}))
	}
	require.Zero(t, countRows(t, s, "email_budgets"))
}
