package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMessageUpdates: a client that was away catches up with what was posted, edited and taken back.
func TestMessageUpdates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	path := "/chat/messages?room_id=" + room
	follow := func(query, cursor string) (bodies []string, next string, a answer) {
		t.Helper()
		a = b.do(t, "GET", path+query+"&updated_after="+cursor, "", nil)
		require.Equal(t, 200, a.status, a)
		for _, m := range a.list() {
			body := m["body"].(string)
			if m["deleted"].(bool) {
				body = "deleted"
			}
			bodies = append(bodies, body)
		}
		return bodies, a.body["updates_cursor"].(string), a
	}
	empty := b.do(t, "GET", path, "", nil).body["updates_cursor"].(string)
	first, second := b.post(t, room, alice, "One"), b.post(t, room, alice, "Two")
	page := b.requireHit(t, path, "")
	cursor := page.body["updates_cursor"].(string)
	got, next, _ := follow("", cursor)
	require.Empty(t, got)
	require.Equal(t, cursor, next)

	require.Equal(t, 200, b.do(t, "PATCH", "/chat/messages/"+second, alice.token, map[string]any{"body": "Two."}).status)
	require.Equal(t, 204, b.do(t, "DELETE", "/chat/messages/"+first, alice.token, nil).status)
	got, next, _ = follow("", cursor)
	require.Equal(t, []string{"Two.", "deleted"}, got)
	_, _, last := follow("", next)
	require.Empty(t, last.list())
	require.Nil(t, last.body["next_cursor"])
	require.Nil(t, last.body["newer_cursor"])
	got, half, a := follow("&limit=1", cursor)
	require.Equal(t, []string{"Two."}, got)
	require.Equal(t, half, a.body["next_cursor"])
	got, _, _ = follow("&limit=1", half)
	require.Equal(t, []string{"deleted"}, got)
	got, _, _ = follow("", empty)
	require.Equal(t, []string{"Two.", "deleted"}, got, "from before the first message")
	require.Equal(t, next, b.do(t, "GET", path, "", nil).body["updates_cursor"], "the first page has seen them")

	newer := page.body["newer_cursor"].(string)
	require.Nil(t, b.do(t, "GET", path+"&after="+newer, "", nil).body["updates_cursor"])
	b.do(t, "GET", path+"&after="+newer+"&updated_after="+cursor, "", nil).requireField(t, 400, "updated_after")
	b.do(t, "GET", path+"&updated_after="+newer, "", nil).requireField(t, 400, "updated_after")
	b.do(t, "GET", path+"&after="+cursor, "", nil).requireField(t, 400, "after")
	elsewhere := b.room(t, alice, nil)
	b.do(t, "GET", "/chat/messages?room_id="+elsewhere+"&updated_after="+cursor, "", nil).
		requireField(t, 400, "updated_after")
}
