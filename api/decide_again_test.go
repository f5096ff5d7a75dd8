package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReadsThatLast: who is shut out of a room while a read of it waits for the database does not get what came after.
func TestReadsThatLast(t *testing.T) {
	t.Parallel()
	shutOut := map[string]struct {
		act  func(b *bundle, room string, host person) answer
		code string
	}{
		"a ban": {func(b *bundle, room string, host person) answer { return b.ban(t, room, host, "bob", nil) }, "banned"},
		"a private room": {func(b *bundle, room string, host person) answer {
			return b.do(t, "PATCH", "/rooms/"+room, host.token, map[string]any{"visibility": "private"})
		}, "not_found"},
	}
	for path, table := range map[string]string{
		"/chat/messages?room_id=%": "messages", "/rooms/%/queue": "queue_items", "/rooms/%/parties": "parties",
		"/rooms/%/playback": "playbacks",
	} {
		for name, by := range shutOut {
			if table == "parties" && by.code == "not_found" {
				continue // that change removes answers to parties, and would wait for the lock, too
			}
			t.Run(table+", "+name, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				host, bob := b.user(t, "host"), b.user(t, "bob")
				room := b.room(t, host, nil)
				tx, err := b.store.DB().BeginTx(t.Context(), nil)
				require.NoError(t, err)
				defer func() { _ = tx.Rollback() }()
				var own int
				_, err = tx.Exec("LOCK TABLE " + table)
				require.NoError(t, err)
				require.NoError(t, tx.NewRaw("SELECT pg_backend_pid()").Scan(t.Context(), &own))
				answers := make(chan answer, 1)
				read := b.request(t, http.MethodGet, strings.Replace(path, "%", room, 1), bob.token, nil)
				go func() { answers <- b.send(t, read) }()
				require.Eventually(t, func() bool {
					var waits bool
					err := b.store.DB().NewRaw(
						"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE ? = ANY(pg_blocking_pids(pid)))", own,
					).Scan(t.Context(), &waits)
					return err == nil && waits
				}, time.Minute, 5*time.Millisecond)
				require.Less(t, by.act(b, room, host).status, 300)
				require.NoError(t, tx.Commit())
				(<-answers).requireProblem(t, map[string]int{"banned": 403, "not_found": 404}[by.code], by.code)
			})
		}
	}
}
