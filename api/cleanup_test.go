package api

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCleanupRun(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	a := w.do(
		t, "POST", "/admin/cleanup", w.admin.token, map[string]any{"policies": []any{"old_messages"}, "dry_run": true},
	)
	require.Equal(t, 202, a.status, a)
	id := a.data()["run_id"].(string)
	require.Equal(t, "https://party.example/api/admin/cleanup/runs/"+id, a.data()["status_url"])
	require.Contains(t, a.data()["temporal_url"], "/namespaces/default/workflows?query=")
	require.Contains(t, a.data()["temporal_url"], url.QueryEscape("cleanup/"+id))

	run := w.do(t, "GET", "/admin/cleanup/runs/"+id, w.admin.token, nil).data()
	require.Equal(
		t,
		[]any{"queued", true, "admin", w.admin.id, []any{"old_messages"}, nil, nil},
		[]any{
			run["state"],
			run["dry_run"],
			run["trigger"],
			idIn(run["started_by"]),
			run["policies"],
			run["started_at"],
			run["ended_at"],
		},
	)
	var events int
	require.NoError(t,
		w.store.DB().NewRaw("SELECT count(*) FROM outbox WHERE workflow_id = ?", "cleanup/"+id).Scan(t.Context(), &events))
	require.Equal(t, 1, events)

	finished := w.do(t, "GET", "/admin/cleanup/runs/"+w.run, w.admin.token, nil).data()
	require.Equal(t, "failed", finished["state"])
	require.Equal(t, map[string]any{"inactive_rooms": "stopped"}, finished["errors"])
	require.Len(t, finished["policies"], len(w.cfg.Cleanup.Policies()))
	require.Equal(t, w.run, w.do(t, "GET", "/admin/reports/"+w.report, w.admin.token, nil).data()["run_id"])
}
