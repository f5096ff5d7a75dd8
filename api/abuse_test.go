package api

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// reportAbuse reports something and returns the report's ID.
func (b *bundle) reportAbuse(t *testing.T, by person, body map[string]any) string {
	t.Helper()
	all := map[string]any{"kind": "spam"}
	for name, v := range body {
		all[name] = v
	}
	a := b.do(t, "POST", "/abuse-reports", by.token, all)
	require.Equal(t, 201, a.status, a)
	return a.data()["id"].(string)
}

// TestReportWhatOneSees: a report is about what its reporter can see, and about one thing.
func TestReportWhatOneSees(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, inside, stranger, banned := b.user(t, "host"), b.user(t, "inside"), b.user(t, "stranger"), b.user(t, "banned")
	public := b.room(t, host, nil)
	b.join(t, public, inside)
	open := b.post(t, public, host, "To all")
	private := b.room(t, host, nil)
	b.join(t, private, inside)
	require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+private, host.token, map[string]any{"visibility": "private"}).status)
	secret, deleted := b.post(t, private, host, "Between us"), b.post(t, public, host, "Sorry")
	require.Equal(t, 204, b.do(t, "DELETE", "/chat/messages/"+deleted, host.token, nil).status)
	for _, room := range []string{public, private} {
		require.Equal(t, 201, b.ban(t, room, host, "banned", nil).status)
	}
	for _, c := range []struct {
		by     person
		body   map[string]any
		status int
		code   string
	}{
		{inside, map[string]any{"room_id": private}, 201, ""},
		{inside, map[string]any{"message_id": secret}, 201, ""},
		{stranger, map[string]any{"room_id": public}, 201, ""},
		{stranger, map[string]any{"message_id": open}, 201, ""},
		{stranger, map[string]any{"username": "HOST"}, 201, ""},
		{stranger, map[string]any{"room_id": private}, 404, "not_found"},
		{stranger, map[string]any{"message_id": secret}, 404, "not_found"},
		{stranger, map[string]any{"message_id": deleted}, 404, "not_found"},
		{stranger, map[string]any{"room_id": unknownID}, 404, "not_found"},
		{stranger, map[string]any{"message_id": unknownID}, 404, "not_found"},
		{stranger, map[string]any{"username": "nobody"}, 404, "not_found"},
		{banned, map[string]any{"room_id": public}, 403, "banned"},
		{banned, map[string]any{"message_id": secret}, 403, "banned"},
		{banned, map[string]any{"username": "host"}, 201, ""},
		{host, map[string]any{"username": "host"}, 409, "cannot_report_oneself"},
		{host, map[string]any{"room_id": public}, 409, "cannot_report_oneself"},
		{host, map[string]any{"message_id": open}, 409, "cannot_report_oneself"},
	} {
		before := b.rows(t)["abuse_reports"]
		c.body["kind"] = "harassment"
		a := b.do(t, "POST", "/abuse-reports", c.by.token, c.body)
		if c.status != 201 {
			a.requireProblem(t, c.status, c.code)
			require.Equal(t, before, b.rows(t)["abuse_reports"])
			continue
		}
		require.Equal(t, 201, a.status, "%s %v: %s", c.by.name, c.body, a)
	}
	for field, body := range map[string]map[string]any{
		"room_id":    {"kind": "spam"},
		"username":   {"kind": "spam", "room_id": public, "username": "host"},
		"message_id": {"kind": "spam", "room_id": public, "message_id": open},
		"kind":       {"room_id": public},
		"text":       {"kind": "spam", "room_id": public, "text": "a\x00b"},
	} {
		b.do(t, "POST", "/abuse-reports", stranger.token, body).requireField(t, 400, field)
	}
}

// TestReportsAreLimited: an account cannot flood the admins.
func TestReportsAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	room := b.room(t, bob, nil)
	for range watchparty.MaxHourlyReports {
		b.reportAbuse(t, alice, map[string]any{"message_id": b.post(t, room, bob, "Buy now")})
	}
	refused := b.do(t, "POST", "/abuse-reports", alice.token, map[string]any{"username": "bob", "kind": "spam"})
	refused.requireProblem(t, 429, "too_many_reports")
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	b.reportAbuse(t, bob, map[string]any{"username": "alice"})
}

// TestReportersAreNotShown: nobody sees who sent a report: neither the reported people, nor hosts, nor admins.
func TestReportersAreNotShown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, host, reporter := b.admin(t, "root"), b.user(t, "host"), b.user(t, "reporter")
	room := b.room(t, host, nil)
	message := b.post(t, room, host, "Buy!")
	ids := []string{
		b.reportAbuse(t, reporter, map[string]any{"room_id": room, "text": "Look at this"}),
		b.reportAbuse(t, reporter, map[string]any{"message_id": message}),
		b.reportAbuse(t, reporter, map[string]any{"username": "host"}),
	}
	require.Equal(t, 200,
		b.do(t, "POST", "/admin/abuse-reports/"+ids[1]+"/resolve", root.token, map[string]any{"outcome": "dismissed"}).status)
	a := b.do(t, "POST", "/admin/rooms/"+room+"/close", root.token,
		map[string]any{"reason": "Spam", "abuse_report_id": ids[0]})
	require.Equal(t, 200, a.status, a)
	for token, paths := range map[string][]string{
		root.token: {
			"/admin/abuse-reports", "/admin/abuse-reports/" + ids[0], "/admin/abuse-reports/" + ids[1],
			"/admin/abuse-reports/" + ids[2],
			"/admin/audit", "/admin/rooms/" + room,
		},
		host.token: {"/rooms/" + room, "/rooms/" + room + "/log", "/users/me/export", "/chat/messages?room_id=" + room},
	} {
		for _, path := range paths {
			a := b.do(t, "GET", path, token, nil)
			require.Equal(t, 200, a.status, a)
			require.NotContains(t, strings.ToLower(string(a.raw)), "reporter", path)
			require.NotContains(t, string(a.raw), reporter.id, path)
		}
	}
	export := b.do(t, "GET", "/users/me/export", reporter.token, nil).data()["abuse_reports"].([]any)
	require.Len(t, export, 3)
	require.Equal(
		t, []any{ids[0], "Look at this"}, []any{export[0].(map[string]any)["id"], export[0].(map[string]any)["text"]},
	)
}

// TestReportKeepsWhatWasSeen: the reported person cannot change or delete the copy in the report.
func TestReportKeepsWhatWasSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, host, guest := b.admin(t, "root"), b.user(t, "host"), b.user(t, "guest")
	room := b.room(t, host, map[string]any{"name": "Cheap", "description": "Buy here"})
	edited, deleted := b.post(t, room, host, "First"), b.post(t, room, host, "Second")
	want := map[string]map[string]any{
		b.reportAbuse(t, guest, map[string]any{"room_id": room}): {
			"username": "host", "display_name": "host", "room_name": "Cheap", "room_description": "Buy here", "body": ""},
		b.reportAbuse(t, guest, map[string]any{"message_id": edited}): {
			"username": "host", "display_name": "host", "room_name": "Cheap", "room_description": "", "body": "First"},
		b.reportAbuse(t, guest, map[string]any{"message_id": deleted}): {
			"username": "host", "display_name": "host", "room_name": "Cheap", "room_description": "", "body": "Second"},
		b.reportAbuse(t, guest, map[string]any{"username": "host"}): {
			"username": "host", "display_name": "host", "room_name": "", "room_description": "", "body": ""},
	}
	for _, act := range []struct {
		method, path string
		body         any
	}{
		{"PATCH", "/chat/messages/" + edited, map[string]any{"body": "Nothing"}},
		{"DELETE", "/chat/messages/" + deleted, nil},
		{"PATCH", "/rooms/" + room, map[string]any{"name": "Nice", "description": ""}},
		{"PATCH", "/users/me", map[string]any{"display_name": "Nobody"}}, {"DELETE", "/rooms/" + room, nil},
	} {
		require.Less(t, b.do(t, act.method, act.path, host.token, act.body).status, 300, act.path)
	}
	read := func(id string) map[string]any {
		return b.do(t, "GET", "/admin/abuse-reports/"+id, root.token, nil).data()
	}
	resolve := func(id string) {
		a := b.do(
			t, "POST", "/admin/abuse-reports/"+id+"/resolve", root.token, map[string]any{"outcome": "acted", "note": "Seen"},
		)
		require.Equal(
			t, []any{"resolved", "acted", "Seen"}, []any{a.data()["state"], a.data()["outcome"], a.data()["note"]}, a,
		)
	}
	open, resolved := []string{}, []string{}
	for id, content := range want {
		require.Equal(t, content, read(id)["content"])
		require.Equal(t, host.id, idIn(read(id)["user"]))
		if len(resolved) < 2 {
			resolve(id)
			require.Equal(t, content, read(id)["content"])
			resolved = append(resolved, id)
		} else {
			open = append(open, id)
		}
	}
	require.Equal(t, 204, b.deleteMe(t, host).status)
	for _, id := range resolved {
		require.Nil(t, read(id)["content"], "what is resolved goes with the account")
	}
	for _, id := range open {
		require.Equal(t, want[id], read(id)["content"], "an open one can still be judged")
		resolve(id)
		require.Nil(t, read(id)["content"])
	}
}

func TestAbuseReports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, host, guest := b.admin(t, "root"), b.user(t, "host"), b.user(t, "guest")
	room := b.room(t, host, nil)
	message := b.post(t, room, host, "Buy!")
	first := b.reportAbuse(t, guest, map[string]any{"kind": "hate", "room_id": room, "text": "First"})
	second := b.reportAbuse(t, guest, map[string]any{"message_id": message})
	third := b.reportAbuse(t, host, map[string]any{"username": "guest"})

	t.Run("once while it is open", func(t *testing.T) {
		require.Equal(t, first, b.reportAbuse(t, guest, map[string]any{"kind": "spam", "room_id": room, "text": "Again"}))
		require.Equal(t, "First", b.do(t, "GET", "/admin/abuse-reports/"+first, root.token, nil).data()["text"])
	})
	t.Run("filters", func(t *testing.T) {
		for query, want := range map[string][]string{
			"": {third, second, first}, "kind=hate": {first}, "target=message": {second}, "target=user": {third},
			"user_id=" + host.id: {second, first},
			"state=resolved":     nil, "state=open&kind=spam&user_id=" + host.id: {second},
		} {
			var found []string
			for next := "&limit=1"; ; {
				a := b.do(t, "GET", "/admin/abuse-reports?"+query+next, root.token, nil)
				require.Equal(t, 200, a.status, a)
				for _, report := range a.list() {
					found = append(found, report["id"].(string))
				}
				cursor, more := a.body["next_cursor"].(string)
				if !more {
					break
				}
				next = "&limit=1&cursor=" + cursor
			}
			require.Equal(t, want, found, query)
		}
	})
	t.Run("resolved by what was done", func(t *testing.T) {
		for _, act := range []struct{ path, report string }{
			{"/admin/rooms/" + room + "/close", third}, {"/admin/messages/" + message + "/delete", first},
			{"/admin/users/" + host.id + "/suspend", third}, {"/admin/users/" + host.id + "/suspend", unknownID},
		} {
			before := b.rows(t)
			a := b.do(t, "POST", act.path, root.token, map[string]any{"reason": "Spam", "abuse_report_id": act.report})
			a.requireField(t, 400, "abuse_report_id")
			require.Equal(t, before, b.rows(t), "neither happens")
		}
		require.Equal(t, "open", b.do(t, "GET", "/rooms/"+room, "", nil).data()["state"])

		a := b.do(t, "POST", "/admin/messages/"+message+"/delete", root.token,
			map[string]any{"reason": "Spam", "abuse_report_id": second})
		require.Equal(t, 204, a.status, a)
		report := b.do(t, "GET", "/admin/abuse-reports/"+second, root.token, nil).data()
		require.Equal(t, []any{"resolved", "acted", "Spam"}, []any{report["state"], report["outcome"], report["note"]})
		require.Equal(t, "Buy!", report["content"].(map[string]any)["body"])
		a = b.do(t, "POST", "/admin/users/"+host.id+"/suspend", root.token,
			map[string]any{"reason": "Spam", "abuse_report_id": second})
		a.requireProblem(t, 409, "report_resolved")
		require.Equal(t, "active", b.do(t, "GET", "/admin/users/"+host.id, root.token, nil).data()["state"])
		a = b.do(t, "POST", "/admin/users/"+host.id+"/suspend", root.token,
			map[string]any{"reason": "Spam", "abuse_report_id": first})
		require.Equal(t, 200, a.status, a)
		audit := b.do(t, "GET", "/admin/audit?target_id="+first, root.token, nil).list()
		require.Equal(t, []any{"abuse_report_resolved", map[string]any{"outcome": "acted", "note": "Spam"}},
			[]any{audit[0]["action"], audit[0]["details"]})
	})
	t.Run("resolved once", func(t *testing.T) {
		path := "/admin/abuse-reports/" + third + "/resolve"
		a := b.do(t, "POST", path, root.token, map[string]any{"outcome": "dismissed"})
		require.Equal(
			t, []any{"resolved", "dismissed", ""}, []any{a.data()["state"], a.data()["outcome"], a.data()["note"]}, a,
		)
		b.do(t, "POST", path, root.token, map[string]any{"outcome": "acted"}).requireProblem(t, 409, "report_resolved")
	})
}
