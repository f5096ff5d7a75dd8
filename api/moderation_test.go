package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// appoint gives someone a standing in a room.
func (b *bundle) appoint(t *testing.T, room string, p person, role watchparty.Role) {
	t.Helper()
	b.exec(t, `INSERT INTO members (room_id, user_id, role) VALUES (?, ?, ?)
		ON CONFLICT (room_id, user_id) DO UPDATE SET role = excluded.role`, room, p.id, string(role))
	b.void(t, "standings:"+room)
}

func (b *bundle) ban(t *testing.T, room string, by person, username string, properties map[string]any) answer {
	t.Helper()
	body := map[string]any{"username": username}
	for name, v := range properties {
		body[name] = v
	}
	return b.do(t, "POST", "/rooms/"+room+"/bans", by.token, body)
}

func (b *bundle) mute(t *testing.T, room string, by person, username string, until time.Time) answer {
	t.Helper()
	body := map[string]any{"username": username, "until": until.UTC().Format(time.RFC3339Nano), "reason": "Noise"}
	return b.do(t, "POST", "/rooms/"+room+"/mutes", by.token, body)
}

// TestModerationRoutes asks for each route as each role; the store's tests know each role's target.
func TestModerationRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, moderator, viewer := b.user(t, "host"), b.user(t, "moderator"), b.user(t, "viewer")
	stranger, target := b.user(t, "stranger"), b.user(t, "target")
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for _, visibility := range []string{"public", "unlisted", "private"} {
		room := b.room(t, host, map[string]any{"visibility": visibility})
		b.appoint(t, room, moderator, watchparty.Moderator)
		b.appoint(t, room, viewer, watchparty.Viewer)
		for _, route := range []struct {
			method, path string
			body         map[string]any
			status       int
			hostOnly     bool
		}{
			{"DELETE", "/participants/target", nil, 204, false},
			{"POST", "/bans", map[string]any{"username": "target"}, 201, false},
			{"GET", "/bans", nil, 200, false},
			{"DELETE", "/bans/target", nil, 204, false},
			{"POST", "/mutes", map[string]any{"username": "target", "until": until}, 201, false},
			{"GET", "/mutes", nil, 200, false},
			{"DELETE", "/mutes/target", nil, 204, false},
			{"POST", "/invitations", map[string]any{"email": "guest@example.org"}, 201, false},
			{"GET", "/invitations", nil, 200, false},
			{"GET", "/log", nil, 200, true},
		} {
			t.Run(visibility+" "+route.method+" "+route.path, func(t *testing.T) {
				callRoute := func(token string) answer {
					b.appoint(t, room, target, watchparty.Viewer)
					body := any(nil)
					if route.body != nil {
						body = route.body
					}
					return b.do(t, route.method, "/rooms/"+room+route.path, token, body)
				}
				ready := func() {
					if route.path == "/bans/target" {
						require.Equal(t, 201, b.ban(t, room, host, "target", nil).status)
					} else {
						b.exec(t, "DELETE FROM bans WHERE room_id = ?", room)
						b.void(t, "standings:"+room)
						b.appoint(t, room, target, watchparty.Viewer)
						b.join(t, room, target)
					}
					if route.path == "/mutes/target" {
						require.Equal(t, 201, b.mute(t, room, host, "target", time.Now().Add(time.Hour)).status)
					}
				}
				ready()
				callRoute("").requireProblem(t, 401, "unauthenticated")
				callRoute(viewer.token).requireProblem(t, 403, "forbidden")
				if visibility == "private" {
					callRoute(stranger.token).requireProblem(t, 404, "not_found")
				} else {
					callRoute(stranger.token).requireProblem(t, 403, "forbidden")
				}
				if route.hostOnly {
					callRoute(moderator.token).requireProblem(t, 403, "forbidden")
				} else {
					a := callRoute(moderator.token)
					require.Equal(t, route.status, a.status, a)
				}
				ready()
				a := callRoute(host.token)
				require.Equal(t, route.status, a.status, a)
			})
		}
	}
}

func TestModerationOfOneself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, moderator := b.user(t, "host"), b.user(t, "moderator")
	room := b.room(t, host, nil)
	b.appoint(t, room, moderator, watchparty.Moderator)
	b.join(t, room, moderator)
	for _, p := range []person{host, moderator} {
		b.do(t, "DELETE", "/rooms/"+room+"/participants/"+p.name, p.token, nil).requireProblem(t, 403, "forbidden")
		b.ban(t, room, p, p.name, nil).requireProblem(t, 403, "forbidden")
		b.mute(t, room, p, p.name, time.Now().Add(time.Hour)).requireProblem(t, 403, "forbidden")
	}
	require.Len(t, b.do(t, "GET", "/rooms/"+room+"/participants", "", nil).list(), 2)
}

func TestBansAndMutesAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	b.user(t, "guest")
	room := b.room(t, host, nil)
	const day = 24 * time.Hour
	at := func(d time.Duration) string { return time.Now().Add(d).Format(time.RFC3339Nano) } // in this machine's zone
	for name, c := range map[string]struct {
		until     any
		ban, mute bool
	}{
		"now":           {at(0), false, false},
		"over":          {at(-day), false, false},
		"the zero time": {"0001-01-01T00:00:00Z", false, false},
		"an hour":       {at(time.Hour), true, true},
		"with another offset": {time.Now().Add(time.Hour).In(time.FixedZone("", -5*3600)).Format(time.RFC3339), true,
			true},
		"30 days":               {at(30 * day), true, true},
		"30 days and a bit":     {at(30*day + time.Hour), true, false},
		"10 years":              {time.Now().AddDate(10, 0, 0).Format(time.RFC3339), true, false},
		"10 years and a bit":    {time.Now().AddDate(10, 0, 0).Add(time.Hour).Format(time.RFC3339), false, false},
		"the end of the format": {"9999-12-31T23:59:59Z", false, false},
	} {
		for path, ok := range map[string]bool{"/bans": c.ban, "/mutes": c.mute} {
			a := b.do(t, "POST", "/rooms/"+room+path, host.token, map[string]any{"username": "guest", "until": c.until})
			if !ok {
				a.requireProblem(t, 400, "invalid_request")
				require.Equal(t, []string{"until"}, a.fields(), name)
				continue
			}
			require.Equal(t, 201, a.status, "%s: %s", name, a)
			asked, err := time.Parse(time.RFC3339, c.until.(string))
			require.NoError(t, err)
			got, err := time.Parse(time.RFC3339, a.data()["until"].(string))
			require.NoError(t, err)
			require.WithinDuration(t, asked, got, time.Microsecond)
		}
	}
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for _, path := range []string{"/bans", "/mutes"} {
		send := func(reason any) answer {
			return b.do(
				t, "POST", "/rooms/"+room+path, host.token, map[string]any{"username": "guest", "until": until, "reason": reason},
			)
		}
		for _, reason := range []string{
			"", strings.Repeat("界", 300), `'; DROP TABLE bans; --`, `<script>alert("x")</script>`, "👩‍👩‍👧 שלום é", `\u0000`,
			"?0 ?", "%s",
		} {
			a := send(reason)
			require.Equal(t, 201, a.status, a)
			require.Equal(t, reason, a.data()["reason"])
			require.Equal(t, a.data(), b.do(t, "GET", "/rooms/"+room+path, host.token, nil).list()[0])
		}
		require.Equal(t, "Noise", send("  Noise\n").data()["reason"])
		for _, reason := range []string{strings.Repeat("界", 301), "a\x00b", "a\nb", "\x1b[31m", "a\u0085b", "\u202Eback"} {
			send(reason).requireField(t, 400, "reason")
		}
		raw := `{"username": "guest", "until": "` + until + `", "reason": "\ud800"}`
		b.do(t, "POST", "/rooms/"+room+path, host.token, raw).requireField(t, 400, "reason")
	}
	forever := b.ban(t, room, host, "guest", nil)
	require.Equal(t, []any{nil, ""}, []any{forever.data()["until"], forever.data()["reason"]})
	require.Equal(t, asShown(host), forever.data()["banned_by"])
}

// TestBannedUser: everything that belongs to the room answers 403.
func TestBannedUser(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	b := w.bundle
	b.join(t, w.open, w.bob)
	require.Equal(t, 201, b.ban(t, w.open, w.alice, "bob", nil).status)
	for _, c := range w.calls() {
		if op := operations()[c.id]; op.forAdmins() || !op.takesToken() ||
			c.params["room_id"] == "" && c.body["room_id"] == nil {
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			banned := c.call
			banned.token = w.bob.token
			if c.params["room_id"] != "" {
				banned.params = copied(c.params)
				banned.params["room_id"] = w.open
			} else {
				banned.body = map[string]any{"room_id": w.open, "body": "Hello"}
			}
			w.call(t, c.id, banned).requireProblem(t, 403, "banned")
		})
	}
	require.Len(t, b.do(t, "GET", "/rooms/"+w.open+"/participants", "", nil).list(), 3, "alice, eve and frank")
}

// TestBanEndsByItself: a cached standing ends with the ban.
func TestBanEndsByItself(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*settings){"cached": func(*settings) {}, "without Redis": redisAway} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, change)
			host, guest := b.user(t, "host"), b.user(t, "guest")
			room := b.room(t, host, nil)
			b.join(t, room, guest)
			until := time.Now().Add(5 * time.Second) // for the requests before it
			a := b.ban(t, room, host, "guest", map[string]any{"until": until.UTC().Format(time.RFC3339Nano)})
			require.Equal(t, 201, a.status, a)
			for range 2 {
				b.do(t, "GET", "/rooms/"+room, guest.token, nil).requireProblem(t, 403, "banned")
				b.do(t, "POST", "/rooms/"+room+"/join", guest.token, nil).requireProblem(t, 403, "banned")
			}
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				response, err := b.client.Do(b.request(t, "GET", "/rooms/"+room, guest.token, nil))
				require.NoError(c, err)
				require.NoError(c, response.Body.Close())
				require.Equal(c, http.StatusOK, response.StatusCode)
			}, 30*time.Second, 50*time.Millisecond)
			require.False(t, time.Now().Before(until), "not a moment earlier")
			b.join(t, room, guest)
			require.Empty(t, b.do(t, "GET", "/rooms/"+room+"/bans", host.token, nil).list())
		})
	}
}

// TestModerationIsSeenAtOnce: reads that were cached before an act know of it after.
func TestModerationIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest := b.user(t, "host"), b.user(t, "guest")
	for _, visibility := range []string{"public", "private"} {
		t.Run(visibility, func(t *testing.T) {
			room := b.room(t, host, map[string]any{"visibility": visibility})
			b.appoint(t, room, guest, watchparty.Viewer)
			path := "/rooms/" + room
			requireParticipants := func(want int) {
				t.Helper()
				for range 2 {
					a := b.do(t, "GET", path, host.token, nil)
					require.EqualValues(t, want, a.data()["participants"], a)
					for _, listed := range b.do(t, "GET", "/rooms", "", nil).list() {
						if listed["id"] == room {
							require.EqualValues(t, want, listed["participants"])
						}
					}
				}
			}
			b.join(t, room, guest)
			requireParticipants(2)
			require.Equal(t, 204, b.do(t, "DELETE", path+"/participants/guest", host.token, nil).status)
			requireParticipants(1)
			if visibility == "private" {
				b.do(t, "GET", path, guest.token, nil).requireProblem(t, 404, "not_found")
				b.do(t, "POST", path+"/join", guest.token, nil).requireProblem(t, 404, "not_found")
				b.appoint(t, room, guest, watchparty.Viewer)
			}
			b.join(t, room, guest)
			requireParticipants(2)
			require.Equal(t, 200, b.do(t, "GET", path, guest.token, nil).status)

			require.Equal(t, 201, b.ban(t, room, host, "guest", nil).status)
			requireParticipants(1)
			b.do(t, "GET", path, guest.token, nil).requireProblem(t, 403, "banned")
			require.Equal(t, 204, b.do(t, "DELETE", path+"/bans/guest", host.token, nil).status)
			want := 200
			if visibility == "private" {
				want = 404
			}
			require.Equal(t, want, b.do(t, "GET", path, guest.token, nil).status)
			b.do(t, "DELETE", path+"/bans/guest", host.token, nil).requireProblem(t, 404, "not_found")
		})
	}
}

func TestModerationListsArePaged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	room := b.room(t, host, nil)
	var want []string
	for i := range 5 {
		guest := b.user(t, "guest"+strconv.Itoa(i))
		require.Equal(t, 201, b.ban(t, room, host, guest.name, nil).status)
		require.Equal(t, 201, b.mute(t, room, host, guest.name, time.Now().Add(time.Hour)).status)
		want = append([]string{guest.name}, want...)
	}
	for _, path := range []string{"/bans", "/mutes"} {
		for limit, pages := range map[int]int{1: 5, 2: 3, 4: 2, 5: 1, 100: 1} {
			var got []string
			next, read := "/rooms/"+room+path+"?limit="+strconv.Itoa(limit), 0
			for cursor := any(""); cursor != nil; read++ {
				a := b.do(t, "GET", next, host.token, nil)
				for _, item := range a.list() {
					got = append(got, item["user"].(map[string]any)["username"].(string))
				}
				if cursor = a.body["next_cursor"]; cursor != nil {
					next = "/rooms/" + room + path + "?limit=" + strconv.Itoa(limit) + "&cursor=" + cursor.(string)
				}
			}
			require.Equal(t, want, got)
			require.Equal(t, pages, read, "%s, %d a page", path, limit)
		}
	}
	acts, _ := b.walk(t, "/rooms/"+room+"/log?", "cursor", host.token, 3)
	require.Len(t, acts, 10)
	require.True(t, slices.IsSortedFunc(acts, func(a, b string) int { return strings.Compare(b, a) }), "newest first")
	for _, path := range []string{"/bans", "/mutes", "/log", "/invitations"} {
		b.do(t, "GET", "/rooms/"+room+path+"?cursor=garbage", host.token, nil).requireField(t, 400, "cursor")
	}
}

func TestRoomLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest := b.user(t, "host"), b.user(t, "guest")
	room := b.room(t, host, nil)
	b.join(t, room, guest)
	require.Empty(t, b.do(t, "GET", "/rooms/"+room+"/log", host.token, nil).list())
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	require.Equal(t, 201, b.mute(t, room, host, "guest", until).status)
	require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+room+"/participants/guest", host.token, nil).status)
	require.Equal(t, 201, b.ban(t, room, host, "guest", nil).status)
	require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+room+"/bans/guest", host.token, nil).status)
	a := b.do(t, "GET", "/rooms/"+room+"/log", host.token, nil)
	var got []any
	for _, act := range a.list() {
		require.Equal(t, asShown(host), act["actor"])
		require.Equal(t, asShown(guest), act["target"])
		got = append(got, act["action"], act["details"])
	}
	none := map[string]any{}
	require.Equal(t, []any{
		"ban_lifted", none, "banned", map[string]any{"until": nil, "reason": ""}, "kicked", none,
		"muted", map[string]any{"until": until.Format(time.RFC3339), "reason": "Noise"},
	}, got)
	b.exec(t, "UPDATE users SET deleted_at = now() WHERE id = ?", guest.id)
	require.Nil(t, b.do(t, "GET", "/rooms/"+room+"/log", host.token, nil).list()[0]["target"])
}
