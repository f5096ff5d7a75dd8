package api

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// withNames are the schemas of answers that have a username of their own, beside Person: the account itself, and what
// was reported, as it was then.
var withNames = []string{"Account", "AdminUser", "Person", "Profile", "ReportedContent"}

// TestPersonIsTheOnlyShape: no other schema of an answer names somebody.
func TestPersonIsTheOnlyShape(t *testing.T) {
	t.Parallel()
	spec, err := readSpec()
	require.NoError(t, err)
	var named []string
	for name, schema := range spec.Components.Schemas {
		if schema.Value.AdditionalProperties.Has != nil && !*schema.Value.AdditionalProperties.Has {
			continue // a request
		}
		for _, property := range []string{"username", "host_username", "author_name", "display_name", "avatar"} {
			if schema.Value.Properties[property] != nil && !slices.Contains(named, name) && name != "AvatarUpload" {
				named = append(named, name)
			}
		}
	}
	slices.Sort(named)
	require.Equal(t, withNames, named)
}

// TestPeopleAreShownAlike: every person in the answer of any operation is the same as in the profile at that time.
func TestPeopleAreShownAlike(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	shown := map[string]bool{}
	for _, c := range w.calls() {
		a := w.call(t, c.id, c.call)
		var body any
		if json.Unmarshal(a.raw, &body) != nil {
			continue
		}
		for _, person := range peopleIn(body) {
			shown[c.id] = true
			profile := w.do(t, "GET", "/users/"+person["username"].(string), "", nil)
			if profile.status == 404 {
				require.Equal(t, "listAuditLog", c.id, "only the audit log knows who %s was", person["username"])
				continue
			}
			want := profile.data()
			delete(want, "created_at")
			require.Equal(t, want, person, c.id)
		}
	}
	for _, id := range []string{
		"listRooms", "getRoom", "listMyRooms", "listParticipants", "listBans", "listMutes", "listRoomLog", "listMessages",
		"getMessage", "listInvitations", "listMyInvitations", "lookUpInvitation", "getRoomQueue", "getParty",
		"listPartyAnswers",
		"adminListRooms", "adminListMessages", "listAbuseReports", "listAuditLog", "getCleanupRun",
	} {
		require.True(t, shown[id], "%s shows nobody", id)
	}
}

// peopleIn finds the objects of the schema Person in what JSON was decoded to.
func peopleIn(v any) (people []map[string]any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			people = append(people, peopleIn(one)...)
		}
	case map[string]any:
		_, named := v["username"]
		if _, pictured := v["avatar"]; named && pictured && len(v) == 4 {
			return []map[string]any{v}
		}
		for _, one := range v {
			people = append(people, peopleIn(one)...)
		}
	}
	return people
}

// TestWhatShowsAPersonIsVoided: and nothing else is, when a name or a picture changes. So with movies.
func TestWhatShowsAPersonIsVoided(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob, root := b.user(t, "alice"), b.user(t, "bob"), b.admin(t, "root")
	movie := b.addMovie(t, "Metropolis")
	hosted := b.room(t, alice, map[string]any{"movie_id": movie})
	other := b.room(t, bob, nil)
	b.join(t, other, alice)
	asked := b.post(t, other, alice, "Shall we?")
	silent := b.room(t, bob, nil)
	b.post(t, silent, bob, "Nobody here")
	a := b.do(t, "POST", "/chat/messages", bob.token,
		map[string]any{"room_id": other, "body": "Yes", "reply_to_id": asked})
	require.Equal(t, 201, a.status, a)
	first := func(path string) map[string]any { return b.do(t, "GET", path, "", nil).list()[0] }
	quoted := "/chat/messages?limit=1&room_id=" + other
	with := []string{"/rooms", "/rooms/" + hosted, "/rooms?q=room", quoted, "/chat/messages?room_id=" + other}
	without := []string{"/rooms/" + other, "/rooms/" + silent, "/chat/messages?room_id=" + silent, "/users/bob"}

	change := func(what string, with, without []string, change func()) {
		t.Helper()
		for _, path := range slices.Concat(with, without) {
			b.requireHit(t, path, "")
		}
		change()
		for _, path := range with {
			require.Equal(t, "MISS", b.do(t, "GET", path, "", nil).header.Get("X-Cache"), "%s: %s", what, path)
		}
		for _, path := range without {
			require.Equal(t, "HIT", b.do(t, "GET", path, "", nil).header.Get("X-Cache"), "%s: %s", what, path)
		}
	}
	change("name", with, without, func() {
		a := b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"display_name": "Alice L."})
		require.Equal(t, 200, a.status, a)
	})
	host := b.do(t, "GET", "/rooms/"+hosted, "", nil).data()["host"].(map[string]any)
	require.Equal(t, "Alice L.", host["display_name"])
	require.Equal(t, host, first(quoted)["reply_to"].(map[string]any)["author"])
	change("picture", with, without, func() {
		version, err := b.store.NextAvatarVersion(t.Context(), alice.id)
		require.NoError(t, err)
		_, err = b.store.CreateAvatar(t.Context(), alice.id, version)
		require.NoError(t, err)
		_, err = b.store.PublishAvatar(t.Context(), alice.id, version)
		require.NoError(t, err)
	})
	host = b.do(t, "GET", "/rooms/"+hosted, "", nil).data()["host"].(map[string]any)
	require.Equal(t, false, host["avatar"].(map[string]any)["default"])
	change("movie", with[:3], slices.Concat(without, with[3:]), func() {
		a := b.do(t, "PATCH", "/movies/"+movie, root.token, map[string]any{"title": "Metropolis (restored)"})
		require.Equal(t, 200, a.status, a)
	})
	shown := b.do(t, "GET", "/rooms/"+hosted, "", nil).data()["movie"].(map[string]any)
	require.Equal(t, "Metropolis (restored)", shown["title"])
}

// TestPresenceInRooms: a cached room never says that more people are present than are. A person who comes back is
// counted at once. A cached answer ends when one of its present people becomes absent.
func TestPresenceInRooms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	room := b.room(t, alice, nil)
	b.join(t, room, bob)
	paths := []string{"/rooms/" + room, "/rooms", "/rooms?sort=people"}
	present := func(a answer) (participants, present any) {
		t.Helper()
		found := a.body["data"]
		if list, is := found.([]any); is {
			found = list[0]
		}
		return found.(map[string]any)["participants"], found.(map[string]any)["present"]
	}
	age := func(seconds int) {
		t.Helper()
		b.exec(
			t, "UPDATE participants SET last_seen_at = now() - make_interval(secs => ?) WHERE user_id = ?", seconds, bob.id,
		)
		b.void(t, "room:"+room)
		b.void(t, "rooms")
	}
	seconds := int(watchparty.PresentFor.Seconds())
	age(seconds + 1)
	for _, path := range paths {
		in, there := present(b.requireHit(t, path, ""))
		require.Equal(t, []any{2.0, 1.0}, []any{in, there}, path)
	}
	require.Equal(t, 204, b.do(t, "POST", "/rooms/"+room+"/heartbeat", bob.token, nil).status)
	for _, path := range paths {
		_, there := present(b.requireMiss(t, path, ""))
		require.EqualValues(t, 2, there, path)
		b.requireHit(t, path, "")
	}
	require.Equal(t, 204, b.do(t, "POST", "/rooms/"+room+"/heartbeat", bob.token, nil).status)
	for _, path := range paths {
		b.requireHit(t, path, "") // bob was there
	}
	age(seconds - 2)
	for _, path := range paths {
		b.requireMiss(t, path, "")
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, path := range paths {
			_, there := present(b.do(t, "GET", path, "", nil))
			assert.EqualValues(c, 1, there, path)
		}
	}, 30*time.Second, 50*time.Millisecond)
}

// idIn is the ID of an object in an answer; nil for null.
func idIn(object any) any {
	if object == nil {
		return nil
	}
	return object.(map[string]any)["id"]
}

// asShown is the Person of somebody who has changed neither the name nor the picture.
func asShown(p person) map[string]any {
	return map[string]any{"id": p.id, "username": p.name, "display_name": p.name, "avatar": generated(p)}
}

// nameIn is the username of a person in an answer.
func nameIn(person any) any { return person.(map[string]any)["username"] }
