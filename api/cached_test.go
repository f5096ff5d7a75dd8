package api

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
)

// requireMiss reads path, which has changed or was never read.
func (b *bundle) requireMiss(t testing.TB, path, token string) answer {
	t.Helper()
	a := b.do(t, "GET", path, token, nil)
	require.Equal(t, "MISS", a.header.Get("X-Cache"), a)
	return a
}

// requireHit reads path until it comes from the cache: on a busy machine Redis may once take longer than it is given,
// which is a miss.
func (b *bundle) requireHit(t testing.TB, path, token string) answer {
	t.Helper()
	var a answer
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		a = b.do(t, "GET", path, token, nil)
		assert.Equal(c, "HIT", a.header.Get("X-Cache"), a)
	}, 30*time.Second, time.Millisecond)
	return a
}

// requireCached reads path twice.
func (b *bundle) requireCached(t testing.TB, path, token string) answer {
	t.Helper()
	miss := b.requireMiss(t, path, token)
	hit := b.requireHit(t, path, token)
	require.Equal(t, miss.body["data"], hit.body["data"])
	require.Equal(t, miss.header.Get("ETag"), strings.Replace(hit.header.Get("ETag"), cachedSuffix, "", 1))
	return hit
}

func TestCachedReads(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	for _, c := range []struct{ path, key string }{
		{"/rooms", "rooms::20"},
		{"/rooms?limit=7", "rooms::7"},
		{"/rooms/" + w.open, "room:" + w.open},
		{"/movies", "movies::20"},
		{"/movies/" + w.movie, "movie:" + w.movie},
		{"/users/alice", "user:alice"},
		{"/chat/messages?limit=3&room_id=" + w.open, "chat:" + w.open + ":::3"},
	} {
		t.Run(c.key, func(t *testing.T) {
			a := w.requireCached(t, c.path, "")
			require.Equal(t, "no-cache", a.header.Get("Cache-Control"))
			require.Equal(t, "application/json", a.header.Get("Content-Type"))
			require.NotEmpty(t, w.keys(t, "Cache MISS")[c.key])
			require.NotEmpty(t, w.keys(t, "Cache HIT")[c.key])
		})
	}
}

// keys counts the log's lines with that message by their key.
func (b *bundle) keys(t *testing.T, message string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, record := range b.logs.records(t, message) {
		require.Equal(t, "DEBUG", record["level"])
		found[record["key"].(string)]++
	}
	return found
}

// TestConditionalReads: of everything that has a tag.
func TestConditionalReads(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	untried := map[string]bool{} // the reads that have a tag
	for id, op := range operations() {
		if op.method == http.MethodGet && op.Parameters.GetByInAndName("header", "If-None-Match") != nil {
			untried[id] = true
		}
	}
	require.NotEmpty(t, untried)
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.method != http.MethodGet || op.Parameters.GetByInAndName("header", "If-None-Match") == nil {
			a := w.call(t, c.id, c.call)
			require.Equal(t, op.success(), a.status, "%s: %s", c.id, a)
			if op.method == http.MethodGet {
				require.Empty(t, a.header.Get("ETag"), "%s has a tag that it does not look at", c.id)
			}
			continue
		}
		delete(untried, c.id)
		t.Run(c.id, func(t *testing.T) {
			get := func(lines ...string) answer {
				r := w.build(t, op, c.call)
				if lines != nil {
					r.Header["If-None-Match"] = lines
				}
				return w.send(t, r)
			}
			if op.Responses.Status(200).Value.Headers["X-Cache"] != nil { // from here on, the cache has it
				w.requireHit(t, strings.TrimPrefix(w.build(t, op, c.call).URL.RequestURI(), basePath), c.token)
			}
			whole := get()
			etag := whole.header.Get("ETag")
			changeable := op.Parameters.GetByInAndName("header", "If-Match") != nil
			require.Equal(t, changeable, !strings.HasPrefix(etag, "W/"), etag)
			strong := strings.TrimPrefix(etag, "W/")
			for _, lines := range [][]string{
				{etag}, {strong}, {"W/" + strong}, {`"x", ` + etag}, {etag + `,"y"`}, {`"x" , W/"z",` + strong + ` `}, {"*"},
				{" * "}, {`"x,y",,` + etag},
				{`"x"`, etag}, {etag, `"x"`},
			} {
				a := get(lines...)
				require.Equal(t, 304, a.status, lines)
				requireSameMeta(t, whole, a)
			}
			others := [][]string{
				{
					`"x"`,
				},
				{`W/"x"`},
				{strings.Trim(strong, `"`)},
				{"garbage"},
				{","},
				{`"`},
				{"w/" + strong},
				{"'x'"},
				{`"x"`, `"y"`},
			}
			if whole.body != nil { // net/http, which serves files, stops reading at what is malformed
				others = append(others, []string{etag + "x"})
			}
			for _, lines := range others {
				a := get(lines...)
				require.Equal(t, 200, a.status, lines)
				require.Equal(t, lasting(whole.header), lasting(a.header))
			}
		})
	}
	require.Empty(t, untried, "no call in calls_test.go")
}

// TestWritesVoidReads: after each write the next read is not older.
func TestWritesVoidReads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	room := b.room(t, alice, nil)
	path := "/rooms/" + room
	one := func(t *testing.T) any { return b.requireMiss(t, path, "").data()["participants"] }
	list := func(t *testing.T) any { return b.requireMiss(t, "/rooms", "").list()[0]["participants"] }
	changed := func(t *testing.T, path string, write func()) {
		t.Helper()
		old := b.requireCached(t, path, "").header.Get("ETag")
		write()
		r := b.request(t, "GET", path, "", nil)
		r.Header.Set("If-None-Match", old)
		require.Equal(t, 200, b.send(t, r).status)
		write()
	}
	b.requireCached(t, path, "")
	b.requireCached(t, "/rooms", "")

	t.Run("join", func(t *testing.T) {
		b.join(t, room, bob)
		require.EqualValues(t, 2, one(t))
		require.EqualValues(t, 2, list(t))
		b.requireHit(t, path, "")
		b.requireHit(t, "/rooms", "")
	})
	t.Run("leave", func(t *testing.T) {
		require.Equal(t, 204, b.do(t, "POST", path+"/leave", bob.token, nil).status)
		require.EqualValues(t, 1, one(t))
		require.EqualValues(t, 1, list(t))
		b.requireHit(t, "/rooms", "")
	})
	t.Run("create", func(t *testing.T) {
		second := b.room(t, alice, map[string]any{"name": "Another"})
		rooms := b.requireMiss(t, "/rooms", "").list()
		require.Equal(t, second, rooms[0]["id"])
		require.Len(t, rooms, 2)
	})
	t.Run("post", func(t *testing.T) {
		messages := "/chat/messages?room_id=" + room
		short := messages + "&limit=1"
		require.Empty(t, b.requireCached(t, messages, "").list())
		b.requireCached(t, short, "")
		b.post(t, room, alice, "Hello")
		require.Equal(t, "Hello", b.requireMiss(t, messages, "").list()[0]["body"])
		require.Equal(t, "Hello", b.requireMiss(t, short, "").list()[0]["body"])
		changed(t, messages+"&limit=2", func() { b.post(t, room, alice, "Again") })
	})
	t.Run("another room's messages stay", func(t *testing.T) {
		other := "/chat/messages?room_id=" + b.room(t, alice, nil)
		b.requireCached(t, other, "")
		b.post(t, room, alice, "Hello")
		b.requireHit(t, other, "")
	})
	t.Run("profile", func(t *testing.T) {
		b.requireCached(t, "/users/alice", "")
		b.requireHit(t, "/users/ALICE", "")
		a := b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"display_name": "Alice L."})
		require.Equal(t, "Alice L.", a.data()["display_name"])
		require.Equal(t, "Alice L.", b.requireMiss(t, "/users/Alice", "").data()["display_name"])
	})
	t.Run("taken back avatar", func(t *testing.T) {
		_, err := b.store.NextAvatarVersion(t.Context(), alice.id)
		require.NoError(t, err)
		_, err = b.store.CreateAvatar(t.Context(), alice.id, 1)
		require.NoError(t, err)
		_, err = b.store.PublishAvatar(t.Context(), alice.id, 1)
		require.NoError(t, err)
		b.void(t, "profile:alice")
		require.NotEqual(t, generated(alice), b.requireCached(t, "/users/alice", "").data()["avatar"])
		require.Equal(t, 204, b.do(t, "DELETE", avatarPath, alice.token, nil).status)
		require.Equal(t, generated(alice), b.requireMiss(t, "/users/alice", "").data()["avatar"])
	})
	t.Run("a missing profile that comes to be", func(t *testing.T) {
		b.do(t, "GET", "/users/dora", "", nil).requireProblem(t, 404, "not_found")
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			b.do(t, "GET", "/users/dora", "", nil).requireProblem(t, 404, "not_found")
			assert.NotEmpty(c, b.keys(t, "Cache HIT")["user:dora"])
		}, 30*time.Second, time.Millisecond)
		dora := b.register(t, "Dora")
		require.Equal(t, dora.id, b.requireMiss(t, "/users/dora", "").data()["id"])
	})
}

// TestCachedPrivateRoom: an entry that a member's request has cached is shown only to members.
func TestCachedPrivateRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	room := b.room(t, alice, map[string]any{"visibility": "private", "name": "Only for us"})
	b.post(t, room, alice, "Secret plan")
	paths := []string{"/rooms/" + room, "/chat/messages?room_id=" + room}
	for _, path := range paths {
		etag := b.requireHit(t, path, alice.token).header.Get("ETag")
		for _, token := range []string{"", bob.token} {
			for _, header := range []string{"", etag, "*"} {
				r := b.request(t, "GET", path, token, nil)
				if header != "" {
					r.Header.Set("If-None-Match", header)
				}
				a := b.send(t, r)
				a.requireProblem(t, 404, "not_found")
				require.Empty(t, a.header.Get("X-Cache"))
			}
		}
	}
	open := b.room(t, alice, nil)
	mine := b.requireMiss(t, "/rooms/"+open, alice.token)
	for _, token := range []string{bob.token, ""} {
		require.Equal(t, mine.data(), b.requireHit(t, "/rooms/"+open, token).data(), "an open room's entry is for all")
	}

	// The refusals were not cached, either: its host is its host, in it or not.
	b.requireHit(t, paths[1], alice.token)
	require.Equal(t, 204, b.do(t, "POST", "/rooms/"+room+"/leave", alice.token, nil).status)
	for _, path := range paths {
		require.Equal(t, 200, b.do(t, "GET", path, alice.token, nil).status)
	}
}

// decompressed is the content of an answer, without its coding.
func decompressed(t testing.TB, h http.Header, raw []byte) string {
	t.Helper()
	var reader io.Reader = bytes.NewReader(raw)
	var err error
	switch coding := h.Get("Content-Encoding"); coding {
	case "gzip":
		reader, err = gzip.NewReader(reader)
	case "zstd":
		reader, err = zstd.NewReader(reader)
	default:
		require.Empty(t, coding)
	}
	require.NoError(t, err)
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	return string(text)
}

func TestCachedReadsAreCompressed(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	for range 5 {
		w.post(t, w.open, w.eve, strings.Repeat("Look at the clock! ", 30))
	}
	compressed := map[string]int{}
	for _, paths := range w.cachedReads() {
		path := paths[0]
		asking := func(accepted string) *http.Request {
			r := w.request(t, http.MethodGet, path, w.eve.token, nil)
			r.Header.Set("Accept-Encoding", accepted)
			return r
		}
		w.requireHit(t, path, w.eve.token)
		whole := w.exchange(t, asking("identity"))
		require.Empty(t, whole.header.Get("Content-Encoding"), path)
		for _, accepted := range []string{"gzip", "zstd", "gzip, zstd;q=0.5", "br"} {
			a := w.exchange(t, asking(accepted))
			require.Equal(t, []any{200, string(whole.raw)}, []any{a.status, decompressed(t, a.header, a.raw)}, path)
			require.Contains(t, strings.Join(a.header.Values("Vary"), ", "), "Accept-Encoding", path)
			w.requireHead(t, asking(accepted), a)
			again := asking(accepted)
			again.Header.Set("If-None-Match", a.header.Get("ETag"))
			requireSameMeta(t, a, w.exchange(t, again))
			compressed[a.header.Get("Content-Encoding")]++
		}
	}
	require.NotZero(t, compressed["gzip"])
	require.NotZero(t, compressed["zstd"])
}

// TestAnswersOfEachCoding writes answers as misses and hits, in every coding, with and without a version.
func TestAnswersOfEachCoding(t *testing.T) {
	t.Parallel()
	random := make([]byte, 2*minEncoded)
	_, _ = rand.Read(random)
	for name, content := range map[string]string{
		"short":  "Look!",
		"long":   strings.Repeat("Look at the clock! ", 300),
		"random": hex.EncodeToString(random),
	} {
		body, err := json.Marshal(map[string]string{"data": content})
		require.NoError(t, err)
		entry := &cache.Entry{Body: body, ETag: cache.ETag(body)}
		for _, version := range []int{0, 7} {
			tags := map[string]string{} // what they are of
			for _, hit := range []bool{false, true} {
				for _, accepted := range []string{"", "gzip", "zstd"} {
					write := func(change func(*cached)) *httptest.ResponseRecorder {
						c := cached{entry: entry, hit: hit, version: version, accepted: http.Header{"Accept-Encoding": {accepted}}}
						change(&c)
						w := httptest.NewRecorder()
						require.NoError(t, c.write(w))
						return w
					}
					whole := write(func(*cached) {})
					require.Equal(t, strconv.Itoa(whole.Body.Len()), whole.Header().Get("Content-Length"))
					want := strings.Replace(string(body), "{", fmt.Sprintf(`{"_cached":%t,`, hit), 1)
					require.Equal(t, want, decompressed(t, whole.Header(), whole.Body.Bytes()))
					coding := whole.Header().Get("Content-Encoding")
					switch name {
					case "long":
						require.Equal(t, accepted, coding)
						require.True(t, accepted == "" || whole.Body.Len() < len(body)/4)
					case "short":
						require.Empty(t, coding)
					}
					tag := whole.Header().Get("ETag")
					if version > 0 {
						of := fmt.Sprint(hit, coding)
						require.Equal(t, of, cmp.Or(tags[tag], of), "two answers with the strong tag %s", tag)
						tags[tag] = of
					}
					for _, other := range []bool{false, true} {
						tag := tag
						unchanged := write(func(c *cached) { c.hit, c.ifNoneMatch, c.accepted = other, &tag, nil })
						require.Equal(t, []any{304, tag}, []any{unchanged.Code, unchanged.Header().Get("ETag")})
						require.Empty(t, unchanged.Header().Get("Content-Encoding"))
					}
					match, older := tag, `"6`+strings.TrimPrefix(tag, `"7`)
					if version > 0 {
						write(func(c *cached) { c.ifMatch = &match })
						c := cached{entry: entry, version: version, ifMatch: &older}
						require.ErrorIs(t, c.write(httptest.NewRecorder()), watchparty.ErrChangedSince)
					}
				}
			}
		}
	}
}
