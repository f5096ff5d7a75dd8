package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// createInvitation has an inviter's address confirmed.
func createInvitation(
	t *testing.T, s *Store, room watchparty.Room, inviter watchparty.User, email string,
) watchparty.Invitation {
	t.Helper()
	confirmAddresses(t, s, inviter)
	invited, err := s.Invite(t.Context(), room.ID, inviter.ID, watchparty.NewInvitation{Email: email}, IdempotencyKey{})
	require.NoError(t, err)
	return invited
}

func createInvitationError(t *testing.T, s *Store, room watchparty.Room, inviter watchparty.User, email string) error {
	t.Helper()
	_, err := s.Invite(t.Context(), room.ID, inviter.ID, watchparty.NewInvitation{Email: email}, IdempotencyKey{})
	return err
}

func acceptInvitation(t *testing.T, s *Store, invited watchparty.Invitation, user watchparty.User) error {
	t.Helper()
	room, err := s.AcceptInvitation(t.Context(), invited.ID, user.ID)
	if err == nil {
		require.Equal(t, invited.RoomID, room.ID)
		require.True(t, isIn(t, s, room, user))
	}
	return err
}

func stateOf(t *testing.T, s *Store, invited watchparty.Invitation) watchparty.InvitationState {
	t.Helper()
	found, err := s.Invitation(t.Context(), invited.ID)
	require.NoError(t, err)
	return found.State
}

func expireInvitation(t *testing.T, s *Store, invited watchparty.Invitation) {
	t.Helper()
	execute(t, s, "UPDATE invitations SET expires_at = now() WHERE id = ?", invited.ID)
}

// TestInvitingAgain: an open invitation whose email was not delivered does not prevent another invitation to the
// address.
func TestInvitingAgain(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	room := newRoom(t, s, ada, nil)
	setMemberRole(t, s, room, bob, watchparty.Moderator)

	first := createInvitation(t, s, room, ada, "guest@example.org")
	for _, state := range []string{"failed", "cancelled"} {
		execute(t, s, "UPDATE emails SET state = ? WHERE subject_id = ?", state, first.ID)
		second := createInvitation(t, s, room, ada, "GUEST@example.org")
		require.NotEqual(t, first.ID, second.ID)
		require.Equal(t, watchparty.InvitationRevoked, stateOf(t, s, first))
		require.Equal(t, 1, countEmails(t, s, watchparty.EmailRoomInvitation, second.ID))
		require.Equal(t, "revoked", readValue[string](t, s,
			"SELECT signal FROM outbox WHERE workflow_id = ? AND signal <> ''", job.RoomInvitationID(first.ID)))
		first = second
	}
	execute(t, s, "UPDATE emails SET state = 'failed' WHERE subject_id = ?", first.ID)
	execute(
		t,
		s,
		"INSERT INTO emails (id, kind, subject_id, workflow_id, resend_of) "+
			"SELECT gen_random_uuid(), kind, subject_id, 'again', id FROM emails WHERE subject_id = ?",
		first.ID,
	)
	require.Equal(t, first.ID, createInvitation(t, s, room, ada, "guest@example.org").ID, "an admin has sent it again")

	theirs := createInvitation(t, s, room, bob, "other@example.org")
	err := s.DeleteAccount(t.Context(), bob.ID, "hash of "+bob.Username)
	require.NoError(t, err)
	require.Equal(t, watchparty.InvitationRevoked, stateOf(t, s, theirs))
	require.NotEqual(t, theirs.ID, createInvitation(t, s, room, ada, "other@example.org").ID)
}

func TestOpenInvitation(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, makePrivate)
	invited := createInvitation(t, s, room, ada, "guest@example.org")
	found, in, err := s.OpenInvitation(t.Context(), invited.ID)
	require.NoError(t, err)
	require.Equal(t, []any{invited, room.ID, room.Name}, []any{found, in.ID, in.Name})
	for _, statement := range []string{
		"UPDATE invitations SET state = 'declined' WHERE id = ?",
		"UPDATE invitations SET state = 'open', expires_at = now() WHERE id = ?",
		"UPDATE invitations SET expires_at = now() + interval '1 d', inviter_id = NULL WHERE id = ?",
		"DELETE FROM invitations WHERE id = ?",
	} {
		execute(t, s, statement, invited.ID)
		_, _, err := s.OpenInvitation(t.Context(), invited.ID)
		require.ErrorIs(t, err, watchparty.ErrBadToken, statement)
	}
	other := createInvitation(t, s, room, ada, "other@example.org")
	require.NoError(t, s.DeleteRoom(t.Context(), room.ID, ada.ID, nil))
	_, _, err = s.OpenInvitation(t.Context(), other.ID)
	require.ErrorIs(t, err, watchparty.ErrBadToken)
}

func TestInvite(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")

	t.Run("without a confirmed address of one's own", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		require.ErrorIs(t, createInvitationError(t, s, room, ada, "guest@example.org"), watchparty.ErrEmailUnverified)
		require.Zero(t, countRows(t, s, "invitations"))
		confirmAddresses(t, s, ada)
		require.NoError(t, createInvitationError(t, s, room, ada, "guest@example.org"))
	})

	t.Run("promises an email", func(t *testing.T) {
		room := newRoom(t, s, ada, makePrivate)
		invited := createInvitation(t, s, room, ada, "Guest@Example.org")
		require.Equal(t, watchparty.Invitation{
			ID: invited.ID, RoomID: room.ID, Email: "Guest@Example.org", State: watchparty.InvitationOpen,
			Inviter:   ada.Person(),
			ExpiresAt: invited.CreatedAt.Add(7 * 24 * time.Hour), CreatedAt: invited.CreatedAt,
			Delivery: watchparty.Delivery{State: watchparty.EmailQueued},
		}, invited)
		stored, err := s.Invitation(t.Context(), invited.ID)
		require.NoError(t, err)
		require.Equal(t, invited, stored)

		emailID := readValue[string](t, s, "SELECT id FROM emails WHERE subject_id = ?", invited.ID)
		email := readEmail(t, s, emailID)
		require.Equal(t, []any{watchparty.EmailRoomInvitation, watchparty.EmailQueued, invited.ID, "",
			"room-invitation/" + invited.ID},
			[]any{email.Kind, email.State, email.SubjectID, email.UserID, email.WorkflowID})
		var event struct {
			Workflow, TaskQueue string
			Input               json.RawMessage
		}
		require.NoError(t, s.db.NewRaw("SELECT workflow, task_queue, input FROM outbox WHERE workflow_id = ?",
			email.WorkflowID).Scan(t.Context(), &event))
		require.Equal(t, []string{job.WorkflowRoomInvitation, job.TaskQueueEmail}, []string{event.Workflow, event.TaskQueue})
		expires := invited.ExpiresAt.Format(time.RFC3339Nano)
		require.JSONEq(t, `{"invitation_id": "`+invited.ID+`", "email_id": "`+emailID+`", "expires_at": "`+expires+`"}`,
			string(event.Input), "nothing else")

		acts := readRoomLog(t, s, room)
		require.Equal(t, []string{"invited"}, actionsIn(acts))
		require.Equal(t, []any{ada.ID, "", map[string]any{"invitation_id": invited.ID}},
			[]any{acts[0].Actor.ID, acts[0].Target.ID, acts[0].Details})
	})

	t.Run("an address that has an open one gives that", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		first := createInvitation(t, s, room, ada, "guest@example.org")
		emails, events := countRows(t, s, "emails"), countRows(t, s, "outbox")
		require.Equal(t, first, createInvitation(t, s, room, ada, "GUEST@example.org"))
		require.Equal(t, emails, countRows(t, s, "emails"))
		require.Equal(t, events, countRows(t, s, "outbox"))
		require.Len(t, readRoomLog(t, s, room), 1)
		require.NotEqual(t, first.ID, createInvitation(t, s, newRoom(t, s, ada, nil), ada, "guest@example.org").ID,
			"of another room")
	})

	t.Run("one that has ended makes way", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		for range 2 {
			former := createInvitation(t, s, room, ada, "guest@example.org")
			expireInvitation(t, s, former)
			require.Equal(t, watchparty.InvitationExpired, stateOf(t, s, former), "without anybody marking it")
			next := createInvitation(t, s, room, ada, "Guest@example.org")
			require.NotEqual(t, former.ID, next.ID)
			require.Equal(t, "expired", readValue[string](t, s, "SELECT state FROM invitations WHERE id = ?", former.ID))
			require.NoError(t, s.DeclineInvitation(t.Context(), next.ID))
		}
	})

	t.Run("by whom", func(t *testing.T) {
		bob := newUser(t, s, "bob")
		for _, visibility := range []watchparty.Visibility{watchparty.Public, watchparty.Private} {
			room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Visibility = visibility })
			want := watchparty.ErrForbidden
			if visibility == watchparty.Private {
				want = watchparty.ErrNotFound
			}
			open := createInvitation(t, s, room, ada, "one@example.org")
			confirmAddresses(t, s, bob)
			require.ErrorIs(t, createInvitationError(t, s, room, bob, "guest@example.org"), want)
			require.ErrorIs(t, s.RevokeInvitation(t.Context(), open.ID, bob.ID), want)
			setMemberRole(t, s, room, bob, watchparty.Viewer)
			require.ErrorIs(t, createInvitationError(t, s, room, bob, "guest@example.org"), watchparty.ErrForbidden)
			require.ErrorIs(t, s.RevokeInvitation(t.Context(), open.ID, bob.ID), watchparty.ErrForbidden)
			setMemberRole(t, s, room, bob, watchparty.Moderator)
			require.NoError(t, createInvitationError(t, s, room, bob, "guest@example.org"))
			require.NoError(t, s.RevokeInvitation(t.Context(), open.ID, bob.ID))
			banUser(t, s, room, ada, bob, nil)
			require.ErrorIs(t, createInvitationError(t, s, room, bob, "other@example.org"), watchparty.ErrBanned)
		}
		require.ErrorIs(t, createInvitationError(t, s, watchparty.Room{ID: newID()}, ada, "guest@example.org"),
			watchparty.ErrNotFound)
		require.ErrorIs(t, s.RevokeInvitation(t.Context(), newID(), ada.ID), watchparty.ErrNotFound)
	})

	t.Run("into an archived room", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		createInvitation(t, s, room, ada, "one@example.org")
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", room.ID)
		for _, address := range []string{"one@example.org", "two@example.org"} {
			require.ErrorIs(t, createInvitationError(t, s, room, ada, address), watchparty.ErrRoomArchived)
		}
	})

	t.Run("a request that is sent again", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		send := func(key, email string) watchparty.Invitation {
			idempotencyKey := IdempotencyKey{Hash: []byte(room.ID + key), Fingerprint: []byte(email)}
			invited, err := s.Invite(t.Context(), room.ID, ada.ID, watchparty.NewInvitation{Email: email}, idempotencyKey)
			require.NoError(t, err)
			return invited
		}
		first := send("a", "guest@example.org")
		require.Equal(t, first, send("b", "guest@example.org"), "another key, the same open one")
		require.NoError(t, s.RevokeInvitation(t.Context(), first.ID, ada.ID))
		for _, key := range []string{"a", "b"} {
			again := send(key, "guest@example.org")
			require.Equal(t, first.ID, again.ID, "it is not made anew")
			require.Equal(t, watchparty.InvitationRevoked, again.State)
		}
		require.NotEqual(t, first.ID, send("c", "guest@example.org").ID)
		_, err := s.Invite(t.Context(), room.ID, ada.ID, watchparty.NewInvitation{Email: "other@example.org"},
			IdempotencyKey{Hash: []byte(room.ID + "a"), Fingerprint: []byte("other@example.org")})
		require.ErrorIs(t, err, watchparty.ErrKeyReused)
	})

	t.Run("in parallel gives one", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		found := make([]watchparty.Invitation, 20)
		errs := make([]error, len(found))
		var wg sync.WaitGroup
		for i := range found {
			wg.Go(func() {
				found[i], errs[i] = s.Invite(t.Context(), room.ID, ada.ID, watchparty.NewInvitation{Email: "guest@example.org"},
					IdempotencyKey{})
			})
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
		for _, invited := range found {
			require.Equal(t, found[0], invited)
		}
		require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM outbox WHERE workflow_id = ?",
			"room-invitation/"+found[0].ID))
	})
}

func TestInvitationLimits(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	fill := func(t *testing.T, room watchparty.Room, inviter watchparty.User, n int, state string) {
		t.Helper()
		execute(t, s, `INSERT INTO invitations (id, room_id, inviter_id, email, state, expires_at)
			SELECT gen_random_uuid(), ?, ?, 'filler' || i || '@example.org', ?, now() + interval '7 d'
				FROM generate_series(1, ?) AS i`,
			room.ID, inviter.ID, state, n)
	}

	t.Run("50 open ones to a room", func(t *testing.T) {
		ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
		confirmAddresses(t, s, ada, bob)
		room := newRoom(t, s, ada, nil)
		setMemberRole(t, s, room, bob, watchparty.Moderator)
		fill(t, room, ada, 30, "declined")
		fill(t, room, ada, 49, "open")
		createInvitation(t, s, room, bob, "fifty@example.org")
		for _, inviter := range []watchparty.User{ada, bob} {
			err := createInvitationError(t, s, room, inviter, "more@example.org")
			require.ErrorIs(t, err, watchparty.ErrTooManyOpenInvitations)
			require.Contains(t, err.Error(), "The room has")
		}
		require.NoError(t, createInvitationError(t, s, room, bob, "FIFTY@example.org"), "the same again is none more")
		execute(t, s, "UPDATE invitations SET expires_at = now() WHERE room_id = ? AND email = 'filler1@example.org'",
			room.ID)
		require.NoError(t, createInvitationError(t, s, room, bob, "more@example.org"), "an expired one does not count")
	})

	t.Run("100 by one person within a day, in all rooms", func(t *testing.T) {
		ada, bob := newUser(t, s, "carl"), newUser(t, s, "dora")
		confirmAddresses(t, s, ada, bob)
		room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
		setMemberRole(t, s, room, bob, watchparty.Moderator)
		fill(t, room, ada, 60, "revoked")
		fill(t, other, ada, 39, "accepted")
		createInvitation(t, s, room, ada, "hundred@example.org")
		err := createInvitationError(t, s, other, ada, "more@example.org")
		require.ErrorIs(t, err, watchparty.ErrTooManyDailyInvitations)
		require.Contains(t, err.Error(), "You have sent")
		require.NoError(t, createInvitationError(t, s, room, bob, "more@example.org"), "another's do not count")
		execute(t, s,
			"UPDATE invitations SET created_at = now() - interval '24 h' WHERE inviter_id = ? AND email = 'filler1@example.org'",
			ada.ID)
		createInvitation(t, s, other, ada, "more@example.org")
	})

	t.Run("the last one of the day, into many rooms at once", func(t *testing.T) {
		ada := newUser(t, s, "erin")
		confirmAddresses(t, s, ada)
		fill(t, newRoom(t, s, ada, nil), ada, 99, "revoked")
		rooms := make([]watchparty.Room, 10)
		for i := range rooms {
			rooms[i] = newRoom(t, s, ada, nil)
		}
		errs := make([]error, len(rooms))
		var wg sync.WaitGroup
		for i, room := range rooms {
			wg.Go(func() {
				_, errs[i] = s.Invite(t.Context(), room.ID, ada.ID, watchparty.NewInvitation{Email: "guest@example.org"},
					IdempotencyKey{})
			})
		}
		wg.Wait()
		invited := 0
		for _, err := range errs {
			if err == nil {
				invited++
				continue
			}
			require.ErrorIs(t, err, watchparty.ErrTooManyDailyInvitations)
		}
		require.Equal(t, 1, invited)
	})
}

func TestListInvitations(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	room := newRoom(t, s, ada, makePrivate)
	createInvitation(t, s, newRoom(t, s, ada, nil), ada, "elsewhere@example.org")
	byState := map[watchparty.InvitationState][]string{}
	var want []string
	for range 3 {
		for _, state := range []watchparty.InvitationState{
			watchparty.InvitationOpen, watchparty.InvitationAccepted, watchparty.InvitationDeclined,
			watchparty.InvitationRevoked, watchparty.InvitationExpired,
		} {
			invited := createInvitation(t, s, room, ada, fmt.Sprintf("%s%d@example.org", state, len(want)))
			switch state {
			case watchparty.InvitationAccepted:
				require.NoError(t, acceptInvitation(t, s, invited, bob))
			case watchparty.InvitationDeclined:
				require.NoError(t, s.DeclineInvitation(t.Context(), invited.ID))
			case watchparty.InvitationRevoked:
				require.NoError(t, s.RevokeInvitation(t.Context(), invited.ID, ada.ID))
			case watchparty.InvitationExpired:
				expireInvitation(t, s, invited)
			}
			require.Equal(t, state, stateOf(t, s, invited))
			want = append([]string{invited.ID}, want...)
			byState[state] = append([]string{invited.ID}, byState[state]...)
		}
	}
	id := func(i watchparty.Invitation) string { return i.ID }
	list := func(state watchparty.InvitationState) func(Page) ([]watchparty.Invitation, error) {
		return func(p Page) ([]watchparty.Invitation, error) { return s.Invitations(t.Context(), room.ID, state, p) }
	}
	for _, limit := range []int{1, 2, 100} {
		require.Equal(t, want, pages(t, limit, list(""), id))
		for state, want := range byState {
			require.Equal(t, want, pages(t, limit, list(state), id), state)
		}
	}
	all, err := list("")(Page{Limit: 100})
	require.NoError(t, err)
	for _, invited := range all {
		answered := invited.State == watchparty.InvitationAccepted || invited.State == watchparty.InvitationDeclined
		require.Equal(t, answered, !invited.AnsweredAt.IsZero(), invited.State)
	}
	execute(t, s, "UPDATE users SET deleted_at = now() WHERE id = ?", ada.ID)
	all, err = list("")(Page{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, watchparty.Person{}, all[0].Inviter, "whose account is gone")
}

func TestExpireInvitation(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	mark := func(invited watchparty.Invitation) watchparty.InvitationState {
		state, err := s.ExpireInvitation(t.Context(), invited.ID)
		require.NoError(t, err)
		require.Equal(t, string(state), readValue[string](t, s, "SELECT state FROM invitations WHERE id = ?", invited.ID))
		return state
	}
	invited := createInvitation(t, s, room, ada, "guest@example.org")
	require.Equal(t, watchparty.InvitationOpen, mark(invited), "before its time")
	expireInvitation(t, s, invited)
	for range 2 {
		require.Equal(t, watchparty.InvitationExpired, mark(invited))
	}
	declined := createInvitation(t, s, room, ada, "other@example.org")
	require.NoError(t, s.DeclineInvitation(t.Context(), declined.ID))
	expireInvitation(t, s, declined)
	require.Equal(t, watchparty.InvitationDeclined, mark(declined))
	_, err := s.ExpireInvitation(t.Context(), newID())
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}
