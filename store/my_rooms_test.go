package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestMyRooms(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	names := map[string]string{}
	add := func(name string, host watchparty.User, change func(*watchparty.NewRoom)) watchparty.Room {
		room := newRoom(t, s, host, change)
		names[room.ID] = name
		return room
	}
	private := func(n *watchparty.NewRoom) { n.Visibility = watchparty.Private }
	archive := func(room watchparty.Room) {
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", room.ID)
	}
	add("hosted", ada, nil)
	left := add("hosted and left", ada, private)
	require.NoError(t, s.LeaveRoom(t.Context(), left.ID, ada.ID))
	moderated := add("moderated", bob, nil)
	addMember(t, s, moderated, ada, watchparty.Moderator)
	joinRoom(t, s, moderated, ada)
	addMember(t, s, add("let in", bob, private), ada, watchparty.Viewer)
	joinRoom(t, s, add("watched", bob, func(n *watchparty.NewRoom) { n.Visibility = watchparty.Unlisted }), ada)
	archive(add("archived", ada, nil))
	was := add("watched once", bob, nil)
	joinRoom(t, s, was, ada)
	archive(was)
	lapsed := add("ban over", bob, nil)
	joinRoom(t, s, lapsed, ada)
	past, future := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	addBan(t, s, lapsed, ada, &past)
	for i, until := range []*time.Time{nil, &future} {
		banned := add(fmt.Sprint("banned ", i), bob, nil)
		addMember(t, s, banned, ada, watchparty.Moderator)
		joinRoom(t, s, banned, ada)
		addBan(t, s, banned, ada, until)
	}
	deleted := add("deleted", ada, nil)
	require.NoError(t, s.DeleteRoom(t.Context(), deleted.ID, ada.ID, nil))
	add("another's", bob, nil)

	all := []string{
		"ban over: viewer true", "watched once: viewer true", "archived: host true", "watched: viewer true",
		"let in: viewer false",
		"moderated: moderator true", "hosted and left: host false", "hosted: host true",
	}
	for _, test := range []struct {
		name   string
		filter watchparty.MyRoomFilter
		want   []string
	}{
		{"all", watchparty.MyRoomFilter{}, all},
		{"host", watchparty.MyRoomFilter{Role: watchparty.Host}, []string{all[2], all[6], all[7]}},
		{"moderator", watchparty.MyRoomFilter{Role: watchparty.Moderator}, []string{all[5]}},
		{"viewer", watchparty.MyRoomFilter{Role: watchparty.Viewer}, []string{all[0], all[1], all[3], all[4]}},
		{"open", watchparty.MyRoomFilter{Archived: ptr(false)}, []string{all[0], all[3], all[4], all[5], all[6], all[7]}},
		{"archived", watchparty.MyRoomFilter{Archived: ptr(true)}, []string{all[1], all[2]}},
		{"host, archived", watchparty.MyRoomFilter{Role: watchparty.Host, Archived: ptr(true)}, []string{all[2]}},
		{"moderator, archived", watchparty.MyRoomFilter{Role: watchparty.Moderator, Archived: ptr(true)}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			shown := map[string]string{}
			list := func(p Page) ([]watchparty.MyRoom, error) {
				rooms, err := s.MyRooms(t.Context(), ada.ID, test.filter, p)
				for _, r := range rooms {
					shown[r.Room.ID] = fmt.Sprintf("%s: %s %t", names[r.Room.ID], r.Role, r.Joined)
					stored, err := s.Room(t.Context(), r.Room.ID)
					require.NoError(t, err)
					require.Equal(t, stored, r.Room)
				}
				return rooms, err
			}
			for _, limit := range []int{1, 2, 3, 100} {
				got := []string{}
				for _, id := range pages(t, limit, list, func(r watchparty.MyRoom) string { return r.Room.ID }) {
					got = append(got, shown[id])
				}
				require.Equal(t, test.want, got, "%d a page", limit)
			}
		})
	}
}

func TestOwnStanding(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newScene(t, s)
	c.moderator(c.first)
	require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, c.first.ID))
	muted := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	for user, until := range map[string]time.Time{c.first.ID: muted, c.second.ID: time.Now().Add(-time.Minute)} {
		execute(t, s, "INSERT INTO mutes (id, room_id, user_id, until) VALUES (gen_random_uuid(), ?, ?, ?)", c.room.ID, user,
			until)
	}
	for _, test := range []struct {
		user watchparty.User
		want watchparty.OwnStanding
	}{
		{c.ada, watchparty.OwnStanding{Role: watchparty.Host, Joined: true}},
		{c.first, watchparty.OwnStanding{Role: watchparty.Moderator, MutedUntil: muted}},
		{c.second, watchparty.OwnStanding{Role: watchparty.Viewer, Joined: true}},
		{newUser(t, s, "stranger"), watchparty.OwnStanding{Role: watchparty.Viewer}},
	} {
		test.want.Access = watchparty.RoomAccess{Control: "moderators", Queue: "everyone"}
		got, err := s.OwnStanding(t.Context(), c.room.ID, test.user.ID)
		require.NoError(t, err)
		require.Equal(t, test.want, got, test.user.Username)
	}
	_, err := s.OwnStanding(t.Context(), newID(), c.ada.ID)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

func TestRoomFilters(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	faust := addMovie(t, s, "Faust")
	room := func(name, description, movie string, capacity int) string {
		return newRoom(t, s, ada, func(n *watchparty.NewRoom) {
			n.Name, n.Description, n.MovieID, n.Capacity = name, description, movie, capacity
		}).ID
	}
	one := room("Movie night", "Silent movies, every Sunday", faust, 2)
	two := room("Movie NIGHTS", "<b>it's</b> 'quoted'; DROP TABLE rooms", "", 2)
	three := room("שלום עולם 👩‍👩‍👧", "café crème", faust, 3)
	_, err := s.JoinRoom(t.Context(), one, bob.ID)
	require.NoError(t, err)
	newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Name, n.Visibility = "Movie night hidden", watchparty.Unlisted })
	archived := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Name = "Movie night over" })
	execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", archived.ID)

	for _, test := range []struct {
		filter watchparty.RoomFilter
		want   []string
	}{
		{watchparty.RoomFilter{}, []string{three, two, one}},
		{watchparty.RoomFilter{Search: "movie night"}, []string{one, two}},
		{watchparty.RoomFilter{Search: "MOVIE n"}, []string{one, two}},
		{watchparty.RoomFilter{Search: "mov night"}, []string{}},
		{watchparty.RoomFilter{Search: "night movie"}, []string{one}},
		{watchparty.RoomFilter{Search: "night silent"}, []string{one}},
		{watchparty.RoomFilter{Search: "nights"}, []string{two}},
		{watchparty.RoomFilter{Search: "שלום עו"}, []string{three}},
		{watchparty.RoomFilter{Search: "café"}, []string{three}},
		{watchparty.RoomFilter{Search: "'quot"}, []string{two}},
		{watchparty.RoomFilter{Search: "'; DROP TABLE rooms; --"}, []string{two}},
		{watchparty.RoomFilter{Search: "👩‍👩‍👧 & | ! ' \\ :*"}, []string{}},
		{watchparty.RoomFilter{Search: "%"}, []string{}},
		{watchparty.RoomFilter{Search: "hidden"}, []string{}},
		{watchparty.RoomFilter{Search: "over"}, []string{}},
		{watchparty.RoomFilter{MovieID: faust}, []string{three, one}},
		{watchparty.RoomFilter{MovieID: newID()}, []string{}},
		{watchparty.RoomFilter{Available: true}, []string{three, two}},
		{watchparty.RoomFilter{Available: true, MovieID: faust, Search: "cr"}, []string{three}},
		{watchparty.RoomFilter{Available: true, MovieID: faust, Search: "night"}, []string{}},
	} {
		list := func(p Page) ([]watchparty.Room, error) { return s.Rooms(t.Context(), test.filter, p) }
		for _, limit := range []int{1, 100} {
			got := append([]string{}, pages(t, limit, list, func(r watchparty.Room) string { return r.ID })...)
			require.Equal(t, test.want, got, "%+v, %d a page", test.filter, limit)
		}
	}
}
