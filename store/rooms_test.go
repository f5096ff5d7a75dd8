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

func ids[T any](items []T, id func(T) string) []string {
	out := make([]string, 0, len(items))
	for _, item := range items {
		out = append(out, id(item))
	}
	return out
}

func roomIDs(rooms []watchparty.Room) []string {
	return ids(rooms, func(r watchparty.Room) string { return r.ID })
}

// pages reads a list to its end, limit at a time.
func pages[T any](t *testing.T, limit int, list func(Page) ([]T, error), id func(T) string) []string {
	t.Helper()
	return pagesBy(t, limit, list, id, func(item T) Keys { return SearchKeys(rankOf(item), id(item)) })
}

// pagesBy does so with a list that is not sorted by ID.
func pagesBy[T any](
	t *testing.T, limit int, list func(Page) ([]T, error), id func(T) string, keys func(T) Keys,
) []string {
	t.Helper()
	var (
		all []string
		p   = Page{Limit: limit}
	)
	for range 100 {
		items, err := list(p)
		require.NoError(t, err)
		require.LessOrEqual(t, len(items), limit)
		all = append(all, ids(items, id)...)
		if len(items) < limit {
			return all
		}
		p.After = keys(items[len(items)-1])
	}
	require.FailNow(t, "the list has no end")
	return nil
}

// rankOf returns the rank after which a page of a search begins, together with the ID.
func rankOf(item any) int {
	switch item := item.(type) {
	case watchparty.Movie:
		return item.Rank
	case watchparty.Room:
		return item.Rank
	case watchparty.User:
		return item.Rank
	}
	return 0
}

func TestCreateRoom(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	require.NoError(t, s.AddMovies(t.Context(), []watchparty.Movie{{Title: "The Kid", Year: 1921, RuntimeMinutes: 68}}))
	movies, err := s.Movies(t.Context(), watchparty.MovieFilter{}, Page{Limit: 1})
	require.NoError(t, err)

	t.Run("puts its host in", func(t *testing.T) {
		room, err := s.CreateRoom(t.Context(), ada.ID, watchparty.NewRoom{
			Name: "Silents", Description: "Every Sunday\nat eight", MovieID: movies[0].ID, Visibility: watchparty.Unlisted,
			Capacity: 7,
		}, IdempotencyKey{})
		require.NoError(t, err)
		require.Equal(t, "Silents", room.Name)
		require.Equal(t, "Every Sunday\nat eight", room.Description)
		require.Equal(t, movies[0].ID, room.Movie.ID)
		require.Equal(t, watchparty.Unlisted, room.Visibility)
		require.Equal(t, 7, room.Capacity)
		require.Equal(t, "ada", room.Host.Username)
		require.Equal(t, 1, room.Participants)
		require.True(t, room.ArchivedAt.IsZero())
		require.Equal(t, room.CreatedAt, room.UpdatedAt)

		stored, err := s.Room(t.Context(), room.ID)
		require.NoError(t, err)
		require.Equal(t, room, stored)

		people, err := s.Participants(t.Context(), room.ID)
		require.NoError(t, err)
		require.Len(t, people, 1)
		require.Equal(t, ada.ID, people[0].User.ID)
		require.Equal(t, "ada", people[0].User.Username)
		require.Equal(t, "The ada", people[0].User.DisplayName)
		require.Equal(t, watchparty.Host, people[0].Role)
	})

	t.Run("an unknown movie leaves nothing", func(t *testing.T) {
		before, inside := countRows(t, s, "rooms"), countRows(t, s, "participants")
		_, err := s.CreateRoom(t.Context(), ada.ID, watchparty.NewRoom{
			Name: "x", MovieID: newID(), Visibility: watchparty.Public, Capacity: 2,
		}, IdempotencyKey{})
		require.ErrorIs(t, err, watchparty.ErrUnknownMovie)
		require.Equal(t, before, countRows(t, s, "rooms"))
		require.Equal(t, inside, countRows(t, s, "participants"))
	})

	t.Run("an account that is gone opens and enters none", func(t *testing.T) {
		_, err := s.CreateRoom(t.Context(), newID(), watchparty.NewRoom{Name: "x", Visibility: watchparty.Public,
			Capacity: 2}, IdempotencyKey{})
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
		room := newRoom(t, s, ada, nil)
		_, err = s.JoinRoom(t.Context(), room.ID, newID())
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
	})

	t.Run("unknown room", func(t *testing.T) {
		_, err := s.Room(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		people, err := s.Participants(t.Context(), newID())
		require.NoError(t, err)
		require.Empty(t, people)
	})
}

func TestListRooms(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")

	t.Run("none", func(t *testing.T) {
		rooms, err := s.Rooms(t.Context(), watchparty.RoomFilter{}, Page{Limit: 10})
		require.NoError(t, err)
		require.NotNil(t, rooms)
		require.Empty(t, rooms)
	})

	var want []string
	for i := range 13 {
		room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Name = fmt.Sprint("room ", i) })
		want = append([]string{room.ID}, want...)
	}
	for _, hidden := range []watchparty.Visibility{watchparty.Unlisted, watchparty.Private} {
		newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Visibility = hidden })
	}
	archived := newRoom(t, s, ada, nil)
	execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", archived.ID)
	list := func(p Page) ([]watchparty.Room, error) { return s.Rooms(t.Context(), watchparty.RoomFilter{}, p) }
	id := func(r watchparty.Room) string { return r.ID }

	for _, limit := range []int{1, 4, 13, 100} {
		t.Run(fmt.Sprintf("newest first, %d a page", limit), func(t *testing.T) {
			require.Equal(t, want, pages(t, limit, list, id))
		})
	}

	t.Run("rooms that open meanwhile shift no page", func(t *testing.T) {
		first, err := s.Rooms(t.Context(), watchparty.RoomFilter{}, Page{Limit: 5})
		require.NoError(t, err)
		newRoom(t, s, ada, nil)
		second, err := s.Rooms(t.Context(), watchparty.RoomFilter{}, Page{Limit: 100, After: Keys{first[4].ID}})
		require.NoError(t, err)
		require.Equal(t, want, append(roomIDs(first), roomIDs(second)...))
	})

	t.Run("a page goes on after a room that is gone", func(t *testing.T) {
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", want[4])
		rest, err := s.Rooms(t.Context(), watchparty.RoomFilter{}, Page{Limit: 100, After: Keys{want[4]}})
		require.NoError(t, err)
		require.Equal(t, want[5:], roomIDs(rest))
	})

	t.Run("who is in them", func(t *testing.T) {
		bob := newUser(t, s, "bob")
		_, err := s.JoinRoom(t.Context(), want[0], bob.ID)
		require.NoError(t, err)
		rooms, err := s.Rooms(t.Context(), watchparty.RoomFilter{}, Page{Limit: 100})
		require.NoError(t, err)
		i := slices.Index(roomIDs(rooms), want[0])
		require.Equal(t, 2, rooms[i].Participants)
		require.Equal(t, "ada", rooms[i].Host.Username)
	})
}

func isIn(t *testing.T, s *Store, room watchparty.Room, user watchparty.User) bool {
	t.Helper()
	return readValue[bool](t, s, "SELECT EXISTS (SELECT FROM participants WHERE room_id = ? AND user_id = ?)", room.ID,
		user.ID)
}

func TestJoinAndLeave(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob, eve := newUser(t, s, "ada"), newUser(t, s, "bob"), newUser(t, s, "eve")

	t.Run("join, leave, join", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joined, err := s.JoinRoom(t.Context(), room.ID, bob.ID)
		require.NoError(t, err)
		require.Equal(t, 2, joined.Participants)
		require.Equal(t, "ada", joined.Host.Username)
		require.True(t, isIn(t, s, room, bob))

		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, bob.ID))
		require.False(t, isIn(t, s, room, bob))
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, bob.ID), "leaving twice is no error")

		joinRoom(t, s, room, eve, bob)
		people, err := s.Participants(t.Context(), room.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"ada", "eve", "bob"}, ids(people,
			func(p watchparty.Participant) string { return p.User.Username }),
			"in the order in which they came")
		require.Equal(t, []watchparty.Role{watchparty.Host, watchparty.Viewer, watchparty.Viewer},
			[]watchparty.Role{people[0].Role, people[1].Role, people[2].Role})
	})

	t.Run("again refreshes the presence and changes nothing else", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob)
		execute(
			t,
			s,
			`UPDATE participants SET created_at = now() - interval '2 h', last_seen_at = now() - interval '1 h'
				WHERE room_id = ?`,
			room.ID,
		)
		before, err := s.Participants(t.Context(), room.ID)
		require.NoError(t, err)
		again, err := s.JoinRoom(t.Context(), room.ID, bob.ID)
		require.NoError(t, err)
		require.Equal(t, 2, again.Participants)
		after, err := s.Participants(t.Context(), room.ID)
		require.NoError(t, err)
		require.Len(t, after, 2)
		for i, p := range after {
			require.Equal(t, before[i].JoinedAt, p.JoinedAt)
			require.Equal(t, before[i].Role, p.Role)
			if p.User.ID == bob.ID {
				require.WithinDuration(t, time.Now(), p.LastSeenAt, time.Minute)
			} else {
				require.Equal(t, before[i].LastSeenAt, p.LastSeenAt, "another's presence stays")
			}
		}
	})

	t.Run("capacity counts the host", func(t *testing.T) {
		room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Capacity = 2 })
		joinRoom(t, s, room, bob)
		_, err := s.JoinRoom(t.Context(), room.ID, eve.ID)
		require.ErrorIs(t, err, watchparty.ErrRoomFull)
		_, err = s.JoinRoom(t.Context(), room.ID, bob.ID)
		require.NoError(t, err, "who is in a full room is in it")

		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, bob.ID))
		joinRoom(t, s, room, eve)
	})

	t.Run("a host who left has no seat kept", func(t *testing.T) {
		room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Capacity = 2 })
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, ada.ID))
		joinRoom(t, s, room, bob, eve)
		_, err := s.JoinRoom(t.Context(), room.ID, ada.ID)
		require.ErrorIs(t, err, watchparty.ErrRoomFull)
	})

	t.Run("a private room does not exist for a stranger", func(t *testing.T) {
		room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Visibility, n.Capacity = watchparty.Private, 2 })
		_, err := s.JoinRoom(t.Context(), room.ID, eve.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", room.ID)
		_, err = s.JoinRoom(t.Context(), room.ID, eve.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound, "nor does it say that it is archived")
		require.False(t, isIn(t, s, room, eve))
	})

	t.Run("the host of a private room may come back, as host", func(t *testing.T) {
		room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Visibility = watchparty.Private })
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, ada.ID))
		joinRoom(t, s, room, ada)
		people, err := s.Participants(t.Context(), room.ID)
		require.NoError(t, err)
		require.Len(t, people, 1)
		require.Equal(t, watchparty.Host, people[0].Role)
	})

	t.Run("an unlisted room is open to who knows it", func(t *testing.T) {
		joinRoom(t, s, newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Visibility = watchparty.Unlisted }), bob)
	})

	t.Run("archived", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", room.ID)
		_, err := s.JoinRoom(t.Context(), room.ID, bob.ID)
		require.ErrorIs(t, err, watchparty.ErrRoomArchived)
		again, err := s.JoinRoom(t.Context(), room.ID, ada.ID)
		require.NoError(t, err, "who is in it may look at it")
		require.False(t, again.ArchivedAt.IsZero())
	})

	t.Run("unknown room", func(t *testing.T) {
		_, err := s.JoinRoom(t.Context(), newID(), bob.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.ErrorIs(t, s.LeaveRoom(t.Context(), newID(), bob.ID), watchparty.ErrNotFound)
	})
}

func TestQuitRoom(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	quit := func(room watchparty.Room, user watchparty.User) error {
		return s.QuitRoom(t.Context(), room.ID, user.ID)
	}

	t.Run("gives up a place, a role and a membership", func(t *testing.T) {
		room := newRoom(t, s, ada, makePrivate)
		setMemberRole(t, s, room, bob, watchparty.Moderator)
		joinRoom(t, s, room, bob)
		for range 2 {
			require.NoError(t, quit(room, bob))
			require.False(t, isIn(t, s, room, bob))
			require.Empty(t, standingOf(t, s, room, bob).Role)
		}
		execute(t, s, "UPDATE rooms SET last_active_at = now() - interval '1 d' WHERE id = ?", room.ID)
		require.NoError(t, quit(room, bob))
		require.True(t, readValue[bool](t, s, "SELECT last_active_at < now() - interval '1 h' FROM rooms WHERE id = ?",
			room.ID), "by a stranger is no activity")
		_, err := s.JoinRoom(t.Context(), room.ID, bob.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		mine, err := s.MyRooms(t.Context(), bob.ID, watchparty.MyRoomFilter{}, Page{Limit: 10})
		require.NoError(t, err)
		require.Empty(t, mine)
	})
	t.Run("of a host passes the room on", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		require.ErrorIs(t, quit(room, ada), watchparty.ErrNoNextHost, "to nobody")
		require.True(t, isIn(t, s, room, ada))
		joinRoom(t, s, room, bob)
		require.NoError(t, quit(room, ada))
		require.Equal(t, watchparty.Host, standingOf(t, s, room, bob).Role)
		require.Empty(t, standingOf(t, s, room, ada).Role, "the former host stays nothing")
		require.ErrorIs(t, quit(watchparty.Room{ID: newID()}, ada), watchparty.ErrNotFound)
	})
	t.Run("of a host passes an archived room on", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob)
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", room.ID)
		require.NoError(t, quit(room, ada))
		require.Equal(t, watchparty.Host, standingOf(t, s, room, bob).Role)
		require.ErrorIs(t, s.DeleteRoom(t.Context(), room.ID, ada.ID, nil), watchparty.ErrForbidden)
		require.NoError(t, s.DeleteRoom(t.Context(), room.ID, bob.ID, nil))
	})
}

func TestParallelJoins(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	const capacity, guests = 5, 100
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Capacity = capacity })
	for i := range capacity - 2 {
		joinRoom(t, s, room, newUser(t, s, fmt.Sprint("early", i)))
	}
	users := make([]watchparty.User, guests)
	for i := range users {
		users[i] = newUser(t, s, fmt.Sprint("guest", i))
	}
	errs := make([]error, guests)
	var wg sync.WaitGroup
	for i, user := range users {
		wg.Go(func() { _, errs[i] = s.JoinRoom(t.Context(), room.ID, user.ID) })
	}
	wg.Wait()
	admitted := 0
	for _, err := range errs {
		if err == nil {
			admitted++
			continue
		}
		require.ErrorIs(t, err, watchparty.ErrRoomFull)
	}
	require.Equal(t, 1, admitted)
	people, err := s.Participants(t.Context(), room.ID)
	require.NoError(t, err)
	require.Len(t, people, capacity)

	// One person's devices join at once: all are in, and take one seat.
	other := newRoom(t, s, ada, nil)
	errs = make([]error, 20)
	for i := range errs {
		wg.Go(func() { _, errs[i] = s.JoinRoom(t.Context(), other.ID, users[0].ID) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	people, err = s.Participants(t.Context(), other.ID)
	require.NoError(t, err)
	require.Len(t, people, 2)
}

func TestMovies(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	movies := make([]watchparty.Movie, 0, 7)
	for i := range 7 {
		movies = append(movies, watchparty.Movie{
			Title: fmt.Sprint("Movie ", i), Year: 1920 + i, RuntimeMinutes: 60 + i, Description: "d'",
			Genres: []string{"silent", `a "quoted", one`},
		})
	}
	require.NoError(t, s.AddMovies(t.Context(), movies))
	list := func(p Page) ([]watchparty.Movie, error) { return s.Movies(t.Context(), watchparty.MovieFilter{}, p) }
	id := func(m watchparty.Movie) string { return m.ID }

	t.Run("in the order in which they were added", func(t *testing.T) {
		all, err := s.Movies(t.Context(), watchparty.MovieFilter{}, Page{Limit: 100})
		require.NoError(t, err)
		require.Len(t, all, len(movies))
		for i, m := range all {
			want := movies[i]
			want.ID, want.Version, want.CreatedAt, want.UpdatedAt = m.ID, 1, m.CreatedAt, m.UpdatedAt
			require.Equal(t, want, m)
		}
		require.Equal(t, ids(all, id), pages(t, 3, list, id))
		one, err := s.Movie(t.Context(), all[2].ID)
		require.NoError(t, err)
		require.Equal(t, all[2], one)
	})

	t.Run("adding again adds what is new", func(t *testing.T) {
		before, err := s.Movies(t.Context(), watchparty.MovieFilter{}, Page{Limit: 100})
		require.NoError(t, err)
		remake := movies[0]
		remake.Year = 2001
		require.NoError(t, s.AddMovies(t.Context(), append([]watchparty.Movie{remake}, movies...)))
		after, err := s.Movies(t.Context(), watchparty.MovieFilter{}, Page{Limit: 100})
		require.NoError(t, err)
		require.Len(t, after, len(movies)+1)
		require.Equal(t, before, after[:len(movies)])
	})

	t.Run("none to add", func(t *testing.T) {
		require.NoError(t, s.AddMovies(t.Context(), nil))
	})

	t.Run("unknown", func(t *testing.T) {
		_, err := s.Movie(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})
}

// A repeated request is answered with what its caller may see now, not with what they once opened.
func TestARepeatedRequestTellsNothingMore(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	n := watchparty.NewRoom{Name: "First"}
	n.Normalise()
	once := IdempotencyKey{Hash: []byte("key"), Fingerprint: []byte("asked")}
	room, err := s.CreateRoom(t.Context(), ada.ID, n, once)
	require.NoError(t, err)
	joinRoom(t, s, room, bob)
	_, err = s.SetRole(t.Context(), room.ID, ada.ID, bob.Username, watchparty.Host)
	require.NoError(t, err)
	private := watchparty.Private
	_, err = s.UpdateRoom(t.Context(), room.ID, bob.ID, watchparty.RoomChange{Visibility: &private}, nil)
	require.NoError(t, err)
	again, err := s.CreateRoom(t.Context(), ada.ID, n, once)
	require.NoError(t, err, "a member sees it")
	require.Equal(t, room.ID, again.ID)

	err = s.Kick(t.Context(), room.ID, bob.ID, ada.Username)
	require.NoError(t, err)
	again, err = s.CreateRoom(t.Context(), ada.ID, n, once)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
	require.Empty(t, again)
	addBan(t, s, room, ada, nil)
	again, err = s.CreateRoom(t.Context(), ada.ID, n, once)
	require.ErrorIs(t, err, watchparty.ErrBanned)
	require.Empty(t, again)
}
