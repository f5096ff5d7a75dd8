package store

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
)

// TestPeopleAreShownAlike: every read that shows a person shows the same, with the newest name and picture, and nobody
// once the account is deleted. The audit log alone keeps the name.
func TestPeopleAreShownAlike(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, root := newAdmin(t, s, "ada"), newAdmin(t, s, "root")
	bob, carl, dora := newUser(t, s, "bob"), newUser(t, s, "carl"), newUser(t, s, "dora")
	confirmAddresses(t, s, ada, dora)
	own, other, third := newRoom(t, s, ada, nil), newRoom(t, s, bob, nil), newRoom(t, s, bob, nil)
	joinRoom(t, s, own, bob)
	asked := postMessage(t, s, own, ada, "Shall we?")
	answer, err := s.PostMessage(t.Context(), bob, watchparty.NewMessage{RoomID: own.ID, Body: "Yes", ReplyToID: asked.ID},
		IdempotencyKey{})
	require.NoError(t, err)
	do := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	until := Now().Add(time.Hour)
	do(s.Ban(t.Context(), own.ID, ada.ID, carl.Username, watchparty.NewBan{}, IdempotencyKey{}))
	do(s.Ban(t.Context(), other.ID, bob.ID, ada.Username, watchparty.NewBan{}, IdempotencyKey{}))
	do(s.Mute(t.Context(), own.ID, ada.ID, carl.Username, watchparty.NewMute{Until: until}, IdempotencyKey{}))
	do(s.Mute(t.Context(), third.ID, bob.ID, ada.Username, watchparty.NewMute{Until: until}, IdempotencyKey{}))
	invited := createInvitation(t, s, own, ada, dora.Email)
	do(s.ReportAbuse(t.Context(), bob.ID, watchparty.NewAbuseReport{Kind: watchparty.AbuseSpam, Username: "ada"},
		IdempotencyKey{}))
	run := newRun(t, s, ada, true)
	identity := signedIn(t, s, ada)
	nodeID := newID()
	renewLease(t, s, nodeID)
	admitted, err := s.AddConnection(t.Context(), nodeID, newID(), own.ID, identity)
	require.NoError(t, err)
	require.Equal(t, ada.Person(), admitted.User)
	do(s.AddToQueue(t.Context(), own.ID, identity, watchparty.Source{StreamURL: movieAddress}, IdempotencyKey{}))
	do(s.ApplyPlaybackCommand(t.Context(), own.ID, identity, newLoad(watchparty.Source{StreamURL: movieAddress})))

	first := Page{Limit: 1}
	stays := map[string]func(context.Context) (watchparty.Person, error){ // what outlasts the account
		"author": func(ctx context.Context) (watchparty.Person, error) {
			m, err := s.Message(ctx, asked.ID)
			return m.Author, err
		},
		"quoted author": func(ctx context.Context) (watchparty.Person, error) {
			m, err := s.Message(ctx, answer.ID)
			return m.ReplyTo.Author, err
		},
		"author, for admins": func(ctx context.Context) (watchparty.Person, error) {
			all, err := s.AdminMessages(ctx, own.ID, Page{Limit: 2})
			return all[1].Message.Author, err
		},
		"who banned": func(ctx context.Context) (watchparty.Person, error) {
			b, err := s.BanOf(ctx, own.ID, carl.Username)
			return b.By, err
		},
		"who muted": func(ctx context.Context) (watchparty.Person, error) {
			m, err := s.MuteOf(ctx, own.ID, carl.Username)
			return m.By, err
		},
		"inviter": func(ctx context.Context) (watchparty.Person, error) {
			i, err := s.Invitation(ctx, invited.ID)
			return i.Inviter, err
		},
		"who is reported": func(ctx context.Context) (watchparty.Person, error) {
			all, err := s.AbuseReports(ctx, watchparty.AbuseFilter{}, first)
			return all[0].Subject, err
		},
		"who started a run": func(ctx context.Context) (watchparty.Person, error) {
			r, err := s.Run(ctx, run.ID)
			return r.StartedBy, err
		},
		"who controls the playback": func(ctx context.Context) (watchparty.Person, error) {
			p, err := s.Playback(ctx, own.ID)
			return p.Actor, err
		},
	}
	goes := map[string]func(context.Context) (watchparty.Person, error){ // what is gone with the account
		"host": func(ctx context.Context) (watchparty.Person, error) {
			r, err := s.Room(ctx, own.ID)
			return r.Host, err
		},
		"host, in a list": func(ctx context.Context) (watchparty.Person, error) {
			all, err := s.Rooms(ctx, watchparty.RoomFilter{Search: "ada"}, first)
			return all[0].Host, err
		},
		"participant": func(ctx context.Context) (watchparty.Person, error) {
			all, err := s.Participants(ctx, own.ID)
			return all[0].User, err
		},
		"member": func(ctx context.Context) (watchparty.Person, error) {
			all, err := s.LiveMembers(ctx, []string{own.ID})
			return all[0].User, err
		},
		"whom a room waits for": func(ctx context.Context) (watchparty.Person, error) {
			p, err := s.Playback(ctx, own.ID)
			return p.Missing[0], err
		},
		"who added to a queue": func(ctx context.Context) (watchparty.Person, error) {
			items, _, err := s.Queue(ctx, own.ID, "")
			return items[0].AddedBy, err
		},
		"who is banned": func(ctx context.Context) (watchparty.Person, error) {
			all, err := s.Bans(ctx, other.ID, first)
			return all[0].User, err
		},
		"who is muted": func(ctx context.Context) (watchparty.Person, error) {
			all, err := s.Mutes(ctx, third.ID, first)
			return all[0].User, err
		},
		"inviter, to the invited": func(ctx context.Context) (watchparty.Person, error) {
			all, err := s.MyInvitations(ctx, dora.ID, first)
			return all[0].Inviter, err
		},
	}
	requireAll := func(want watchparty.Person, reads map[string]func(context.Context) (watchparty.Person, error)) {
		t.Helper()
		for name, read := range reads {
			shown, err := read(t.Context())
			require.NoError(t, err, name)
			require.Equal(t, want, shown, name)
		}
	}
	entries := func() []watchparty.AuditEntry {
		all, err := s.Audit(t.Context(), watchparty.AuditFilter{ActorID: ada.ID}, Page{Limit: 10})
		require.NoError(t, err)
		require.NotEmpty(t, all)
		return all
	}
	requireAll(ada.Person(), stays)
	requireAll(ada.Person(), goes)

	name := "Ada, Countess of Lovelace"
	do(s.UpdateProfile(t.Context(), ada.ID, watchparty.ProfileChange{DisplayName: &name}))
	version := uploadAvatar(t, s, ada)
	require.NoError(t, s.MarkAvatarRendered(t.Context(), ada.ID, version, []string{watchparty.ThumbnailFile}))
	publishAvatar(t, s, ada, version)
	ada, err = s.User(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Equal(t, watchparty.Person{
		ID:            ada.ID,
		Username:      "ada",
		DisplayName:   name,
		AvatarVersion: version,
		AvatarFiles:   []string{watchparty.ThumbnailFile},
	}, ada.Person())
	requireAll(ada.Person(), stays)
	requireAll(ada.Person(), goes)
	require.Equal(t, ada.Person(), entries()[0].Actor)
	acts, err := s.RoomLog(t.Context(), own.ID, Page{Limit: 20})
	require.NoError(t, err)
	for _, act := range acts {
		require.Equal(t, ada.Person(), act.Actor, act.Action)
	}

	require.NoError(t, s.DeleteAccount(t.Context(), ada.ID, "hash of "+ada.Username))
	for range 2 { // with the account's row, and without it
		requireAll(watchparty.Person{}, stays)
		require.Equal(t, watchparty.Person{ID: ada.ID, Username: "ada", DisplayName: "ada"}, entries()[0].Actor)
		do(s.AnonymiseMessages(t.Context(), ada.ID, 10))
		require.NoError(t, s.RemoveAccount(t.Context(), ada.ID))
	}
	room, err := s.Room(t.Context(), own.ID)
	require.NoError(t, err)
	require.Equal(t, bob.Person(), room.Host)
	require.NotEqual(t, root.ID, room.Host.ID)
}

// TestRoomsShowTheirMovie: rooms show the current data of their movie.
func TestRoomsShowTheirMovie(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	movie, err := s.CreateMovie(t.Context(), root.ID, watchparty.NewMovie{
		Title: "Nosferatu", Year: 1922, RuntimeMinutes: 94, PosterURL: "https://movies.example/nosferatu.jpg",
	}, IdempotencyKey{})
	require.NoError(t, err)
	with, without := newRoom(t, s, root, func(n *watchparty.NewRoom) { n.MovieID = movie.ID }), newRoom(t, s, root, nil)
	want := watchparty.RoomMovie{
		ID: movie.ID, Title: "Nosferatu", Year: 1922, RuntimeMinutes: 94, PosterURL: "https://movies.example/nosferatu.jpg",
	}
	requireMovie := func(want watchparty.RoomMovie) {
		t.Helper()
		rooms, err := s.Rooms(t.Context(), watchparty.RoomFilter{}, Page{Limit: 2})
		require.NoError(t, err)
		require.Equal(t, []watchparty.RoomMovie{{}, want}, []watchparty.RoomMovie{rooms[0].Movie, rooms[1].Movie})
		mine, err := s.MyRooms(t.Context(), root.ID, watchparty.MyRoomFilter{}, Page{Limit: 2})
		require.NoError(t, err)
		require.Equal(t, want, mine[1].Room.Movie)
		require.Equal(t, without.ID, mine[0].Room.ID)
	}
	require.Equal(t, want, with.Movie)
	requireMovie(want)
	title := "Nosferatu: A Symphony of Horror"
	tags := changesOf(s, func() {
		_, err = s.UpdateMovie(
			t.Context(), root.ID, movie.ID, watchparty.MovieChange{Title: &title, PosterURL: new(string)}, nil,
		)
		require.NoError(t, err)
	})
	require.ElementsMatch(t, []string{coherence.TagMovies, coherence.TagMovie(movie.ID)}, tags)
	want.Title, want.PosterURL = title, ""
	requireMovie(want)
}

// TestPresence: rooms count the people in them and those present, and say until when that holds. A person who was
// absent changes the room by a heartbeat, post or join; a person who was present does not.
func TestPresence(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	room := newRoom(t, s, ada, nil)
	joinRoom(t, s, room, bob)
	read := func() watchparty.Room {
		t.Helper()
		r, err := s.Room(t.Context(), room.ID)
		require.NoError(t, err)
		byPeople, err := s.RoomsByPeople(t.Context(), watchparty.RoomFilter{}, Page{Limit: 1})
		require.NoError(t, err)
		if r.Present > 0 {
			require.Equal(t, []int{r.Present, r.Participants}, []int{byPeople[0].Present, byPeople[0].Participants})
		} else {
			require.Empty(t, byPeople)
		}
		return r
	}
	r := read()
	require.Equal(t, []int{2, 2}, []int{r.Participants, r.Present})
	setLastSeen(t, s, room, bob, time.Minute)
	lastSeen := readValue[time.Time](t, s, "SELECT last_seen_at FROM participants WHERE user_id = ?", bob.ID)
	require.True(t, lastSeen.Add(watchparty.PresentFor).Equal(read().PresentUntil), "bob is the first to be missed")

	identity := signedIn(t, s, bob)
	nodeID := newID()
	renewLease(t, s, nodeID)
	_, err := s.AddConnection(t.Context(), nodeID, newID(), room.ID, identity)
	require.NoError(t, err)
	for name, sign := range map[string]func() error{
		"heartbeat": func() error { return second(s.Heartbeat(t.Context(), room.ID, bob.ID, time.Hour)) },
		"join":      func() error { return second(s.JoinRoom(t.Context(), room.ID, bob.ID)) },
		"message": func() error {
			return second(s.PostMessage(t.Context(), bob, watchparty.NewMessage{RoomID: room.ID, Body: "Hello"}, IdempotencyKey{}))
		},
		"connection":  func() error { return second(s.AddConnection(t.Context(), nodeID, newID(), room.ID, identity)) },
		"connections": func() error { return second(s.KeepPresent(t.Context(), nodeID, time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			changesRoom := func() bool {
				tags := changesOf(s, func() { require.NoError(t, sign()) })
				for _, tag := range []string{coherence.TagRoom(room.ID), coherence.TagRooms} {
					if !slices.Contains(tags, tag) {
						return false
					}
				}
				return true
			}
			setLastSeen(t, s, room, bob, watchparty.PresentFor+time.Second)
			setLastSeen(t, s, room, ada, watchparty.PresentFor+time.Second)
			r := read()
			require.Equal(t, []int{2, 0}, []int{r.Participants, r.Present})
			require.Zero(t, r.PresentUntil)
			require.True(t, changesRoom(), "bob is back")
			require.Equal(t, 1, read().Present)
			setLastSeen(t, s, room, bob, watchparty.PresentFor-10*time.Second)
			require.True(t, changesRoom(), "somebody may have looked a moment later, before this was stored")
			setLastSeen(t, s, room, bob, watchparty.PresentFor-30*time.Second)
			require.False(t, changesRoom(), "bob was there")
			require.Equal(t, 1, read().Present)
		})
	}
}
