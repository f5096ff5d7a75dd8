package store

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

func ptr[T any](v T) *T { return &v }

// readRoomActs are the actions in a room's log, the oldest first.
func readRoomActs(t *testing.T, s *Store, room watchparty.Room) []watchparty.RoomAct {
	t.Helper()
	log, err := s.RoomLog(t.Context(), room.ID, Page{Limit: 100})
	require.NoError(t, err)
	slices.Reverse(log)
	return log
}

func readRoomActions(t *testing.T, s *Store, room watchparty.Room) []watchparty.RoomAction {
	t.Helper()
	var out []watchparty.RoomAction
	for _, act := range readRoomActs(t, s, room) {
		out = append(out, act.Action)
	}
	return out
}

// addMember gives someone a role in a room without their being there.
func addMember(t *testing.T, s *Store, room watchparty.Room, user watchparty.User, role watchparty.Role) {
	t.Helper()
	execute(t, s, "INSERT INTO members (room_id, user_id, role) VALUES (?, ?, ?)", room.ID, user.ID, string(role))
}

// addBan bans someone without a word to the log.
func addBan(t *testing.T, s *Store, room watchparty.Room, user watchparty.User, until *time.Time) {
	t.Helper()
	execute(t, s, "INSERT INTO bans (id, room_id, user_id, until) VALUES (gen_random_uuid(), ?, ?, ?)", room.ID, user.ID,
		until)
}

// roleOf returns a person's role in a room; empty for none.
func roleOf(t *testing.T, s *Store, room watchparty.Room, user watchparty.User) watchparty.Role {
	t.Helper()
	standing, err := s.Standing(t.Context(), room.ID, user.ID)
	require.NoError(t, err)
	return standing.Role
}

func hostOf(t *testing.T, s *Store, room watchparty.Room) string {
	t.Helper()
	found, err := s.Room(t.Context(), room.ID)
	require.NoError(t, err)
	return found.Host.Username
}

func addMovie(t *testing.T, s *Store, title string) string {
	t.Helper()
	require.NoError(t, s.AddMovies(t.Context(), []watchparty.Movie{{Title: title, Year: 1921, RuntimeMinutes: 68}}))
	return readValue[string](t, s, "SELECT id FROM movies WHERE title = ?", title)
}

// addStreamedMovie is addMovie with a stream, so that rooms can play it.
func addStreamedMovie(t *testing.T, s *Store, title string) string {
	t.Helper()
	movie := addMovie(t, s, title)
	execute(t, s, "UPDATE movies SET stream_url = ? WHERE id = ?", movieAddress, movie)
	return movie
}

func TestUpdateRoom(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob, eve := newUser(t, s, "ada"), newUser(t, s, "bob"), newUser(t, s, "eve")
	update := func(t *testing.T, room watchparty.Room, c watchparty.RoomChange) watchparty.Room {
		t.Helper()
		changed, err := s.UpdateRoom(t.Context(), room.ID, ada.ID, c, nil)
		require.NoError(t, err)
		stored, err := s.Room(t.Context(), room.ID)
		require.NoError(t, err)
		require.Equal(t, stored, changed)
		return changed
	}

	t.Run("everything", func(t *testing.T) {
		room, movie := newRoom(t, s, ada, nil), addMovie(t, s, "The Kid")
		joinRoom(t, s, room, bob)
		changed := update(t, room, watchparty.RoomChange{
			Name: ptr("שלום 👩‍👩‍👧"), Description: ptr("'; DROP TABLE rooms; --\n<b>é</b>"), MovieID: &movie,
			Visibility: ptr(watchparty.Unlisted), Capacity: ptr(2), SlowMode: ptr(5 * time.Second),
		})
		want := room
		want.Name, want.Description, want.Movie = "שלום 👩‍👩‍👧", "'; DROP TABLE rooms; --\n<b>é</b>", changed.Movie
		want.Visibility, want.Capacity, want.SlowMode = watchparty.Unlisted, 2, 5*time.Second
		want.Version, want.Participants, want.Present, want.UpdatedAt = 2, 2, 2, changed.UpdatedAt
		require.Equal(t, want, changed)
		require.Equal(t, movie, changed.Movie.ID)
		require.True(t, changed.UpdatedAt.After(room.UpdatedAt))
		log := readRoomActs(t, s, room)
		require.Len(t, log, 1)
		require.Equal(t, watchparty.ActRoomUpdated, log[0].Action)
		require.Equal(t, ada.Person(), log[0].Actor)
		require.Zero(t, log[0].Target)
		require.Equal(t, map[string]any{"fields": []any{
			"name", "description", "movie_id", "visibility", "capacity", "slow_mode_seconds"}}, log[0].Details)

		bare := update(t, room, watchparty.RoomChange{MovieID: ptr(""), SlowMode: ptr(time.Duration(0)),
			Description: ptr("")})
		require.Empty(t, bare.Movie)
		require.Zero(t, bare.SlowMode)
		require.Empty(t, bare.Description)
		require.Equal(t, 3, bare.Version)
		require.Equal(t, "שלום 👩‍👩‍👧", bare.Name)
	})

	t.Run("of nothing", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		require.Equal(t, room, update(t, room, watchparty.RoomChange{}))
		require.Equal(t, room, update(t, room, watchparty.RoomChange{Name: &room.Name, Capacity: &room.Capacity,
			MovieID: ptr(""), Archived: ptr(false)}))
		require.Empty(t, readRoomActions(t, s, room))
	})

	t.Run("under a version", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		c := watchparty.RoomChange{Name: ptr("Mine")}
		for _, versions := range [][]int{{}, {0}, {2, 3}, {-1}} {
			_, err := s.UpdateRoom(t.Context(), room.ID, ada.ID, c, versions)
			require.ErrorIs(t, err, watchparty.ErrChangedSince)
		}
		joinRoom(t, s, room, bob)
		_, err := s.UpdateRoom(t.Context(), room.ID, ada.ID, c, []int{7, 1})
		require.NoError(t, err, "people who come and go do not count")
		_, err = s.UpdateRoom(t.Context(), room.ID, ada.ID, c, []int{1})
		require.ErrorIs(t, err, watchparty.ErrChangedSince)

		// Of many requests with the same version, one succeeds.
		var (
			wg   sync.WaitGroup
			errs [20]error
		)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = s.UpdateRoom(t.Context(), room.ID, ada.ID,
					watchparty.RoomChange{SlowMode: ptr(time.Duration(i+1) * time.Second)}, []int{2})
			})
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
				continue
			}
			require.ErrorIs(t, err, watchparty.ErrChangedSince)
		}
		require.Equal(t, 1, done)
	})

	t.Run("a movie that is not in the catalogue", func(t *testing.T) {
		old, newer := addMovie(t, s, "Faust"), addMovie(t, s, "Faust II")
		room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.MovieID = old })
		execute(t, s, "UPDATE movies SET archived_at = now() WHERE id IN (?, ?)", old, newer)
		for _, id := range []string{newID(), newer} {
			_, err := s.UpdateRoom(t.Context(), room.ID, ada.ID, watchparty.RoomChange{MovieID: &id}, nil)
			require.ErrorIs(t, err, watchparty.ErrUnknownMovie)
			_, err = s.CreateRoom(t.Context(), ada.ID, watchparty.NewRoom{Name: "x", MovieID: id, Visibility: watchparty.Public,
				Capacity: 2}, IdempotencyKey{})
			require.ErrorIs(t, err, watchparty.ErrUnknownMovie)
		}
		require.Equal(t, "y", update(t, room, watchparty.RoomChange{Name: ptr("y"), MovieID: &old}).Name,
			"what it has, it keeps")
	})

	t.Run("who is inside stays a member of what becomes private", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob, eve)
		addMember(t, s, room, bob, watchparty.Moderator)
		update(t, room, watchparty.RoomChange{Visibility: ptr(watchparty.Private)})
		require.Equal(t, []watchparty.Role{watchparty.Host, watchparty.Moderator, watchparty.Viewer},
			[]watchparty.Role{roleOf(t, s, room, ada), roleOf(t, s, room, bob), roleOf(t, s, room, eve)})
		require.Equal(t, 2, readValue[int](t, s, "SELECT count(*) FROM members WHERE room_id = ?", room.ID))
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, eve.ID))
		joinRoom(t, s, room, eve)
		dan := newUser(t, s, "dan")
		_, err := s.JoinRoom(t.Context(), room.ID, dan.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})

	t.Run("a capacity below who is there puts nobody out", func(t *testing.T) {
		room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Capacity = 3 })
		joinRoom(t, s, room, bob, eve)
		require.Equal(t, 3, update(t, room, watchparty.RoomChange{Capacity: ptr(2)}).Participants)
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, eve.ID))
		_, err := s.JoinRoom(t.Context(), room.ID, eve.ID)
		require.ErrorIs(t, err, watchparty.ErrRoomFull)
	})

	t.Run("archived and open again", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob)
		archived := update(t, room, watchparty.RoomChange{Archived: ptr(true), Name: ptr("The end")})
		require.False(t, archived.ArchivedAt.IsZero())
		require.Equal(t, 2, archived.Participants)
		require.Equal(t, 2, archived.Version)
		require.Equal(t, archived, update(t, room, watchparty.RoomChange{Archived: ptr(true)}))
		for _, c := range []watchparty.RoomChange{{Name: ptr("x")}, {Name: ptr("x"), Archived: ptr(true)},
			{Capacity: ptr(50)}} {
			_, err := s.UpdateRoom(t.Context(), room.ID, ada.ID, c, nil)
			require.ErrorIs(t, err, watchparty.ErrRoomArchived)
		}
		execute(t, s, "UPDATE rooms SET last_active_at = now() - interval '40 d' WHERE id = ?", room.ID)
		reopened := update(t, room, watchparty.RoomChange{Archived: ptr(false), Capacity: ptr(9)})
		require.True(t, reopened.ArchivedAt.IsZero())
		require.Equal(t, 9, reopened.Capacity)
		require.Less(t, readValue[float64](t, s, "SELECT extract(epoch FROM now() - last_active_at) FROM rooms WHERE id = ?",
			room.ID), 60.0)
		require.Equal(t, []watchparty.RoomAction{
			watchparty.ActRoomArchived, watchparty.ActRoomUpdated, watchparty.ActRoomReopened, watchparty.ActRoomUpdated},
			readRoomActions(t, s, room))
		postMessage(t, s, room, bob, "Here we are again")
	})

	t.Run("by others", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		hidden := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Visibility = watchparty.Private })
		joinRoom(t, s, room, bob)
		addMember(t, s, room, bob, watchparty.Moderator)
		addMember(t, s, hidden, bob, watchparty.Viewer)
		addBan(t, s, room, eve, nil)
		dan := newUser(t, s, "dora")
		for _, test := range []struct {
			room  string
			actor watchparty.User
			want  error
		}{
			{room.ID, bob, watchparty.ErrForbidden}, {room.ID, dan, watchparty.ErrForbidden},
			{room.ID, eve, watchparty.ErrBanned},
			{hidden.ID, bob, watchparty.ErrForbidden}, {hidden.ID, dan, watchparty.ErrNotFound},
			{newID(), ada, watchparty.ErrNotFound},
		} {
			_, err := s.UpdateRoom(t.Context(), test.room, test.actor.ID, watchparty.RoomChange{Name: ptr("x")}, []int{99})
			require.ErrorIs(t, err, test.want)
			require.ErrorIs(t, s.DeleteRoom(t.Context(), test.room, test.actor.ID, nil), test.want)
		}
	})
}

// A message that is posted while a room is being archived is stored before the archiving, or is refused.
func TestNothingIsSaidInAnArchivedRoom(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	b := raiseBarrier(t, s, "INSERT", "messages")
	var (
		wg                  sync.WaitGroup
		errPost, errArchive error
	)
	wg.Go(func() {
		_, errPost = s.PostMessage(t.Context(), ada, watchparty.NewMessage{RoomID: room.ID, Body: "last words"},
			IdempotencyKey{})
	})
	b.awaitStopped(t, 1, nil)
	wg.Go(func() {
		_, errArchive = s.UpdateRoom(t.Context(), room.ID, ada.ID, watchparty.RoomChange{Archived: ptr(true)}, nil)
	})
	b.awaitStopped(t, 2, nil)
	require.True(t, readValue[bool](t, s, "SELECT archived_at IS NULL FROM rooms WHERE id = ?", room.ID),
		"it waits for who speaks")
	b.release(t)
	wg.Wait()
	require.NoError(t, errPost)
	require.NoError(t, errArchive)
}

func TestDeleteRoom(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob, eve := newUser(t, s, "ada"), newUser(t, s, "bob"), newUser(t, s, "eve")
	room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
	once := IdempotencyKey{Hash: []byte("key"), Fingerprint: []byte("same")}
	repeated, err := s.CreateRoom(t.Context(), ada.ID, watchparty.NewRoom{Name: "Once", Visibility: watchparty.Public,
		Capacity: 2}, once)
	require.NoError(t, err)
	for _, r := range []watchparty.Room{room, other} {
		joinRoom(t, s, r, bob)
		postMessage(t, s, r, bob, "hello")
		addMember(t, s, r, bob, watchparty.Moderator)
		addBan(t, s, r, eve, nil)
		execute(
			t, s, "INSERT INTO mutes (id, room_id, user_id, until) VALUES (gen_random_uuid(), ?, ?, now() + interval '1 h')",
			r.ID, bob.ID,
		)
		for _, state := range []string{"open", "accepted"} {
			execute(
				t, s, "INSERT INTO invitations (id, room_id, email, state, expires_at) VALUES (?, ?, ?, ?, now() + interval '1 d')",
				newID(), r.ID, state+"@example.org", state,
			)
		}
	}
	require.NoError(t, s.DeleteRoom(t.Context(), room.ID, ada.ID, nil))
	require.NoError(t, s.DeleteRoom(t.Context(), repeated.ID, ada.ID, nil))

	for _, table := range []string{"participants", "members", "bans", "mutes"} {
		require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM ?0 WHERE room_id = ?1", bun.Ident(table), room.ID), table)
		require.NotZero(t, readValue[int](t, s, "SELECT count(*) FROM ?0 WHERE room_id = ?1", bun.Ident(table), other.ID),
			table)
	}
	require.Equal(t, []string{"accepted", "revoked"}, invitationStates(t, s, room))
	require.Equal(t, []string{"accepted", "open"}, invitationStates(t, s, other))

	// For everyone, its host and the banned included, it is not there.
	for _, user := range []watchparty.User{ada, bob, eve} {
		_, join := s.JoinRoom(t.Context(), room.ID, user.ID)
		_, post := s.PostMessage(t.Context(), user, watchparty.NewMessage{RoomID: room.ID, Body: "hello?"}, IdempotencyKey{})
		_, update := s.UpdateRoom(t.Context(), room.ID, user.ID, watchparty.RoomChange{Archived: ptr(false)}, nil)
		_, role := s.SetRole(t.Context(), room.ID, user.ID, "bob", watchparty.Viewer)
		_, standing := s.Standing(t.Context(), room.ID, user.ID)
		_, own := s.OwnStanding(t.Context(), room.ID, user.ID)
		for _, err := range []error{join, post, update, role, standing, own, s.LeaveRoom(t.Context(), room.ID, user.ID),
			s.DeleteRoom(t.Context(), room.ID, user.ID, nil)} {
			require.ErrorIs(t, err, watchparty.ErrNotFound)
		}
		_, err := s.Heartbeat(t.Context(), room.ID, user.ID, time.Minute)
		require.ErrorIs(t, err, watchparty.ErrNotParticipant)
		mine, err := s.MyRooms(t.Context(), user.ID, watchparty.MyRoomFilter{}, Page{Limit: 10})
		require.NoError(t, err)
		require.NotContains(t, ids(mine, func(r watchparty.MyRoom) string { return r.Room.ID }), room.ID)
	}
	_, err = s.Room(t.Context(), room.ID)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
	rooms, err := s.Rooms(t.Context(), watchparty.RoomFilter{}, Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []string{other.ID}, roomIDs(rooms))
	_, err = s.CreateRoom(t.Context(), ada.ID, watchparty.NewRoom{Name: "Once", Visibility: watchparty.Public,
		Capacity: 2}, once)
	require.ErrorIs(t, err, watchparty.ErrNotFound, "a request that is sent again does not show it")
}

func invitationStates(t *testing.T, s *Store, room watchparty.Room) (states []string) {
	t.Helper()
	require.NoError(t, s.db.NewRaw("SELECT state FROM invitations WHERE room_id = ? ORDER BY email", room.ID).
		Scan(t.Context(), &states))
	return states
}
