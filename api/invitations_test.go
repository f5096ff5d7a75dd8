package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
)

// invite sends an invitation and returns its ID and its token.
func (b *bundle) invite(t *testing.T, room string, by person, email string) (id, token string) {
	t.Helper()
	a := b.do(t, "POST", "/rooms/"+room+"/invitations", by.token, map[string]any{"email": email})
	require.Equal(t, 201, a.status, a)
	id = a.data()["id"].(string)
	token = b.server.oneTime.Token(auth.ForInvitation, id)
	b.logs.secret(token)
	return id, token
}

func (b *bundle) acceptInvitation(t *testing.T, p person, token string) answer {
	t.Helper()
	return b.do(t, "POST", "/invitations/accept", p.token, map[string]any{"token": token})
}

func (b *bundle) declineInvitation(t *testing.T, token string) answer {
	t.Helper()
	return b.do(t, "POST", "/invitations/decline", "", map[string]any{"token": token})
}

func (b *bundle) invitationState(t *testing.T, room string, host person, id string) any {
	t.Helper()
	for _, item := range b.do(t, "GET", "/rooms/"+room+"/invitations?limit=100", host.token, nil).list() {
		if item["id"] == id {
			return item["state"]
		}
	}
	require.Fail(t, "the invitation is not listed")
	return nil
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest, other := b.user(t, "host"), b.user(t, "guest"), b.user(t, "other")
	room := b.room(t, host, map[string]any{"visibility": "private"})
	path := "/rooms/" + room
	list := path + "/invitations"

	a := b.do(t, "POST", list, host.token, map[string]any{"email": " Friend@Example.org\n"})
	require.Equal(t, 201, a.status, a)
	first := a.data()
	require.Equal(t, []any{room, "Friend@Example.org", "open", asShown(host), nil},
		[]any{first["room_id"], first["email"], first["state"], first["inviter"], first["answered_at"]})
	id, token := b.invite(t, room, host, "friend@EXAMPLE.org")
	require.Equal(t, first["id"], id, "the open one")
	require.Equal(t, []map[string]any{first}, b.do(t, "GET", list, host.token, nil).list())

	b.do(t, "GET", path, guest.token, nil).requireProblem(t, 404, "not_found")
	joined := b.acceptInvitation(t, guest, token)
	require.Equal(t, 200, joined.status, joined)
	require.Equal(t, []any{room, 2.0}, []any{joined.data()["id"], joined.data()["participants"]})
	require.Equal(t, 200, b.do(t, "GET", path, guest.token, nil).status, "what was known of the standing is void")
	require.EqualValues(t, 2, b.do(t, "GET", path, host.token, nil).data()["participants"])
	require.Equal(t, 200, b.acceptInvitation(t, guest, token).status, "again")
	b.acceptInvitation(t, other, token).requireProblem(t, 400, "bad_token")
	b.declineInvitation(t, token).requireProblem(t, 400, "bad_token")
	require.Equal(t, "accepted", b.invitationState(t, room, host, id))

	declined, token := b.invite(t, room, host, "two@example.org")
	require.Equal(t, 204, b.declineInvitation(t, token).status)
	require.Equal(t, 204, b.declineInvitation(t, token).status, "again")
	b.acceptInvitation(t, other, token).requireProblem(t, 400, "bad_token")

	revoked, token := b.invite(t, room, host, "three@example.org")
	b.do(t, "DELETE", "/invitations/"+revoked, other.token, nil).requireProblem(t, 404, "not_found")
	b.do(t, "DELETE", "/invitations/"+revoked, guest.token, nil).requireProblem(t, 403, "forbidden")
	require.Equal(t, 204, b.do(t, "DELETE", "/invitations/"+revoked, host.token, nil).status)
	b.do(t, "DELETE", "/invitations/"+revoked, host.token, nil).requireProblem(t, 404, "not_found")
	a = b.acceptInvitation(t, other, token)
	a.requireProblem(t, 400, "bad_token")
	require.Equal(t, []string{"token"}, a.fields())

	expired, token := b.invite(t, room, host, "four@example.org")
	b.exec(t, "UPDATE invitations SET expires_at = now() WHERE id = ?", expired)
	b.acceptInvitation(t, other, token).requireProblem(t, 400, "bad_token")
	b.declineInvitation(t, token).requireProblem(t, 400, "bad_token")
	open, _ := b.invite(t, room, host, "five@example.org")

	all, _ := b.walk(t, list+"?", "cursor", host.token, 2)
	require.Equal(t, []string{open, expired, revoked, declined, id}, all, "newest first")
	for state, want := range map[string]string{
		"open": open, "expired": expired, "revoked": revoked, "declined": declined, "accepted": id,
	} {
		items := b.do(t, "GET", list+"?state="+state, host.token, nil).list()
		require.Len(t, items, 1, state)
		require.Equal(t, []any{want, state}, []any{items[0]["id"], items[0]["state"]})
		require.Equal(t, state == "declined" || state == "accepted", items[0]["answered_at"] != nil)
	}
	log := b.do(t, "GET", path+"/log", host.token, nil)
	require.Len(t, log.list(), 7)
	require.NotContains(t, strings.ToLower(string(log.raw)), "example.org", "no address is in the log")
}

func TestLookingUpAnInvitation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest := b.user(t, "host"), b.user(t, "guest")
	room := b.room(
		t, host, map[string]any{"visibility": "private", "name": "Cellar cinema", "description": "Mind the steps."},
	)
	id, token := b.invite(t, room, host, "friend@example.org")
	lookUp := func(token string) answer {
		return b.do(t, "POST", "/invitations/lookup", "", map[string]any{"token": token})
	}
	a := lookUp(token)
	require.Equal(t, 200, a.status, a)
	require.Equal(t, map[string]any{
		"email":      "friend@example.org",
		"inviter":    asShown(host),
		"expires_at": a.data()["expires_at"],
		"room": map[string]any{
			"id":           room,
			"name":         "Cellar cinema",
			"description":  "Mind the steps.",
			"movie":        nil,
			"participants": 1.0,
			"present":      1.0,
		},
	}, a.data())
	require.Equal(t, 200, b.acceptInvitation(t, guest, token).status)
	lookUp(token).requireProblem(t, 400, "bad_token")
	lookUp(b.server.oneTime.Token(auth.ForOptOut, id)).requireProblem(t, 400, "bad_token")
	lookUp(b.server.oneTime.Token(auth.ForInvitation, unknownID)).requireProblem(t, 400, "bad_token")
}

// TestAddressesOfInvitations: only the inviter sees the address, since a room may pass to another host.
func TestAddressesOfInvitations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, stranger := b.user(t, "host"), b.user(t, "stranger")
	room := b.room(t, host, nil)
	b.invite(t, room, host, "friend@example.org")
	b.join(t, room, stranger)
	require.Equal(t, 204, b.do(t, "POST", "/rooms/"+room+"/leave", host.token, nil).status)
	list := b.do(t, "GET", "/rooms/"+room+"/invitations", stranger.token, nil)
	require.Len(t, list.list(), 1)
	require.Nil(t, list.list()[0]["email"])
	require.NotContains(t, string(list.raw), "friend")
	again := b.do(t, "POST", "/rooms/"+room+"/invitations", stranger.token, map[string]any{"email": "FRIEND@example.org"})
	require.Equal(t, list.list()[0]["id"], again.data()["id"], "the open one")
	require.Equal(t, "FRIEND@example.org", again.data()["email"], "as they wrote it")
}

func TestInvitationTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest := b.user(t, "host"), b.user(t, "guest")
	id, token := b.invite(t, b.room(t, host, nil), host, "one@example.org")
	for name, bad := range map[string]string{
		"forged": strings.Repeat("A", 64), "changed": "_" + token[1:],
		"another purpose's": b.server.oneTime.Token(auth.ForReset, id),
		"of nothing":        b.server.oneTime.Token(auth.ForInvitation, unknownID),
		"of the room":       token[:22] + strings.Repeat("-", 42),
	} {
		for _, a := range []answer{b.acceptInvitation(t, guest, bad), b.declineInvitation(t, bad)} {
			a.requireProblem(t, 400, "bad_token")
			require.Equal(t, []string{"token"}, a.fields(), name)
		}
	}
	b.acceptInvitation(t, person{}, token).requireProblem(t, 401, "unauthenticated")
}

func TestInvitationAddresses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	path := "/rooms/" + b.room(t, host, nil) + "/invitations"
	for _, bad := range []string{
		"guest", "a@b@c.org", "a@b.org,c@d.org", "Guest <guest@example.org>", "g\x00uest@example.org",
		"guest@example.org\r\nBcc: x@y.org",
		"gu\u200best@example.org", "   ", strings.Repeat("ä", 200) + "@example.org",
	} {
		b.do(t, "POST", path, host.token, map[string]any{"email": bad}).requireField(t, 400, "email")
	}
	for _, good := range []string{"o'brien--@example.org", "用户@例子.广告", "a+<x>@example.org"} {
		a := b.do(t, "POST", path, host.token, map[string]any{"email": good})
		if strings.Contains(good, "<") {
			a.requireField(t, 400, "email")
			continue
		}
		require.Equal(t, good, a.data()["email"], a)
	}
}

func TestInvitationSentAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	room, other := b.room(t, host, nil), b.room(t, host, nil)
	send := func(room, email string) answer {
		r := b.request(t, "POST", "/rooms/"+room+"/invitations", host.token, map[string]any{"email": email})
		r.Header.Set("Idempotency-Key", "the-same-key-each-time")
		return b.send(t, r)
	}
	first := send(room, "guest@example.org")
	require.Equal(t, 201, first.status, first)
	before := b.rows(t)
	require.Equal(t, first.data(), send(room, " guest@example.org ").data())
	require.Equal(t, before, b.rows(t))
	send(room, "other@example.org").requireProblem(t, 422, "idempotency_key_reused")
	send(other, "guest@example.org").requireProblem(t, 422, "idempotency_key_reused")
	require.Equal(t, before, b.rows(t))
	var events string
	require.NoError(t, b.store.DB().NewRaw("SELECT string_agg(o::text, ' ') FROM outbox AS o").Scan(t.Context(), &events))
	require.Contains(t, events, "room-invitation/"+first.data()["id"].(string))
	for _, word := range []string{"@", "guest", b.server.oneTime.Token(auth.ForInvitation, first.data()["id"].(string))} {
		require.NotContains(t, events, word, "what operators see")
	}
}

func TestInvitationsAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	room := b.room(t, host, nil)
	fill := func(n int, state string) {
		b.exec(t, `INSERT INTO invitations (id, room_id, inviter_id, email, state, expires_at)
			SELECT gen_random_uuid(), ?, ?, 'filler' || i || '@example.org', ?, now() + interval '7 d'
				FROM generate_series(1, ?) AS i`, room, host.id, state, n)
	}
	fill(49, "open")
	b.invite(t, room, host, "fifty@example.org")
	refuse := func(code, detail string, most int) {
		a := b.do(t, "POST", "/rooms/"+room+"/invitations", host.token, map[string]any{"email": "more@example.org"})
		a.requireProblem(t, http.StatusConflict, code)
		require.Contains(t, a.body["detail"], detail)
		require.Equal(t, map[string]any{"most": float64(most)}, a.body["details"])
	}
	refuse("too_many_open_invitations", "The room has too many", watchparty.MaxOpenInvitations)
	b.exec(t, "UPDATE invitations SET state = 'declined'")
	fill(50, "revoked")
	refuse("too_many_daily_invitations", "You have sent too many", watchparty.MaxDailyInvitations)
}

// TestInvitationDoesNotOutdoTheRoom: neither a ban, nor a full or an archived room; the invitation stays open.
func TestInvitationDoesNotOutdoTheRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest, second := b.user(t, "host"), b.user(t, "guest"), b.user(t, "second")
	room := b.room(t, host, map[string]any{"visibility": "private", "capacity": 2})
	id, token := b.invite(t, room, host, "guest@example.org")
	_, another := b.invite(t, room, host, "second@example.org")
	acceptMine := func(p person) answer {
		return b.do(t, "POST", "/users/me/invitations/"+id+"/accept", p.token, nil)
	}

	require.Equal(t, 201, b.ban(t, room, host, "guest", nil).status)
	b.acceptInvitation(t, guest, token).requireProblem(t, 403, "banned")
	require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+room+"/bans/guest", host.token, nil).status)
	require.Equal(t, 200, b.acceptInvitation(t, second, another).status)
	b.acceptInvitation(t, guest, token).requireProblem(t, 409, "room_full")
	acceptMine(guest).requireProblem(t, 409, "room_full")
	require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+room+"/participants/second", host.token, nil).status)
	b.acceptInvitation(t, second, another).requireProblem(t, 400, "bad_token")
	b.do(t, "POST", "/rooms/"+room+"/join", second.token, nil).requireProblem(t, 404, "not_found")

	inviteSomebody := func() answer {
		return b.do(t, "POST", "/rooms/"+room+"/invitations", host.token, map[string]any{"email": "x@example.org"})
	}
	for code, set := range map[string]string{
		"room_archived": "archived_at = now()", "room_closed": "archived_at = now(), closed_at = now()",
	} {
		b.exec(t, "UPDATE rooms SET "+set+" WHERE id = ?", room)
		b.acceptInvitation(t, guest, token).requireProblem(t, 409, code)
		acceptMine(guest).requireProblem(t, 409, code)
		inviteSomebody().requireProblem(t, 409, code)
		b.exec(t, "UPDATE rooms SET archived_at = NULL, closed_at = NULL WHERE id = ?", room)
	}
	require.Equal(t, "open", b.invitationState(t, room, host, id))
	require.Equal(t, 200, b.acceptInvitation(t, guest, token).status)
	require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+room+"/participants/guest", host.token, nil).status)
	_, again := b.invite(t, room, host, "guest@example.org")
	require.NotEqual(t, token, again)
	require.Equal(t, 200, b.acceptInvitation(t, guest, again).status, "who was kicked may be invited again")
}

// TestInvitingTakesAConfirmedAddress: an account whose owner is not known cannot have emails sent.
func TestInvitingTakesAConfirmedAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	room := b.room(t, host, nil)
	b.exec(t, "UPDATE users SET email_verified_at = NULL WHERE id = ?", host.id)
	b.do(t, "POST", "/rooms/"+room+"/invitations", host.token, map[string]any{"email": "x@example.org"}).
		requireProblem(t, 403, "email_unverified")
}

// TestDelivery: whoever invites sees how far the email has come and why it has not come further, in a code and not in
// the mail server's own words; of an address that wants no invitations they see nothing.
func TestDelivery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	room := b.room(t, host, nil)
	list := "/rooms/" + room + "/invitations"
	for name, c := range map[string]struct {
		change string // of the email's row
		want   any
	}{
		"queued": {"state = 'queued'", map[string]any{"state": "queued", "reason": nil}},
		"sending": {"state = 'sending', reason = 'mailbox_full'",
			map[string]any{"state": "sending", "reason": "mailbox_full"}},
		"sent": {"state = 'sent'", map[string]any{"state": "sent", "reason": nil}},
		"rejected": {
			"state = 'failed', reason = 'address_rejected', last_answer = '550 mx1.internal says no'",
			map[string]any{"state": "failed", "reason": "address_rejected"},
		},
		"expired": {"state = 'failed', reason = 'expired'", map[string]any{"state": "failed", "reason": "expired"}},
		"stopped": {"state = 'cancelled', reason = 'cancelled'",
			map[string]any{"state": "cancelled", "reason": "cancelled"}},
		"unwanted": {"state = 'cancelled', reason = 'opted_out'", map[string]any{"state": "sent", "reason": nil}},
		"gone":     {"subject_id = id", nil},
	} {
		id, _ := b.invite(t, room, host, name+"@example.org")
		b.exec(t, "UPDATE emails SET "+c.change+" WHERE subject_id = ?", id)
		shown := b.do(t, "GET", list+"?limit=1", host.token, nil)
		require.Equal(t, []any{id, c.want}, []any{shown.list()[0]["id"], shown.list()[0]["delivery"]}, name)
		require.NotContains(t, string(shown.raw), "internal")
		require.NotContains(t, string(shown.raw), "opted")
	}
}
