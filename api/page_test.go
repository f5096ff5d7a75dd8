package api

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// walk reads all pages of a list and returns its IDs and the number of pages.
func (b *bundle) walk(t *testing.T, path, cursorName, token string, limit int) (ids []string, pages int) {
	t.Helper()
	next := path + "limit=" + strconv.Itoa(limit)
	for {
		a := b.do(t, "GET", next, token, nil)
		require.Equal(t, 200, a.status, a)
		pages++
		require.Less(t, pages, 1000)
		items := a.list()
		require.LessOrEqual(t, len(items), limit)
		for _, item := range items {
			ids = append(ids, item["id"].(string))
		}
		cursor, there := a.body["next_cursor"]
		require.True(t, there)
		if cursor == nil {
			return ids, pages
		}
		require.Len(t, items, limit, "only the last page is short")
		next = path + "limit=" + strconv.Itoa(limit) + "&" + cursorName + "=" + cursor.(string)
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, root := b.user(t, "alice"), b.admin(t, "root")
	const n = 12
	var movies []watchparty.Movie
	rooms := make([]string, 0, n)
	for i := range n {
		movies = append(movies, watchparty.Movie{Title: fmt.Sprint("Movie ", i), Year: 1927, RuntimeMinutes: 90})
		r, err := b.store.CreateRoom(
			t.Context(), alice.id, watchparty.NewRoom{Name: "A room", Visibility: watchparty.Public, Capacity: 5},
			store.IdempotencyKey{},
		)
		require.NoError(t, err)
		rooms = append(rooms, r.ID)
	}
	require.NoError(t, b.store.AddMovies(t.Context(), movies))
	var messages, runs []string
	for i := range n {
		m, err := b.store.PostMessage(t.Context(), watchparty.User{ID: alice.id, Username: "alice"},
			watchparty.NewMessage{RoomID: rooms[0], Body: fmt.Sprint(i)}, store.IdempotencyKey{})
		require.NoError(t, err)
		messages = append(messages, m.ID)
		run, err := b.store.CreateRun(
			t.Context(), root.id, watchparty.NewRun{Policies: watchparty.Policies(), DryRun: true}, store.IdempotencyKey{},
		)
		require.NoError(t, err)
		runs = append(runs, run.ID)
		require.NoError(
			t, b.store.BeginRun(t.Context(), job.CleanupInput{RunID: run.ID, Policies: run.Policies}, run.WorkflowID),
		)
		_, err = b.store.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID})
		require.NoError(t, err)
	}
	ids := func(table string) []string {
		var found []string
		require.NoError(t, b.store.DB().NewRaw("SELECT id FROM "+table+" ORDER BY id").Scan(t.Context(), &found))
		return found
	}
	reversed := func(ids []string) []string {
		out := slices.Clone(ids)
		slices.Reverse(out)
		return out
	}
	for name, c := range map[string]struct {
		path, cursor string
		want         []string
	}{
		"movies":   {"/movies?", "cursor", ids("movies")},
		"rooms":    {"/rooms?", "cursor", reversed(rooms)},
		"messages": {"/chat/messages?room_id=" + rooms[0] + "&", "before", reversed(messages)},
		"runs":     {"/admin/cleanup/runs?", "cursor", reversed(runs)},
		"reports":  {"/admin/reports?", "cursor", reversed(ids("reports"))},
	} {
		t.Run(name, func(t *testing.T) {
			require.Len(t, c.want, n)
			for limit, pages := range map[int]int{1: n, 5: 3, 6: 2, n - 1: 2, n: 1, n + 1: 1, 100: 1} {
				got, count := b.walk(t, c.path, c.cursor, root.token, limit)
				require.Equal(t, c.want, got, "limit %d", limit)
				require.Equal(t, pages, count, "limit %d", limit)
			}
		})
	}
	t.Run("20 unless told", func(t *testing.T) {
		var more []watchparty.Movie
		for i := range 9 {
			more = append(more, watchparty.Movie{Title: fmt.Sprint("More ", i), Year: 1927, RuntimeMinutes: 90})
		}
		require.NoError(t, b.store.AddMovies(t.Context(), more))
		b.void(t, "movies")
		a := b.do(t, "GET", "/movies", "", nil)
		require.Len(t, a.list(), 20)
		require.NotNil(t, a.body["next_cursor"])
	})
	t.Run("what comes meanwhile repeats nothing", func(t *testing.T) {
		path := "/chat/messages?room_id=" + rooms[0] + "&limit=5"
		first := b.do(t, "GET", path, "", nil)
		b.post(t, rooms[0], alice, "Newer")
		second := b.do(t, "GET", path+"&before="+first.body["next_cursor"].(string), "", nil)
		require.Equal(t, reversed(messages)[5], second.list()[0]["id"])
	})
}

func TestEmptyLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	room := b.room(t, root, map[string]any{"visibility": "unlisted"})
	for _, path := range []string{
		"/movies", "/rooms", "/chat/messages?room_id=" + room, "/admin/cleanup/runs", "/admin/reports",
	} {
		a := b.do(t, "GET", path, root.token, nil)
		require.Equal(t, 200, a.status)
		compact := strings.ReplaceAll(strings.TrimSpace(string(a.raw)), " ", "")
		require.Contains(t, compact, `"data":[],"next_cursor":null`)
	}
}
