package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// TestParallelAnswers: of all that can happen to an invitation at once, one thing does, and the room agrees with it.
func TestParallelAnswers(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, func(n *watchparty.NewRoom) {
		n.Visibility, n.Capacity = watchparty.Private,
			watchparty.MaxCapacity
	})
	one := func(t *testing.T, errs []error, want ...error) int {
		t.Helper()
		winner := -1
		for i, err := range errs {
			if err == nil {
				require.Equal(t, -1, winner, "two have won")
				winner = i
				continue
			}
			matches := false
			for _, w := range want {
				matches = matches || errors.Is(err, w)
			}
			require.True(t, matches, "%v", err)
		}
		require.NotEqual(t, -1, winner, "nobody has won")
		return winner
	}
	race := func(acts ...func() error) []error {
		errs := make([]error, len(acts))
		var wg sync.WaitGroup
		for i, act := range acts {
			wg.Go(func() { errs[i] = act() })
		}
		wg.Wait()
		return errs
	}
	entering := func(invited watchparty.Invitation, user watchparty.User) func() error {
		return func() error {
			_, err := s.AcceptInvitation(t.Context(), invited.ID, user.ID)
			return err
		}
	}
	for round := range 5 {
		user := func(name string) watchparty.User { return newUser(t, s, fmt.Sprint(name, round)) }
		address := func(name string) string { return fmt.Sprint(name, round, "@example.org") }

		t.Run("two users", func(t *testing.T) {
			bob, eve := user("bob"), user("eve")
			invited := createInvitation(t, s, room, ada, address("two"))
			users := []watchparty.User{bob, eve}
			winner := one(t, race(entering(invited, bob), entering(invited, eve)), watchparty.ErrBadToken)
			require.True(t, isIn(t, s, room, users[winner]))
			require.False(t, isIn(t, s, room, users[1-winner]))
			require.Empty(t, standingOf(t, s, room, users[1-winner]).Role)
		})

		t.Run("accepted, declined and revoked", func(t *testing.T) {
			carl := user("carl")
			invited := createInvitation(t, s, room, ada, address("three"))
			winner := one(t, race(entering(invited, carl),
				func() error { return s.DeclineInvitation(t.Context(), invited.ID) },
				func() error { return s.RevokeInvitation(t.Context(), invited.ID, ada.ID) },
			), watchparty.ErrBadToken, watchparty.ErrNotFound)
			want := []watchparty.InvitationState{watchparty.InvitationAccepted, watchparty.InvitationDeclined,
				watchparty.InvitationRevoked}[winner]
			require.Equal(t, want, stateOf(t, s, invited))
			require.Equal(t, winner == 0, isIn(t, s, room, carl))
			require.Equal(t, winner == 0, standingOf(t, s, room, carl).Role == watchparty.Viewer)
		})

		t.Run("accepted, and banned", func(t *testing.T) {
			dora := user("dora")
			invited := createInvitation(t, s, room, ada, address("ban"))
			errs := race(entering(invited, dora), func() error {
				_, err := s.Ban(t.Context(), room.ID, ada.ID, dora.Username, watchparty.NewBan{}, IdempotencyKey{})
				return err
			}, entering(invited, dora))
			require.NoError(t, errs[1])
			for _, err := range []error{errs[0], errs[2]} {
				if err != nil {
					require.ErrorIs(t, err, watchparty.ErrBanned)
				}
			}
			require.False(t, isIn(t, s, room, dora))
			require.Equal(t, watchparty.Standing{Banned: true}, standingOf(t, s, room, dora))
		})
	}
}

// readSignals are the signals to an invitation's workflow, each with the input of its start.
func readSignals(t *testing.T, s *Store, invited watchparty.Invitation) (signals []string) {
	t.Helper()
	var events []struct {
		Signal, Same string
	}
	require.NoError(t, s.db.NewRaw(`
		SELECT o.signal, (o.input = f.input AND o.workflow = f.workflow AND o.task_queue = f.task_queue
			AND o.summary = f.summary)::text AS same
		FROM outbox AS o JOIN outbox AS f ON f.workflow_id = o.workflow_id AND f.signal = '' WHERE o.workflow_id = ?
			ORDER BY o.id`,
		job.RoomInvitationID(invited.ID)).Scan(t.Context(), &events))
	for _, event := range events {
		require.Equal(t, "true", event.Same, event.Signal)
		signals = append(signals, event.Signal)
	}
	return signals
}

// TestWorkflowsHearOfAnswers: whatever ends an invitation tells its workflow, once, and keeps its emails from being
// sent.
func TestWorkflowsHearOfAnswers(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	for name, c := range map[string]struct {
		end  func(watchparty.Invitation) error
		want watchparty.InvitationState
	}{
		"accept": {func(i watchparty.Invitation) error { return acceptInvitation(t, s, i, bob) },
			watchparty.InvitationAccepted},
		"decline": {func(i watchparty.Invitation) error { return s.DeclineInvitation(t.Context(), i.ID) },
			watchparty.InvitationDeclined},
		"revoke": {func(i watchparty.Invitation) error { return s.RevokeInvitation(t.Context(), i.ID, ada.ID) },
			watchparty.InvitationRevoked},
		"delete the room": {func(i watchparty.Invitation) error { return s.DeleteRoom(t.Context(), i.RoomID, ada.ID, nil) },
			watchparty.InvitationRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			room := newRoom(t, s, ada, makePrivate)
			invited, other := createInvitation(t, s, room, ada, "guest@example.org"),
				createInvitation(t, s, newRoom(t, s, ada, nil), ada, "guest@example.org")
			require.Equal(t, []string{""}, readSignals(t, s, invited))
			first := readValue[string](t, s, "SELECT id FROM emails WHERE subject_id = ?", invited.ID)
			beginAttempt(t, s, first)
			markSent(t, s, first)
			reminder := queueReminder(t, s, first)
			for range 2 {
				if err := c.end(invited); err != nil { // the second time
					require.Contains(t, []string{"revoke", "delete the room"}, name, err)
				}
				require.Equal(t, []string{"", string(c.want)}, readSignals(t, s, invited))
			}
			require.Equal(t, c.want, stateOf(t, s, invited))
			require.Equal(t, watchparty.EmailSent, readEmail(t, s, first).State)
			require.Equal(t, watchparty.EmailCancelled, readEmail(t, s, reminder).State)
			require.Equal(t, []string{""}, readSignals(t, s, other), "nobody else's")
			require.Equal(t, watchparty.EmailQueued, readEmail(t, s,
				readValue[string](t, s, "SELECT id FROM emails WHERE subject_id = ?", other.ID)).State)
		})
	}
	t.Run("refused", func(t *testing.T) {
		room := newRoom(t, s, ada, makePrivate)
		invited := createInvitation(t, s, room, ada, "guest@example.org")
		banUser(t, s, room, ada, bob, nil)
		require.ErrorIs(t, acceptInvitation(t, s, invited, bob), watchparty.ErrBanned)
		require.Equal(t, []string{""}, readSignals(t, s, invited))
	})
}

func TestAcceptInvitation(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob, eve := newUser(t, s, "ada"), newUser(t, s, "bob"), newUser(t, s, "eve")

	t.Run("makes a member, once", func(t *testing.T) {
		room := newRoom(t, s, ada, makePrivate)
		invited := createInvitation(t, s, room, ada, bob.Email)
		require.NoError(t, acceptInvitation(t, s, invited, eve), "whoever has the token")
		require.Equal(t, watchparty.Viewer, standingOf(t, s, room, eve).Role)
		require.Equal(t, watchparty.InvitationAccepted, stateOf(t, s, invited))
		require.Equal(t, eve.ID, readValue[string](t, s, "SELECT user_id FROM invitations WHERE id = ?", invited.ID))

		require.NoError(t, acceptInvitation(t, s, invited, eve), "again")
		require.ErrorIs(t, acceptInvitation(t, s, invited, ada), watchparty.ErrBadToken, "not even by who may enter anyway")
		require.ErrorIs(t, acceptInvitation(t, s, invited, bob), watchparty.ErrBadToken)
		require.ErrorIs(t, s.DeclineInvitation(t.Context(), invited.ID), watchparty.ErrBadToken)
		require.ErrorIs(t, s.RevokeInvitation(t.Context(), invited.ID, ada.ID), watchparty.ErrNotFound)

		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, eve.ID))
		joinRoom(t, s, room, eve)
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, eve.ID))
		require.NoError(t, acceptInvitation(t, s, invited, eve), "a member may enter so too")

		acts := readRoomLog(t, s, room)
		require.Equal(t, []string{"invited", "invitation_accepted"}, actionsIn(acts))
		require.Equal(t, []any{"eve", "", map[string]any{"invitation_id": invited.ID}},
			[]any{acts[1].Actor.Username, acts[1].Target.ID, acts[1].Details})
	})

	t.Run("and a kick unmakes one", func(t *testing.T) {
		room := newRoom(t, s, ada, makePrivate)
		invited := createInvitation(t, s, room, ada, bob.Email)
		require.NoError(t, acceptInvitation(t, s, invited, bob))
		require.NoError(t, s.Kick(t.Context(), room.ID, ada.ID, "bob"))
		require.ErrorIs(t, acceptInvitation(t, s, invited, bob), watchparty.ErrBadToken)
		next := createInvitation(t, s, room, ada, bob.Email)
		require.NotEqual(t, invited.ID, next.ID, "they may be invited again")
		require.NoError(t, acceptInvitation(t, s, next, bob))
	})

	t.Run("lowers nobody", func(t *testing.T) {
		room := newRoom(t, s, ada, makePrivate)
		setMemberRole(t, s, room, bob, watchparty.Moderator)
		require.NoError(t, acceptInvitation(t, s, createInvitation(t, s, room, ada, "one@example.org"), bob))
		require.Equal(t, watchparty.Moderator, standingOf(t, s, room, bob).Role)
		require.NoError(t, acceptInvitation(t, s, createInvitation(t, s, room, ada, "two@example.org"), ada))
		require.Equal(t, watchparty.Host, standingOf(t, s, room, ada).Role)
	})

	t.Run("to a public room", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob)
		require.NoError(t, acceptInvitation(t, s, createInvitation(t, s, room, ada, bob.Email), bob))
		require.Equal(t, watchparty.Viewer, standingOf(t, s, room, bob).Role, "who stays in should the room become private")
	})

	t.Run("not by someone who is banned, until that ends", func(t *testing.T) {
		for _, again := range []bool{false, true} {
			room := newRoom(t, s, ada, makePrivate)
			invited := createInvitation(t, s, room, ada, bob.Email)
			if again {
				require.NoError(t, acceptInvitation(t, s, invited, bob))
			}
			until := Now().Add(time.Hour)
			banUser(t, s, room, ada, bob, &until)
			require.ErrorIs(t, acceptInvitation(t, s, invited, bob), watchparty.ErrBanned)
			require.False(t, isIn(t, s, room, bob))
			require.Empty(t, standingOf(t, s, room, bob).Role)
			execute(t, s, "UPDATE bans SET until = now() WHERE room_id = ?", room.ID)
			if again {
				require.ErrorIs(t, acceptInvitation(t, s, invited, bob), watchparty.ErrBadToken, "the ban took the membership")
				continue
			}
			require.Equal(t, watchparty.InvitationOpen, stateOf(t, s, invited))
			require.NoError(t, acceptInvitation(t, s, invited, bob))
		}
	})

	t.Run("stays open while the room is full or archived", func(t *testing.T) {
		room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Visibility, n.Capacity = watchparty.Private, 2 })
		invited := createInvitation(t, s, room, ada, bob.Email)
		setMemberRole(t, s, room, eve, watchparty.Viewer)
		joinRoom(t, s, room, eve)
		require.ErrorIs(t, acceptInvitation(t, s, invited, bob), watchparty.ErrRoomFull)
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", room.ID)
		require.ErrorIs(t, acceptInvitation(t, s, invited, bob), watchparty.ErrRoomArchived)
		require.ErrorIs(t, acceptInvitation(t, s, invited, eve), watchparty.ErrRoomArchived, "nor by who is in it")
		require.Equal(t, watchparty.InvitationOpen, stateOf(t, s, invited))
		require.Empty(t, standingOf(t, s, room, bob).Role)
		execute(t, s, "UPDATE rooms SET archived_at = NULL WHERE id = ?", room.ID)
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, eve.ID))
		require.NoError(t, acceptInvitation(t, s, invited, bob))
	})

	t.Run("not after it has ended", func(t *testing.T) {
		room := newRoom(t, s, ada, makePrivate)
		for name, end := range map[string]func(watchparty.Invitation){
			"declined": func(i watchparty.Invitation) {
				require.NoError(t, s.DeclineInvitation(t.Context(), i.ID))
				require.NoError(t, s.DeclineInvitation(t.Context(), i.ID), "again")
			},
			"revoked": func(i watchparty.Invitation) { require.NoError(t, s.RevokeInvitation(t.Context(), i.ID, ada.ID)) },
			"expired": func(i watchparty.Invitation) { expireInvitation(t, s, i) },
		} {
			invited := createInvitation(t, s, room, ada, name+"@example.org")
			end(invited)
			require.ErrorIs(t, acceptInvitation(t, s, invited, bob), watchparty.ErrBadToken, name)
			require.ErrorIs(t, s.RevokeInvitation(t.Context(), invited.ID, ada.ID), watchparty.ErrNotFound, name)
			if name != "declined" {
				require.ErrorIs(t, s.DeclineInvitation(t.Context(), invited.ID), watchparty.ErrBadToken, name)
			}
			require.Equal(t, name, string(stateOf(t, s, invited)))
		}
		require.Empty(t, standingOf(t, s, room, bob).Role)
	})

	t.Run("nor by nobody, nor for nothing", func(t *testing.T) {
		room := newRoom(t, s, ada, makePrivate)
		invited := createInvitation(t, s, room, ada, bob.Email)
		require.ErrorIs(t, acceptInvitation(t, s, invited, watchparty.User{ID: newID()}), watchparty.ErrUnauthenticated)
		require.Equal(t, watchparty.InvitationOpen, stateOf(t, s, invited))
		none := watchparty.Invitation{ID: newID()}
		require.ErrorIs(t, acceptInvitation(t, s, none, bob), watchparty.ErrBadToken)
		require.ErrorIs(t, s.DeclineInvitation(t.Context(), none.ID), watchparty.ErrBadToken)
		execute(t, s, "UPDATE rooms SET archived_at = now(), deleted_at = now() WHERE id = ?", room.ID)
		require.ErrorIs(t, acceptInvitation(t, s, invited, bob), watchparty.ErrBadToken)
		require.ErrorIs(t, s.DeclineInvitation(t.Context(), invited.ID), watchparty.ErrBadToken)
		require.ErrorIs(t, s.RevokeInvitation(t.Context(), invited.ID, ada.ID), watchparty.ErrNotFound)
	})
}
