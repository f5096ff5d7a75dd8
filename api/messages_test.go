package api

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/store"
)

// postWith posts with an Idempotency-Key.
func (b *bundle) postWith(t testing.TB, key string, p person, body map[string]any) answer {
	t.Helper()
	r := b.request(t, "POST", "/chat/messages", p.token, body)
	r.Header.Set("Idempotency-Key", key)
	return b.send(t, r)
}

func TestMessagesInBothDirections(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	path := "/chat/messages?room_id=" + room + "&limit=3"
	read := func(more string) (ids []string, next, newer any) {
		t.Helper()
		a := b.do(t, "GET", path+more, "", nil)
		require.Equal(t, 200, a.status, a)
		for _, m := range a.list() {
			ids = append(ids, m["id"].(string))
		}
		return ids, a.body["next_cursor"], a.body["newer_cursor"]
	}
	cursorOf := func(id string) string {
		c, err := b.server.cursorsOf("listMessages", []any{room})
		require.NoError(t, err)
		return *c.encode(store.Keys{id})
	}
	ids, next, newer := read("")
	require.Equal(t, []any{0, nil, nil}, []any{len(ids), next, newer}, "an empty room")

	var said []string
	for i := range 8 {
		said = append(said, b.post(t, room, alice, strconv.Itoa(i)))
	}
	ids, older, newest := read("")
	require.Equal(t, []string{said[7], said[6], said[5]}, ids)
	require.Equal(t, cursorOf(said[5]), older)
	require.Equal(t, cursorOf(said[7]), newest)

	ids, next, newer = read("&before=" + older.(string))
	require.Equal(t, []string{said[4], said[3], said[2]}, ids)
	require.Equal(t, []any{cursorOf(said[2]), cursorOf(said[4])}, []any{next, newer})

	ids, next, newer = read("&after=" + cursorOf(said[0]))
	require.Equal(t, said[1:4], ids)
	require.Equal(t, []any{cursorOf(said[3]), cursorOf(said[3])}, []any{next, newer})
	ids, next, newer = read("&after=" + cursorOf(said[4]))
	require.Equal(t, said[5:], ids)
	require.Equal(t, []any{nil, newest}, []any{next, newer})

	ids, next, newer = read("&after=" + newest.(string))
	require.Equal(t, []any{0, nil, newest}, []any{len(ids), next, newer}, "nothing since")
	since := b.post(t, room, alice, "more")
	ids, _, newer = read("&after=" + newest.(string))
	require.Equal(t, []string{since}, ids)
	require.Equal(t, cursorOf(since), newer)

	// The same cursor in the two directions is two entries.
	before, _, _ := read("&before=" + older.(string))
	after, _, _ := read("&after=" + older.(string))
	require.NotEqual(t, before, after)
	for _, direction := range []string{"&before=", "&after="} {
		b.requireHit(t, path+direction+older.(string), "")
	}

	a := b.do(t, "GET", path+"&before="+older.(string)+"&after="+older.(string), "", nil)
	a.requireField(t, 400, "after")
	require.NotContains(t, a.fields(), "before")
	b.do(t, "GET", path+"&after=AAAA", "", nil).requireField(t, 400, "after")
}

func TestMessageTexts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	path := "/chat/messages?limit=1&room_id=" + room
	post := func(body any) answer {
		return b.do(t, "POST", "/chat/messages", alice.token, map[string]any{"room_id": room, "body": body})
	}
	long := maps.Clone(texts)
	maps.Copy(long, longTexts)
	for name, text := range long {
		t.Run(name, func(t *testing.T) {
			a := post(text)
			require.Equal(t, 201, a.status, a)
			require.Equal(t, text, a.data()["body"])
			require.Equal(t, a.data(), b.requireMiss(t, path, "").list()[0])
			edited := b.do(
				t, "PATCH", "/chat/messages/"+a.data()["id"].(string), alice.token, map[string]any{"body": text + "!"},
			)
			require.Equal(t, 200, edited.status, edited)
			require.Equal(t, text+"!", edited.data()["body"])
			require.NotNil(t, edited.data()["edited_at"])
			require.Equal(t, edited.data(), b.requireMiss(t, path, "").list()[0])
		})
	}
	id := b.post(t, room, alice, "x")
	for _, text := range []string{strings.Repeat("界", 2000), "x"} {
		require.Equal(t, 201, post(text).status)
		require.Equal(t, 200, b.do(t, "PATCH", "/chat/messages/"+id, alice.token, map[string]any{"body": text}).status)
	}
	for name, text := range map[string]string{
		"empty": "", "too long": strings.Repeat("界", 2001), "blank": " \n\u200b", "NUL": "a\x00b", "an escape": "\x1b[31m",
	} {
		t.Run(name, func(t *testing.T) {
			post(text).requireField(t, 400, "body")
			b.do(t, "PATCH", "/chat/messages/"+id, alice.token, map[string]any{"body": text}).requireField(t, 400, "body")
		})
	}
	t.Run("a lone surrogate", func(t *testing.T) {
		a := b.do(t, "POST", "/chat/messages", alice.token, `{"room_id":"`+room+`","body":"a\ud800b"}`)
		require.Less(t, a.status, 500, a)
	})
}

func TestReply(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	text := strings.Repeat("👩", 150)
	asked := b.post(t, room, alice, text)
	reply := func(to any) answer {
		return b.do(
			t, "POST", "/chat/messages", alice.token, map[string]any{"room_id": room, "body": "Yes", "reply_to_id": to},
		)
	}
	quote := map[string]any{
		"id":      asked,
		"author":  asShown(alice),
		"excerpt": strings.Repeat("👩", 140),
	}
	a := reply(asked)
	require.Equal(t, 201, a.status, a)
	require.Equal(t, quote, a.data()["reply_to"])
	for name, to := range map[string]string{
		"unknown": unknownID, "of another room": b.post(t, b.room(t, alice, nil), alice, "Elsewhere"),
	} {
		t.Run(name, func(t *testing.T) {
			a := reply(to)
			a.requireProblem(t, 400, "unknown_message")
			a.requireField(t, 400, "reply_to_id")
		})
	}
	require.Equal(t, 204, b.do(t, "DELETE", "/chat/messages/"+asked, alice.token, nil).status)
	reply(asked).requireProblem(t, 400, "unknown_message")
	list := b.do(t, "GET", "/chat/messages?room_id="+room, "", nil).list()
	quote["excerpt"] = ""
	require.Equal(t, quote, list[0]["reply_to"])
	require.Equal(t, []any{true, ""}, []any{list[1]["deleted"], list[1]["body"]})
}

func TestSlowModeAndMutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	room := b.room(t, alice, nil)
	b.join(t, room, bob)
	b.exec(t, "UPDATE rooms SET slow_mode_seconds = 600")
	body := map[string]any{"room_id": room, "body": "Hello"}
	b.post(t, room, bob, "First")
	a := b.do(t, "POST", "/chat/messages", bob.token, body)
	a.requireProblem(t, http.StatusTooManyRequests, "slow_mode")
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	require.NoError(t, err)
	require.InDelta(t, 590, seconds, 10)
	b.post(t, room, alice, "Hosts do not wait")
	b.post(t, room, alice, "they do not")

	b.exec(t, "UPDATE messages SET created_at = now() - interval '1 h'")
	b.exec(t, "INSERT INTO mutes (id, room_id, user_id, until) VALUES (gen_random_uuid(), ?, ?, now() + interval '1 h')",
		room, bob.id)
	b.do(t, "POST", "/chat/messages", bob.token, body).requireProblem(t, 403, "muted")
}

// TestIdempotentPosts: a request that is retried, be it at the same time, posts once.
func TestIdempotentPosts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	room := b.room(t, alice, nil)
	b.join(t, room, bob)
	body := map[string]any{"room_id": room, "body": "Once"}
	answers := make([]answer, 20)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			answers[i] = repeatWhileBusy(func() answer { return b.postWith(t, "the-same-key", alice, body) })
		})
	}
	wg.Wait()
	for _, a := range answers {
		require.Equal(t, 201, a.status, a)
		require.Equal(t, answers[0].data(), a.data())
	}
	list := b.do(t, "GET", "/chat/messages?room_id="+room, "", nil).list()
	require.Len(t, list, 1)
	require.Equal(t, answers[0].data(), list[0])

	b.postWith(t, "the-same-key", alice, map[string]any{"room_id": room, "body": "Twice"}).
		requireProblem(t, http.StatusUnprocessableEntity, "idempotency_key_reused")
	require.NotEqual(t, list[0]["id"], b.postWith(t, "the-same-key", bob, body).data()["id"], "a key is its owner's")
	require.NotEqual(t, list[0]["id"], b.postWith(t, "another-key", alice, body).data()["id"])
}

func TestEditingAndTakingBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob, mod, eve := b.user(t, "alice"), b.user(t, "bob"), b.user(t, "mod"), b.user(t, "eve")
	open, private := b.room(t, alice, nil), b.room(t, alice, map[string]any{"visibility": "private"})
	b.join(t, open, bob)
	b.join(t, open, mod)
	b.exec(t, "INSERT INTO members (room_id, user_id, role) VALUES (?, ?, 'moderator')", open, mod.id)
	edit := func(id string, p person) answer {
		return b.do(t, "PATCH", "/chat/messages/"+id, p.token, map[string]any{"body": "Edited"})
	}
	remove := func(id string, p person) answer { return b.do(t, "DELETE", "/chat/messages/"+id, p.token, nil) }

	t.Run("without a token", func(t *testing.T) {
		id := b.post(t, open, bob, "Hello")
		edit(id, person{}).requireProblem(t, 401, "unauthenticated")
		remove(id, person{}).requireProblem(t, 401, "unauthenticated")
	})
	t.Run("another's", func(t *testing.T) {
		id := b.post(t, open, bob, "Hello")
		for _, p := range []person{alice, mod, eve} {
			edit(id, p).requireProblem(t, 403, "forbidden")
		}
		remove(id, eve).requireProblem(t, 403, "forbidden")
		remove(b.post(t, open, alice, "Hello"), mod).requireProblem(t, 403, "forbidden")
		require.Equal(t, 204, remove(id, mod).status)
		remove(id, mod).requireProblem(t, 404, "not_found")
		edit(id, bob).requireProblem(t, 404, "not_found")
	})
	t.Run("in a private room", func(t *testing.T) {
		id := b.post(t, private, alice, "Among us")
		edit(id, bob).requireProblem(t, 404, "not_found")
		remove(id, bob).requireProblem(t, 404, "not_found")
		require.Equal(t, 200, edit(id, alice).status)
	})
	t.Run("unknown", func(t *testing.T) {
		edit(unknownID, alice).requireProblem(t, 404, "not_found")
		remove(unknownID, alice).requireProblem(t, 404, "not_found")
	})
	t.Run("too late", func(t *testing.T) {
		id := b.post(t, open, bob, "Hello")
		b.exec(t, "UPDATE messages SET created_at = now() - interval '15 min' WHERE id = ?", id)
		edit(id, bob).requireProblem(t, 403, "edit_window_over")
		require.Equal(t, 204, remove(id, bob).status)
	})
	t.Run("after leaving", func(t *testing.T) {
		id := b.post(t, open, bob, "Hello")
		require.Equal(t, 204, b.do(t, "POST", "/rooms/"+open+"/leave", bob.token, nil).status)
		edit(id, bob).requireProblem(t, 403, "not_participant")
		require.Equal(t, 204, remove(id, bob).status)
		b.join(t, open, bob)
	})
	t.Run("readers see it at once", func(t *testing.T) {
		path := "/chat/messages?limit=1&room_id=" + open
		id := b.post(t, open, bob, "Hello")
		b.requireCached(t, path, "")
		require.Equal(t, 200, edit(id, bob).status)
		require.Equal(t, "Edited", b.requireMiss(t, path, "").list()[0]["body"])
		b.requireHit(t, path, "")
		require.Equal(t, 204, remove(id, bob).status)
		require.Equal(t, true, b.requireMiss(t, path, "").list()[0]["deleted"])
	})
	t.Run("put out of a private room", func(t *testing.T) {
		b.exec(t, "INSERT INTO members (room_id, user_id, role) VALUES (?, ?, 'viewer')", private, eve.id)
		b.join(t, private, eve)
		own, other := b.post(t, private, eve, "Hello"), b.post(t, private, alice, "Hello")
		require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+private+"/participants/eve", alice.token, nil).status)
		edit(own, eve).requireProblem(t, 404, "not_found")
		remove(other, eve).requireProblem(t, 404, "not_found")
		require.Equal(t, 204, remove(own, eve).status)
	})
	t.Run("while banned", func(t *testing.T) {
		own, other := b.post(t, open, bob, "Hello"), b.post(t, open, mod, "Hello")
		b.exec(t, "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", open, bob.id)
		b.void(t, "standings:"+open)
		edit(own, bob).requireProblem(t, 403, "banned")
		remove(other, bob).requireProblem(t, 403, "banned")
		require.Equal(t, 204, remove(own, bob).status)
	})
	t.Run("archived", func(t *testing.T) {
		id := b.post(t, open, mod, "Hello")
		b.exec(t, "UPDATE rooms SET archived_at = now() WHERE id = ?", open)
		edit(id, mod).requireProblem(t, 409, "room_archived")
		require.Equal(t, 204, remove(id, mod).status)
	})
}
