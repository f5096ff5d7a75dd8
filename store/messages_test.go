package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	id := func(m watchparty.Message) string { return m.ID }

	t.Run("a participant posts and is seen", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '1 h' WHERE room_id = ?", room.ID)
		body := "Привет, 👩‍👩‍👧 e\u0301 \u202bשלום\u202c\nline 2\t'?' \\ " + strings.Repeat("界", 1900)
		posted := postMessage(t, s, room, ada, body)
		require.Equal(t, watchparty.Message{
			ID: posted.ID, RoomID: room.ID, Author: ada.Person(), Body: body, CreatedAt: posted.CreatedAt,
		}, posted)

		stored, err := s.Messages(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []watchparty.Message{posted}, stored)
		people, err := s.Participants(t.Context(), room.ID)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), people[0].LastSeenAt, time.Minute)
	})

	t.Run("nobody else does", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		refused := func(roomID string, with error) {
			t.Helper()
			_, err := s.PostMessage(t.Context(), bob, watchparty.NewMessage{RoomID: roomID, Body: "let me in"}, IdempotencyKey{})
			require.ErrorIs(t, err, with)
		}
		refused(room.ID, watchparty.ErrNotParticipant)
		refused(newID(), watchparty.ErrNotFound)
		joinRoom(t, s, room, bob)
		postMessage(t, s, room, bob, "I am in")
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, bob.ID))
		refused(room.ID, watchparty.ErrNotParticipant)
		stored, err := s.Messages(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, stored, 1)
	})

	t.Run("nobody speaks in an archived room", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		said := postMessage(t, s, room, ada, "before")
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", room.ID)
		_, err := s.PostMessage(t.Context(), ada, watchparty.NewMessage{RoomID: room.ID, Body: "after"}, IdempotencyKey{})
		require.ErrorIs(t, err, watchparty.ErrRoomArchived)
		stored, err := s.Messages(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []watchparty.Message{said}, stored)
	})

	t.Run("newest first, page by page, one room's only", func(t *testing.T) {
		room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
		var want []string
		for i := range 11 {
			m := postMessage(t, s, room, ada, fmt.Sprint(i))
			postMessage(t, s, other, ada, "elsewhere")
			want = append([]string{m.ID}, want...)
		}
		list := func(p Page) ([]watchparty.Message, error) { return s.Messages(t.Context(), room.ID, p) }
		for _, limit := range []int{1, 4, 11, 100} {
			require.Equal(t, want, pages(t, limit, list, id), "%d a page", limit)
		}
		older, err := list(Page{Limit: 3, After: Keys{want[5]}})
		require.NoError(t, err)
		require.Equal(t, want[6:9], ids(older, id))
	})

	t.Run("no messages", func(t *testing.T) {
		messages, err := s.Messages(t.Context(), newID(), Page{Limit: 10})
		require.NoError(t, err)
		require.NotNil(t, messages)
		require.Empty(t, messages)
	})

	t.Run("what a deleted account said stays, without its name", func(t *testing.T) {
		room, gone := newRoom(t, s, ada, nil), newUser(t, s, "gone")
		joinRoom(t, s, room, gone)
		said := postMessage(t, s, room, gone, "farewell")
		execute(t, s, "DELETE FROM users WHERE id = ?", gone.ID)
		messages, err := s.Messages(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, messages, 1)
		require.Equal(t, said.ID, messages[0].ID)
		require.Equal(t, "farewell", messages[0].Body)
		require.Empty(t, messages[0].Author.ID)
		require.Empty(t, messages[0].Author.Username)
		require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM participants WHERE user_id = ?", gone.ID))
	})
}

// Messages that many people post at once are all kept, and do not delay people who join.
func TestParallelMessages(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	const authors, each = 8, 10
	users := make([]watchparty.User, authors)
	for i := range users {
		users[i] = newUser(t, s, fmt.Sprint("user", i))
	}
	errs := make(chan error, authors*(each+1))
	var wg sync.WaitGroup
	for _, user := range users {
		wg.Go(func() {
			_, err := s.JoinRoom(t.Context(), room.ID, user.ID)
			errs <- err
			for i := range each {
				_, err := s.PostMessage(t.Context(), user, watchparty.NewMessage{RoomID: room.ID, Body: fmt.Sprint(i)},
					IdempotencyKey{})
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, authors*each, countRows(t, s, "messages"))
}

// readNewer reads the messages after a message, page by page, to the end.
func readNewer(t *testing.T, s *Store, room watchparty.Room, after string, limit int) []string {
	t.Helper()
	var seen []string
	p := Page{Limit: limit}
	if after != "" {
		p.After = Keys{after}
	}
	for {
		page, err := s.NewerMessages(t.Context(), room.ID, p)
		require.NoError(t, err)
		if len(page) == 0 {
			return seen
		}
		for _, m := range page {
			seen = append(seen, m.ID)
		}
		p.After = Keys{seen[len(seen)-1]}
	}
}

// A reader that always continues after the last message that it has seen sees each message once, in order, while many
// people post.
func TestReaderMissesNothing(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedURL(t)
	s := openStoreAt(t, url)
	stores := []*Store{s, openStoreAt(t, url)}
	room := newRoom(t, s, newUser(t, s, "host"), nil)
	// One with the ID of a clock that was an hour ahead.
	future := uuid.Must(uuid.NewV7())
	binary.BigEndian.PutUint64(future[:], binary.BigEndian.Uint64(future[:])+uint64(time.Hour.Milliseconds())<<16)
	execute(t, s, "INSERT INTO messages (id, room_id, body) VALUES (?, ?, 'from the future')", future, room.ID)

	const writers, each = 20, 5
	users := make([]watchparty.User, writers)
	for i := range users {
		users[i] = newUser(t, s, fmt.Sprint("user", i))
	}
	joinRoom(t, s, room, users...)
	posted, errs := make(chan string, writers*each), make(chan error, writers*each)
	var wg sync.WaitGroup
	for i, user := range users {
		wg.Go(func() {
			for range each {
				m, err := stores[i%len(stores)].PostMessage(t.Context(), user, watchparty.NewMessage{RoomID: room.ID, Body: "x"},
					IdempotencyKey{})
				errs <- err
				posted <- m.ID
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var seen []string
	after := future.String()
	for more := true; more; {
		select {
		case <-done:
			more = false // one more look sees the rest
		default:
		}
		page := readNewer(t, s, room, after, 7)
		if seen = append(seen, page...); len(page) > 0 {
			after = page[len(page)-1]
		}
	}
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	close(posted)
	want := []string{}
	for id := range posted {
		want = append(want, id)
	}
	slices.Sort(want)
	require.Equal(t, want, seen)
	require.Len(t, slices.Compact(want), writers*each)
	require.Greater(t, want[0], future.String(), "above the newest, though the clock is behind")
	for _, id := range want {
		parsed := uuid.MustParse(id)
		require.Equal(t, []any{uuid.Version(7), uuid.RFC4122}, []any{parsed.Version(), parsed.Variant()})
	}
}

// The ID of a message says when it was posted.
func TestMessageIDsAreTimes(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	before := firstID(time.Now())
	posted := postMessage(t, s, room, ada, "now")
	require.Greater(t, posted.ID, before)
	require.Less(t, posted.ID, firstID(time.Now().Add(time.Millisecond)))
	sec, nsec := uuid.MustParse(posted.ID).Time().UnixTime()
	require.WithinDuration(t, posted.CreatedAt, time.Unix(sec, nsec), 10*time.Second)
}

func TestReplies(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
	joinRoom(t, s, room, bob)
	reply := func(to string) (watchparty.Message, error) {
		return s.PostMessage(t.Context(), ada, watchparty.NewMessage{RoomID: room.ID, Body: "indeed", ReplyToID: to},
			IdempotencyKey{})
	}
	stored := func(id string) watchparty.Message {
		t.Helper()
		m, err := s.Message(t.Context(), id)
		require.NoError(t, err)
		return m
	}
	long := strings.Repeat("é", 139) + "👩\u200d👧 and so on"
	asked := postMessage(t, s, room, bob, long)

	answer, err := reply(asked.ID)
	require.NoError(t, err)
	quote := &watchparty.Quote{ID: asked.ID, Author: bob.Person(), Excerpt: strings.Repeat("é", 139) + "👩"}
	require.Equal(t, quote, answer.ReplyTo)
	require.Equal(t, answer, stored(answer.ID))

	_, err = reply(postMessage(t, s, other, ada, "elsewhere").ID)
	require.ErrorIs(t, err, watchparty.ErrUnknownMessage)
	_, err = reply(newID())
	require.ErrorIs(t, err, watchparty.ErrUnknownMessage)

	execute(t, s, "UPDATE users SET deleted_at = now() WHERE id = ?", bob.ID)
	quote.Author = watchparty.Person{}
	require.Equal(t, quote, stored(answer.ID).ReplyTo)
	require.Empty(t, stored(asked.ID).Author.ID)

	require.NoError(t, s.DeleteMessage(t.Context(), asked.ID, ada.ID))
	quote.Excerpt = ""
	require.Equal(t, quote, stored(answer.ID).ReplyTo)
	_, err = reply(asked.ID)
	require.ErrorIs(t, err, watchparty.ErrUnknownMessage)

	execute(t, s, "DELETE FROM messages WHERE id = ?", asked.ID)
	require.Equal(t, quote, stored(answer.ID).ReplyTo)
}

func TestMutedPeopleDoNotWrite(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
	joinRoom(t, s, room, bob)
	joinRoom(t, s, other, bob)
	said := postMessage(t, s, room, bob, "before")
	execute(
		t, s, "INSERT INTO mutes (id, room_id, user_id, until) VALUES (gen_random_uuid(), ?, ?, now() + interval '1 h')",
		room.ID, bob.ID,
	)
	_, err := s.PostMessage(t.Context(), bob, watchparty.NewMessage{RoomID: room.ID, Body: "x"}, IdempotencyKey{})
	require.ErrorIs(t, err, watchparty.ErrMuted)
	_, err = s.EditMessage(t.Context(), said.ID, bob.ID, "x")
	require.ErrorIs(t, err, watchparty.ErrMuted)
	postMessage(t, s, room, ada, "another's mute")
	postMessage(t, s, other, bob, "another room's mute")
	execute(t, s, "UPDATE mutes SET until = now()")
	postMessage(t, s, room, bob, "it is over")
}

// A request that is sent again, be it at the same time, posts once.
func TestPostingOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	first := postMessage(t, s, room, ada, "hello?")
	n := watchparty.NewMessage{RoomID: room.ID, Body: "once", ReplyToID: first.ID}
	idempotencyKey := IdempotencyKey{Hash: []byte("key"), Fingerprint: []byte("once")}
	posted, errs := make([]watchparty.Message, 20), make([]error, 20)
	var wg sync.WaitGroup
	for i := range posted {
		wg.Go(func() { posted[i], errs[i] = s.PostMessage(t.Context(), ada, n, idempotencyKey) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	for _, m := range posted {
		require.Equal(t, posted[0], m)
	}
	require.Equal(t, 2, countRows(t, s, "messages"))

	_, err := s.PostMessage(t.Context(), ada, n, IdempotencyKey{Hash: idempotencyKey.Hash, Fingerprint: []byte("else")})
	require.ErrorIs(t, err, watchparty.ErrKeyReused)
	execute(t, s, "UPDATE rooms SET archived_at = now()")
	again, err := s.PostMessage(t.Context(), ada, n, idempotencyKey)
	require.NoError(t, err, "it was promised before")
	require.Equal(t, posted[0], again)

	// A refused request does not use up the key.
	idempotencyKey.Hash = []byte("another")
	_, err = s.PostMessage(t.Context(), ada, n, idempotencyKey)
	require.ErrorIs(t, err, watchparty.ErrRoomArchived)
	execute(t, s, "UPDATE rooms SET archived_at = NULL")
	_, err = s.PostMessage(t.Context(), ada, n, idempotencyKey)
	require.NoError(t, err)
	require.Equal(t, 3, countRows(t, s, "messages"))
}

func TestEditMessage(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	room := newRoom(t, s, ada, nil)
	joinRoom(t, s, room, bob)
	said := postMessage(t, s, room, bob, "frist")
	age := func(d string) {
		t.Helper()
		execute(t, s, "UPDATE messages SET created_at = now() - ?::interval WHERE id = ?", d, said.ID)
	}
	edit := func(user watchparty.User) error {
		_, err := s.EditMessage(t.Context(), said.ID, user.ID, "first")
		return err
	}

	edited, err := s.EditMessage(t.Context(), said.ID, bob.ID, "first")
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), edited.EditedAt, time.Minute)
	want := said
	want.Body, want.EditedAt = "first", edited.EditedAt
	require.Equal(t, want, edited)
	stored, err := s.Message(t.Context(), said.ID)
	require.NoError(t, err)
	require.Equal(t, want, stored)
	const changed = "SELECT updated_at FROM messages WHERE id = ?"
	before := readValue[time.Time](t, s, changed, said.ID)
	same, err := s.EditMessage(t.Context(), said.ID, bob.ID, "first")
	require.NoError(t, err)
	require.Equal(t, want, same, "an edit that changes nothing is none")
	require.Equal(t, before, readValue[time.Time](t, s, changed, said.ID))

	require.ErrorIs(t, edit(ada), watchparty.ErrForbidden, "not the host, either")
	age("14 min 30 s")
	require.NoError(t, edit(bob))
	age("15 min")
	require.ErrorIs(t, edit(bob), watchparty.ErrEditWindowOver)
	age("0 s")
	require.NoError(t, s.LeaveRoom(t.Context(), room.ID, bob.ID))
	require.ErrorIs(t, edit(bob), watchparty.ErrNotParticipant)
	joinRoom(t, s, room, bob)
	execute(t, s, "UPDATE rooms SET archived_at = now()")
	require.ErrorIs(t, edit(bob), watchparty.ErrRoomArchived)
	execute(t, s, "UPDATE rooms SET archived_at = NULL")
	require.NoError(t, edit(bob))
	require.NoError(t, s.DeleteMessage(t.Context(), said.ID, bob.ID))
	require.ErrorIs(t, edit(bob), watchparty.ErrNotFound)
	_, err = s.EditMessage(t.Context(), newID(), bob.ID, "x")
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

// A deleted message stays deleted, even if it is edited at the same time.
func TestEditingLosesToDeleting(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	said := postMessage(t, s, room, ada, "a mistake")
	b := raiseBarrier(t, s, "UPDATE", "participants")
	failed := make(chan error, 1)
	go func() {
		_, err := s.EditMessage(t.Context(), said.ID, ada.ID, "edited")
		failed <- err
	}()
	b.awaitStopped(t, 1, nil)
	require.NoError(t, s.DeleteMessage(t.Context(), said.ID, ada.ID))
	b.release(t)
	require.ErrorIs(t, <-failed, watchparty.ErrNotFound)
	require.Empty(t, readValue[string](t, s, "SELECT body FROM messages"))
}

// Which roles may delete the messages of which roles; a person without a role counts as a viewer.
func TestDeleteMessage(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host := newUser(t, s, "host")
	room := newRoom(t, s, host, nil)
	people := map[string]watchparty.User{"host": host}
	for _, name := range []string{"mod", "mod2", "viewer", "member", "left", "gone"} {
		people[name] = newUser(t, s, name)
		joinRoom(t, s, room, people[name])
	}
	for name, role := range map[string]string{"mod": "moderator", "mod2": "moderator", "member": "viewer"} {
		execute(t, s, "INSERT INTO members (room_id, user_id, role) VALUES (?, ?, ?)", room.ID, people[name].ID, role)
	}
	people["stranger"] = newUser(t, s, "stranger")
	below := map[string][]string{
		"host": {"mod", "mod2", "viewer", "member", "left", "gone"},
		"mod":  {"viewer", "member", "left", "gone"},
	}
	for actor, by := range people {
		for author := range people {
			if author == "stranger" || actor == "gone" {
				continue
			}
			t.Run(actor+" of "+author, func(t *testing.T) {
				joinRoom(t, s, room, people[author])
				said := postMessage(t, s, room, people[author], "words")
				switch author {
				case "left":
					require.NoError(t, s.LeaveRoom(t.Context(), room.ID, people[author].ID))
				case "gone":
					execute(t, s, "UPDATE messages SET user_id = NULL WHERE id = ?", said.ID)
				}
				may := slices.Contains(below[strings.TrimRight(actor, "2")], author)
				logged := countRows(t, s, "room_log")
				err := s.DeleteMessage(t.Context(), said.ID, by.ID)
				if !may && actor != author {
					require.ErrorIs(t, err, watchparty.ErrForbidden)
					require.Equal(t, "words", readValue[string](t, s, "SELECT body FROM messages WHERE id = ?", said.ID))
					return
				}
				require.NoError(t, err)
				require.ErrorIs(t, s.DeleteMessage(t.Context(), said.ID, by.ID), watchparty.ErrNotFound, "twice")
				require.Equal(t, "true", readValue[string](t, s,
					"SELECT (body = '' AND deleted_at IS NOT NULL)::text FROM messages WHERE id = ?", said.ID))
				if actor == author {
					require.Equal(t, logged, countRows(t, s, "room_log"))
					return
				}
				log, err := s.RoomLog(t.Context(), room.ID, Page{Limit: 1})
				require.NoError(t, err)
				require.Equal(t, logged+1, countRows(t, s, "room_log"))
				require.Equal(t, []any{watchparty.ActMessageDeleted, by.ID, map[string]any{"message_id": said.ID}},
					[]any{log[0].Action, log[0].Actor.ID, log[0].Details})
				if author != "gone" {
					require.Equal(t, people[author].ID, log[0].Target.ID)
				}
			})
		}
	}
	t.Run("unknown", func(t *testing.T) {
		require.ErrorIs(t, s.DeleteMessage(t.Context(), newID(), host.ID), watchparty.ErrNotFound)
	})
	t.Run("an archived room's, and a banned author's", func(t *testing.T) {
		said := postMessage(t, s, room, people["viewer"], "words")
		execute(t, s, "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", room.ID,
			people["viewer"].ID)
		execute(t, s, "UPDATE rooms SET archived_at = now()")
		require.NoError(t, s.DeleteMessage(t.Context(), said.ID, people["viewer"].ID))
	})
}

func TestNewerMessages(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
	var want []string
	for i := range 11 {
		want = append(want, postMessage(t, s, room, ada, fmt.Sprint(i)).ID)
		postMessage(t, s, other, ada, "elsewhere")
	}
	for _, limit := range []int{1, 4, 11, 100} {
		require.Equal(t, want, readNewer(t, s, room, "", limit))
		require.Equal(t, want[6:], readNewer(t, s, room, want[5], limit))
	}
	none, err := s.NewerMessages(t.Context(), room.ID, Page{After: Keys{want[10]}, Limit: 10})
	require.NoError(t, err)
	require.NotNil(t, none)
	require.Empty(t, none)
}

// Joins, posts, and the update of a quiet room do not deadlock.
func TestJoiningAndPostingInAQuietRoom(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	for range 10 {
		execute(t, s, "UPDATE rooms SET last_active_at = now() - interval '1 h'")
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				if i%2 == 0 {
					_, errs[i] = s.JoinRoom(t.Context(), room.ID, ada.ID)
				} else {
					_, errs[i] = s.PostMessage(t.Context(), ada, watchparty.NewMessage{RoomID: room.ID, Body: "x"}, IdempotencyKey{})
				}
			})
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
	}
}

// BenchmarkPostMessage is how fast ten people can talk in one room.
func BenchmarkPostMessage(b *testing.B) {
	s := openStore(b)
	room := newRoom(b, s, newUser(b, s, "host"), nil)
	people := make(chan watchparty.User, 10)
	for i := range cap(people) {
		user := newUser(b, s, fmt.Sprint("user", i))
		joinRoom(b, s, room, user)
		people <- user
	}
	b.SetParallelism(cap(people) / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		user := <-people
		for pb.Next() {
			postMessage(b, s, room, user, "What a movie!")
		}
		people <- user
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}
