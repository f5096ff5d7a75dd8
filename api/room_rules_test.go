package api

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoomRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob, carol := b.user(t, "alice"), b.user(t, "bob"), b.user(t, "carol")
	room := b.room(t, alice, map[string]any{"capacity": 2})

	t.Run("only those inside speak", func(t *testing.T) {
		a := b.do(t, "POST", "/chat/messages", bob.token, map[string]any{"room_id": room, "body": "Hello"})
		a.requireProblem(t, 403, "not_participant")
	})
	t.Run("joining twice is joining once", func(t *testing.T) {
		b.join(t, room, bob)
		a := b.do(t, "POST", "/rooms/"+room+"/join", bob.token, nil)
		require.EqualValues(t, 2, a.data()["participants"], a)
	})
	t.Run("who is in it", func(t *testing.T) {
		list := b.do(t, "GET", "/rooms/"+room+"/participants", "", nil).list()
		require.Len(t, list, 2)
		require.Equal(t, []any{"alice", "host", "bob", "viewer"},
			[]any{nameIn(list[0]["user"]), list[0]["role"], nameIn(list[1]["user"]), list[1]["role"]})
	})
	t.Run("full", func(t *testing.T) {
		b.do(t, "POST", "/rooms/"+room+"/join", carol.token, nil).requireProblem(t, 409, "room_full")
	})
	t.Run("leaving twice", func(t *testing.T) {
		require.Equal(t, 204, b.do(t, "POST", "/rooms/"+room+"/leave", bob.token, nil).status)
		require.Equal(t, 204, b.do(t, "POST", "/rooms/"+room+"/leave", bob.token, nil).status)
		b.join(t, room, carol)
	})
	t.Run("unlisted", func(t *testing.T) {
		hidden := b.room(t, alice, map[string]any{"visibility": "unlisted"})
		require.NotContains(t, string(b.do(t, "GET", "/rooms", bob.token, nil).raw), hidden)
		require.Equal(t, 200, b.do(t, "GET", "/rooms/"+hidden, "", nil).status)
		b.join(t, hidden, bob)
	})
	t.Run("archived", func(t *testing.T) {
		_, err := b.store.DB().ExecContext(t.Context(), "UPDATE rooms SET archived_at = now() WHERE id = ?", room)
		require.NoError(t, err)
		b.do(t, "POST", "/rooms/"+room+"/join", bob.token, nil).requireProblem(t, 409, "room_archived")
		b.void(t, "rooms", "room:"+room)
		require.Equal(t, "archived", b.do(t, "GET", "/rooms/"+room, "", nil).data()["state"])
		require.Empty(t, b.do(t, "GET", "/rooms", "", nil).list())
	})
}

func TestCreatedRoomIsWhatWasAsked(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	asked := map[string]any{
		"name":        "Late show",
		"description": "Bring tea.\nAnd biscuits.",
		"movie_id":    w.movie,
		"visibility":  "unlisted",
		"capacity":    4.0,
	}
	created := w.do(t, "POST", "/rooms", w.alice.token, asked).data()
	read := w.do(t, "GET", "/rooms/"+created["id"].(string), "", nil).data()
	require.Equal(t, created, read)
	require.Equal(t, map[string]any{
		"id": w.movie, "title": "Metropolis", "year": 1927.0, "runtime_minutes": 153.0, "poster_url": nil,
	}, read["movie"])
	delete(asked, "movie_id")
	for name, v := range asked {
		require.Equal(t, v, read[name], name)
	}
	host := w.do(t, "GET", "/users/alice", "", nil).data()
	delete(host, "created_at")
	require.Equal(t, host, read["host"])
	require.EqualValues(t, 1, read["present"])
	require.EqualValues(t, 1, read["participants"])

	defaults := w.do(t, "POST", "/rooms", w.alice.token, map[string]any{"name": "Plain"}).data()
	require.Equal(t, []any{"public", 50.0, nil, ""},
		[]any{defaults["visibility"], defaults["capacity"], defaults["movie"], defaults["description"]})
}

// TestArchivedRoom: it can be read, and nothing new happens in it.
func TestArchivedRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest := b.user(t, "host"), b.user(t, "guest")
	room := b.room(t, host, nil)
	_, err := b.store.DB().ExecContext(t.Context(), "UPDATE rooms SET archived_at = now() WHERE id = ?", room)
	require.NoError(t, err)
	said := map[string]any{"room_id": room, "body": "too late"}
	b.do(t, "POST", "/chat/messages", host.token, said).requireProblem(t, http.StatusConflict, "room_archived")
	b.do(t, "POST", "/rooms/"+room+"/join", guest.token, nil).requireProblem(t, http.StatusConflict, "room_archived")
	require.Empty(t, b.do(t, "GET", "/chat/messages?room_id="+room, "", nil).list())
}
