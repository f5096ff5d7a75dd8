package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMyInvitations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest, stranger := b.user(t, "host"), b.user(t, "guest"), b.user(t, "stranger")
	room := b.room(t, host, map[string]any{"name": "Late show", "description": "Bring tea.", "visibility": "private"})
	other := b.room(t, host, map[string]any{"visibility": "private"})
	id, token := b.invite(t, room, host, "GUEST@Example.org")
	second, _ := b.invite(t, other, host, guest.email)
	b.invite(t, other, host, "somebody@example.org")
	const path = "/users/me/invitations"
	list := func(p person) []string {
		t.Helper()
		a := b.do(t, "GET", path, p.token, nil)
		require.Equal(t, 200, a.status, a)
		ids := []string{}
		for _, item := range a.list() {
			ids = append(ids, item["id"].(string))
		}
		return ids
	}
	respond := func(p person, id, how string) answer {
		t.Helper()
		return b.do(t, "POST", path+"/"+id+"/"+how, p.token, nil)
	}
	require.Equal(t, []string{second, id}, list(guest), "newest first")
	require.Empty(t, list(stranger))
	shown := b.do(t, "GET", path, guest.token, nil).list()[1]
	require.Equal(
		t,
		map[string]any{
			"id": room, "name": "Late show", "description": "Bring tea.", "movie": nil, "participants": 1.0, "present": 1.0,
		},
		shown["room"],
	)
	require.Equal(t, asShown(host), shown["inviter"])
	require.NotEmpty(t, shown["expires_at"])

	for _, how := range []string{"accept", "decline"} {
		respond(stranger, id, how).requireProblem(t, 404, "not_found")
		respond(guest, unknownID, how).requireProblem(t, 404, "not_found")
	}
	t.Run("an address that is not confirmed proves nothing", func(t *testing.T) {
		b.exec(t, "UPDATE users SET email_verified_at = NULL WHERE id = ?", guest.id)
		require.Empty(t, list(guest))
		respond(guest, id, "accept").requireProblem(t, 404, "not_found")
		respond(guest, id, "decline").requireProblem(t, 404, "not_found")
		b.exec(t, "UPDATE users SET email_verified_at = now() WHERE id = ?", guest.id)
	})
	t.Run("a ban keeps out while it lasts", func(t *testing.T) {
		b.alter(t, room, "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", room, guest.id)
		require.Equal(t, []string{second}, list(guest))
		respond(guest, id, "accept").requireProblem(t, 403, "banned")
		b.alter(t, room, "DELETE FROM bans WHERE user_id = ?", guest.id)
	})
	t.Run("its inviter may not invite any more", func(t *testing.T) {
		b.exec(t, "UPDATE users SET suspended_at = now() WHERE id = ?", host.id)
		require.Empty(t, list(guest))
		respond(guest, id, "accept").requireProblem(t, 404, "not_found")
		b.exec(t, "UPDATE users SET suspended_at = NULL WHERE id = ?", host.id)
	})
	t.Run("accepted", func(t *testing.T) {
		b.do(t, "GET", "/rooms/"+room, guest.token, nil).requireProblem(t, 404, "not_found")
		a := respond(guest, id, "accept")
		require.Equal(t, 200, a.status, a)
		require.Equal(t, []any{room, 2.0}, []any{a.data()["id"], a.data()["participants"]})
		require.Equal(t, 200, b.do(t, "GET", "/rooms/"+room, guest.token, nil).status)
		require.Equal(t, []string{second}, list(guest))
		require.Equal(t, 200, respond(guest, id, "accept").status, "again is joining again")
		require.Equal(t, 200, b.acceptInvitation(t, guest, token).status, "the token says the same")
		respond(guest, id, "decline").requireProblem(t, 404, "not_found")
		require.Equal(t, "accepted", b.invitationState(t, room, host, id))
	})
	t.Run("declined", func(t *testing.T) {
		require.Equal(t, 204, respond(guest, second, "decline").status)
		require.Equal(t, 204, respond(guest, second, "decline").status)
		respond(guest, second, "accept").requireProblem(t, 404, "not_found")
		require.Equal(t, "declined", b.invitationState(t, other, host, second))
		require.Empty(t, list(guest))
	})
	t.Run("expired", func(t *testing.T) {
		id, _ := b.invite(t, other, host, guest.email)
		b.exec(t, "UPDATE invitations SET expires_at = now() WHERE id = ?", id)
		require.Empty(t, list(guest))
		respond(guest, id, "accept").requireProblem(t, 404, "not_found")
	})
}
