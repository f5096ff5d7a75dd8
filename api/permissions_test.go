package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// roomFixture is a room with a person of each kind, and a person with a lower role than all of them as the target of
// acts.
type roomFixture struct {
	*bundle
	room       string
	cast       map[string]person // by role, and "stranger", "banned", "nobody"
	target     person            // a viewer in the room
	message    string            // of the target's
	movie      string
	item       string // of the queue
	invitation string // by the host; empty unless the test makes one
}

var outsiders = []string{"stranger", "banned", "nobody"}

func newRoomFixture(t *testing.T, b *bundle, prefix, visibility string) roomFixture {
	t.Helper()
	s := roomFixture{bundle: b, cast: map[string]person{"nobody": {}}}
	for _, role := range append([]string{"host", "moderator", "viewer", "target"}, outsiders[:2]...) {
		s.cast[role] = b.user(t, prefix+role)
	}
	s.target = s.cast["target"]
	s.room = b.room(t, s.cast["host"], nil)
	for _, role := range []string{"moderator", "viewer", "target"} {
		b.join(t, s.room, s.cast[role])
	}
	s.message = b.post(t, s.room, s.target, "Hello")
	s.movie = b.addMovie(t, "Movie of "+prefix)
	s.exec(t, "UPDATE movies SET stream_url = 'https://movies.example/a.webm' WHERE id = ?", s.movie)
	s.item = b.queue(t, s.room, s.cast["host"], "An item")
	path := "/rooms/" + s.room
	a := b.do(
		t, "PATCH", path+"/participants/"+s.cast["moderator"].name, s.cast["host"].token, map[string]any{"role": "moderator"},
	)
	require.Equal(t, 200, a.status, a)
	a = b.do(t, "PATCH", path, s.cast["host"].token, map[string]any{"visibility": visibility})
	require.Equal(t, 200, a.status, a)
	_, err := b.store.DB().
		ExecContext(t.Context(), "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", s.room,
			s.cast["banned"].id)
	require.NoError(t, err)
	return s
}

// standsFor is the operation by which a permission is used.
var standsFor = map[watchparty.Permission]struct {
	operation string
	body      func(s roomFixture) map[string]any
}{
	watchparty.MayPost:          {"postMessage", hello},
	watchparty.MaySkipSlowMode:  {"postMessage", hello},
	watchparty.MayDeleteMessage: {"deleteMessage", nil},
	watchparty.MayKick:          {"kickParticipant", nil},
	watchparty.MayMute: {"muteUser", func(s roomFixture) map[string]any {
		return map[string]any{"username": s.target.name, "until": time.Now().Add(time.Minute).UTC().Format(time.RFC3339)}
	}},
	watchparty.MayBan: {"banUser", func(s roomFixture) map[string]any {
		return map[string]any{"username": s.target.name}
	}},
	watchparty.MayInvite: {
		"createInvitation",
		func(roomFixture) map[string]any { return map[string]any{"email": "guest@example.org"} },
	},
	watchparty.MayEditRoom: {"updateRoom", func(roomFixture) map[string]any {
		return map[string]any{"name": "Renamed"}
	}},
	watchparty.MayDeleteRoom: {"deleteRoom", nil},
	watchparty.MaySetRole: {
		"setParticipantRole",
		func(roomFixture) map[string]any { return map[string]any{"role": "moderator"} },
	},
	watchparty.MayHandOver: {"setParticipantRole", func(roomFixture) map[string]any {
		return map[string]any{"role": "host"}
	}},
	watchparty.MayReadLog: {"listRoomLog", nil},
	watchparty.MayControl: {"sendPlaybackCommand", func(roomFixture) map[string]any {
		return map[string]any{"kind": "rate", "id": unknownID, "epoch": 0, "rate": 2}
	}},
	watchparty.MayEditQueue: {"moveInQueue", func(roomFixture) map[string]any { return map[string]any{} }},
	watchparty.MayAddToQueue: {"addToQueue", func(s roomFixture) map[string]any {
		return map[string]any{"movie_id": s.movie}
	}},
	watchparty.MayVote: {"voteForItem", nil},
	watchparty.MayScheduleParty: {"scheduleParty", func(roomFixture) map[string]any {
		return map[string]any{"starts_at": tomorrow(1), "time_zone": "UTC"}
	}},
}

// needsPlace are operations of people who are in the room.
var needsPlace = map[string]bool{
	"postMessage": true, "sendPlaybackCommand": true, "moveInQueue": true, "addToQueue": true, "voteForItem": true,
}

func hello(s roomFixture) map[string]any { return map[string]any{"room_id": s.room, "body": "Hello"} }

// slowDown turns on slow mode after each person with the permission has just posted.
func (s roomFixture) slowDown(t *testing.T) {
	t.Helper()
	for _, role := range watchparty.Roles() {
		s.post(t, s.room, s.cast[string(role)], "Hello")
	}
	s.exec(t, "UPDATE rooms SET slow_mode_seconds = 600 WHERE id = ?", s.room)
}

// TestPermissionTable checks each permission of each role, and of people without a role, in an open and in a private
// room.
func TestPermissionTable(t *testing.T) {
	t.Parallel()
	w := &completeFixture{bundle: setup(t)}
	for _, visibility := range []string{"public", "private"} {
		var s *roomFixture // one for all calls until one changes it
		for i, p := range watchparty.Permissions() {
			use, ok := standsFor[p]
			require.True(t, ok, "no operation stands for %s", p)
			kinds := outsiders
			for _, role := range watchparty.Roles() {
				kinds = append([]string{string(role)}, kinds...)
			}
			for j, kind := range kinds {
				t.Run(visibility+" "+string(p)+" "+kind, func(t *testing.T) {
					if s == nil {
						made := newRoomFixture(t, w.bundle, visibility[:2]+string(rune('a'+i))+string(rune('a'+j)), visibility)
						s = &made
					}
					c := call{token: s.cast[kind].token, params: map[string]string{}}
					for _, parameter := range operations()[use.operation].Parameters {
						if v := map[string]string{"room_id": s.room, "username": s.target.name, "message_id": s.message,
							"item_id": s.item}[parameter.Value.Name]; v != "" {
							c.params[parameter.Value.Name] = v
						}
					}
					if use.body != nil {
						c.body = use.body(*s)
					}
					if p == watchparty.MaySkipSlowMode {
						s.slowDown(t)
					}
					a := w.call(t, use.operation, c)
					if a.status < 300 || p == watchparty.MaySkipSlowMode {
						s = nil
					}
					switch {
					case watchparty.Role(kind).May(p):
						require.Equal(t, operations()[use.operation].success(), a.status, a)
					case kind == "nobody":
						a.requireProblem(t, 401, "unauthenticated")
					case kind == "banned":
						a.requireProblem(t, 403, "banned")
					case kind == "stranger" && visibility == "private":
						a.requireProblem(t, 404, "not_found")
					case kind == "stranger" && needsPlace[use.operation]:
						a.requireProblem(t, 403, "not_participant")
					case kind == "viewer" && p == watchparty.MaySkipSlowMode:
						a.requireProblem(t, 429, "slow_mode")
					default:
						a.requireProblem(t, 403, "forbidden")
					}
				})
			}
		}
	}
}
