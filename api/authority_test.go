package api

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// TestKickedModeratorStaysOut: a moderator invites a second address of their own, is put out or loses the role, and
// does not come back by it, nor does anybody see the room by it.
func TestKickedModeratorStaysOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, second := b.user(t, "host"), b.user(t, "second")
	for name, act := range map[string]func(path string) answer{
		"kicked": func(path string) answer { return b.do(t, "DELETE", path, host.token, nil) },
		"demoted": func(path string) answer {
			return b.do(t, "PATCH", path, host.token, map[string]any{"role": "viewer"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			room := b.room(t, host, map[string]any{"visibility": "private"})
			moderator := b.user(t, "moderator-"+name)
			_, way := b.invite(t, room, host, moderator.email)
			require.Equal(t, 200, b.acceptInvitation(t, moderator, way).status)
			path := "/rooms/" + room + "/participants/" + moderator.name
			require.Equal(t, 200, b.do(t, "PATCH", path, host.token, map[string]any{"role": "moderator"}).status)
			id, back := b.invite(t, room, moderator, "second@example.org")
			lookUp := func() answer { return b.do(t, "POST", "/invitations/lookup", "", map[string]any{"token": back}) }
			require.Equal(t, 200, lookUp().status)

			require.Less(t, act(path).status, 300)
			lookUp().requireProblem(t, 400, "bad_token")
			b.acceptInvitation(t, second, back).requireProblem(t, 400, "bad_token")
			b.do(t, "GET", "/rooms/"+room, second.token, nil).requireProblem(t, 404, "not_found")
			require.Equal(t, "revoked", b.invitationState(t, room, host, id))
		})
	}
}

// TestStandingsAreNotStale: each act that changes what a person may see takes effect at once, although the former
// standing was cached.
func TestStandingsAreNotStale(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	for name, c := range map[string]struct {
		act  func(room string, p person) answer
		code string // of what is said then
	}{
		"kick": {func(room string, p person) answer {
			return b.do(t, "DELETE", "/rooms/"+room+"/participants/"+p.name, host.token, nil)
		}, "not_found"},
		"ban": {func(room string, p person) answer { return b.ban(t, room, host, p.name, nil) }, "banned"},
		"quit": {
			func(room string, p person) answer { return b.do(t, "DELETE", "/rooms/"+room+"/me", p.token, nil) }, "not_found",
		},
		"deletion of the room": {func(room string, _ person) answer {
			return b.do(t, "DELETE", "/rooms/"+room, host.token, nil)
		}, "not_found"},
		"suspension": {func(_ string, p person) answer {
			root := b.admin(t, "root")
			return b.do(t, "POST", "/admin/users/"+p.id+"/suspend", root.token, map[string]any{"reason": "Noise"})
		}, "unauthenticated"},
		"deletion of the account": {func(_ string, p person) answer { return b.deleteMe(t, p) }, "unauthenticated"},
	} {
		t.Run(name, func(t *testing.T) {
			room := b.room(t, host, map[string]any{"visibility": string(watchparty.Private)})
			member := b.user(t, "member-"+strings.ReplaceAll(name, " ", "-"))
			_, token := b.invite(t, room, host, member.email)
			require.Equal(t, 200, b.acceptInvitation(t, member, token).status)
			for range 2 {
				require.Equal(t, 200, b.do(t, "GET", "/rooms/"+room, member.token, nil).status)
			}
			a := c.act(room, member)
			require.Less(t, a.status, 300, a)
			require.Equal(t, c.code, b.do(t, "GET", "/rooms/"+room, member.token, nil).code())
		})
	}
}
