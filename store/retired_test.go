package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestRetiredRooms(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin, host := newAdmin(t, s, "admin"), newUser(t, s, "host")
	retire := func(t *testing.T) watchparty.Room {
		room := newRoom(t, s, host, nil)
		postMessage(t, s, room, host, "long ago")
		execute(
			t, s, "UPDATE rooms SET updated_at = now() - interval '31 d', last_active_at = now() - interval '31 d' WHERE id = ?",
			room.ID,
		)
		execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '31 d' WHERE room_id = ?", room.ID)
		execute(t, s, "UPDATE messages SET created_at = now() - interval '31 d' WHERE room_id = ?", room.ID)
		run := newRun(t, s, admin, false)
		require.Equal(t, []string{room.ID}, applyPolicy(t, s, run.ID, watchparty.PolicyRooms, time.Now().
			Add(-30*24*time.Hour), 10))
		return room
	}
	purge := func(t *testing.T) int {
		return drainPolicy(t, s, newRun(t, s, admin, false).ID, watchparty.PolicyArchived, time.Now().Add(-7*24*time.Hour))
	}
	age := func(room watchparty.Room) {
		execute(t, s, "UPDATE rooms SET retired_at = now() - interval '8 d' WHERE id = ?", room.ID)
	}

	t.Run("are listed, and restored by an admin", func(t *testing.T) {
		room := retire(t)
		list, err := s.RetiredRooms(t.Context(), Page{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []string{room.ID}, roomIDs(list))
		age(room)
		for range 2 { // the second changes nothing
			restored, err := s.RestoreRoom(t.Context(), admin.ID, room.ID)
			require.NoError(t, err)
			require.True(t, restored.ArchivedAt.IsZero() && restored.RetiredAt.IsZero())
			require.Equal(t, 3, restored.Version)
		}
		require.Equal(t, 1, readValue[int](t, s,
			"SELECT count(*) FROM audit WHERE action = 'room_restored' AND target_id = ?", room.ID))
		require.Zero(t, purge(t))
		require.Empty(t, applyPolicy(t, s, newRun(t, s, admin, false).ID, watchparty.PolicyRooms, time.Now().
			Add(-30*24*time.Hour), 10), "it counts as active")
	})

	t.Run("are opened by their hosts", func(t *testing.T) {
		room := retire(t)
		age(room)
		_, err := s.UpdateRoom(t.Context(), room.ID, host.ID, watchparty.RoomChange{Archived: ptr(false)}, nil)
		require.NoError(t, err)
		require.Zero(t, purge(t))
	})

	t.Run("are deleted for good, with all that was said in them", func(t *testing.T) {
		room := retire(t)
		require.Zero(t, purge(t), "not yet")
		age(room)
		for range 4 { // more than a batch
			execute(t, s, "INSERT INTO messages (id, room_id, body) VALUES (?, ?, 'x')", newID(), room.ID)
		}
		require.Equal(t, 1, purge(t))
		_, err := s.Room(t.Context(), room.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM messages WHERE room_id = ?", room.ID))
		_, err = s.RestoreRoom(t.Context(), admin.ID, room.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})

	t.Run("are not those that their hosts archived", func(t *testing.T) {
		room := newRoom(t, s, host, nil)
		_, err := s.UpdateRoom(t.Context(), room.ID, host.ID, watchparty.RoomChange{Archived: ptr(true)}, nil)
		require.NoError(t, err)
		_, err = s.RestoreRoom(t.Context(), admin.ID, room.ID)
		require.ErrorIs(t, err, watchparty.ErrNotRetired)
	})

	t.Run("stay archived without a host", func(t *testing.T) {
		room := retire(t)
		execute(t, s, "UPDATE rooms SET host_id = NULL WHERE id = ?", room.ID)
		_, err := s.RestoreRoom(t.Context(), admin.ID, room.ID)
		require.ErrorIs(t, err, watchparty.ErrRoomHostless)
	})
}

// Nothing that was said in a room goes after the room was restored.
func TestCleanupSparesWhatIsRestored(t *testing.T) {
	t.Parallel()
	threshold := time.Now().Add(-7 * 24 * time.Hour)
	for name, reopen := range map[string]func(s *Store, room watchparty.Room, host, admin watchparty.User) error{
		"by an admin": func(s *Store, room watchparty.Room, _, admin watchparty.User) error {
			_, err := s.RestoreRoom(t.Context(), admin.ID, room.ID)
			return err
		},
		"by its host": func(s *Store, room watchparty.Room, host, _ watchparty.User) error {
			_, err := s.UpdateRoom(t.Context(), room.ID, host.ID, watchparty.RoomChange{Archived: ptr(false)}, nil)
			return err
		},
	} {
		for _, table := range []string{"messages", "rooms"} {
			t.Run(name+", as its "+table+" go", func(t *testing.T) {
				s := openStore(t)
				admin, host := newAdmin(t, s, "admin"), newUser(t, s, "host")
				room := newRoom(t, s, host, nil)
				if table == "messages" {
					postMessage(t, s, room, host, "long ago")
					postMessage(t, s, room, host, "and again")
				}
				execute(t, s, "UPDATE rooms SET archived_at = now(), retired_at = ? WHERE id = ?", threshold.Add(-time.Hour),
					room.ID)
				run := newRun(t, s, admin, false)
				b := raiseBarrier(t, s, "DELETE", table)
				var (
					wg        sync.WaitGroup
					errBatch  error
					errReopen error
					reopened  atomic.Bool
					left      int
				)
				wg.Go(func() {
					_, errBatch = s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyArchived, threshold, 1, Cursor{})
				})
				b.awaitStopped(t, 1, nil)
				wg.Go(func() {
					errReopen = reopen(s, room, host, admin)
					left = countRows(t, s, "messages")
					reopened.Store(true)
				})
				b.awaitStopped(t, 2, reopened.Load)
				b.release(t)
				wg.Wait()
				require.NoError(t, errBatch)
				require.Equal(t, left, countRows(t, s, "messages"), "none goes after the answer")
				_, err := s.Room(t.Context(), room.ID)
				if errReopen != nil {
					require.ErrorIs(t, errReopen, watchparty.ErrNotFound)
					require.ErrorIs(t, err, watchparty.ErrNotFound)
					return
				}
				require.NoError(t, err)
				require.Zero(t, drainPolicy(t, s, run.ID, watchparty.PolicyArchived, threshold))
				require.Equal(t, left, countRows(t, s, "messages"))
			})
		}
	}
}
