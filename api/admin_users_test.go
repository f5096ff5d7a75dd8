package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// demote takes an admin's rights, as an operator would.
func (b *bundle) demote(t *testing.T, p person) {
	t.Helper()
	_, err := b.store.DB().NewRaw("UPDATE users SET is_admin = false WHERE id = ?", p.id).Exec(t.Context())
	require.NoError(t, err)
}

// TestAdminsOnly: only the current rights of the token's owner matter, not those at the time of sign-in.
func TestAdminsOnly(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	former := w.admin
	require.Equal(t, 200, w.do(t, "GET", "/admin/users", former.token, nil).status)
	w.demote(t, former)
	before := w.rows(t)
	tried := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if !op.forAdmins() {
			continue
		}
		tried++
		t.Run(c.id, func(t *testing.T) {
			asked := c.call
			for token, status := range map[string]int{"": 401, "x": 401, w.alice.token: 403, former.token: 403} {
				asked.token = token
				require.Equal(t, status, w.call(t, c.id, asked).status)
			}
		})
	}
	require.Greater(t, tried, 10)
	require.Equal(t, before, w.rows(t), "something was stored")
}

func TestFindUsers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	anna, annika := b.user(t, "Anna"), b.user(t, "annika")
	b.user(t, "bert")
	find := func(query string) []string {
		a := b.do(t, "GET", "/admin/users?"+query, root.token, nil)
		require.Equal(t, 200, a.status, a)
		found := []string{}
		for _, user := range a.list() {
			found = append(found, user["username"].(string))
		}
		return found
	}
	t.Run("all of them", func(t *testing.T) {
		require.Equal(t, []string{"bert", "annika", "Anna", "root"}, find(""))
	})
	t.Run("by beginning", func(t *testing.T) {
		require.Equal(t, []string{"Anna", "annika"}, find("q=AN"))
		require.Equal(t, []string{"Anna"}, find("q="+url.QueryEscape(" anna@EX ")))
		for _, text := range texts {
			require.Empty(t, find("q="+url.QueryEscape(text)), text)
		}
		for _, text := range []string{"%", "_", `\`, "____", strings.Repeat("é", 100), strings.Repeat("😀", 100)} {
			require.Empty(t, find("q="+url.QueryEscape(text)), text)
		}
	})
	t.Run("by names however they are written", func(t *testing.T) {
		b.exec(t, "UPDATE users SET display_name = 'Zoë Müller-Łódź' WHERE username = 'bert'")
		for _, text := range []string{"zoe", "ZOE\u0308", "mueller", "muller lodz", "müllerlodz", "mulelr"} {
			require.Equal(t, []string{"bert"}, find("q="+url.QueryEscape(text)), text)
		}
	})
	t.Run("what cannot be looked for", func(t *testing.T) {
		for _, text := range []string{"a\x00", "\x07b", "a\u0085b", "a\nb", "a\xff", strings.Repeat("é", 101)} {
			b.do(t, "GET", "/admin/users?q="+url.QueryEscape(text), root.token, nil).requireField(t, 400, "q")
		}
	})
	t.Run("by state", func(t *testing.T) {
		a := b.do(t, "POST", "/admin/users/"+annika.id+"/suspend", root.token, map[string]any{"reason": "Spam"})
		require.Equal(t, 200, a.status, a)
		require.Equal(t, []string{"annika"}, find("state=suspended&q=ann"))
		require.Equal(t, []string{"Anna"}, find("state=active&q=ann"))
		b.do(t, "GET", "/admin/users?state=gone", root.token, nil).requireField(t, 400, "state")
	})
	t.Run("by pages", func(t *testing.T) {
		a := b.do(t, "GET", "/admin/users?limit=3", root.token, nil)
		require.Len(t, a.list(), 3)
		rest := b.do(t, "GET", "/admin/users?limit=3&cursor="+a.body["next_cursor"].(string), root.token, nil)
		require.Equal(t, "root", rest.list()[0]["username"])
		require.Nil(t, rest.body["next_cursor"])
	})
	t.Run("one", func(t *testing.T) {
		a := b.do(t, "GET", "/admin/users/"+anna.id, root.token, nil)
		require.Equal(t, 200, a.status, a)
		user := a.data()
		require.Equal(
			t,
			[]any{"Anna", anna.email, "active", nil, false, true},
			[]any{
				user["username"],
				user["email"],
				user["state"],
				user["suspended_at"],
				user["is_admin"],
				user["email_verified"],
			},
		)
	})
	t.Run("none that is deleted", func(t *testing.T) {
		_, err := b.store.DB().NewRaw("UPDATE users SET deleted_at = now() WHERE id = ?", anna.id).Exec(t.Context())
		require.NoError(t, err)
		require.Empty(t, find("q=anna"))
		b.do(t, "GET", "/admin/users/"+anna.id, root.token, nil).requireProblem(t, 404, "not_found")
		for _, act := range [][2]string{{"POST", "/suspend"}, {"POST", "/reinstate"}, {"DELETE", "/sessions"}} {
			var body any
			if act[1] == "/suspend" {
				body = map[string]any{"reason": "Spam"}
			}
			for _, id := range []string{anna.id, unknownID} {
				b.do(t, act[0], "/admin/users/"+id+act[1], root.token, body).requireProblem(t, 404, "not_found")
			}
		}
	})
}

func TestSuspendUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, mallory := b.admin(t, "root"), b.register(t, "mallory")
	room := b.room(t, root, nil)
	b.join(t, room, mallory)
	suspend := func(reason string) answer {
		return b.do(t, "POST", "/admin/users/"+mallory.id+"/suspend", root.token, map[string]any{"reason": reason})
	}
	login := func(password string) answer {
		return b.do(t, "POST", "/auth/login", "", map[string]any{"email": mallory.email, "password": password})
	}
	require.Equal(t, 200, b.do(t, "GET", "/users/me", mallory.token, nil).status)

	t.Run("reasons that are refused", func(t *testing.T) {
		for _, reason := range []string{
			"", " \t\n", "\u200b", strings.Repeat("é", 301), "a\x00b", "a\x07b", "a\x1bb", "a\u0085b", "\ufeff",
		} {
			suspend(reason).requireField(t, 400, "reason")
		}
		require.Equal(t, 200, b.do(t, "GET", "/users/me", mallory.token, nil).status, "nothing happened")
	})
	var first answer
	t.Run("ends what there is at once", func(t *testing.T) {
		first = suspend("  Spam \U0001f3ac  ")
		require.Equal(t, 200, first.status, first)
		require.Equal(t, "suspended", first.data()["state"])
		require.NotNil(t, first.data()["suspended_at"])
		b.do(t, "GET", "/users/me", mallory.token, nil).requireProblem(t, 401, "unauthenticated")
		b.do(t, "GET", "/rooms/"+room, mallory.token, nil).requireProblem(t, 401, "unauthenticated")
		b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": mallory.refresh}).
			requireProblem(t, 401, "bad_refresh_token")
	})
	t.Run("refuses new sign-ins, to whoever knows the password", func(t *testing.T) {
		login("wrong horse battery").requireProblem(t, 401, "bad_credentials")
		login(mallory.password).requireProblem(t, 403, "account_suspended")
	})
	t.Run("leaves what others see", func(t *testing.T) {
		require.Equal(t, 200, b.do(t, "GET", "/users/mallory", "", nil).status)
		require.Len(t, b.do(t, "GET", "/rooms/"+room+"/participants", "", nil).list(), 2)
	})
	t.Run("again is the same", func(t *testing.T) {
		again := suspend("Another reason")
		require.Equal(t, 200, again.status)
		require.Equal(t, first.body, again.body)
	})
	t.Run("never oneself", func(t *testing.T) {
		a := b.do(t, "POST", "/admin/users/"+root.id+"/suspend", root.token, map[string]any{"reason": "Tired"})
		a.requireProblem(t, 409, "cannot_suspend_oneself")
		require.Equal(t, 200, b.do(t, "GET", "/admin/users", root.token, nil).status)
	})
	t.Run("reinstate", func(t *testing.T) {
		for range 2 {
			a := b.do(t, "POST", "/admin/users/"+mallory.id+"/reinstate", root.token, nil)
			require.Equal(t, 200, a.status, a)
			require.Equal(t, []any{"active", nil}, []any{a.data()["state"], a.data()["suspended_at"]})
		}
		b.do(t, "GET", "/users/me", mallory.token, nil).requireProblem(t, 401, "unauthenticated")
		a := login(mallory.password)
		require.Equal(t, 200, a.status, a)
		mallory.token, mallory.refresh = a.data()["access_token"].(string), a.data()["refresh_token"].(string)
		require.Equal(t, 200, b.do(t, "GET", "/users/me", mallory.token, nil).status)
	})
	t.Run("end sign-ins", func(t *testing.T) {
		require.Equal(t, 204, b.do(t, "DELETE", "/admin/users/"+mallory.id+"/sessions", root.token, nil).status)
		b.do(t, "GET", "/users/me", mallory.token, nil).requireProblem(t, 401, "unauthenticated")
		b.do(t, "POST", "/auth/refresh", "", map[string]any{"refresh_token": mallory.refresh}).
			requireProblem(t, 401, "bad_refresh_token")
		require.Equal(t, 200, login(mallory.password).status)
	})
	t.Run("an admin who is suspended is none", func(t *testing.T) {
		other := b.admin(t, "other")
		a := b.do(t, "POST", "/admin/users/"+other.id+"/suspend", root.token, map[string]any{"reason": "Left"})
		require.Equal(t, 200, a.status, a)
		b.do(t, "GET", "/admin/users", other.token, nil).requireProblem(t, 401, "unauthenticated")
	})
	t.Run("is in the log", func(t *testing.T) {
		a := b.do(t, "GET", "/admin/audit?target_id="+mallory.id, root.token, nil)
		var acts []any
		for _, entry := range a.list() {
			acts = append(acts, entry["action"])
			require.Equal(t, asShown(root), entry["actor"])
			require.Equal(t, "user", entry["target_kind"])
		}
		require.Equal(t, []any{"user_sessions_ended", "user_reinstated", "user_suspended"}, acts)
		require.Equal(t, map[string]any{"reason": "Spam \U0001f3ac", "hide_content": true}, a.list()[2]["details"])
	})
}

func TestStartCleanupOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, other := b.admin(t, "root"), b.admin(t, "other")
	startCleanup := func(token, key string, body any) answer {
		r := b.request(t, http.MethodPost, "/admin/cleanup", token, body)
		r.Header.Set("Idempotency-Key", key)
		return b.send(t, r)
	}
	runs := func() int { return len(b.do(t, "GET", "/admin/cleanup/runs", root.token, nil).list()) }

	both := make([]answer, 2)
	var wg sync.WaitGroup
	for i := range both {
		wg.Go(func() { both[i] = startCleanup(root.token, "one-run-please", nil) })
	}
	wg.Wait()
	require.Equal(t, 202, both[0].status, both[0])
	require.Equal(t, both[0].body, both[1].body)
	require.Equal(t, 1, runs())
	require.Equal(
		t,
		both[0].body,
		startCleanup(root.token, "one-run-please", map[string]any{"dry_run": false}).body,
		"the defaults, in words",
	)

	startCleanup(
		root.token,
		"one-run-please",
		map[string]any{"dry_run": true},
	).requireProblem(t, 422, "idempotency_key_reused")
	require.Equal(t, 1, runs())
	require.Equal(t, 202, startCleanup(root.token, "another-run-please", nil).status)
	require.Equal(t, 202, startCleanup(other.token, "one-run-please", nil).status, "a key is its caller's")
	require.Equal(t, 3, runs())
	require.Len(t, b.do(t, "GET", "/admin/audit?action=cleanup_started", root.token, nil).list(), 3)
}

func TestStartCleanupOlderThan(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) { s.config.Cleanup.UnverifiedAge = config.Off })
	root := b.admin(t, "root")
	for text, want := range map[string]any{
		"1h": 3600.0, "3600s": 3600.0, "90d": 90 * 86400.0, "36500d": 36500 * 86400.0,
	} {
		a := b.do(t, "POST", "/admin/cleanup", root.token, map[string]any{"older_than": text, "dry_run": true})
		require.Equal(t, 202, a.status, a)
		run := b.do(t, "GET", "/admin/cleanup/runs/"+a.data()["run_id"].(string), root.token, nil).data()
		require.Equal(t, want, run["older_than_seconds"])
		require.NotContains(t, run["policies"], "unverified_accounts", "it is off")
	}
	for _, text := range []any{"", "0h", "-1h", "59m", "3599s", "36501d", "99999999d", "1w", "90", 90, "1h30m"} {
		b.do(t, "POST", "/admin/cleanup", root.token, map[string]any{"older_than": text}).
			requireProblem(t, 400, "invalid_request")
	}
	a := b.do(
		t, "POST", "/admin/cleanup", root.token, map[string]any{"policies": []any{"old_messages", "unverified_accounts"}},
	)
	a.requireProblem(t, 400, "invalid_request")
	require.Contains(t, fmt.Sprint(a.body["errors"]), "policies.1")
}

func TestCancelCleanup(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	id := b.do(t, "POST", "/admin/cleanup", root.token, nil).data()["run_id"].(string)
	path := "/admin/cleanup/runs/" + id
	require.NoError(t, b.store.BeginRun(t.Context(), job.CleanupInput{RunID: id, Policies: watchparty.Policies()}, ""))
	_, err := b.store.CleanupBatch(t.Context(), id, watchparty.PolicyRooms, time.Now().Add(-time.Hour), 10, store.Cursor{})
	require.NoError(t, err)
	run := b.do(t, "GET", path, root.token, nil).data()
	require.Equal(t, []any{"running", "inactive_rooms", map[string]any{"inactive_rooms": 0.0}},
		[]any{run["state"], run["policy"], run["counts"]})

	require.NotNil(t, b.do(t, "POST", path+"/cancel", root.token, nil).data()["cancelled_at"])
	_, err = b.store.FinishRun(t.Context(), job.FinishCleanupInput{RunID: id})
	require.NoError(t, err)
	run = b.do(t, "GET", path, root.token, nil).data()
	require.Equal(t, []any{"cancelled", nil}, []any{run["state"], run["policy"]})
	b.do(t, "POST", path+"/cancel", root.token, nil).requireProblem(t, 409, "run_ended")
	b.do(t, "POST", "/admin/cleanup/runs/"+unknownID+"/cancel", root.token, nil).requireProblem(t, 404, "not_found")
}

// A restored room is in the lists again, cached ones too.
func TestRestoreRoom(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) { s.config.Cleanup.RoomArchived = config.Age(168 * time.Hour) })
	root, alice := b.admin(t, "root"), b.register(t, "alice")
	id := b.do(t, "POST", "/rooms", alice.token, map[string]any{"name": "Forgotten"}).data()["id"].(string)
	_, err := b.store.DB().
		ExecContext(t.Context(), "UPDATE rooms SET archived_at = now(), retired_at = now() WHERE id = ?", id)
	require.NoError(t, err)
	require.Empty(t, b.do(t, "GET", "/rooms", "", nil).list())
	retired := b.do(t, "GET", "/admin/rooms/retired", root.token, nil).list()
	require.Len(t, retired, 1)
	require.Equal(t, []any{id, "Forgotten", "alice"},
		[]any{retired[0]["id"], retired[0]["name"], retired[0]["host"].(map[string]any)["username"]})
	at, err := time.Parse(time.RFC3339, retired[0]["retired_at"].(string))
	require.NoError(t, err)
	require.Equal(t, at.Add(168*time.Hour).Format(time.RFC3339Nano), retired[0]["deletion_due_at"])

	require.Equal(t, "open", b.do(t, "POST", "/admin/rooms/"+id+"/restore", root.token, nil).data()["state"])
	require.Len(t, b.do(t, "GET", "/rooms", "", nil).list(), 1)
	require.Empty(t, b.do(t, "GET", "/admin/rooms/retired", root.token, nil).list())
	other := b.do(t, "POST", "/rooms", alice.token, map[string]any{"name": "Closed"}).data()["id"].(string)
	b.do(t, "PATCH", "/rooms/"+other, alice.token, map[string]any{"state": "archived"})
	b.do(t, "POST", "/admin/rooms/"+other+"/restore", root.token, nil).requireProblem(t, 409, "room_not_retired")
	b.exec(t, "UPDATE rooms SET host_id = NULL WHERE id = ?", other)
	b.do(t, "POST", "/admin/rooms/"+other+"/restore", root.token, nil).requireProblem(t, 409, "room_without_host")
}
