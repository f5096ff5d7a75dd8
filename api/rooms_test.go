package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

// change sends a PATCH under an entity tag, if there is one.
func (b *bundle) change(t testing.TB, room string, p person, etag string, body map[string]any) answer {
	t.Helper()
	r := b.request(t, "PATCH", "/rooms/"+room, p.token, body)
	if etag != "" {
		r.Header.Set("If-Match", etag)
	}
	return b.send(t, r)
}

func (b *bundle) setRole(t testing.TB, room string, by, of person, role string) answer {
	t.Helper()
	return b.do(t, "PATCH", "/rooms/"+room+"/participants/"+of.name, by.token, map[string]any{"role": role})
}

// alter changes rows behind the API's back, and voids what the API knows of the room.
func (b *bundle) alter(t testing.TB, room, query string, args ...any) {
	t.Helper()
	b.exec(t, query, args...)
	b.void(t, coherence.TagsOfRooms([]string{room})...)
}

func TestUpdateRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	movieID := b.addMovie(t, "Metropolis")
	room := b.room(t, alice, map[string]any{"movie_id": movieID})
	path := "/rooms/" + room
	b.join(t, room, bob)

	t.Run("what it says and does not say", func(t *testing.T) {
		b.requireCached(t, path, "")
		b.requireCached(t, "/rooms", "")
		evil := "<script>alert(1)</script> '; DROP TABLE rooms; -- שלום 👩‍👩‍👧 é"
		changed := b.change(
			t, room, alice, "", map[string]any{"name": "  " + evil + " ", "slow_mode_seconds": 3600, "capacity": 2},
		)
		require.Equal(t, 200, changed.status, changed)
		require.Equal(t, []any{evil, 3600.0, 2.0, movieID}, []any{
			changed.data()["name"],
			changed.data()["slow_mode_seconds"],
			changed.data()["capacity"],
			idIn(changed.data()["movie"]),
		})
		read := b.requireMiss(t, path, "")
		require.Equal(t, changed.data(), read.data())
		require.Equal(t, evil, b.requireMiss(t, "/rooms", "").list()[0]["name"])
		require.Equal(t, movieID, idIn(read.data()["movie"]))
		require.Nil(t, b.change(t, room, alice, "", map[string]any{"movie_id": nil}).data()["movie"])
		require.Equal(t, movieID, idIn(b.change(t, room, alice, "", map[string]any{"movie_id": movieID}).data()["movie"]))
	})

	t.Run("limits", func(t *testing.T) {
		for field, values := range map[string][]any{
			"name":              {"", "   ", "\u200b\u200d", "a\x00b", "two\nlines", strings.Repeat("é", 101)},
			"description":       {"\x07", strings.Repeat("a", 1001)},
			"capacity":          {1, 1001, -5},
			"slow_mode_seconds": {-1, 3601},
			"visibility":        {"secret"},
			"state":             {"deleted"},
			"movie_id":          {"", "x", 7},
		} {
			for _, v := range values {
				b.change(t, room, alice, "", map[string]any{field: v}).requireField(t, 400, field)
			}
		}
		for field, values := range map[string][]any{
			"name": {"a", strings.Repeat("é", 100)}, "description": {"", strings.Repeat("é", 1000)}, "capacity": {2, 1000},
			"slow_mode_seconds": {0, 3600},
		} {
			for _, v := range values {
				require.Equal(t, 200, b.change(t, room, alice, "", map[string]any{field: v}).status, field)
			}
		}
		b.change(t, room, alice, "", map[string]any{"movie_id": unknownID}).requireProblem(t, 400, "unknown_movie")
	})

	t.Run("lost", func(t *testing.T) {
		seen := b.do(t, "GET", path, "", nil).header.Get("ETag")
		require.Regexp(t, `^"\d+-[^"]+"$`, seen)
		first := b.change(t, room, alice, seen, map[string]any{"name": "First"})
		require.Equal(t, 200, first.status, first)
		b.change(t, room, alice, seen, map[string]any{"name": "Second"}).requireProblem(t, 412, "precondition_failed")
		for _, never := range []string{`"x"`, `W/"0"`, "garbage", `"999999999999999999999"`, ","} {
			b.change(t, room, alice, never, map[string]any{"name": "Second"}).requireProblem(t, 412, "precondition_failed")
		}
		tag := first.header.Get("ETag")
		require.Regexp(t, `^"\d+-[\w-]{22}"$`, tag)
		carol := b.user(t, "carol")
		b.change(t, room, alice, tag, map[string]any{"capacity": 10})
		tag = b.do(t, "GET", path, "", nil).header.Get("ETag")
		b.join(t, room, carol)
		require.NotEqual(t, tag, b.do(t, "GET", path, "", nil).header.Get("ETag"))
		third := b.change(t, room, alice, `"x", `+tag, map[string]any{"name": "Third"})
		require.Equal(t, 200, third.status, "who comes and goes is no change of this sort")
		again := b.change(t, room, alice, third.header.Get("ETag"), map[string]any{"name": "Third"})
		require.Equal(t, 200, again.status)
		require.Equal(t, third.header.Get("ETag"), again.header.Get("ETag"), "nothing changed")
		require.Equal(t, 200, b.change(t, room, alice, "*", map[string]any{"name": "Any"}).status)
		b.change(t, room, bob, `"x"`, map[string]any{"name": "Mine"}).requireProblem(t, 403, "forbidden")
	})

	t.Run("private", func(t *testing.T) {
		dora := b.user(t, "dora")
		require.Equal(t, 200, b.do(t, "GET", path, dora.token, nil).status)
		require.Equal(t, 200, b.change(t, room, alice, "", map[string]any{"visibility": "private"}).status)
		for _, token := range []string{dora.token, ""} {
			b.do(t, "GET", path, token, nil).requireProblem(t, 404, "not_found")
			b.do(t, "GET", "/chat/messages?room_id="+room, token, nil).requireProblem(t, 404, "not_found")
		}
		b.do(t, "PATCH", path, dora.token, map[string]any{"name": "x"}).requireProblem(t, 404, "not_found")
		require.NotContains(t, string(b.do(t, "GET", "/rooms", dora.token, nil).raw), room)
		require.Equal(t, 204, b.do(t, "POST", path+"/leave", bob.token, nil).status)
		require.Equal(t, 200, b.do(t, "GET", path, bob.token, nil).status)
		b.join(t, room, bob)
		require.Equal(t, 200, b.change(t, room, alice, "", map[string]any{"visibility": "unlisted"}).status)
		require.Equal(t, 200, b.do(t, "GET", path, dora.token, nil).status)
	})

	t.Run("archived and open again", func(t *testing.T) {
		require.Equal(t, "archived", b.change(t, room, alice, "", map[string]any{"state": "archived"}).data()["state"])
		require.Equal(t, "archived", b.requireMiss(t, path, "").data()["state"])
		b.change(t, room, alice, "", map[string]any{"name": "x"}).requireProblem(t, 409, "room_archived")
		b.do(t, "POST", "/chat/messages", bob.token, map[string]any{"room_id": room, "body": "x"}).
			requireProblem(t, 409, "room_archived")
		b.setRole(t, room, alice, bob, "moderator").requireProblem(t, 409, "room_archived")
		require.Equal(t, 204, b.do(t, "POST", path+"/heartbeat", bob.token, nil).status)
		opened := b.change(t, room, alice, "", map[string]any{"state": "open", "name": "Back"})
		require.Equal(t, []any{"open", "Back"}, []any{opened.data()["state"], opened.data()["name"]})
		b.post(t, room, bob, "Hello again")
	})
}

// TestDeletedRoom: no answer reveals that the room existed.
func TestDeletedRoom(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	b, room := w.bundle, w.open
	path := "/rooms/" + room
	_, err := b.store.DB().
		ExecContext(t.Context(), "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", room, w.dave.id)
	require.NoError(t, err)
	for _, read := range []string{path, "/rooms", "/chat/messages?room_id=" + room} {
		b.requireCached(t, read, "")
	}
	b.do(t, "DELETE", path, w.dave.token, nil).requireProblem(t, 403, "banned")
	require.Equal(t, 204, b.do(t, "DELETE", path, w.alice.token, nil).status)
	require.NotContains(t, string(b.do(t, "GET", "/rooms", "", nil).raw), room)
	for _, read := range []string{path, path + "/participants", "/chat/messages?room_id=" + room} {
		b.do(t, "GET", read, "", nil).requireProblem(t, 404, "not_found")
	}
	for _, p := range []person{w.alice, w.eve, w.bob, w.dave, w.admin} {
		require.NotContains(t, string(b.do(t, "GET", "/users/me/rooms", p.token, nil).raw), room)
		for _, c := range w.calls() {
			op := operations()[c.id]
			if c.params["room_id"] == "" && c.body["room_id"] == nil || op.forAdmins() && p.id != w.admin.id {
				continue
			}
			gone := c.call
			if c.params["room_id"] != "" {
				gone.params = copied(c.params)
				gone.params["room_id"] = room
			}
			if c.body["room_id"] != nil {
				gone.body = map[string]any{"room_id": room, "body": "Hello?"}
			}
			gone.token = p.token
			a := w.call(t, c.id, gone)
			require.Equal(t, 404, a.status, "%s %s: %s", op.method, op.path, a)
		}
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob, carol, dora := b.user(t, "alice"), b.user(t, "bob"), b.user(t, "carol"), b.user(t, "dora")
	room := b.room(t, alice, nil)
	path := "/rooms/" + room
	b.join(t, room, bob)
	b.join(t, room, carol)
	requireStanding := func(t *testing.T, p person, role string, joined bool) {
		t.Helper()
		me := b.do(t, "GET", path+"/me", p.token, nil)
		require.Equal(t, 200, me.status, me)
		require.Equal(t, []any{role, joined}, []any{me.data()["role"], me.data()["joined"]})
		permissions := []any{}
		for _, allowed := range watchparty.Role(role).Permissions(watchparty.DefaultRoomAccess) {
			permissions = append(permissions, string(allowed))
		}
		require.Equal(t, permissions, me.data()["permissions"])
	}

	t.Run("standings", func(t *testing.T) {
		requireStanding(t, alice, "host", true)
		requireStanding(t, bob, "viewer", true)
		requireStanding(t, dora, "viewer", false)
		require.Nil(t, b.do(t, "GET", path+"/me", bob.token, nil).data()["muted_until"])
		b.alter(
			t, room, "INSERT INTO mutes (id, room_id, user_id, until) VALUES (gen_random_uuid(), ?, ?, now() + interval '1 h')",
			room, bob.id,
		)
		muted := b.do(t, "GET", path+"/me", bob.token, nil).data()
		require.NotNil(t, muted["muted_until"])
		require.Equal(t, []any{"vote"}, muted["permissions"], "a viewer is neither heard nor seen now")
		b.exec(t, "UPDATE mutes SET until = now() WHERE room_id = ?", room)
		requireStanding(t, bob, "viewer", true)
		b.alter(t, room, "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", room, dora.id)
		b.do(t, "GET", path+"/me", dora.token, nil).requireProblem(t, 403, "banned")
		b.alter(t, room, "DELETE FROM bans WHERE user_id = ?", dora.id)
		b.do(t, "GET", path+"/me", "", nil).requireProblem(t, 401, "unauthenticated")
	})
	t.Run("moderator", func(t *testing.T) {
		a := b.setRole(t, room, alice, bob, "moderator")
		require.Equal(
			t, []any{"moderator", "bob", true}, []any{a.data()["role"], nameIn(a.data()["user"]), a.data()["present"]},
		)
		requireStanding(t, bob, "moderator", true)
		require.Equal(t, 204, b.do(t, "POST", path+"/leave", bob.token, nil).status)
		requireStanding(t, bob, "moderator", false)
		b.join(t, room, bob)
		requireStanding(t, bob, "moderator", true)
	})
	t.Run("refused", func(t *testing.T) {
		b.setRole(t, room, alice, alice, "viewer").requireProblem(t, 409, "own_role")
		b.setRole(t, room, alice, alice, "host").requireProblem(t, 409, "own_role")
		b.setRole(t, room, alice, dora, "moderator").requireProblem(t, 404, "not_found")
		b.setRole(t, room, bob, carol, "viewer").requireProblem(t, 403, "forbidden")
		b.setRole(t, room, bob, alice, "viewer").requireProblem(t, 403, "forbidden")
		b.setRole(t, room, person{}, alice, "viewer").requireProblem(t, 401, "unauthenticated")
		b.setRole(t, room, alice, bob, "owner").requireField(t, 400, "role")
	})
	t.Run("handed over", func(t *testing.T) {
		b.requireHit(t, path, "")
		require.Equal(t, "host", b.setRole(t, room, alice, carol, "host").data()["role"])
		require.Equal(t, "carol", b.requireMiss(t, path, "").data()["host"].(map[string]any)["username"])
		requireStanding(t, alice, "moderator", true)
		requireStanding(t, carol, "host", true)
		b.change(t, room, alice, "", map[string]any{"name": "x"}).requireProblem(t, 403, "forbidden")
		require.Equal(t, 200, b.change(t, room, carol, "", map[string]any{"name": "Carol's"}).status)
	})
	t.Run("passed on by leaving", func(t *testing.T) {
		b.requireHit(t, path, carol.token)
		require.Equal(t, 204, b.do(t, "POST", path+"/leave", carol.token, nil).status)
		require.Equal(t, "alice", b.requireMiss(t, path, "").data()["host"].(map[string]any)["username"],
			"of the moderators, the longest there")
		requireStanding(t, alice, "host", true)
		requireStanding(t, carol, "moderator", false)
		b.join(t, room, carol)
	})
	t.Run("passed on by silence", func(t *testing.T) {
		beat := func(p person) answer { return b.do(t, "POST", path+"/heartbeat", p.token, nil) }
		require.Equal(t, 204, beat(bob).status)
		requireStanding(t, alice, "host", true)
		b.alter(
			t, room, "UPDATE participants SET last_seen_at = now() - interval '11 min' WHERE room_id = ? AND user_id = ?", room,
			alice.id,
		)
		for _, p := range b.do(t, "GET", path+"/participants", "", nil).list() {
			name := p["user"].(map[string]any)["username"]
			require.Equal(t, name != "alice", p["present"], name)
		}
		require.Equal(t, 204, beat(carol).status)
		requireStanding(t, bob, "host", true)
		require.Equal(t, 204, beat(alice).status)
		requireStanding(t, alice, "moderator", true)
	})
	t.Run("heartbeats of others", func(t *testing.T) {
		b.do(t, "POST", path+"/heartbeat", dora.token, nil).requireProblem(t, 403, "not_participant")
		b.do(t, "POST", path+"/heartbeat", "", nil).requireProblem(t, 401, "unauthenticated")
		b.alter(t, room, "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", room, dora.id)
		for _, ask := range [][2]string{
			{"POST", "/heartbeat"}, {"GET", "/me"}, {"GET", ""}, {"POST", "/leave"}, {"POST", "/join"},
		} {
			b.do(t, ask[0], path+ask[1], dora.token, nil).requireProblem(t, 403, "banned")
		}
		hidden := b.room(t, alice, map[string]any{"visibility": "private"})
		b.do(t, "POST", "/rooms/"+hidden+"/heartbeat", bob.token, nil).requireProblem(t, 404, "not_found")
	})
}

func TestQuittingARoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest := b.user(t, "host"), b.user(t, "guest")
	room := b.room(t, host, map[string]any{"visibility": "private"})
	_, token := b.invite(t, room, host, "guest@example.org")
	require.Equal(t, 200, b.acceptInvitation(t, guest, token).status)
	path := "/rooms/" + room
	require.Equal(t, 204, b.do(t, "POST", path+"/leave", guest.token, nil).status)
	require.Equal(t, 200, b.do(t, "GET", path, guest.token, nil).status, "who has left is still a member")
	require.Equal(t, 204, b.do(t, "DELETE", path+"/me", guest.token, nil).status)
	b.do(t, "GET", path, guest.token, nil).requireProblem(t, 404, "not_found")
	b.do(t, "POST", path+"/join", guest.token, nil).requireProblem(t, 404, "not_found")
	b.do(t, "DELETE", path+"/me", guest.token, nil).requireProblem(t, 404, "not_found")
	require.Empty(t, b.do(t, "GET", "/users/me/rooms", guest.token, nil).list())
	b.do(t, "DELETE", path+"/me", host.token, nil).requireProblem(t, 409, "no_next_host")
}

func TestListMyRooms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	var all []string
	for i := range 5 {
		id := b.room(t, alice, map[string]any{"name": fmt.Sprint("Mine ", i), "visibility": "private"})
		foreign := b.room(t, bob, nil)
		b.join(t, foreign, alice)
		all = append([]string{foreign, id}, all...)
	}
	b.change(t, all[1], alice, "", map[string]any{"state": "archived"})
	require.Equal(t, 200, b.setRole(t, all[0], bob, alice, "moderator").status)
	ids := func(query string, limit int) []string {
		var found []string
		next := fmt.Sprintf("/users/me/rooms?limit=%d%s", limit, query)
		for {
			a := b.do(t, "GET", next, alice.token, nil)
			require.Equal(t, 200, a.status, a)
			for _, r := range a.list() {
				found = append(found, r["room"].(map[string]any)["id"].(string))
				require.Equal(t, true, r["joined"])
			}
			if a.body["next_cursor"] == nil {
				return found
			}
			next = fmt.Sprintf("/users/me/rooms?limit=%d%s&cursor=%s", limit, query, a.body["next_cursor"])
		}
	}
	for _, limit := range []int{1, 3, 10, 100} {
		require.Equal(t, all, ids("", limit))
		require.Equal(t, []string{all[1], all[3], all[5], all[7], all[9]}, ids("&role=host", limit))
		require.Equal(t, []string{all[0]}, ids("&role=moderator", limit))
		require.Equal(t, []string{all[2], all[4], all[6], all[8]}, ids("&role=viewer", limit))
		require.Equal(t, []string{all[1]}, ids("&state=archived", limit))
		require.Equal(t, []string{all[3], all[5], all[7], all[9]}, ids("&state=open&role=host", limit))
	}
	b.do(t, "GET", "/users/me/rooms", "", nil).requireProblem(t, 401, "unauthenticated")
	b.do(t, "GET", "/users/me/rooms?role=owner", alice.token, nil).requireField(t, 400, "role")
	b.do(t, "GET", "/users/me/rooms?cursor=garbage", alice.token, nil).requireField(t, 400, "cursor")
}

func TestRoomSearch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	movieID := b.addMovie(t, "Metropolis")
	silent := b.room(t, alice, map[string]any{"name": "Silent evenings", "movie_id": movieID, "capacity": 2})
	loud := b.room(t, alice, map[string]any{"name": "Loud evenings", "description": "שלום"})
	find := func(query string) []string {
		found := []string{}
		for _, r := range b.do(t, "GET", "/rooms?"+query, "", nil).list() {
			found = append(found, r["id"].(string))
		}
		return found
	}
	for query, want := range map[string][]string{
		"q=even":                              {loud, silent},
		"q=evenings%20sil":                    {silent},
		"q=%D7%A9%D7%9C":                      {loud},
		"q=%F0%9F%98%80":                      {},
		"q=%27%29%3B+DROP+TABLE+rooms%3B":     {},
		"q=%3Cscript%3E":                      {},
		"movie_id=" + movieID:                 {silent},
		"movie_id=" + unknownID:               {},
		"available=true":                      {loud, silent},
		"available=false&q=evenings":          {loud, silent},
		"q=evenings&available=true&limit=100": {loud, silent},
	} {
		require.Equal(t, want, find(query), query)
	}
	for _, bad := range []string{"q=a%00b", "q=%FF%FE", "q=a%0Ab", "q=" + strings.Repeat("a", 101), "q="} {
		b.do(t, "GET", "/rooms?"+bad, "", nil).requireField(t, 400, "q")
	}
	b.join(t, silent, bob)
	require.Equal(t, []string{loud}, find("available=true"), "what fills up is void at once")

	face := b.room(t, alice, map[string]any{"name": "Face/Off again"})
	seven := b.room(t, alice, map[string]any{"name": "七人の侍", "description": "Amélie comes too"})
	for query, want := range map[string][]string{
		"face off": {face}, "faceoff": {face}, "face-of": {face}, "侍": {seven}, "ame\u0301lie": {seven}, "amelie": {seven},
		"faec": {face}, "…": {},
	} {
		require.Equal(t, want, find("q="+url.QueryEscape(query)), query)
	}

	// The text of a search is in no log, and two searches share no cache entry.
	b.requireHit(t, "/rooms?q=evenings%20sil", "")
	first, _ := b.walk(t, "/rooms?q=evening&", "cursor", "", 1)
	require.Equal(t, []string{loud, silent}, first)
	for _, message := range []string{"Cache MISS", "Cache HIT"} {
		for key := range b.keys(t, message) {
			require.NotContains(t, key, "even")
			require.NotContains(t, key, movieID)
		}
	}
}

// TestParallelJoins: however many people join at once, the room never has more people than its capacity.
func TestParallelJoins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	guests := make([]person, 100)
	for i := range guests {
		guests[i] = b.user(t, fmt.Sprint("guest", i))
	}
	parallel := func(room string) []answer {
		answers := make([]answer, len(guests))
		var wg sync.WaitGroup
		for i, guest := range guests {
			wg.Go(func() {
				answers[i] = repeatWhileBusy(func() answer { return b.do(t, "POST", "/rooms/"+room+"/join", guest.token, nil) })
			})
		}
		wg.Wait()
		return answers
	}

	t.Run("into the last place", func(t *testing.T) {
		room := b.room(t, host, map[string]any{"capacity": 2})
		in := 0
		for _, a := range parallel(room) {
			if a.status == http.StatusOK {
				in++
				continue
			}
			a.requireProblem(t, 409, "room_full")
		}
		require.Equal(t, 1, in)
		require.EqualValues(t, 2, b.do(t, "GET", "/rooms/"+room, "", nil).data()["participants"])
	})

	t.Run("while the capacity changes", func(t *testing.T) {
		room := b.room(t, host, map[string]any{"capacity": 2})
		var wg sync.WaitGroup
		wg.Go(func() {
			for _, capacity := range []int{10, 3, 30, 20, 40, 5, 50} {
				a := repeatWhileBusy(func() answer {
					return b.change(t, room, host, "", map[string]any{"capacity": capacity})
				})
				assert.Equal(t, http.StatusOK, a.status, a)
			}
		})
		answers := parallel(room)
		wg.Wait()
		for _, a := range answers {
			if a.status == http.StatusOK { // it shows the room as it was at the time of the join
				require.LessOrEqual(t, a.data()["participants"], a.data()["capacity"], a)
				continue
			}
			a.requireProblem(t, 409, "room_full")
		}
		require.LessOrEqual(t, b.do(t, "GET", "/rooms/"+room, "", nil).data()["participants"], 50.0)
	})
}

// TestHostLeavesWhileHandingOver: the room has one host, in every answer of those who ask.
func TestHostLeavesWhileHandingOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob, carol := b.user(t, "alice"), b.user(t, "bob"), b.user(t, "carol")
	for range 20 {
		created, err := b.store.CreateRoom(
			t.Context(), alice.id, watchparty.NewRoom{Name: "A room", Visibility: watchparty.Public, Capacity: 5},
			store.IdempotencyKey{},
		)
		require.NoError(t, err)
		room := created.ID
		b.join(t, room, bob)
		b.join(t, room, carol)
		var (
			wg          sync.WaitGroup
			left, given answer
		)
		wg.Go(func() { left = b.do(t, "POST", "/rooms/"+room+"/leave", alice.token, nil) })
		wg.Go(func() { given = b.setRole(t, room, alice, carol, "host") })
		wg.Wait()
		require.Equal(t, 204, left.status)
		require.Contains(t, []int{200, 403}, given.status, given)
		var roles []string
		for _, p := range []person{alice, bob, carol} {
			roles = append(roles, b.do(t, "GET", "/rooms/"+room+"/me", p.token, nil).data()["role"].(string))
		}
		heir := "bob"
		if given.status == 200 {
			heir = "carol"
		}
		require.Equal(t, heir, b.do(t, "GET", "/rooms/"+room, "", nil).data()["host"].(map[string]any)["username"])
		require.Equal(t, "moderator", roles[0])
		slices.Sort(roles)
		require.Equal(t, []string{"host", "moderator", "viewer"}, roles)
	}
}

// TestOpeningARoomOnce: a request that is sent again, be it at the same time, opens no second room.
func TestOpeningARoomOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	open := func(p person, key string, body map[string]any) answer {
		r := b.request(t, "POST", "/rooms", p.token, body)
		r.Header.Set("Idempotency-Key", key)
		return b.send(t, r)
	}
	body := map[string]any{"name": "Once"}
	answers := make([]answer, 20)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = repeatWhileBusy(func() answer { return open(alice, "the-same-key", body) }) })
	}
	wg.Wait()
	for _, a := range answers {
		require.Equal(t, 201, a.status, a)
		require.Equal(t, answers[0].data(), a.data())
	}
	require.Len(t, b.do(t, "GET", "/rooms", "", nil).list(), 1)

	open(alice, "the-same-key", map[string]any{"name": "Twice"}).requireProblem(t, 422, "idempotency_key_reused")
	require.NotEqual(t, answers[0].data()["id"], open(alice, "another-key", body).data()["id"])
	require.NotEqual(
		t, answers[0].data()["id"], open(bob, "the-same-key", body).data()["id"], "keys are each caller's own",
	)

	require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+answers[0].data()["id"].(string), alice.token, nil).status)
	open(alice, "the-same-key", body).requireProblem(t, 404, "not_found")
	b.exec(t, "UPDATE idempotency_keys SET expires_at = now() - interval '1 s'")
	a := open(alice, "the-same-key", map[string]any{"name": "A day later"})
	require.Equal(t, "A day later", a.data()["name"], a)
}
