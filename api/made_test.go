package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireSameMeta fails unless a 304 has the headers of the 200, but for those of its content.
func requireSameMeta(t *testing.T, whole, again answer) {
	t.Helper()
	want := lasting(whole.header)
	for _, name := range []string{"Content-Type", "Content-Encoding", "Accept-Ranges"} {
		want.Del(name)
	}
	got := lasting(again.header)
	got.Del("Accept-Ranges")
	require.Equal(t, want, got)
	require.Empty(t, again.raw)
}

// TestMadeThings: each 201 says where the thing is, with the tag that it has there.
func TestMadeThings(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	made := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		a := w.call(t, c.id, c.call)
		require.Equal(t, op.success(), a.status, "%s: %s", c.id, a)
		require.Empty(t, a.header.Get("Idempotent-Replayed"))
		if a.status != http.StatusCreated && c.id != "startCleanup" {
			require.Empty(t, a.header.Get("Location"), c.id)
			continue
		}
		made++
		path, ok := strings.CutPrefix(a.header.Get("Location"), basePath)
		require.True(t, ok, "%s: %s", c.id, a.header)
		if a.status != http.StatusCreated {
			require.Equal(t, 200, w.do(t, "GET", path, c.token, nil).status)
			continue
		}
		tag := a.header.Get("ETag")
		require.Regexp(t, `^(W/"[\w-]{22}"|"\d+-[\w-]{22}")$`, tag, c.id)
		got := w.do(t, "GET", path, c.token, nil)
		require.Equal(t, 200, got.status, "%s: GET %s: %s", c.id, path, got)
		require.Equal(t, tag, got.header.Get("ETag"), c.id)
		r := w.request(t, "GET", path, c.token, nil)
		r.Header.Set("If-None-Match", tag)
		require.Equal(t, 304, w.send(t, r).status, c.id)
		if c.id == "createWebhook" { // it has the secret
			require.NotEmpty(t, a.data()["secret"])
			require.Nil(t, got.data()["secret"])
			got.data()["secret"] = a.data()["secret"]
		}
		if c.id != "register" { // it answers tokens, and the profile is where it says
			require.Equal(t, a.data(), got.data(), c.id)
		}
	}
	require.Equal(t, 13, made)
}

// TestWhoMayReadWhatWasMade: a created thing can be read by the people who may list it; a report by its reporter.
func TestWhoMayReadWhatWasMade(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob, carol := b.user(t, "alice"), b.user(t, "bob"), b.user(t, "carol")
	room := b.room(t, alice, nil)
	b.join(t, room, bob)
	b.join(t, room, carol)
	var made []string
	for path, body := range map[string]map[string]any{
		"/rooms/" + room + "/mutes": {"username": "carol",
			"until": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)},
		"/rooms/" + room + "/bans":        {"username": "CAROL"},
		"/rooms/" + room + "/invitations": {"email": "guest@example.org"},
	} {
		a := b.do(t, "POST", path, alice.token, body)
		require.Equal(t, 201, a.status, a)
		made = append(made, strings.TrimPrefix(a.header.Get("Location"), basePath))
	}
	for _, path := range made {
		require.Equal(t, 200, b.do(t, "GET", path, alice.token, nil).status, path)
		b.do(t, "GET", path, bob.token, nil).requireProblem(t, 403, "forbidden")
		b.do(t, "GET", path, carol.token, nil).requireProblem(t, 403, "banned")
	}
	for _, list := range []string{"mutes", "bans"} {
		path := "/rooms/" + room + "/" + list + "/Carol"
		require.Equal(t, 200, b.do(t, "GET", path, alice.token, nil).status)
		require.Equal(t, 204, b.do(t, "DELETE", path, alice.token, nil).status)
		b.do(t, "GET", path, alice.token, nil).requireProblem(t, 404, "not_found")
	}
	report := b.do(t, "POST", "/abuse-reports", bob.token, map[string]any{"kind": "spam", "username": "alice"})
	path := strings.TrimPrefix(report.header.Get("Location"), basePath)
	require.Equal(t, report.data(), b.do(t, "GET", path, bob.token, nil).data())
	b.do(t, "GET", path, alice.token, nil).requireProblem(t, 404, "not_found")
	message := "/chat/messages/" + b.post(t, room, bob, "Hello")
	require.Equal(t, "Hello", b.do(t, "GET", message, "", nil).data()["body"])
	require.Equal(t, 204, b.do(t, "DELETE", message, bob.token, nil).status)
	b.do(t, "GET", message, bob.token, nil).requireProblem(t, 404, "not_found")
}

// TestIfMatchOfEveryOperation: one that knows no tags does nothing under a tag, and none changes what is not there.
func TestIfMatchOfEveryOperation(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	send := func(c named, lines ...string) answer {
		r := w.build(t, operations()[c.id], c.call)
		r.Header["If-Match"] = lines
		return w.send(t, r)
	}
	before, there := w.rows(t), 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.Parameters.GetByInAndName("header", "If-Match") == nil {
			for _, lines := range [][]string{{`"x"`}, {`W/"x"`}, {`"1-x", "2-x"`}, {`"x"`, `"y"`}, {"garbage"}} {
				a := send(c, lines...)
				if a.status == http.StatusNotFound && op.method != http.MethodPut { // other calls make it later
					require.Equal(t, http.StatusNotFound, w.call(t, c.id, c.call).status, c.id)
					continue
				}
				require.Equal(t, http.StatusPreconditionFailed, a.status, c.id)
				a.requireProblem(t, http.StatusPreconditionFailed, "precondition_failed")
			}
		}
		if op.method == http.MethodGet || readContract().Paths.Value(op.path).Get == nil {
			continue
		}
		get := w.build(t, op, c.call)
		get = w.request(t, "GET", strings.TrimPrefix(get.URL.Path, basePath), c.token, nil)
		got := w.send(t, get)
		if got.status != http.StatusOK {
			continue
		}
		there++
		headers := []string{"*", " * "}
		if tag := got.header.Get("ETag"); tag != "" {
			headers = append(headers, tag, `"x", `+tag, "W/"+strings.TrimPrefix(tag, "W/"))
		}
		for _, header := range headers {
			r := w.build(t, op, c.call)
			r.Header.Set("If-None-Match", header)
			w.send(t, r).requireProblem(t, http.StatusPreconditionFailed, "precondition_failed")
		}
	}
	require.Greater(t, there, 10)
	w.exec(t, "DELETE FROM audit WHERE action = 'private_room_read'") // a read that is judged by its answer was made
	require.Equal(t, before, w.rows(t), "something was stored")
	taken := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.Parameters.GetByInAndName("header", "If-Match") != nil {
			taken++
			path := w.build(t, op, c.call).URL.Path
			tag := w.do(t, "GET", strings.TrimPrefix(path, basePath), c.token, nil).header.Get("ETag")
			require.NotEmpty(t, tag)
			stale := `"0-x"`
			for _, lines := range [][]string{{stale}, {"W/" + tag}, {stale + ", W/" + tag}, {stale, stale}, {"garbage"}, {strings.Trim(tag, `"`)}} {
				send(c, lines...).requireProblem(t, http.StatusPreconditionFailed, "precondition_failed")
			}
			lines := []string{stale, "W/" + tag + " , " + tag}
			require.Equal(t, op.success(), send(c, lines...).status, c.id)
			continue
		}
		send(c, `"x"`).requireProblem(t, http.StatusPreconditionFailed, "precondition_failed") // what it is about is there
		if c.id == "putAvatar" {
			require.Equal(t, http.StatusPreconditionFailed, send(c, "*").status, "nothing was uploaded yet")
			require.Equal(t, op.success(), w.call(t, c.id, c.call).status)
			continue
		}
		require.Equal(t, op.success(), send(c, "*").status, c.id)
	}
	require.Equal(t, 11, taken)
}

// TestConditions: a condition is judged by what there is, and ignored if the request fails without it.
func TestConditions(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	const current = "current" // stands for the tag that a GET answers
	avatar := func(t *testing.T, p person) *http.Request {
		return w.upload(t, p.token, part{"avatar", "me.png", "image/png", picture(10, 10)})
	}
	plain := func(method, path string, p person, body any) func(*testing.T) *http.Request {
		return func(t *testing.T) *http.Request { return w.request(t, method, path, p.token, body) }
	}
	upload := func(t *testing.T) *http.Request { return avatar(t, w.bob) }
	name, gone := map[string]any{"name": "Another"}, "/rooms/"+unknownID
	room, ban := "/rooms/"+w.open, "/rooms/"+w.open+"/bans/nobody"
	profile := map[string]any{"display_name": "Another"}
	for about, c := range map[string]struct {
		request       func(*testing.T) *http.Request
		header, value string
		status        int
	}{
		"strong: no such tag":             {plain("PATCH", room, w.alice, name), "If-None-Match", `"other"`, 200},
		"strong: one is current":          {plain("PATCH", room, w.alice, name), "If-None-Match", current, 412},
		"strong: one of several":          {plain("PATCH", room, w.alice, name), "If-None-Match", `"x", ` + current, 412},
		"strong: there is something":      {plain("PATCH", room, w.alice, name), "If-None-Match", "*", 412},
		"strong: nothing is there":        {plain("PATCH", gone, w.alice, name), "If-None-Match", "*", 404},
		"strong: nothing to match":        {plain("PATCH", gone, w.alice, name), "If-Match", `"1-x"`, 404},
		"weak: no such tag":               {plain("PATCH", "/users/me", w.bob, profile), "If-None-Match", `"other"`, 200},
		"weak: there is something":        {plain("PATCH", "/users/me", w.bob, profile), "If-None-Match", "*", 412},
		"weak: something has to be there": {plain("PATCH", "/users/me", w.bob, profile), "If-Match", "*", 200},
		"weak: no tag matches":            {plain("PATCH", "/users/me", w.bob, profile), "If-Match", `"x"`, 412},
		"nothing to delete":               {plain("DELETE", ban, w.alice, nil), "If-Match", `"x"`, 404},
		"nothing to delete, of anything":  {plain("DELETE", ban, w.alice, nil), "If-Match", "*", 404},
		"nothing to delete, of nothing":   {plain("DELETE", ban, w.alice, nil), "If-None-Match", "*", 404},
		"nothing to read":                 {plain("GET", ban, w.alice, nil), "If-Match", `"x"`, 404},
		"not allowed to read":             {plain("GET", ban, w.eve, nil), "If-Match", `"x"`, 403},
		"an upload, if there is one":      {upload, "If-Match", "*", 412},
		"an upload over one with a tag":   {upload, "If-Match", `"x"`, 412},
		"no upload to delete, if one":     {plain("DELETE", "/users/me/avatar", w.bob, nil), "If-Match", "*", 412},
		"no upload to delete, if none":    {plain("DELETE", "/users/me/avatar", w.bob, nil), "If-None-Match", "*", 204},
		"an act, whatever there is":       {plain("POST", room+"/join", w.alice, nil), "If-Match", "*", 200},
		"an act, if nothing is there":     {plain("POST", room+"/join", w.alice, nil), "If-None-Match", "*", 200},
		"an act under a tag":              {plain("POST", room+"/join", w.alice, nil), "If-Match", `"x"`, 412},
		"a list, if nothing is there":     {plain("POST", "/rooms", w.alice, name), "If-None-Match", "*", 412},
		"a list, if it has another tag":   {plain("POST", "/rooms", w.alice, name), "If-None-Match", `"x"`, 201},
		"an ID in upper case": {plain("PATCH", "/rooms/"+strings.ToUpper(w.open), w.alice, name),
			"If-None-Match", "*", 412},
	} {
		t.Run(about, func(t *testing.T) {
			r := c.request(t)
			value := c.value
			if strings.Contains(value, current) {
				tag := w.send(t, plain("GET", strings.TrimPrefix(r.URL.Path, basePath), w.alice, nil)(t)).header.Get("ETag")
				require.NotEmpty(t, tag)
				value = strings.ReplaceAll(value, current, tag)
			}
			r.Header.Set(c.header, value)
			require.Equal(t, c.status, w.send(t, r).status)
		})
	}
	t.Run("IDs in upper case are those in lower case", func(t *testing.T) {
		path := "/rooms/" + w.private
		for _, status := range []int{200, 412} { // the first change voids what its own judgement has cached
			tag := w.do(t, "GET", path, w.alice.token, nil).header.Get("ETag")
			if status == 200 {
				tag = `"other"`
			}
			r := w.request(t, "PATCH", "/rooms/"+strings.ToUpper(w.private), w.alice.token, map[string]any{"name": "Upper"})
			r.Header.Set("If-None-Match", tag)
			require.Equal(t, status, w.send(t, r).status)
		}
	})
	t.Run("the first upload, and no other", func(t *testing.T) {
		for _, status := range []int{202, 412} {
			r := avatar(t, w.frank)
			r.Header.Set("If-None-Match", "*")
			require.Equal(t, status, w.send(t, r).status)
		}
		r := avatar(t, w.frank)
		r.Header.Set("If-Match", "*")
		require.Equal(t, 202, w.send(t, r).status)
	})
}

// TestChangesAreTagged: a change under If-Match answers the tag of what there is then, and voids the former.
func TestChangesAreTagged(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	for _, c := range []struct{ path, token, property string }{
		{"/rooms/" + w.open, w.alice.token, "name"}, {"/movies/" + w.movie, w.admin.token, "title"},
	} {
		t.Run(c.path, func(t *testing.T) {
			change := func(tag, value string) answer {
				r := w.request(t, "PATCH", c.path, c.token, map[string]any{c.property: value})
				r.Header.Set("If-Match", tag)
				return w.send(t, r)
			}
			w.requireHit(t, c.path, "")
			first := w.do(t, "GET", c.path, "", nil).header.Get("ETag")
			second := change(first, "One")
			require.Equal(t, 200, second.status, second)
			require.Regexp(t, `^"\d+-[\w-]{22}"$`, second.header.Get("ETag"))
			require.Equal(t, second.header.Get("ETag"), w.requireMiss(t, c.path, "").header.Get("ETag"))
			change(first, "Two").requireProblem(t, 412, "precondition_failed")
			r := w.request(t, "DELETE", c.path, c.token, nil)
			r.Header.Set("If-Match", first)
			w.send(t, r).requireProblem(t, 412, "precondition_failed")
			hit := w.requireHit(t, c.path, "")
			require.NotEqual(
				t, second.header.Get("ETag"), hit.header.Get("ETag"), "the bytes differ in _cached, so strong tags do",
			)
			require.Equal(t, 200, change(hit.header.Get("ETag"), "Three").status)
		})
	}
}
