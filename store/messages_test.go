package store

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	id := func(m watchparty.Message) string { return m.ID }

	t.Run("a participant posts and is seen", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		exec(t, s, "UPDATE participants SET last_seen_at = now() - interval '1 h' WHERE room_id = ?", room.ID)
		body := "Привет, 👩‍👩‍👧 e\u0301 \u202bשלום\u202c\nline 2\t'?' \\ " + strings.Repeat("界", 1900)
		posted := say(t, s, room, ada, body)
		require.Equal(t, watchparty.Message{
			ID: posted.ID, RoomID: room.ID, UserID: ada.ID, Username: "ada", Body: body, CreatedAt: posted.CreatedAt,
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
			_, err := s.PostMessage(t.Context(), roomID, bob, "let me in")
			require.ErrorIs(t, err, with)
		}
		refused(room.ID, watchparty.ErrNotParticipant)
		refused(newID(), watchparty.ErrNotFound)
		join(t, s, room, bob)
		say(t, s, room, bob, "I am in")
		require.NoError(t, s.LeaveRoom(t.Context(), room.ID, bob.ID))
		refused(room.ID, watchparty.ErrNotParticipant)
		stored, err := s.Messages(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, stored, 1)
	})

	t.Run("nobody speaks in an archived room", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		said := say(t, s, room, ada, "before")
		exec(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", room.ID)
		_, err := s.PostMessage(t.Context(), room.ID, ada, "after")
		require.ErrorIs(t, err, watchparty.ErrRoomArchived)
		stored, err := s.Messages(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []watchparty.Message{said}, stored)
	})

	t.Run("newest first, page by page, one room's only", func(t *testing.T) {
		room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
		var want []string
		for i := range 11 {
			m := say(t, s, room, ada, fmt.Sprint(i))
			say(t, s, other, ada, "elsewhere")
			want = append([]string{m.ID}, want...)
		}
		list := func(p Page) ([]watchparty.Message, error) { return s.Messages(t.Context(), room.ID, p) }
		for _, limit := range []int{1, 4, 11, 100} {
			require.Equal(t, want, pages(t, limit, list, id), "%d a page", limit)
		}
		older, err := list(Page{Limit: 3, After: want[5]})
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
		join(t, s, room, gone)
		said := say(t, s, room, gone, "farewell")
		exec(t, s, "DELETE FROM users WHERE id = ?", gone.ID)
		messages, err := s.Messages(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, messages, 1)
		require.Equal(t, said.ID, messages[0].ID)
		require.Equal(t, "farewell", messages[0].Body)
		require.Empty(t, messages[0].UserID)
		require.Empty(t, messages[0].Username)
		require.Zero(t, get[int](t, s, "SELECT count(*) FROM participants WHERE user_id = ?", gone.ID))
	})
}

// Messages of many at once are all kept, and none holds up people who come in.
func TestParallelMessages(t *testing.T) {
	t.Parallel()
	s := open(t)
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
				_, err := s.PostMessage(t.Context(), room.ID, user, fmt.Sprint(i))
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, authors*each, count(t, s, "messages"))
}
