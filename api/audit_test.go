package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAuditLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, other, mallory := b.admin(t, "root"), b.admin(t, "other"), b.user(t, "mallory")
	suspend := func(by person, reason string) {
		a := b.do(t, "POST", "/admin/users/"+mallory.id+"/suspend", by.token, map[string]any{"reason": reason})
		require.Equal(t, 200, a.status, a)
		a = b.do(t, "POST", "/admin/users/"+mallory.id+"/reinstate", by.token, nil)
		require.Equal(t, 200, a.status, a)
	}
	read := func(query string) answer {
		a := b.do(t, "GET", "/admin/audit?"+query, root.token, nil)
		require.Equal(t, 200, a.status, a)
		return a
	}
	actions := func(query string) []any {
		found := []any{}
		for _, entry := range read(query).list() {
			found = append(found, entry["action"])
		}
		return found
	}
	run := b.do(t, "POST", "/admin/cleanup", other.token,
		map[string]any{"policies": []any{"old_messages"}, "dry_run": true}).data()["run_id"].(string)
	suspend(root, "First")
	suspend(other, "Second")

	t.Run("the newest first", func(t *testing.T) {
		require.Equal(t, []any{
			"user_reinstated",
			"user_suspended",
			"user_reinstated",
			"user_suspended",
			"cleanup_started",
			"admin_granted",
			"admin_granted",
		}, actions(""))
	})
	t.Run("filters", func(t *testing.T) {
		require.Equal(t, []any{"user_reinstated", "user_suspended"}, actions("actor_id="+root.id))
		require.Equal(
			t, []any{"user_suspended"}, actions("actor_id="+other.id+"&target_id="+mallory.id+"&action=user_suspended"),
		)
		require.Equal(t, []any{"admin_granted", "admin_granted"}, actions("action=admin_granted"))
		require.Empty(t, actions("actor_id="+unknownID))
		require.Empty(t, actions("action=movie_deleted"))
	})
	t.Run("a grant by command has no actor", func(t *testing.T) {
		entry := read("action=admin_granted").list()[1]
		require.Nil(t, entry["actor"])
		require.Equal(t, root.id, entry["target_id"])
	})
	t.Run("a clean-up", func(t *testing.T) {
		entry := read("target_id=" + run).list()[0]
		require.Equal(t, []any{"cleanup_run", map[string]any{"policies": []any{"old_messages"}, "dry_run": true}},
			[]any{entry["target_kind"], entry["details"]})
	})
	t.Run("by pages", func(t *testing.T) {
		var all []any
		for query := "limit=2"; ; {
			a := read(query)
			for _, entry := range a.list() {
				all = append(all, entry["id"])
			}
			next, ok := a.body["next_cursor"].(string)
			if !ok {
				break
			}
			query = "limit=2&cursor=" + next
		}
		require.Len(t, all, 7)
		require.Len(
			t,
			read(
				"target_id="+mallory.id+"&limit=3&cursor="+read("target_id=" + mallory.id + "&limit=1").body["next_cursor"].(string),
			).list(),
			3,
		)
	})
	t.Run("texts are as they were sent", func(t *testing.T) {
		for name, text := range texts {
			suspend(root, text)
			require.Equal(t, map[string]any{"reason": text, "hide_content": true},
				read("action=user_suspended&limit=1").list()[0]["details"], name)
		}
	})
	t.Run("an account that is gone keeps the name that it had", func(t *testing.T) {
		err := b.store.DeleteAccount(t.Context(), other.id, "none")
		require.NoError(t, err)
		require.Equal(t, asShown(other), read("actor_id=" + other.id).list()[0]["actor"])
	})
}
