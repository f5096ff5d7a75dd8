package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// closeRoom closes a room as an admin does.
func (b *bundle) closeRoom(t *testing.T, admin person, room string) {
	t.Helper()
	a := b.do(t, "POST", "/admin/rooms/"+room+"/close", admin.token, map[string]any{"reason": "Spam"})
	require.Equal(t, 200, a.status, a)
	require.Equal(t, true, a.data()["room"].(map[string]any)["closed"])
	require.NotNil(t, a.data()["closed_at"])
}

// TestClosedRoom: it is archived, says so to those in it, and its host cannot open it; an admin can.
func TestClosedRoom(t *testing.T) {
	t.Parallel()
	for _, visibility := range []string{"public", "unlisted", "private"} {
		t.Run(visibility, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			root, host, guest, late := b.admin(t, "root"), b.user(t, "host"), b.user(t, "guest"), b.user(t, "late")
			room := b.room(t, host, nil)
			b.join(t, room, guest)
			path := "/rooms/" + room
			require.Equal(t, 200, b.do(t, "PATCH", path, host.token, map[string]any{"visibility": visibility}).status)
			b.requireCached(t, path, guest.token)
			b.requireCached(t, "/rooms", "")

			b.closeRoom(t, root, room)
			b.closeRoom(t, root, room) // changes nothing
			for _, p := range []person{host, guest} {
				read := b.do(t, "GET", path, p.token, nil).data()
				require.Equal(t, []any{"archived", true}, []any{read["state"], read["closed"]}, p.name)
			}
			require.NotContains(t, string(b.do(t, "GET", "/rooms", "", nil).raw), room)
			for _, act := range []struct {
				method, path string
				by           person
				body         any
			}{
				{"PATCH", path, host, map[string]any{"state": "open"}},
				{"PATCH", path, host, map[string]any{"state": "open", "name": "Another"}},
				{"PATCH", path, host, map[string]any{"name": "Another"}},
				{"PATCH", path + "/participants/guest", host, map[string]any{"role": "host"}},
				{"POST", "/chat/messages", host, map[string]any{"room_id": room, "body": "Hello?"}},
				{"POST", "/chat/messages", guest, map[string]any{"room_id": room, "body": "Hello?"}},
				{"POST", path + "/invitations", host, map[string]any{"email": "someone@example.org"}},
			} {
				b.do(t, act.method, act.path, act.by.token, act.body).requireProblem(t, 409, "room_closed")
			}
			if visibility != "private" {
				b.do(t, "POST", path+"/join", late.token, nil).requireProblem(t, 409, "room_closed")
			}
			log := b.do(t, "GET", path+"/log", host.token, nil).list()
			require.Equal(t, []any{"room_closed", nil, map[string]any{"reason": "Spam"}},
				[]any{log[0]["action"], log[0]["actor"], log[0]["details"]})
			require.NotContains(t, string(b.do(t, "GET", path+"/log", host.token, nil).raw), root.id)

			for range 2 { // the second changes nothing
				a := b.do(t, "POST", "/admin/rooms/"+room+"/reopen", root.token, map[string]any{"reason": "A mistake"})
				require.Equal(t, 200, a.status, a)
				require.Nil(t, a.data()["closed_at"])
			}
			read := b.do(t, "GET", path, guest.token, nil).data()
			require.Equal(t, []any{"open", false}, []any{read["state"], read["closed"]})
			b.post(t, room, guest, "Again")
			log = b.do(t, "GET", path+"/log", host.token, nil).list()
			require.Equal(t, []any{"room_reopened", nil}, []any{log[0]["action"], log[0]["actor"]})
			audit := b.do(t, "GET", "/admin/audit?target_id="+room, root.token, nil).list()
			require.Len(t, audit, 2)
			require.Equal(t,
				[]any{"room_reopened", map[string]any{"reason": "A mistake"}, "room_closed", map[string]any{"reason": "Spam"}},
				[]any{audit[0]["action"], audit[0]["details"], audit[1]["action"], audit[1]["details"]})
			require.Equal(t, asShown(root), audit[1]["actor"])
		})
	}
}

// TestCloseAnyRoom: an admin can close a room, whoever archived it before, and whether or not it has a host.
func TestCloseAnyRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, host := b.admin(t, "root"), b.user(t, "host")
	t.Run("that its host archived", func(t *testing.T) {
		room := b.room(t, host, nil)
		require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+room, host.token, map[string]any{"state": "archived"}).status)
		b.closeRoom(t, root, room)
		b.do(t, "PATCH", "/rooms/"+room, host.token, map[string]any{"state": "open"}).requireProblem(t, 409, "room_closed")
	})
	t.Run("that clean-up archived", func(t *testing.T) {
		room := b.room(t, host, nil)
		b.exec(t, "UPDATE rooms SET archived_at = now(), retired_at = now() WHERE id = ?", room)
		b.closeRoom(t, root, room)
		require.NotContains(t, string(b.do(t, "GET", "/admin/rooms/retired", root.token, nil).raw), room,
			"it is not deleted by its age")
		b.do(t, "POST", "/admin/rooms/"+room+"/restore", root.token, nil).requireProblem(t, 409, "room_not_retired")
	})
	t.Run("that its host deletes then", func(t *testing.T) {
		room := b.room(t, host, nil)
		b.closeRoom(t, root, room)
		require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+room, host.token, nil).status)
		b.do(t, "GET", "/admin/rooms/"+room, root.token, nil).requireProblem(t, 404, "not_found")
	})
	t.Run("without a host, it stays", func(t *testing.T) {
		gone := b.user(t, "gone")
		room := b.room(t, gone, nil)
		b.closeRoom(t, root, room)
		require.Equal(t, 204, b.deleteMe(t, gone).status)
		b.do(t, "POST", "/admin/rooms/"+room+"/reopen", root.token, map[string]any{"reason": "A mistake"}).
			requireProblem(t, 409, "room_without_host")
	})
	t.Run("reopened by an admin, though its host archived it", func(t *testing.T) {
		room := b.room(t, host, nil)
		require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+room, host.token, map[string]any{"state": "archived"}).status)
		require.Equal(
			t, 200, b.do(t, "POST", "/admin/rooms/"+room+"/reopen", root.token, map[string]any{"reason": "A mistake"}).status,
		)
		require.Equal(t, "open", b.do(t, "GET", "/rooms/"+room, "", nil).data()["state"])
	})
}

// TestFindAnyRoom: admins find rooms that nobody else may know of.
func TestFindAnyRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, host, other := b.admin(t, "root"), b.user(t, "host"), b.user(t, "other")
	public := b.room(t, host, map[string]any{"name": "Night 100%"})
	private := b.room(t, host, map[string]any{"name": "night_two", "visibility": "private"})
	archived := b.room(t, other, map[string]any{"name": "Day"})
	closed := b.room(t, other, map[string]any{"name": "Day two"})
	deleted := b.room(t, other, nil)
	require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+archived, other.token, map[string]any{"state": "archived"}).status)
	require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+deleted, other.token, nil).status)
	b.closeRoom(t, root, closed)
	for query, want := range map[string][]string{
		"": {closed, archived, private, public}, "q=NIGHT": {private, public}, "q=two%20night": {private},
		"q=night%20100%25": {public}, "q=nihgt": {private, public}, "q=movie": {},
		"host_id=" + other.id: {closed, archived}, "state=open": {private, public}, "state=archived": {closed, archived},
		"state=closed":     {closed},
		"state=open&q=day": {}, "host_id=" + host.id + "&q=night%201": {public},
	} {
		found := []string{}
		for next := "&limit=1"; ; {
			a := b.do(t, "GET", "/admin/rooms?"+query+next, root.token, nil)
			require.Equal(t, 200, a.status, a)
			for _, room := range a.list() {
				found = append(found, room["room"].(map[string]any)["id"].(string))
			}
			cursor, more := a.body["next_cursor"].(string)
			if !more {
				break
			}
			next = "&limit=1&cursor=" + cursor
		}
		require.Equal(t, want, found, query)
	}
}

// TestAdminReadsAPrivateRoom: an admin's reading is audited once an hour for each admin and room, and nobody else can
// read it.
func TestAdminReadsAPrivateRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, other, host := b.admin(t, "root"), b.admin(t, "other"), b.user(t, "host")
	private, public := b.room(t, host, map[string]any{"visibility": "private"}), b.room(t, host, nil)
	b.post(t, private, host, "Between us")
	b.post(t, public, host, "To all")
	read := func(p person, room string) answer {
		return b.do(t, "GET", "/admin/rooms/"+room+"/messages", p.token, nil)
	}
	read(host, private).requireProblem(t, 403, "forbidden")
	for range 2 {
		for _, p := range []person{root, other} {
			require.Equal(t, "Between us", read(p, private).list()[0]["message"].(map[string]any)["body"])
			require.Equal(t, "To all", read(p, public).list()[0]["message"].(map[string]any)["body"])
		}
	}
	noted := func() (actors []any) {
		for _, entry := range b.do(t, "GET", "/admin/audit?action=private_room_read", root.token, nil).list() {
			require.Equal(t, []any{"room", private}, []any{entry["target_kind"], entry["target_id"]})
			actors = append(actors, entry["actor"].(map[string]any)["username"])
		}
		return actors
	}
	require.Equal(t, []any{"other", "root"}, noted())
	b.exec(t, "UPDATE audit SET created_at = created_at - interval '61 min'")
	read(root, private)
	require.Equal(t, 3, value1[int](t, b, "SELECT count(*) FROM audit WHERE action = 'private_room_read'"))
}

// TestRemoveMessage: an admin can delete any message in any room, with a reason.
func TestRemoveMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, host := b.admin(t, "root"), b.user(t, "host")
	for _, visibility := range []string{"public", "private"} {
		room := b.room(t, host, map[string]any{"visibility": visibility})
		message := b.post(t, room, host, "Buy!")
		b.requireCached(t, "/chat/messages?room_id="+room, host.token)
		path := "/admin/messages/" + message + "/delete"
		b.do(t, "POST", path, root.token, map[string]any{"reason": "\u200b"}).requireField(t, 400, "reason")
		require.Equal(t, 204, b.do(t, "POST", path, root.token, map[string]any{"reason": "Spam"}).status)
		read := b.do(t, "GET", "/chat/messages?room_id="+room, host.token, nil).list()[0]
		require.Equal(t, []any{"", true}, []any{read["body"], read["deleted"]})
		b.do(t, "POST", path, root.token, map[string]any{"reason": "Spam"}).requireProblem(t, 404, "not_found")
		log := b.do(t, "GET", "/rooms/"+room+"/log", host.token, nil).list()[0]
		require.Equal(t, []any{"message_deleted", nil, map[string]any{"message_id": message, "reason": "Spam"}},
			[]any{log["action"], log["actor"], log["details"]})
		audit := b.do(t, "GET", "/admin/audit?target_id="+message, root.token, nil).list()
		require.Len(t, audit, 1)
		require.Equal(t, []any{"message_removed", "message", map[string]any{"reason": "Spam", "room_id": room}},
			[]any{audit[0]["action"], audit[0]["target_kind"], audit[0]["details"]})
	}
}

// TestAdminsByAPI: they are made and unmade by each other, at once, and the last one stays.
func TestAdminsByAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, ada := b.admin(t, "root"), b.user(t, "ada")
	path := "/admin/users/" + ada.id + "/admin"
	b.do(t, "PUT", path, ada.token, nil).requireProblem(t, 403, "forbidden")
	b.exec(t, "UPDATE users SET email_verified_at = NULL WHERE id = ?", ada.id)
	b.do(t, "PUT", path, root.token, nil).requireProblem(t, 409, "account_unverified")
	b.exec(t, "UPDATE users SET is_admin = true WHERE id = ?", ada.id)
	b.do(t, "GET", "/admin/users", ada.token, nil).requireProblem(t, 403, "forbidden")
	b.exec(t, "UPDATE users SET is_admin = false, email_verified_at = now() WHERE id = ?", ada.id)
	granted := b.do(t, "PUT", path, root.token, nil)
	require.Equal(t, true, granted.data()["is_admin"], granted)
	require.Equal(t, 200, b.do(t, "GET", "/admin/users", ada.token, nil).status)
	var admins []any
	for _, admin := range b.do(t, "GET", "/admin/admins", ada.token, nil).list() {
		admins = append(admins, admin["username"])
	}
	require.Equal(t, []any{"ada", "root"}, admins)

	revoked := b.do(t, "DELETE", path, root.token, nil)
	require.Equal(t, false, revoked.data()["is_admin"], revoked)
	b.do(t, "GET", "/admin/users", ada.token, nil).requireProblem(t, 403, "forbidden")
	self := "/admin/users/" + root.id + "/admin"
	b.do(t, "DELETE", self, root.token, nil).requireProblem(t, 409, "last_admin")
	b.deleteMe(t, root).requireProblem(t, 409, "last_admin")
	require.Equal(t, 200, b.do(t, "PUT", path, root.token, nil).status)
	require.Equal(t, 200, b.do(t, "DELETE", self, root.token, nil).status, "one's own, while there is another")
	b.do(t, "DELETE", self, root.token, nil).requireProblem(t, 403, "forbidden")
	b.do(t, "POST", "/admin/users/"+ada.id+"/suspend", ada.token, map[string]any{"reason": "Me"}).
		requireProblem(t, 409, "cannot_suspend_oneself")
}
