package api

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/coherence"
)

func TestOrdersOfRooms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest := b.user(t, "host"), b.user(t, "guest")
	first, second, third := b.room(t, host, nil), b.room(t, host, nil), b.room(t, host, nil)
	b.room(t, host, map[string]any{"visibility": "unlisted"})
	for hours, room := range []string{second, first, third} {
		b.exec(t, "UPDATE rooms SET last_active_at = now() - make_interval(hours => ?) WHERE id = ?", hours+1, room)
	}
	list := func(query string) []string {
		t.Helper()
		a := b.do(t, "GET", "/rooms?"+query, "", nil)
		require.Equal(t, 200, a.status, a)
		ids := []string{}
		for _, room := range a.list() {
			ids = append(ids, room["id"].(string))
		}
		return ids
	}
	require.Equal(t, []string{second, first, third}, list("sort=active"))
	require.Equal(t, []string{third, second, first}, list("sort=newest"))
	require.Equal(t, list(""), list("sort=newest"))
	whole, pages := b.walk(t, "/rooms?sort=active&", "cursor", "", 1)
	require.Equal(t, []any{3, 3}, []any{len(whole), pages})
	b.requireHit(t, "/rooms?sort=active", "")
	b.join(t, third, guest)
	require.Equal(t, []string{third, second, first}, list("sort=active"), "coming in is activity")
	t.Run("by people", func(t *testing.T) {
		b.join(t, first, guest)
		b.join(t, first, b.user(t, "another"))
		b.exec(t, "UPDATE participants SET last_seen_at = now() - interval '2 min' WHERE room_id = ?", second)
		b.void(t, coherence.TagRooms)
		require.Equal(t, []string{first, third}, list("sort=people"), "nobody is present in the second")
		require.Equal(t, []string{first}, list("sort=people&limit=1"))
		whole, pages := b.walk(t, "/rooms?sort=people&", "cursor", "", 1)
		require.Equal(t, []any{2, 2}, []any{len(whole), pages})
	})
	b.do(t, "GET", "/rooms?sort=active&q=movie", "", nil).requireField(t, 400, "sort")
	b.do(t, "GET", "/rooms?sort=loudest", "", nil).requireField(t, 400, "sort")
}
