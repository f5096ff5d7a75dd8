package api

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

func TestReports(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	ids := func(query string) (ids []string) {
		t.Helper()
		for _, r := range w.do(t, "GET", "/admin/reports"+query, w.admin.token, nil).list() {
			ids = append(ids, r["id"].(string))
		}
		return ids
	}
	require.ElementsMatch(t, []string{w.report, w.activity}, ids(""))
	require.Equal(t, []string{w.report}, ids("?kind=cleanup"))
	require.Equal(t, []string{w.activity}, ids("?kind=activity"))
	w.do(t, "GET", "/admin/reports?kind=other", w.admin.token, nil).requireProblem(t, 400, "invalid_request")

	one := w.do(t, "GET", "/admin/reports/"+w.activity, w.admin.token, nil).data()
	require.Equal(t, []any{"activity", nil, "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"},
		[]any{one["kind"], one["run_id"], one["period_start"], one["period_end"]})
	require.Equal(t, "https://party.example/reports#token="+w.activityToken, one["page_url"])
	data := one["data"].(map[string]any)
	require.Equal(t, []any{"week", "2026-02-23", "2026-03-01"}, []any{data["every"], data["from"], data["to"]})
	require.Len(t, data["days"], 7)
	require.Nil(t, w.do(t, "GET", "/admin/reports/"+w.report, w.admin.token, nil).data()["page_url"])

	table := w.do(t, "GET", "/admin/reports/"+w.activity+"/csv", w.admin.token, nil)
	require.Equal(t, 200, table.status)
	require.Equal(t, "text/csv", table.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="activity-2026-02-23.csv"`, table.header.Get("Content-Disposition"))
	require.Len(t, strings.Split(strings.TrimSpace(string(table.raw)), "\r\n"), 8, "a header and seven days")
	w.do(t, "GET", "/admin/reports/"+w.report+"/csv", w.admin.token, nil).requireProblem(t, 404, "not_found")
	w.do(t, "GET", "/admin/reports/"+w.activity+"/csv", w.alice.token, nil).requireProblem(t, 403, "forbidden")
}

// TestViewReport: a person with a report's link can see the report, and nothing else.
func TestViewReport(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	view := func(token string) answer {
		return w.do(t, "POST", "/reports/view", "", map[string]any{"token": token})
	}
	seen := view(w.activityToken).data()
	require.Contains(t, seen["html"], "<main")
	require.NotContains(t, seen["html"], "<script")
	require.Contains(t, seen["csv"], "2026-02-28")
	require.Equal(t, "activity-2026-02-23.csv", seen["filename"])

	oneTime := w.server.oneTime
	view(oneTime.Token(auth.ForReset, w.activity)).requireProblem(t, 400, "bad_token")
	view(strings.Repeat("A", len(w.activityToken))).requireProblem(t, 400, "bad_token")
	view(oneTime.Token(auth.ForReport, w.report)).requireProblem(t, 404, "not_found")
	view(oneTime.Token(auth.ForReport, uuid.NewString())).requireProblem(t, 404, "not_found")
}
