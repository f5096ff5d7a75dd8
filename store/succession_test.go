package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// setLastSeen makes someone's last sign of life in a room that old.
func setLastSeen(t testing.TB, s *Store, room watchparty.Room, user watchparty.User, age time.Duration) {
	t.Helper()
	_, err := s.db.NewRaw("UPDATE participants SET last_seen_at = now() - make_interval(secs => ?) "+
		"WHERE room_id = ? AND user_id = ?",
		age.Seconds(), room.ID, user.ID).
		Exec(t.Context())
	require.NoError(t, err)
}

// scene is an open room of ada's with three others in it: first, second, third, in this order.
type scene struct {
	s                         *Store
	room                      watchparty.Room
	ada, first, second, third watchparty.User
	moderator, absent         func(users ...watchparty.User)
}

func newScene(t *testing.T, s *Store) scene {
	t.Helper()
	n := countRows(t, s, "rooms")
	name := func(role string) string { return fmt.Sprint(role, "-", n) }
	c := scene{s: s, ada: newUser(t, s, name("ada")), first: newUser(t, s, name("first")),
		second: newUser(t, s, name("second")), third: newUser(t, s, name("third"))}
	c.room = newRoom(t, s, c.ada, nil)
	joinRoom(t, s, c.room, c.first, c.second, c.third)
	c.absent = func(users ...watchparty.User) {
		for _, user := range users {
			setLastSeen(t, s, c.room, user, watchparty.PresentFor+time.Second)
		}
	}
	c.moderator = func(users ...watchparty.User) {
		for _, user := range users {
			addMember(t, s, c.room, user, watchparty.Moderator)
		}
	}
	return c
}

func TestSuccession(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for _, test := range []struct {
		name    string
		arrange func(c scene)
		want    func(c scene) watchparty.User
	}{
		{"the longest in the room", func(scene) {}, func(c scene) watchparty.User { return c.first }},
		{"a moderator before others", func(c scene) { c.moderator(c.third) },
			func(c scene) watchparty.User { return c.third }},
		{"the moderator who came first", func(c scene) { c.moderator(c.third, c.second) },
			func(c scene) watchparty.User { return c.second }},
		{"who is present before an absent moderator", func(c scene) { c.moderator(c.first); c.absent(c.first, c.second) },
			func(c scene) watchparty.User { return c.third }},
		{"of the absent, a moderator", func(c scene) { c.moderator(c.second); c.absent(c.first, c.second, c.third) },
			func(c scene) watchparty.User { return c.second }},
		{"of the absent, the longest", func(c scene) { c.absent(c.first, c.second, c.third) },
			func(c scene) watchparty.User { return c.first }},
		{"at the same moment, the lower ID", func(c scene) {
			execute(t, s, "UPDATE participants SET created_at = now() WHERE room_id = ?", c.room.ID)
		}, func(c scene) watchparty.User { return c.first }},
		{"nobody who is suspended or gone", func(c scene) {
			execute(t, s, "UPDATE users SET suspended_at = now() WHERE id = ?", c.first.ID)
			execute(t, s, "UPDATE users SET deleted_at = now() WHERE id = ?", c.second.ID)
		}, func(c scene) watchparty.User { return c.third }},
		{"nobody who has only a standing", func(c scene) {
			addMember(t, s, c.room, newUser(t, s, "away-"+c.room.ID[30:]), watchparty.Moderator)
		}, func(c scene) watchparty.User { return c.first }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newScene(t, s)
			test.arrange(c)
			require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, c.ada.ID))
			heir := test.want(c)
			require.Equal(t, heir.Username, hostOf(t, s, c.room))
			require.Equal(t, watchparty.Moderator, roleOf(t, s, c.room, c.ada), "the former host")
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM members WHERE room_id = ? AND user_id = ?", c.room.ID,
				heir.ID))
			log := readRoomActs(t, s, c.room)
			require.Len(t, log, 1)
			require.Equal(t, watchparty.ActHostSucceeded, log[0].Action)
			require.Zero(t, log[0].Actor)
			require.Equal(t, heir.ID, log[0].Target.ID)
		})
	}

	t.Run("with nobody else the room keeps its host", func(t *testing.T) {
		c := newScene(t, s)
		for _, user := range []watchparty.User{c.first, c.second, c.third, c.ada} {
			require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, user.ID))
		}
		require.Equal(t, c.ada.Username, hostOf(t, s, c.room))
		require.Empty(t, readRoomActs(t, s, c.room))
		joinRoom(t, s, c.room, c.first)
		require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, c.ada.ID), "who is not in it does not leave it")
		require.Equal(t, c.ada.Username, hostOf(t, s, c.room))
	})

	t.Run("an archived room keeps its host", func(t *testing.T) {
		c := newScene(t, s)
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", c.room.ID)
		require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, c.ada.ID))
		require.Equal(t, c.ada.Username, hostOf(t, s, c.room))
	})

	t.Run("others leave as they came", func(t *testing.T) {
		c := newScene(t, s)
		require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, c.first.ID))
		require.Equal(t, c.ada.Username, hostOf(t, s, c.room))
		require.Empty(t, readRoomActs(t, s, c.room))
	})

	t.Run("of a private room", func(t *testing.T) {
		c := newScene(t, s)
		_, err := s.UpdateRoom(t.Context(), c.room.ID, c.ada.ID, watchparty.RoomChange{Visibility: ptr(watchparty.Private)},
			nil)
		require.NoError(t, err)
		require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, c.ada.ID))
		require.Equal(t, watchparty.Host, roleOf(t, s, c.room, c.first))
		joinRoom(t, s, c.room, c.ada)
		require.Equal(t, watchparty.Moderator, roleOf(t, s, c.room, c.ada), "who comes back is what they were")
	})
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	const silence = 10 * time.Minute
	beat := func(t *testing.T, c scene, user watchparty.User) bool {
		t.Helper()
		passedOn, err := s.Heartbeat(t.Context(), c.room.ID, user.ID, silence)
		require.NoError(t, err)
		return passedOn
	}
	seen := func(t *testing.T, c scene, user watchparty.User) time.Time {
		t.Helper()
		return readValue[time.Time](t, s, "SELECT last_seen_at FROM participants WHERE room_id = ? AND user_id = ?",
			c.room.ID, user.ID)
	}

	t.Run("is written when the last one is old", func(t *testing.T) {
		c := newScene(t, s)
		setLastSeen(t, s, c.room, c.first, presencePrecision-5*time.Second)
		before := seen(t, c, c.first)
		require.False(t, beat(t, c, c.first))
		require.Equal(t, before, seen(t, c, c.first))
		setLastSeen(t, s, c.room, c.first, presencePrecision+time.Second)
		setLastSeen(t, s, c.room, c.second, time.Hour)
		require.False(t, beat(t, c, c.first))
		require.WithinDuration(t, time.Now(), seen(t, c, c.first), 10*time.Second)
		require.WithinDuration(t, time.Now().Add(-time.Hour), seen(t, c, c.second), time.Minute, "another's presence stays")
	})

	t.Run("of who is not in it", func(t *testing.T) {
		c := newScene(t, s)
		for _, room := range []string{c.room.ID, newID()} {
			_, err := s.Heartbeat(t.Context(), room, newUser(t, s, "u"+newID()[24:]).ID, silence)
			require.ErrorIs(t, err, watchparty.ErrNotParticipant)
		}
	})

	t.Run("a silent host's room passes on to who is there", func(t *testing.T) {
		for _, test := range []struct {
			name    string
			arrange func(c scene)
			heir    func(c scene) watchparty.User
		}{
			{"not yet", func(c scene) { setLastSeen(t, s, c.room, c.ada, silence-5*time.Second) },
				func(c scene) watchparty.User { return c.ada }},
			{"now", func(c scene) { setLastSeen(t, s, c.room, c.ada, silence+time.Second) },
				func(c scene) watchparty.User { return c.first }},
			{"not to the absent", func(c scene) {
				c.moderator(c.first)
				c.absent(c.ada, c.first, c.second)
				setLastSeen(t, s, c.room, c.ada, silence+time.Second)
			}, func(c scene) watchparty.User { return c.third }},
			{"not of an archived room", func(c scene) {
				setLastSeen(t, s, c.room, c.ada, time.Hour)
				execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", c.room.ID)
			}, func(c scene) watchparty.User { return c.ada }},
			{"the host is not in it, and others came just now", func(c scene) {
				execute(t, s, "DELETE FROM participants WHERE room_id = ? AND user_id = ?", c.room.ID, c.ada.ID)
			}, func(c scene) watchparty.User { return c.ada }},
			{"the host is not in it, and others are long since", func(c scene) {
				execute(t, s, "DELETE FROM participants WHERE room_id = ? AND user_id = ?", c.room.ID, c.ada.ID)
				execute(t, s, "UPDATE participants SET created_at = now() - interval '11 min' WHERE room_id = ? AND user_id = ?",
					c.room.ID, c.second.ID)
			}, func(c scene) watchparty.User { return c.second }},
		} {
			t.Run(test.name, func(t *testing.T) {
				c := newScene(t, s)
				test.arrange(c)
				setLastSeen(t, s, c.room, c.third, time.Minute+20*time.Second)
				heir := test.heir(c)
				require.Equal(t, heir.ID != c.ada.ID, beat(t, c, c.third))
				require.Equal(t, heir.Username, hostOf(t, s, c.room))
				require.False(t, beat(t, c, c.third), "once")
				if heir.ID != c.ada.ID {
					require.Equal(t, watchparty.Moderator, roleOf(t, s, c.room, c.ada))
					require.Equal(t, []watchparty.RoomAction{watchparty.ActHostSucceeded}, readRoomActions(t, s, c.room))
				}
			})
		}
	})

	t.Run("the host's own", func(t *testing.T) {
		c := newScene(t, s)
		setLastSeen(t, s, c.room, c.ada, time.Hour)
		require.False(t, beat(t, c, c.ada))
		require.False(t, beat(t, c, c.first))
		require.Equal(t, c.ada.Username, hostOf(t, s, c.room))
	})
}

func TestSetRole(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	set := func(t *testing.T, c scene, user watchparty.User, role watchparty.Role) watchparty.Participant {
		t.Helper()
		p, err := s.SetRole(t.Context(), c.room.ID, c.ada.ID, user.Username, role)
		require.NoError(t, err)
		require.Equal(t, role, p.Role)
		require.Equal(t, role, roleOf(t, s, c.room, user))
		return p
	}
	rows := func(t *testing.T, c scene) int {
		t.Helper()
		return readValue[int](t, s, "SELECT count(*) FROM members WHERE room_id = ?", c.room.ID)
	}

	t.Run("moderator and back", func(t *testing.T) {
		c := newScene(t, s)
		p := set(t, c, c.first, watchparty.Moderator)
		people, err := s.Participants(t.Context(), c.room.ID)
		require.NoError(t, err)
		require.Equal(t, people[1], p)
		set(t, c, c.first, watchparty.Moderator)
		require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, c.first.ID))
		require.Equal(t, watchparty.Moderator, roleOf(t, s, c.room, c.first), "leaving")
		joinRoom(t, s, c.room, c.first)
		require.Equal(t, watchparty.Moderator, roleOf(t, s, c.room, c.first), "and coming back")

		_, err = s.SetRole(t.Context(), c.room.ID, c.ada.ID, c.first.Username, watchparty.Viewer)
		require.NoError(t, err)
		require.Zero(t, rows(t, c), "in an open room a viewer needs no row")
		log := readRoomActs(t, s, c.room)
		require.Len(t, log, 2, "nothing is logged where nothing changes")
		require.Equal(t, []any{watchparty.ActRoleSet, c.ada.ID, c.first.ID, map[string]any{"role": "viewer"}},
			[]any{log[1].Action, log[1].Actor.ID, log[1].Target.ID, log[1].Details})
	})

	t.Run("in a private room a viewer stays a member", func(t *testing.T) {
		c := newScene(t, s)
		_, err := s.UpdateRoom(t.Context(), c.room.ID, c.ada.ID, watchparty.RoomChange{Visibility: ptr(watchparty.Private)},
			nil)
		require.NoError(t, err)
		set(t, c, c.first, watchparty.Moderator)
		require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, c.first.ID))
		p := set(t, c, c.first, watchparty.Viewer)
		require.True(t, p.Away)
		require.False(t, p.Present(time.Now()))
		joinRoom(t, s, c.room, c.first)
	})

	t.Run("hand over", func(t *testing.T) {
		c := newScene(t, s)
		p := set(t, c, c.second, watchparty.Host)
		require.False(t, p.Away)
		require.Equal(t, watchparty.Moderator, roleOf(t, s, c.room, c.ada))
		require.Equal(t, 1, rows(t, c))
		log := readRoomActs(t, s, c.room)
		require.Len(t, log, 1)
		require.Equal(t, []any{watchparty.ActHostHandedOver, c.ada.ID, c.second.ID},
			[]any{log[0].Action, log[0].Actor.ID, log[0].Target.ID})
		_, err := s.SetRole(t.Context(), c.room.ID, c.ada.ID, c.first.Username, watchparty.Host)
		require.ErrorIs(t, err, watchparty.ErrForbidden)
	})

	t.Run("refused", func(t *testing.T) {
		c := newScene(t, s)
		c.moderator(c.first)
		stranger, away, suspended := newUser(t, s, "stranger"), newUser(t, s, "away"), newUser(t, s, "suspended")
		c.moderator(away)
		joinRoom(t, s, c.room, suspended)
		execute(t, s, "UPDATE users SET suspended_at = now() WHERE id = ?", suspended.ID)
		addBan(t, s, c.room, c.third, nil)
		for _, test := range []struct {
			actor, target watchparty.User
			role          watchparty.Role
			want          error
		}{
			{c.ada, c.ada, watchparty.Host, watchparty.ErrOwnRole},
			{c.ada, c.ada, watchparty.Viewer, watchparty.ErrOwnRole},
			{c.ada, stranger, watchparty.Moderator, watchparty.ErrNotFound},
			{c.ada, stranger, watchparty.Host, watchparty.ErrNotFound},
			{c.ada, away, watchparty.Host, watchparty.ErrNotFound},
			{c.ada, suspended, watchparty.Host, watchparty.ErrNotFound},
			{c.ada, c.third, watchparty.Moderator, watchparty.ErrNotFound},
			{c.ada, watchparty.User{Username: "nobody"}, watchparty.Viewer, watchparty.ErrNotFound},
			{c.first, c.second, watchparty.Moderator, watchparty.ErrForbidden},
			{c.first, c.ada, watchparty.Viewer, watchparty.ErrForbidden},
			{c.first, c.first, watchparty.Host, watchparty.ErrForbidden},
			{c.second, c.second, watchparty.Moderator, watchparty.ErrForbidden},
			{stranger, c.second, watchparty.Moderator, watchparty.ErrForbidden},
			{c.third, c.second, watchparty.Moderator, watchparty.ErrBanned},
		} {
			_, err := s.SetRole(t.Context(), c.room.ID, test.actor.ID, test.target.Username, test.role)
			require.ErrorIs(t, err, test.want, "%s makes %s a %s", test.actor.Username, test.target.Username, test.role)
		}
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", c.room.ID)
		_, err := s.SetRole(t.Context(), c.room.ID, c.ada.ID, c.second.Username, watchparty.Moderator)
		require.ErrorIs(t, err, watchparty.ErrRoomArchived)
		require.Empty(t, readRoomActs(t, s, c.room))
	})
}

// Whatever happens at once, a room has one host, who is in it, and the former one is a moderator.
func TestParallelHandOvers(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for run := range 20 {
		c := newScene(t, s)
		setLastSeen(t, s, c.room, c.ada, time.Hour)
		var (
			wg   sync.WaitGroup
			errs [4]error
		)
		wg.Go(func() { errs[0] = s.LeaveRoom(t.Context(), c.room.ID, c.ada.ID) })
		wg.Go(func() { _, errs[1] = s.SetRole(t.Context(), c.room.ID, c.ada.ID, c.second.Username, watchparty.Host) })
		wg.Go(func() { _, errs[2] = s.Heartbeat(t.Context(), c.room.ID, c.third.ID, time.Minute) })
		wg.Go(func() { errs[3] = s.LeaveRoom(t.Context(), c.room.ID, c.second.ID) })
		wg.Wait()
		require.NoError(t, errs[0])
		require.NoError(t, errs[2])
		require.NoError(t, errs[3])
		if !errors.Is(errs[1], watchparty.ErrForbidden) && !errors.Is(errs[1], watchparty.ErrNotFound) {
			require.NoError(t, errs[1])
		}
		people, err := s.Participants(t.Context(), c.room.ID)
		require.NoError(t, err)
		hosts := 0
		for _, p := range people {
			if p.Role == watchparty.Host {
				hosts++
			}
		}
		require.Equal(t, 1, hosts, "run %d: %v", run, people)
		require.Equal(t, watchparty.Moderator, roleOf(t, s, c.room, c.ada))
		changes := len(readRoomActs(t, s, c.room))
		require.GreaterOrEqual(t, changes, 1)
		require.LessOrEqual(t, changes, 3)
	}
}

func TestHandOverRooms(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newScene(t, s)
	empty, archived, deleted := newRoom(t, s, c.ada, nil), newRoom(t, s, c.ada, nil), newRoom(t, s, c.ada, nil)
	joinRoom(t, s, archived, c.first)
	joinRoom(t, s, empty, c.first)
	require.NoError(t, s.LeaveRoom(t.Context(), empty.ID, c.first.ID))
	_, err := s.UpdateRoom(t.Context(), archived.ID, c.ada.ID, watchparty.RoomChange{Archived: ptr(true)}, nil)
	require.NoError(t, err)
	require.NoError(t, s.DeleteRoom(t.Context(), deleted.ID, c.ada.ID, nil))
	foreign := newRoom(t, s, c.first, nil)
	joinRoom(t, s, foreign, c.ada)

	var rooms []string
	require.NoError(t, s.inTx(t.Context(), func(ctx context.Context, tx bun.Tx) (err error) {
		deletion, err := beginDeletion(ctx, tx, "deleted_at IS NULL", false, c.ada.ID)
		if err != nil {
			return err
		}
		rooms, err = deletion.handOverRooms(ctx, tx, c.ada.ID)
		return err
	}))
	require.ElementsMatch(t, []string{c.room.ID, empty.ID, archived.ID, deleted.ID}, rooms)
	require.Equal(t, c.first.Username, hostOf(t, s, c.room))
	require.Empty(t, roleOf(t, s, c.room, c.ada), "the account that goes is nothing to the room")
	for _, room := range []watchparty.Room{empty, archived} {
		after, err := s.Room(t.Context(), room.ID)
		require.NoError(t, err)
		require.Empty(t, after.Host.ID)
		require.False(t, after.ArchivedAt.IsZero())
		require.Equal(t, 2, after.Version)
	}
	require.Equal(t, c.first.Username, hostOf(t, s, foreign))
	require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM rooms WHERE host_id = ?", c.ada.ID))
	execute(t, s, "DELETE FROM users WHERE id = ?", c.ada.ID)

	require.NoError(t, s.inTx(t.Context(), func(ctx context.Context, tx bun.Tx) (err error) {
		deletion, err := beginDeletion(ctx, tx, "deleted_at IS NULL", false, c.third.ID)
		if err != nil {
			return err
		}
		rooms, err = deletion.handOverRooms(ctx, tx, c.third.ID)
		return err
	}))
	require.Empty(t, rooms)
}

// An account that is just being deleted is no heir.
func TestNoHeirWhoIsGoing(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newScene(t, s)
	tx, err := s.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.NewRaw("UPDATE users SET deleted_at = now() WHERE id = ?", c.first.ID).Exec(t.Context())
	require.NoError(t, err)
	var (
		wg   sync.WaitGroup
		left error
		pid  int
	)
	require.NoError(t, tx.NewRaw("SELECT pg_backend_pid()").Scan(t.Context(), &pid))
	wg.Go(func() { left = s.LeaveRoom(t.Context(), c.room.ID, c.ada.ID) })
	require.EventuallyWithT(t, func(e *assert.CollectT) {
		// Not in the transaction: there pg_stat_activity stays as it was first read.
		require.Equal(e, 1, readValue[int](t, s,
			"SELECT count(*) FROM pg_stat_activity WHERE ? = ANY(pg_blocking_pids(pid))", pid))
	}, patience, 5*time.Millisecond)
	require.NoError(t, tx.Commit())
	wg.Wait()
	require.NoError(t, left)
	require.Equal(t, c.second.Username, hostOf(t, s, c.room))
}

func BenchmarkHeartbeat(b *testing.B) {
	s := openStore(b)
	var users []watchparty.User
	for i := range 50 {
		u, err := s.CreateUser(b.Context(), registration(fmt.Sprint("user", i)), "")
		require.NoError(b, err)
		users = append(users, u)
	}
	room, err := s.CreateRoom(b.Context(), users[0].ID, watchparty.NewRoom{Name: "Busy", Visibility: watchparty.Public,
		Capacity: 50}, IdempotencyKey{})
	require.NoError(b, err)
	for _, u := range users[1:] {
		_, err := s.JoinRoom(b.Context(), room.ID, u.ID)
		require.NoError(b, err)
	}
	for name, age := range map[string]time.Duration{"noted": 0, "written": time.Minute} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				u := users[i%len(users)]
				if age > 0 {
					b.StopTimer()
					setLastSeen(b, s, room, u, age)
					b.StartTimer()
				}
				if _, err := s.Heartbeat(b.Context(), room.ID, u.ID, 10*time.Minute); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
