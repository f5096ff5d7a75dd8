package store

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// grantedAdmin makes somebody an admin, with a confirmed address.
func grantedAdmin(t testing.TB, s *Store, name string) watchparty.User {
	t.Helper()
	user := newUser(t, s, name)
	confirmAddresses(t, s, user)
	admin, err := s.GrantAdmin(t.Context(), user.Email)
	require.NoError(t, err)
	return admin
}

// TestGrantAdminNeedsAnAddress: no operation makes an account with an unconfirmed address an admin.
func TestGrantAdminNeedsAnAddress(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := grantedAdmin(t, s, "root")
	squatter := newUser(t, s, "squatter")
	before := countRows(t, s, "audit")
	for name, grant := range map[string]func() (watchparty.User, error){
		"by command":  func() (watchparty.User, error) { return s.GrantAdmin(t.Context(), squatter.Email) },
		"by an admin": func() (watchparty.User, error) { return s.GrantAdminTo(t.Context(), root.ID, squatter.ID) },
	} {
		_, err := grant()
		require.ErrorIs(t, err, watchparty.ErrAccountUnverified, name)
	}
	stored, err := s.User(t.Context(), squatter.ID)
	require.NoError(t, err)
	require.Equal(t, squatter, stored, "nothing is stored")
	require.Equal(t, before, countRows(t, s, "audit"))

	execute(t, s, "UPDATE users SET is_admin = true WHERE id = ?", squatter.ID) // as former versions did
	stored, err = s.User(t.Context(), squatter.ID)
	require.NoError(t, err)
	require.False(t, stored.Administers())
	_, err = s.GrantAdmin(t.Context(), squatter.Email)
	require.ErrorIs(t, err, watchparty.ErrAccountUnverified)
	_, err = s.RevokeAdmin(t.Context(), root.Email)
	require.ErrorIs(t, err, watchparty.ErrLastAdmin, "it does not count")
	_, err = s.RevokeAdmin(t.Context(), squatter.Email)
	require.NoError(t, err)
}

func TestRevokeAdmin(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root, ada := grantedAdmin(t, s, "root"), grantedAdmin(t, s, "ada")
	for range 2 { // the second changes nothing
		revoked, err := s.RevokeAdminOf(t.Context(), root.ID, ada.ID)
		require.NoError(t, err)
		require.False(t, revoked.Admin)
	}
	log, err := s.Audit(t.Context(), watchparty.AuditFilter{Action: watchparty.AuditAdminRevoked}, Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, log, 1)
	require.Equal(t, []any{root.ID, ada.ID}, []any{log[0].Actor.ID, log[0].TargetID})

	granted, err := s.GrantAdminTo(t.Context(), root.ID, ada.ID)
	require.NoError(t, err)
	require.True(t, granted.Administers())
	_, err = s.RevokeAdmin(t.Context(), "ROOT@example.org")
	require.NoError(t, err)
	log, err = s.Audit(t.Context(), watchparty.AuditFilter{Action: watchparty.AuditAdminRevoked}, Page{Limit: 10})
	require.NoError(t, err)
	require.Zero(t, log[0].Actor, "by a command")
	admins, err := s.Users(t.Context(), watchparty.UserFilter{Admins: true}, Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []string{"ada"}, usernames(admins))
	_, err = s.RevokeAdmin(t.Context(), "nobody@example.org")
	require.ErrorIs(t, err, watchparty.ErrNotFound)
	_, err = s.RevokeAdminOf(t.Context(), ada.ID, newID())
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

// endings are all that ends an admin's rights.
var endings = map[string]func(t *testing.T, s *Store, by, admin watchparty.User) error{
	"revoked by an admin": func(t *testing.T, s *Store, by, admin watchparty.User) error {
		_, err := s.RevokeAdminOf(t.Context(), by.ID, admin.ID)
		return err
	},
	"revoked by command": func(t *testing.T, s *Store, _, admin watchparty.User) error {
		_, err := s.RevokeAdmin(t.Context(), admin.Email)
		return err
	},
	"suspended": func(t *testing.T, s *Store, by, admin watchparty.User) error {
		_, err := s.SuspendUser(t.Context(), by.ID, admin.ID, watchparty.Suspension{Reason: "Spam"})
		return err
	},
	"account deleted": func(t *testing.T, s *Store, _, admin watchparty.User) error {
		err := s.DeleteAccount(t.Context(), admin.ID, "hash of "+admin.Username)
		return err
	},
}

// TestTheLastAdminStays: whatever would end the last admin's rights is refused, and stores nothing.
func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t)
			root := grantedAdmin(t, s, "root")
			newRoom(t, s, root, nil)
			// None of these is one who could go on.
			suspended, unconfirmed, gone := grantedAdmin(t, s, "suspended"), newUser(t, s, "unconfirmed"), newUser(t, s, "gone")
			execute(t, s, "UPDATE users SET suspended_at = now() WHERE id = ?", suspended.ID)
			execute(t, s, "UPDATE users SET is_admin = true WHERE id IN (?, ?)", unconfirmed.ID, gone.ID)
			execute(t, s, "UPDATE users SET email_verified_at = now(), deleted_at = now() WHERE id = ?", gone.ID)
			before, audited := readValue[string](t, s, "SELECT u::text FROM users AS u WHERE id = ?", root.ID),
				countRows(t, s, "audit")

			require.ErrorIs(t, end(t, s, root, root), watchparty.ErrLastAdmin)
			require.Equal(t, before, readValue[string](t, s, "SELECT u::text FROM users AS u WHERE id = ?", root.ID))
			require.Equal(t, audited, countRows(t, s, "audit"))
			require.Equal(t, 1, countRows(t, s, "participants"), "nor have they left their room")

			other := grantedAdmin(t, s, "other")
			require.NoError(t, end(t, s, other, root))
			require.ErrorIs(t, end(t, s, other, other), watchparty.ErrLastAdmin)
			_, err := s.RevokeAdmin(t.Context(), suspended.Email)
			require.NoError(t, err, "nobody is left without admins by that")
		})
	}
}

// TestAdminsEndEachOther: when two admins end each other's rights at once, in any way, one remains.
func TestAdminsEndEachOther(t *testing.T) {
	t.Parallel()
	for name, end := range endings {
		for otherName, otherEnd := range endings {
			t.Run(name+", "+otherName, func(t *testing.T) {
				t.Parallel()
				s := openStore(t)
				one, other := grantedAdmin(t, s, "one"), grantedAdmin(t, s, "other")
				b := raiseBarrier(t, s, "UPDATE", "users") // both have decided, or one waits for the other's decision
				var (
					wg        sync.WaitGroup
					err, err2 error
				)
				wg.Go(func() { err = end(t, s, one, other) })
				wg.Go(func() { err2 = otherEnd(t, s, other, one) })
				b.awaitStopped(t, 2, nil)
				b.release(t)
				wg.Wait()
				if err == nil {
					err = err2
				} else {
					require.NoError(t, err2)
				}
				var coded *watchparty.Error // it is the last one, or whose rights ended was to act
				require.ErrorAs(t, err, &coded)
				require.Contains(t, []string{"last_admin", "forbidden", "unauthenticated"}, coded.Code)
				require.Equal(t, 1, readValue[int](t, s, `SELECT count(*) FROM users
					WHERE is_admin AND deleted_at IS NULL AND suspended_at IS NULL AND email_verified_at IS NOT NULL`))
			})
		}
	}
}

// TestAdminChangesAddress: the rights are the account's, whatever its address.
func TestAdminChangesAddress(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := grantedAdmin(t, s, "root")
	require.NoError(t, s.RequestEmailChange(t.Context(), root.ID, "hash of root", "moved@example.org"))
	user, err := s.User(t.Context(), root.ID)
	require.NoError(t, err)
	require.True(t, user.Administers(), "while the new address waits for its confirmation")
	require.NoError(t, s.VerifyEmail(t.Context(), readValue[string](t, s,
		"SELECT id FROM email_verifications WHERE email = 'moved@example.org'")))
	user, err = s.User(t.Context(), root.ID)
	require.NoError(t, err)
	require.True(t, user.Administers())
	_, err = s.GrantAdmin(t.Context(), root.Email)
	require.ErrorIs(t, err, watchparty.ErrNotFound, "the former address is nobody's")
}

// TestRightsThatHaveEnded: an act of an admin fails if the admin's rights were revoked before it commits, also an act
// that would restore them.
func TestRightsThatHaveEnded(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := grantedAdmin(t, s, "root")
	for name, act := range map[string]func(s *Store, actor, other watchparty.User) error{
		"grant oneself": func(s *Store, actor, _ watchparty.User) error {
			return second(s.GrantAdminTo(t.Context(), actor.ID, actor.ID))
		},
		"reinstate oneself": func(s *Store, actor, _ watchparty.User) error {
			return second(s.ReinstateUser(t.Context(), actor.ID, actor.ID))
		},
		"grant another": func(s *Store, actor, other watchparty.User) error {
			return second(s.GrantAdminTo(t.Context(), actor.ID, other.ID))
		},
		"revoke another": func(s *Store, actor, other watchparty.User) error {
			return second(s.RevokeAdminOf(t.Context(), actor.ID, other.ID))
		},
		"suspend another": func(s *Store, actor, other watchparty.User) error {
			return second(s.SuspendUser(t.Context(), actor.ID, other.ID, watchparty.Suspension{Reason: "x"}))
		},
		"end another's sessions": func(s *Store, actor, other watchparty.User) error {
			return s.EndUserSessions(t.Context(), actor.ID, other.ID)
		},
	} {
		for ended, end := range map[string]func(admin watchparty.User) error{
			"revoked": func(admin watchparty.User) error { return second(s.RevokeAdminOf(t.Context(), root.ID, admin.ID)) },
			"suspended": func(admin watchparty.User) error {
				return second(s.SuspendUser(t.Context(), root.ID, admin.ID, watchparty.Suspension{Reason: "x"}))
			},
		} {
			t.Run(name+", "+ended, func(t *testing.T) {
				id := newID()[24:]
				admin, other := grantedAdmin(t, s, "a"+id), grantedAdmin(t, s, "o"+id)
				require.NoError(t, end(admin))
				before := readValue[string](t, s, "SELECT string_agg(u::text, ',' ORDER BY id) FROM users AS u WHERE id IN (?, ?)",
					admin.ID, other.ID)
				var coded *watchparty.Error
				require.ErrorAs(t, act(s, admin, other), &coded)
				require.Contains(t, []string{"forbidden", "unauthenticated"}, coded.Code)
				require.Equal(t, before, readValue[string](t, s,
					"SELECT string_agg(u::text, ',' ORDER BY id) FROM users AS u WHERE id IN (?, ?)", admin.ID, other.ID))
			})
		}
	}
}
