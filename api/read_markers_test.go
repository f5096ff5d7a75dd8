package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadMarkers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob, stranger := b.user(t, "alice"), b.user(t, "bob"), b.user(t, "stranger")
	room, other := b.room(t, alice, nil), b.room(t, bob, nil)
	b.join(t, room, bob)
	read := func(p person, room, message string) answer {
		t.Helper()
		return b.do(t, "PUT", "/rooms/"+room+"/read", p.token, map[string]any{"message_id": message})
	}
	mine := func(p person) map[string]any {
		t.Helper()
		for _, item := range b.do(t, "GET", "/users/me/rooms", p.token, nil).list() {
			if item["room"].(map[string]any)["id"] == room {
				return item
			}
		}
		return nil
	}
	requireUnread := func(t *testing.T, p person, unread int) {
		t.Helper()
		require.EqualValues(t, unread, mine(p)["unread"])
	}
	requireUnread(t, alice, 0)
	require.Nil(t, mine(alice)["last_message_at"])

	first, second := b.post(t, room, bob, "One"), b.post(t, room, bob, "Two")
	own := b.post(t, room, alice, "Mine")
	third := b.post(t, room, bob, "Three")
	elsewhere := b.post(t, other, bob, "Elsewhere")
	requireUnread(t, alice, 3)
	requireUnread(t, bob, 1)
	require.Equal(t, b.do(t, "GET", "/chat/messages/"+third, "", nil).data()["created_at"], mine(alice)["last_message_at"])

	t.Run("a marker moves on and never back", func(t *testing.T) {
		for _, step := range []struct {
			message string
			unread  int
		}{{second, 1}, {first, 1}, {own, 1}, {third, 0}, {first, 0}, {third, 0}} {
			require.Equal(t, 204, read(alice, room, step.message).status)
			requireUnread(t, alice, step.unread)
		}
		requireUnread(t, bob, 1)
	})
	t.Run("what was taken back or hidden does not count", func(t *testing.T) {
		fourth := b.post(t, room, bob, "Four")
		requireUnread(t, alice, 1)
		b.exec(t, "UPDATE users SET suspended_at = now(), hidden_at = now() WHERE id = ?", bob.id)
		requireUnread(t, alice, 0)
		b.exec(t, "UPDATE users SET suspended_at = NULL, hidden_at = NULL WHERE id = ?", bob.id)
		require.Equal(t, 204, b.do(t, "DELETE", "/chat/messages/"+fourth, bob.token, nil).status)
		requireUnread(t, alice, 0)
		require.Equal(t, 204, read(alice, room, fourth).status, "it can be marked")
	})
	t.Run("counted to 100", func(t *testing.T) {
		const post = "INSERT INTO messages (id, room_id, user_id, body) SELECT next_message_id(?0), ?0, ?1, 'x' FROM generate_series(1, ?2)"
		for range 99 {
			b.exec(t, post, room, bob.id, 1)
		}
		requireUnread(t, alice, 99)
		for range 3 {
			b.exec(t, post, room, bob.id, 1)
		}
		requireUnread(t, alice, 100)
	})
	t.Run("for those who belong to the room", func(t *testing.T) {
		read(stranger, room, first).requireProblem(t, 403, "not_participant")
		read(alice, room, elsewhere).requireField(t, 400, "message_id")
		read(alice, room, unknownID).requireProblem(t, 400, "unknown_message")
		read(alice, unknownID, first).requireProblem(t, 404, "not_found")
		b.alter(t, room, "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", room, stranger.id)
		read(stranger, room, first).requireProblem(t, 403, "banned")
		require.Equal(t, 204, b.do(t, "POST", "/rooms/"+room+"/leave", alice.token, nil).status)
		require.Equal(t, 204, read(alice, room, third).status, "a moderator who is not in it")
		b.exec(t, "UPDATE rooms SET archived_at = now() WHERE id = ?", room)
		require.Equal(t, 204, read(bob, room, third).status, "an archived room is read, too")
	})
	t.Run("it goes with the account and the room", func(t *testing.T) {
		markers := func() int { return value1[int](t, b, "SELECT count(*) FROM read_markers WHERE room_id = ?", room) }
		require.Equal(t, 2, markers())
		err := b.store.DeleteAccount(t.Context(), alice.id, "none")
		require.NoError(t, err)
		require.Equal(t, 1, markers())
		require.NoError(t, b.store.DeleteRoom(t.Context(), room, bob.id, nil))
		require.Zero(t, markers())
	})
}
