package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// because is the query that gives an admin's reason.
func because(note string) string { return "?note=" + url.QueryEscape(note) }

// changesAsAdmin says whether an operation is an act of an admin.
func changesAsAdmin(op documented) bool {
	return op.Extensions[roleExtension] == string(roleAdmin) && op.method != http.MethodGet
}

// ownReasons are the operations whose body has the reason, which other places than the audit log have, too.
var ownReasons = map[string]string{
	"closeRoom": "reason", "reopenRoom": "reason", "adminDeleteMessage": "reason", "suspendUser": "reason",
	"resolveAbuseReport": "note",
}

// TestEveryActOfAnAdminHasAReason: each operation that changes something as an admin takes a reason, and the audit log
// has it beside who did what to what.
func TestEveryActOfAnAdminHasAReason(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	acts := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if !changesAsAdmin(op) {
			w.call(t, c.id, c.call)
			continue
		}
		acts++
		t.Run(c.id, func(t *testing.T) {
			asked, name := c.call, ownReasons[c.id]
			reason := "because-of-" + c.id + " \u2013 50 % & more"
			w.logs.secret("because-of-" + c.id)
			switch c.id {
			case "actOnJobs": // a dry run is no act
				asked = w.batch(t)
			case "replayWebhook": // that finds nothing is no act
				w.exec(t, "UPDATE webhook_deliveries SET state = 'failed' WHERE id = ?", w.delivery)
			}
			if name != "" {
				asked.body = copied(asked.body)
				asked.body[name] = reason
			} else {
				require.NotNil(t, op.Parameters.GetByInAndName("query", "note"), "it takes no note")
				name = "note"
				asked.params = copied(asked.params)
				asked.params[name] = reason
			}
			before := value1[string](t, w.bundle, "SELECT coalesce(max(id::text), '') FROM audit")
			a := w.call(t, c.id, asked)
			require.Equal(t, op.success(), a.status, a)
			found := 0
			for _, entry := range w.do(t, "GET", "/admin/audit?limit=5", w.admin.token, nil).list() {
				if entry["id"].(string) <= before {
					break
				}
				found++
				require.Equal(t, w.admin.id, entry["actor"].(map[string]any)["id"])
				require.Equal(t, reason, entry["details"].(map[string]any)[name], entry)
			}
			require.NotZero(t, found, "the audit log has nothing of it")
		})
	}
	require.Greater(t, acts, 30)
}

// batch is a call that cancels a job.
func (w *completeFixture) batch(t *testing.T) call {
	t.Helper()
	other := w.bundle.admin(t, "other")
	w.cleanupJob(t, other)
	w.awaitListed(t, other, 1)
	return call{token: w.admin.token, body: map[string]any{"action": "cancel", "expected": 1, "user_id": other.id}}
}

// TestNotes: a note is prose, with a limit. Where it is required, it says something.
func TestNotes(t *testing.T) {
	t.Parallel()
	b := setup(t, withClock(&clock{}))
	root := b.admin(t, "root")
	const optional, required = "/admin/schedules/cleanup/trigger", "/admin/schedules/cleanup/pause"
	for name, note := range map[string]string{
		"too long": strings.Repeat("\u00e9", watchparty.MaxAdminNote+1), "control character": "a\x00b",
		"override of the direction": "a\u202eb", "invisible": "\u200b",
	} {
		for _, path := range []string{optional, required} {
			b.do(t, "POST", path+because(note), root.token, nil).requireField(t, 400, "note")
			b.do(t, "POST", path+because(note), root.token, nil).requireProblem(t, 400, "invalid_request")
		}
		require.Zero(t, value1[int](t, b, "SELECT count(*) FROM audit WHERE target_kind = 'schedule'"), name)
	}
	for _, missing := range []string{"", because(""), because(" \n")} {
		b.do(t, "POST", required+missing, root.token, nil).requireField(t, 400, "note")
		require.Equal(t, 200, b.do(t, "POST", optional+missing, root.token, nil).status, missing)
	}
	longest := strings.Repeat("\u00e9", watchparty.MaxAdminNote)
	require.Equal(t, 200, b.do(t, "POST", required+because(longest), root.token, nil).status)
	require.Equal(t, 200, b.do(t, "POST", optional+because(" two\nlines "), root.token, nil).status)
	var notes []any
	for _, entry := range b.do(t, "GET", "/admin/audit", root.token, nil).list() {
		if entry["target_kind"] == "schedule" {
			notes = append(notes, entry["details"].(map[string]any)["note"])
		}
	}
	require.Equal(t, []any{"two\nlines", longest, nil, nil, nil}, notes)
}
