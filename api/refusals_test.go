package api

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// TestRefusalsOfRooms: everybody uses each operation on a room, or on what belongs to one, in each state of the room.
// Whatever refuses them is in the contract, as send checks, and nothing fails.
func TestRefusalsOfRooms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	last := []string{
		"cancelParty",
		"removeFromQueue",
		"kickParticipant",
		"banUser",
		"joinRoom",
		"leaveRoom",
		"quitRoom",
		"deleteRoom",
	}
	ids := slices.Sorted(maps.Keys(operations()))
	slices.SortStableFunc(ids, func(a, b string) int { return slices.Index(last, a) - slices.Index(last, b) })
	admin := b.admin(t, "root")
	states := map[string]func(t *testing.T, s roomFixture) answer{
		"open": nil,
		"archived": func(t *testing.T, s roomFixture) answer {
			t.Helper()
			return b.do(t, "PATCH", "/rooms/"+s.room, s.cast["host"].token, map[string]any{"state": "archived"})
		},
		"closed": func(t *testing.T, s roomFixture) answer {
			t.Helper()
			return b.do(t, "POST", "/admin/rooms/"+s.room+"/close", admin.token, map[string]any{"reason": "Spam"})
		},
	}
	for state, change := range states {
		for i, kind := range []string{"host", "moderator", "viewer", "muted", "stranger", "banned", "nobody"} {
			t.Run(state+" "+kind, func(t *testing.T) {
				s := newRoomFixture(t, b, state+string(rune('a'+i)), "public")
				party := b.party(t, s.room, s.cast["host"], 1)
				s.cast["muted"] = s.cast["moderator"] // whose permissions are all but lost
				if kind == "muted" {
					a := b.do(t, "POST", "/rooms/"+s.room+"/mutes", s.cast["host"].token,
						map[string]any{"username": s.cast["muted"].name, "until": soon()})
					require.Equal(t, 201, a.status, a)
				}
				invited := b.do(t, "POST", "/rooms/"+s.room+"/invitations", s.cast["host"].token,
					map[string]any{"email": "another@example.org"})
				require.Equal(t, 201, invited.status, invited)
				s.invitation = invited.data()["id"].(string)
				if change != nil {
					require.Equal(t, 200, change(t, s).status)
				}
				use := func(s roomFixture, id string) (used bool) {
					c, ok := s.use(t, id, party)
					if ok {
						c.token = s.cast[kind].token
						require.Less(t, (&completeFixture{bundle: b}).call(t, id, c).status, 500, id)
					}
					return ok
				}
				if kind != "nobody" {
					own := s
					own.message = s.writtenBy(t, s.cast[kind])
					require.True(t, use(own, "editMessage"))
				}
				used := 0
				for _, id := range ids {
					if use(s, id) {
						used++
					}
				}
				require.Greater(t, used, 40)
			})
		}
	}
}

// writtenBy returns a message that a person has written in the room before.
func (s roomFixture) writtenBy(t *testing.T, author person) string {
	t.Helper()
	id := uuid.NewString()
	s.exec(t, "INSERT INTO messages (id, room_id, user_id, body) VALUES (?, ?, ?, 'Hello')", id, s.room, author.id)
	return id
}

// use is a call of an operation on the room of the fixture, or on what belongs to it. ok is false for other operations.
func (s roomFixture) use(t *testing.T, id, party string) (c call, ok bool) {
	t.Helper()
	op := operations()[id]
	if strings.HasPrefix(op.path, "/admin/") {
		return c, false
	}
	known := map[string]string{
		"room_id": s.room, "username": s.target.name, "message_id": s.message, "item_id": s.item, "party_id": party,
		"invitation_id": s.invitation,
	}
	bodies := map[string]map[string]any{
		"answerParty":         {"answer": "yes"},
		"editMessage":         {"body": "Hello again"},
		"markRead":            {"message_id": s.message},
		"postMessage":         hello(s),
		"reportAbuse":         {"room_id": s.room, "kind": "spam"},
		"updateParty":         {"title": "Another part"},
		"voteToSkip":          {"epoch": 0, "skip": true},
		"moveInQueue":         {},
		"updateRoom":          {"name": "Renamed"},
		"addToQueue":          {"movie_id": s.movie},
		"setParticipantRole":  {"role": "moderator"},
		"createInvitation":    {"email": "guest@example.org"},
		"banUser":             {"username": s.target.name},
		"muteUser":            {"username": s.target.name, "until": soon()},
		"scheduleParty":       {"starts_at": tomorrow(5), "time_zone": "UTC"},
		"sendPlaybackCommand": {"kind": "rate", "id": unknownID, "epoch": 0, "rate": 2},
	}
	c.params, c.body = map[string]string{}, bodies[id]
	ok = c.body["room_id"] != nil
	for _, parameter := range op.Parameters {
		p := parameter.Value
		value := known[p.Name]
		if value == "" || p.In == "header" {
			continue
		}
		c.params[p.Name] = value
		ok = ok || p.Name != "username"
	}
	if ok && op.RequestBody != nil && op.RequestBody.Value.Required {
		require.Contains(t, bodies, id, "the table lacks a body")
	}
	return c, ok
}
