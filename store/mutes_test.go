package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func muteUser(
	t *testing.T, s *Store, room watchparty.Room, actor, target watchparty.User, until time.Time,
) watchparty.Mute {
	t.Helper()
	muted, err := s.Mute(t.Context(), room.ID, actor.ID, target.Username,
		watchparty.NewMute{Until: until, Reason: "Noise"}, IdempotencyKey{})
	require.NoError(t, err)
	return muted
}

// mutedUntil is what the list of participants says.
func mutedUntil(t *testing.T, s *Store, room watchparty.Room, user watchparty.User) time.Time {
	t.Helper()
	people, err := s.Participants(t.Context(), room.ID)
	require.NoError(t, err)
	i := slices.IndexFunc(people, func(p watchparty.Participant) bool { return p.User.ID == user.ID })
	require.NotEqual(t, -1, i)
	return people[i].MutedUntil
}

func TestMute(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	until := Now().Add(time.Hour)

	t.Run("outlasts leaving and coming back, until it is lifted", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob)
		muted := muteUser(t, s, room, ada, bob, until)
		require.Equal(t, watchparty.Mute{
			ID: muted.ID, User: bob.Person(),
			By:     ada.Person(),
			Reason: "Noise", Until: until, CreatedAt: muted.CreatedAt,
		}, muted)
		require.Equal(t, until, mutedUntil(t, s, room, bob))
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, bob.ID))
		joinRoom(t, s, room, bob)
		require.Equal(t, until, mutedUntil(t, s, room, bob))
		require.NoError(t, s.Kick(t.Context(), room.ID, ada.ID, "bob"))
		joinRoom(t, s, room, bob)
		require.Equal(t, until, mutedUntil(t, s, room, bob))

		require.NoError(t, s.LiftMute(t.Context(), room.ID, ada.ID, "bob"))
		require.Zero(t, mutedUntil(t, s, room, bob))
		require.ErrorIs(t, s.LiftMute(t.Context(), room.ID, ada.ID, "bob"), watchparty.ErrNotFound)
		acts := readRoomLog(t, s, room)
		require.Equal(t, []string{"muted", "kicked", "mute_lifted"}, actionsIn(acts))
		require.Equal(t, map[string]any{"until": until.Format(time.RFC3339Nano), "reason": "Noise"}, acts[0].Details)
		require.Equal(t, "bob", acts[2].Target.Username)
	})

	t.Run("ends by itself", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob)
		muteUser(t, s, room, ada, bob, until)
		execute(t, s, "UPDATE mutes SET until = now() - interval '1 microsecond' WHERE room_id = ?", room.ID)
		require.Zero(t, mutedUntil(t, s, room, bob))
		require.ErrorIs(t, s.LiftMute(t.Context(), room.ID, ada.ID, "bob"), watchparty.ErrNotFound)
		mutes, err := s.Mutes(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Empty(t, mutes)
	})

	t.Run("replaces the former, of someone who is not there", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		muteUser(t, s, room, ada, bob, until)
		second := muteUser(t, s, room, ada, bob, until.Add(time.Hour))
		mutes, err := s.Mutes(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []watchparty.Mute{second}, mutes)
	})

	t.Run("of one who became a moderator: by the host only", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		eve := newUser(t, s, "eve")
		setMemberRole(t, s, room, eve, watchparty.Moderator)
		muteUser(t, s, room, eve, bob, until)
		setMemberRole(t, s, room, bob, watchparty.Moderator)
		for _, actor := range []watchparty.User{bob, eve} {
			require.ErrorIs(t, s.LiftMute(t.Context(), room.ID, actor.ID, "bob"), watchparty.ErrForbidden)
		}
		require.NoError(t, s.LiftMute(t.Context(), room.ID, ada.ID, "bob"))
	})

	t.Run("listed newest first, and on after one that was lifted", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		var want []string
		for i := range 7 {
			user := newUser(t, s, fmt.Sprint("guest", i))
			want = append([]string{muteUser(t, s, room, ada, user, until).ID}, want...)
		}
		list := func(p Page) ([]watchparty.Mute, error) { return s.Mutes(t.Context(), room.ID, p) }
		id := func(m watchparty.Mute) string { return m.ID }
		for _, limit := range []int{1, 3, 7, 100} {
			require.Equal(t, want, pages(t, limit, list, id))
		}
		require.NoError(t, s.LiftMute(t.Context(), room.ID, ada.ID, "guest4"))
		rest, err := list(Page{Limit: 100, After: Keys{want[2]}})
		require.NoError(t, err)
		require.Equal(t, want[3:], ids(rest, id))
	})
}
