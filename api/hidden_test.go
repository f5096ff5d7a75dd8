package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

// spamWord is in all that the account of these tests makes.
const spamWord = "zanzibar"

// spammer is somebody with a room of their own, and messages in their room and in another one.
type spammer struct {
	*bundle
	root, mallory, alice, guest person
	own, private                string // mallory's rooms, which alice and guest are in
	open                        string // alice's room, which all are in
	message, reply              string // mallory's message in the open room, and alice's answer to it
	said                        string // mallory's message in her own room
	movie                       string
	invitation                  string // a token for mallory's private room
	invited                     string // the invitation's ID
	party                       string // mallory's in the open room, where she is a moderator
	ownParty                    string // in her own room
	queued                      string // mallory's item of the open room's queue; another one plays there
}

func newSpammer(t *testing.T) *spammer {
	t.Helper()
	b := setup(t)
	s := &spammer{
		bundle:  b,
		root:    b.admin(t, "root"),
		mallory: b.user(t, "mallory"),
		alice:   b.user(t, "alice"),
		guest:   b.user(t, "guest"),
		movie:   b.addMovie(t, "Metropolis"),
	}
	properties := map[string]any{"name": "Cheap " + spamWord, "description": "Buy " + spamWord, "movie_id": s.movie}
	s.own = b.room(t, s.mallory, properties)
	properties["visibility"] = "private"
	s.private = b.room(t, s.mallory, properties)
	s.open = b.room(t, s.alice, nil)
	for _, p := range []person{s.alice, s.guest} {
		b.join(t, s.own, p)
	}
	for _, p := range []person{s.mallory, s.guest} {
		b.join(t, s.open, p)
	}
	s.said = b.post(t, s.own, s.mallory, "Come and buy "+spamWord)
	s.message = b.post(t, s.open, s.mallory, "Everybody wants "+spamWord)
	a := b.do(
		t, "POST", "/chat/messages", s.alice.token, map[string]any{"room_id": s.open, "body": "No", "reply_to_id": s.message},
	)
	require.Equal(t, 201, a.status, a)
	s.reply = a.data()["id"].(string)
	a = b.do(t, "POST", "/rooms/"+s.private+"/invitations", s.mallory.token, map[string]any{"email": "guest@example.org"})
	require.Equal(t, 201, a.status, a)
	s.invited = a.data()["id"].(string)
	s.invitation = b.server.oneTime.Token(auth.ForInvitation, s.invited)
	b.logs.secret(s.invitation)
	for _, p := range []person{s.alice, s.guest} {
		b.exec(t, "INSERT INTO members (room_id, user_id, role) VALUES (?, ?, 'viewer') ON CONFLICT DO NOTHING", s.private,
			p.id)
	}
	b.void(t, "standings:"+s.private)
	s.party, s.ownParty = s.scheduleSpam(t, s.open), s.scheduleSpam(t, s.own)
	b.exec(t, "INSERT INTO party_answers (party_id, room_id, user_id, answer) VALUES (?, ?, ?, 'yes')", s.party, s.open,
		s.guest.id)
	s.queued = s.queueSpam(t, s.open)
	s.queueSpam(t, s.own)
	playing := s.queueSpam(t, s.open)
	b.exec(t, "UPDATE queue_items SET played_at = now() WHERE id = ?", playing)
	b.exec(t, "INSERT INTO playbacks (room_id, state, item_id) VALUES (?, 'paused', ?)", s.open, playing)
	b.exec(t, "UPDATE rooms SET now_playing = true WHERE id IN (?, ?)", s.open, s.own)
	return s
}

// scheduleSpam schedules a party of mallory's.
func (s *spammer) scheduleSpam(t *testing.T, room string) string {
	t.Helper()
	return value1[string](t, s.bundle, `INSERT INTO parties (id, room_id, title, scheduled_by, starts_at, time_zone)
		VALUES (gen_random_uuid(), ?, ?, ?, now() + interval '1 d', 'UTC') RETURNING id`, room, "Buy "+spamWord, s.mallory.id)
}

// queueSpam adds an address of mallory's to a queue.
func (s *spammer) queueSpam(t *testing.T, room string) string {
	t.Helper()
	return value1[string](t, s.bundle, `INSERT INTO queue_items (id, room_id, title, stream_url, added_by, rank)
		VALUES (gen_random_uuid(), ?, ?, 'https://movies.example/a.webm', ?, 1) RETURNING id`, room, "Buy "+spamWord,
		s.mallory.id)
}

func (s *spammer) suspend(t *testing.T, body map[string]any) {
	t.Helper()
	all := map[string]any{"reason": "Spam"}
	for name, v := range body {
		all[name] = v
	}
	a := s.do(t, "POST", "/admin/users/"+s.mallory.id+"/suspend", s.root.token, all)
	require.Equal(t, 200, a.status, a)
}

func (s *spammer) reinstate(t *testing.T) {
	t.Helper()
	a := s.do(t, "POST", "/admin/users/"+s.mallory.id+"/reinstate", s.root.token, nil)
	require.Equal(t, 200, a.status, a)
}

// read is a request for something that others may have made.
type read struct {
	path string
	body map[string]any // of a POST
	gone bool           // is a 404, or 400 for a token, while it is hidden
}

// reads are the operations by which people read what others have made, each by all the ways that there are.
func (s *spammer) reads() map[string][]read {
	own, private := "/rooms/"+s.own, "/rooms/"+s.private
	return map[string][]read{
		"listRooms": {
			{
				path: "/rooms",
			},
			{path: "/rooms?q=" + spamWord},
			{path: "/rooms?movie_id=" + s.movie},
			{path: "/rooms?available=true"},
			{path: "/rooms?q=cheap&movie_id=" + s.movie + "&available=true"},
		},
		"getRoom":       {{path: own, gone: true}, {path: private, gone: true}},
		"getNowPlaying": {{path: own + "/now-playing", gone: true}, {path: "/rooms/" + s.open + "/now-playing"}},
		"listMyRooms":   {{path: "/users/me/rooms"}, {path: "/users/me/rooms?role=viewer&state=open"}},
		"listMessages": {
			{path: "/chat/messages?room_id=" + s.own, gone: true}, {path: "/chat/messages?room_id=" + s.private, gone: true},
			{path: "/chat/messages?room_id=" + s.open}, {path: "/chat/messages?limit=2&room_id=" + s.open},
			{path: "/chat/messages?room_id=" + s.open + "&after=AYkAAAAAcACAAAAAAAAerQ"},
		},
		"exportMe":         {{path: "/users/me/export"}},
		"listParticipants": {{path: own + "/participants", gone: true}},
		"getMyStanding":    {{path: own + "/me", gone: true}, {path: private + "/me", gone: true}},
		"getMessage": {
			{
				path: "/chat/messages/" + s.said,
				gone: true,
			},
			{path: "/chat/messages/" + s.message, gone: true},
			{path: "/chat/messages/" + s.reply},
		},
		"lookUpInvitation": {{path: "/invitations/lookup", body: map[string]any{"token": s.invitation}, gone: true}},
		"listRoomLog":      {{path: own + "/log", gone: true}},
		"getPlayback":      {{path: own + "/playback", gone: true}, {path: "/rooms/" + s.open + "/playback"}},
		"getRoomQueue":     {{path: own + "/queue", gone: true}, {path: "/rooms/" + s.open + "/queue"}},
		"getQueueItem":     {{path: "/rooms/" + s.open + "/queue/" + s.queued, gone: true}},
		"listParties":      {{path: own + "/parties", gone: true}, {path: "/rooms/" + s.open + "/parties"}},
		"getParty":         {{path: "/parties/" + s.ownParty, gone: true}, {path: "/parties/" + s.party}},
		"getPartyCalendar": {
			{path: "/parties/" + s.ownParty + "/calendar", gone: true}, {path: "/parties/" + s.party + "/calendar"},
		},
		"listPartyAnswers": {{path: "/parties/" + s.ownParty + "/answers", gone: true}},
		"listMyParties":    {{path: "/users/me/parties"}},
		"listBans":         {{path: own + "/bans", gone: true}},
		"listMutes":        {{path: own + "/mutes", gone: true}},
		"listInvitations":  {{path: private + "/invitations", gone: true}},
		"getBan":           {{path: own + "/bans/guest", gone: true}},
		"getMute":          {{path: own + "/mutes/guest", gone: true}},
		"getInvitation":    {{path: "/invitations/" + s.invited, gone: true}},

		"listMyInvitations": {{path: "/users/me/invitations"}},
	}
}

// unconcerned read nothing that an account has made in rooms, or what is the reader's own.
var unconcerned = map[string]bool{
	"getMe":            true,
	"getProfile":       true,
	"listProfiles":     true,
	"listSessions":     true,
	"getAvatar":        true,
	"getAvatarFile":    true,
	"getDefaultAvatar": true,
	"listMovies":       true,
	"listGenres":       true,
	"getMovie":         true,
	"getHealth":        true,
	"getLiveness":      true,
	"getReadiness":     true,
	"getMyAbuseReport": true,
}

// TestHiddenContent: no operation shows the content of a suspended account, and all show it again when the account is
// reinstated. The test fails for a read operation that is neither in the table nor in unconcerned.
func TestHiddenContent(t *testing.T) {
	t.Parallel()
	s := newSpammer(t)
	table := s.reads()
	for id, op := range operations() {
		if op.method == http.MethodGet && !op.forAdmins() && !unconcerned[id] {
			require.NotEmpty(t, table[id], "%s may show what is hidden: add it to the table, or to unconcerned", id)
		}
	}
	shown := func(t *testing.T) (found map[string]bool) {
		t.Helper()
		found = map[string]bool{}
		for id, reads := range table {
			for _, r := range reads {
				for _, token := range []string{"", s.alice.token, s.guest.token} {
					if token == "" && operations()[id].needsToken() {
						continue
					}
					method := "GET"
					var body any
					if r.body != nil {
						method, body = "POST", r.body
					}
					a := s.do(t, method, r.path, token, body)
					found[id] = found[id] || strings.Contains(string(a.raw), spamWord)
				}
			}
		}
		return found
	}
	requireHidden := func(t *testing.T) {
		t.Helper()
		for id, found := range shown(t) {
			require.False(t, found, "%s shows what is hidden", id)
		}
		for id, reads := range table {
			for _, r := range reads {
				if r.gone && r.body == nil {
					s.do(t, "GET", r.path, s.alice.token, nil).requireProblem(t, 404, "not_found")
				} else if r.gone {
					s.do(t, "POST", r.path, "", r.body).requireProblem(t, 400, "bad_token")
				}
				_ = id
			}
		}
		message := s.do(t, "GET", "/chat/messages?room_id="+s.open, "", nil).list()
		require.Equal(t, []any{s.reply, "", ""},
			[]any{message[0]["id"], message[0]["reply_to"].(map[string]any)["excerpt"], message[1]["body"]})
		require.Equal(t, true, message[1]["deleted"])
		for _, act := range []struct {
			method, path, code string
			status             int
			body               any
		}{
			{"POST", "/rooms/" + s.own + "/join", "not_found", 404, nil},
			{"POST", "/rooms/" + s.own + "/heartbeat", "not_found", 404, nil},
			{"POST", "/rooms/" + s.own + "/leave", "not_found", 404, nil},
			{"POST", "/chat/messages", "not_found", 404, map[string]any{"room_id": s.own, "body": "Hello?"}},
			{"POST", "/chat/messages", "unknown_message", 400,
				map[string]any{"room_id": s.open, "body": "Hello?", "reply_to_id": s.message}},
			{"DELETE", "/chat/messages/" + s.message, "not_found", 404, nil},
			{"POST", "/invitations/accept", "bad_token", 400, map[string]any{"token": s.invitation}},
			{"POST", "/abuse-reports", "not_found", 404, map[string]any{"kind": "spam", "room_id": s.own}},
			{"POST", "/abuse-reports", "not_found", 404, map[string]any{"kind": "spam", "message_id": s.message}},
		} {
			s.do(t, act.method, act.path, s.alice.token, act.body).requireProblem(t, act.status, act.code)
		}
	}
	requireShown := func(t *testing.T, more ...string) {
		t.Helper()
		found := shown(t)
		for _, id := range append(more, "listRooms", "getRoom", "listMyRooms", "listMessages", "exportMe",
			"getPlayback", "getRoomQueue", "getQueueItem", "listParties", "getParty", "getPartyCalendar", "listMyParties") {
			require.True(t, found[id], "%s shows nothing", id)
		}
		message := s.do(t, "GET", "/chat/messages?room_id="+s.open, "", nil).list()
		require.Contains(t, message[0]["reply_to"].(map[string]any)["excerpt"], spamWord)
		require.Equal(t, false, message[1]["deleted"])
	}

	requireShown(t, "lookUpInvitation")
	s.suspend(t, nil) // hides unless told otherwise
	requireHidden(t)
	s.suspend(t, map[string]any{"hide_content": false})
	require.True(t, shown(t)["listMessages"], "an admin may change their mind")
	s.suspend(t, map[string]any{"hide_content": true})
	requireHidden(t)
	s.reinstate(t)
	requireShown(t) // but for the invitations, which the suspension has ended
}

// TestAdminsSeeWhatIsHidden: rooms, and the text of messages.
func TestAdminsSeeWhatIsHidden(t *testing.T) {
	t.Parallel()
	s := newSpammer(t)
	s.suspend(t, nil)
	for _, query := range []string{"", "?q=CHEAP", "?host_id=" + s.mallory.id, "?state=open"} {
		list := s.do(t, "GET", "/admin/rooms"+query, s.root.token, nil).list()
		require.GreaterOrEqual(t, len(list), 2, query)
		hidden := map[any]any{}
		for _, r := range list {
			hidden[r["room"].(map[string]any)["id"]] = r["hidden"]
		}
		require.Equal(t, []any{true, true}, []any{hidden[s.own], hidden[s.private]}, query)
	}
	messages := s.do(t, "GET", "/admin/rooms/"+s.open+"/messages", s.root.token, nil).list()
	require.Equal(t, []any{false, true}, []any{messages[0]["hidden"], messages[1]["hidden"]})
	require.Contains(t, messages[1]["message"].(map[string]any)["body"], spamWord)
	require.Contains(t, messages[0]["message"].(map[string]any)["reply_to"].(map[string]any)["excerpt"], spamWord)
	account := s.do(t, "GET", "/admin/users/"+s.mallory.id, s.root.token, nil).data()
	require.Equal(t, []any{"suspended", true}, []any{account["state"], account["content_hidden"]})

	a := s.do(t, "POST", "/admin/rooms/"+s.own+"/close", s.root.token, map[string]any{"reason": "Spam"})
	require.Equal(t, 200, a.status, a)
	a = s.do(t, "POST", "/admin/messages/"+s.message+"/delete", s.root.token, map[string]any{"reason": "Spam"})
	require.Equal(t, 204, a.status, a)
	s.reinstate(t)
	require.Equal(t, true, s.do(t, "GET", "/rooms/"+s.own, "", nil).data()["closed"], "what was done meanwhile stays")
	require.NotContains(t, string(s.do(t, "GET", "/chat/messages?room_id="+s.open, "", nil).raw), spamWord)
}

// TestSuspendedHost: without hiding what they made, their rooms are in no list until they have another host.
func TestSuspendedHost(t *testing.T) {
	t.Parallel()
	s := newSpammer(t)
	listed := func() bool {
		found := map[bool]int{}
		for _, path := range []string{"/rooms", "/rooms?q=" + spamWord, "/rooms?movie_id=" + s.movie} {
			found[strings.Contains(string(s.do(t, "GET", path, "", nil).raw), s.own)]++
		}
		require.Len(t, found, 1, "the lists agree")
		return found[true] > 0
	}
	require.True(t, listed())
	s.suspend(t, map[string]any{"hide_content": false})
	require.False(t, listed())
	require.Equal(t, 200, s.do(t, "GET", "/rooms/"+s.own, "", nil).status)
	s.reinstate(t)
	require.True(t, listed())

	s.suspend(t, map[string]any{"hide_content": false})
	require.Equal(t, 204, s.do(t, "POST", "/rooms/"+s.own+"/heartbeat", s.guest.token, nil).status)
	require.True(t, listed())
	host := s.do(t, "GET", "/rooms/"+s.own, "", nil).data()["host"].(map[string]any)
	require.Equal(t, "alice", host["username"], "who has been there longest")
}
