package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
)

const clip = "https://movies.example/clip.webm"

// command sends a command for the present epoch.
func (b *bundle) command(t *testing.T, room string, by person, kind string, more map[string]any) answer {
	t.Helper()
	path := "/rooms/" + room + "/playback"
	body := map[string]any{"kind": kind, "id": uuid.NewString(), "epoch": 0}
	if now := b.do(t, "GET", path, by.token, nil); now.status == 200 {
		body["epoch"] = now.data()["epoch"]
	}
	if kind == "load" {
		body["stream_url"] = clip
	}
	for name, value := range more {
		body[name] = value
	}
	return b.do(t, "POST", path+"/commands", by.token, body)
}

func TestPlayback(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	room := b.room(t, alice, nil)
	b.join(t, room, bob)
	path := "/rooms/" + room + "/playback"
	idle := b.do(t, "GET", path, "", nil).data()
	require.Equal(t, []any{"idle", nil, 0.0, 0.0, nil, nil}, []any{idle["state"], idle["item"], idle["revision"],
		idle["epoch"], idle["wait"], idle["by"]})
	b.command(t, room, alice, "play", nil).requireProblem(t, 409, "nothing_to_play")
	b.command(t, room, alice, "pause", nil).requireProblem(t, 409, "nothing_playing")

	var told []playback.Snapshot
	b.server.OnPlayback(func(s playback.Snapshot) { told = append(told, s) }, func(string) {})
	loaded := b.command(t, room, alice, "load", map[string]any{"title": "A clip"})
	require.Equal(t, 200, loaded.status, loaded)
	require.Equal(t, []any{1.0, false}, []any{loaded.data()["revision"], loaded.data()["replayed"]})
	now := b.do(t, "GET", path, "", nil).data()
	require.Equal(t, []any{"playing", 1.0, 1.0, "load", 1.0}, []any{now["state"], now["revision"], now["epoch"],
		now["cause"], now["rate"]})
	item := now["item"].(map[string]any)
	require.Equal(t, []any{"A clip", clip, nil, nil, false, []any{}}, []any{item["title"], item["stream_url"],
		item["movie_id"], item["duration_ms"], item["duration_exact"], item["subtitles"]})
	require.Equal(t, "alice", now["by"].(map[string]any)["username"])
	at, err := time.Parse(time.RFC3339Nano, now["at"].(string))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)

	again := map[string]any{"id": uuid.NewString(), "position_ms": 90_000, "epoch": 1}
	sought := b.command(t, room, alice, "seek", again)
	require.Equal(t, 2.0, sought.data()["revision"])
	require.Equal(t, 200, b.command(t, room, alice, "pause", nil).status)
	repeated := b.command(t, room, alice, "seek", again)
	require.Equal(t, []any{2.0, true}, []any{repeated.data()["revision"], repeated.data()["replayed"]})
	require.Equal(t, "paused", repeated.data()["playback"].(map[string]any)["state"])
	again["position_ms"] = 90_001
	b.command(t, room, alice, "seek", again).requireProblem(t, 422, "command_id_reused")
	require.Len(t, told, 3, "each new state is told once")

	stale := b.command(t, room, alice, "play", map[string]any{"epoch": 0})
	stale.requireProblem(t, 409, "playback_stale")
	require.Equal(t, map[string]any{"revision": 3.0, "epoch": 1.0}, stale.body["details"])
	b.command(t, room, alice, "play", map[string]any{"if_revision": 2}).requireProblem(t, 409, "playback_stale")
	require.Equal(t, 200, b.command(t, room, alice, "play", map[string]any{"if_revision": 3, "revision": 3}).status)

	b.command(t, room, bob, "pause", nil).requireProblem(t, 403, "forbidden")
	require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+room, alice.token, map[string]any{"control": "everyone"}).status)
	require.Equal(t, 200, b.command(t, room, bob, "pause", nil).status)
	b.command(t, room, bob, "load", nil).requireProblem(t, 403, "forbidden")
	log := b.do(t, "GET", "/rooms/"+room+"/log", alice.token, nil).list()
	require.Equal(t, []any{"paused", "bob"}, []any{log[0]["action"], log[0]["actor"].(map[string]any)["username"]})
}

func TestPlaybackCommandsAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	require.Equal(t, 200, b.command(t, room, alice, "load", nil).status)
	for field, wrong := range map[string]map[string]any{
		"kind":        {"kind": "toggle"},
		"id":          {"id": "1"},
		"epoch":       {"epoch": -1},
		"revision":    {"revision": -1},
		"if_revision": {"if_revision": 1.5},
		"position_ms": {"kind": "seek", "position_ms": -1},
		"rate":        {"kind": "rate", "rate": 100},
		"item_id":     {"kind": "load", "item_id": "x"},
		"title":       {"kind": "play", "title": "A title"},
		"stream_url":  {"kind": "load", "stream_url": "http://movies.example/a.webm"},
		"movie_id":    {"kind": "load", "stream_url": clip, "item_id": unknownID},
		"speed":       {"kind": "rate", "rate": 1, "speed": 2},
	} {
		more := map[string]any{}
		for name, value := range wrong {
			more[name] = value
		}
		kind, _ := more["kind"].(string)
		if kind == "" {
			kind = "play"
		}
		if kind == "load" && more["stream_url"] == nil {
			more["stream_url"] = nil
		}
		b.command(t, room, alice, kind, more).requireField(t, 400, field)
	}
	b.command(t, room, alice, "seek", nil).requireField(t, 400, "position_ms")
	b.command(t, room, alice, "rate", nil).requireField(t, 400, "rate")
	b.command(t, room, alice, "play", map[string]any{"position_ms": 1}).requireField(t, 400, "position_ms")
	for _, number := range []string{"1e400", "NaN", "9223372036854775808"} {
		body := fmt.Sprintf(`{"kind": "seek", "id": %q, "epoch": 1, "position_ms": %s}`, unknownID, number)
		a := b.send(t, b.request(t, "POST", "/rooms/"+room+"/playback/commands", alice.token, body))
		require.Equal(t, 400, a.status, number)
	}
	b.command(t, room, alice, "load", map[string]any{"stream_url": nil, "movie_id": unknownID}).
		requireProblem(t, 400, "unknown_movie")
	b.command(t, room, alice, "load", map[string]any{"stream_url": nil, "item_id": unknownID}).
		requireProblem(t, 400, "unknown_item")
	bare := b.addMovie(t, "Without a stream")
	b.command(t, room, alice, "load", map[string]any{"stream_url": nil, "movie_id": bare}).
		requireProblem(t, 409, "movie_without_stream")
	require.Equal(t, 1.0, b.do(t, "GET", "/rooms/"+room+"/playback", "", nil).data()["revision"], "nothing was stored")
}

// TestCommandsAreRefusedAsInLive gives each property of each live command values of all types, and the same to the REST
// API: both refuse the same ones, with the same errors.
func TestCommandsAreRefusedAsInLive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	var live struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `yaml:"properties"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	text, err := os.ReadFile("live.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &live))

	values := []any{
		nil, true, 0, -1, json.RawMessage("0.0"), json.RawMessage("1e3"), json.RawMessage("1e400"), 1.5, 1e15, 1e17,
		"", " ", "x", "Two\nlines", "Two\u202elines", unknownID, strings.ToUpper(unknownID), "{" + unknownID + "}",
		"http://a", "http://movies.example/a.webm", "https://u:p@movies.example/", "https://é.example/", clip,
		strings.Repeat("ä", 201), strings.Repeat(" ", 20), strings.Repeat(" ", 200) + "x",
		clip + strings.Repeat(" ", 2048), "https://a/" + strings.Repeat("x", 2040), []any{}, map[string]any{},
	}
	valid := map[string]map[string]any{
		"seek": {"position_ms": 1}, "rate": {"rate": 2}, "load": {"stream_url": clip},
	}
	// A property that one kind of command needs is optional in REST, where null is as good as nothing.
	nullInREST := map[string]string{"seek": "position_ms", "rate": "rate"}
	compare := func(kind string, properties map[string]any) {
		frame, body := maps.Clone(properties), maps.Clone(properties)
		frame["t"], body["kind"] = kind, kind
		encoded, err := json.Marshal(frame)
		require.NoError(t, err)
		_, _, err = wire.DecodeClient(encoded)
		var refusal *watchparty.Error
		want := []any{}
		if errors.As(err, &refusal) {
			for _, f := range refusal.Fields {
				want = append(want, map[string]any{"field": f.Field, "code": f.Code, "message": f.Message})
			}
		}
		a := b.do(t, "POST", "/rooms/"+room+"/playback/commands", alice.token, body)
		got, _ := a.body["errors"].([]any)
		if a.body["code"] != "invalid_request" {
			got = []any{}
			exists := a.body["code"] != "unknown_movie" && a.body["code"] != "unknown_item"
			assert.True(t, !exists || slices.Contains([]int{200, 409, 422}, a.status), "%s\n%v", encoded, a)
		}
		assert.ElementsMatch(t, want, got, "%s\n%v", encoded, a)
	}
	tried := 0
	for _, kind := range playback.Kinds() {
		kind := string(kind)
		schema := live.Components.Schemas[strings.ToUpper(kind[:1])+kind[1:]]
		require.NotEmpty(t, schema.Properties, kind)
		base := map[string]any{"id": uuid.NewString(), "epoch": 0}
		maps.Copy(base, valid[kind])
		for property := range schema.Properties {
			if property == "t" {
				continue
			}
			without := maps.Clone(base)
			delete(without, property)
			compare(kind, without)
			for _, value := range values {
				if value == nil && nullInREST[kind] == property {
					continue
				}
				given := maps.Clone(base)
				given[property] = value
				compare(kind, given)
				tried++
			}
		}
		given := maps.Clone(base)
		given["surplus"], given["another"] = 1, nil
		compare(kind, given)
		for _, value := range []any{nil, true, -1, "x"} { // all of them at once
			for property := range schema.Properties {
				if property != "t" && (value != nil || property != nullInREST[kind]) {
					given[property] = value
				}
			}
			compare(kind, given)
		}
	}
	require.Greater(t, tried, 500)
}

// TestFirstRefusal: of two refusals the answer is the one that the contract names first.
func TestFirstRefusal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := newRoomFixture(t, b, "order", "public")
	host, viewer := s.cast["host"], s.cast["viewer"]
	everyone := map[string]any{"control": "everyone"}
	require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+s.room, host.token, everyone).status)
	queue := "/rooms/" + s.room + "/queue"
	address, unknownItem := map[string]any{"stream_url": clip}, queue+"/"+unknownID
	b.command(t, s.room, viewer, "load", nil).requireProblem(t, 403, "forbidden")
	b.do(t, "POST", queue, viewer.token, address).requireProblem(t, 403, "forbidden")
	b.do(t, "DELETE", unknownItem, viewer.token, nil).requireProblem(t, 404, "not_found")

	mute := map[string]any{"username": viewer.name, "until": tomorrow(1)}
	require.Equal(t, 201, b.do(t, "POST", "/rooms/"+s.room+"/mutes", host.token, mute).status)
	b.command(t, s.room, viewer, "load", nil).requireProblem(t, 403, "muted")
	b.do(t, "POST", queue, viewer.token, address).requireProblem(t, 403, "muted")
	b.do(t, "DELETE", unknownItem, viewer.token, nil).requireProblem(t, 403, "muted")
	b.do(t, "PUT", queue+"/"+s.item+"/place", viewer.token, map[string]any{}).requireProblem(t, 403, "forbidden")

	require.Equal(t, 204, b.do(t, "POST", "/rooms/"+s.room+"/leave", viewer.token, nil).status)
	for _, outside := range []person{viewer, s.cast["stranger"]} {
		b.command(t, s.room, outside, "load", nil).requireProblem(t, 403, "not_participant")
		b.do(t, "PUT", unknownItem+"/vote", outside.token, nil).requireProblem(t, 403, "not_participant")
	}
	last := map[string]any{"visibility": "private", "state": "archived"}
	require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+s.room, host.token, last).status)
	b.command(t, s.room, s.cast["moderator"], "load", nil).requireProblem(t, 409, "room_archived")
	b.command(t, s.room, s.cast["stranger"], "load", nil).requireProblem(t, 404, "not_found")
	b.command(t, s.room, s.cast["banned"], "load", nil).requireProblem(t, 403, "banned")
	require.Equal(t, 204, b.do(t, "DELETE", "/rooms/"+s.room, host.token, nil).status)
	b.command(t, s.room, s.cast["banned"], "load", nil).requireProblem(t, 404, "not_found")
}

func TestWhoSeesPlayback(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := newRoomFixture(t, b, "sees", "private")
	for _, path := range []string{"/playback", "/queue", "/queue/" + s.item} {
		for who, status := range map[string]int{"host": 200, "viewer": 200, "stranger": 404, "nobody": 404, "banned": 403} {
			require.Equal(t, status, b.do(t, "GET", "/rooms/"+s.room+path, s.cast[who].token, nil).status, who+" "+path)
		}
	}
	host, viewer := s.cast["host"], s.cast["viewer"]
	require.Equal(t, 200, b.command(t, s.room, host, "load", nil).status)
	b.command(t, s.room, s.cast["stranger"], "pause", nil).requireProblem(t, 404, "not_found")
	b.command(t, s.room, s.cast["banned"], "pause", nil).requireProblem(t, 403, "banned")
	require.Equal(t, 200,
		b.do(t, "PATCH", "/rooms/"+s.room, host.token, map[string]any{"control": "everyone"}).status)
	mute := map[string]any{"username": viewer.name, "until": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
	require.Equal(t, 201, b.do(t, "POST", "/rooms/"+s.room+"/mutes", host.token, mute).status)
	b.command(t, s.room, viewer, "pause", map[string]any{"epoch": 1}).requireProblem(t, 403, "muted")
	require.Equal(t, 204, b.do(t, "POST", "/rooms/"+s.room+"/leave", s.target.token, nil).status)
	b.command(t, s.room, s.target, "pause", nil).requireProblem(t, 403, "not_participant")
	require.Equal(t, 200,
		b.do(t, "PATCH", "/rooms/"+s.room, host.token, map[string]any{"state": "archived"}).status)
	b.command(t, s.room, host, "load", nil).requireProblem(t, 409, "room_archived")
	require.Equal(t, "idle", b.do(t, "GET", "/rooms/"+s.room+"/playback", host.token, nil).data()["state"])
}

func TestQueueByAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	room := b.room(t, alice, nil)
	b.join(t, room, bob)
	path := "/rooms/" + room + "/queue"
	first, second := b.queue(t, room, alice, "First"), b.queue(t, room, alice, "Second")
	titles := func() (titles []any) {
		for _, item := range b.do(t, "GET", path, bob.token, nil).data()["items"].([]any) {
			titles = append(titles, item.(map[string]any)["title"])
		}
		return titles
	}
	require.Equal(t, []any{"First", "Second"}, titles())
	a := b.do(t, "PUT", path+"/"+second+"/place", alice.token, map[string]any{"before_id": first})
	require.Equal(t, 204, a.status, a)
	require.Equal(t, []any{"Second", "First"}, titles())
	require.Equal(t, 204, b.do(t, "PUT", path+"/"+first+"/vote", bob.token, nil).status)
	a = b.do(t, "PATCH", "/rooms/"+room, alice.token, map[string]any{"queue_order": "votes"})
	require.Equal(t, 200, a.status, a)
	require.Equal(t, []any{"First", "Second"}, titles())
	item := b.do(t, "GET", path+"/"+first, bob.token, nil).data()
	require.Equal(t, []any{1.0, true}, []any{item["votes"], item["voted"]})
	require.Equal(t, false, b.do(t, "GET", path+"/"+first, "", nil).data()["voted"])
	b.do(t, "DELETE", path+"/"+first, bob.token, nil).requireProblem(t, 403, "forbidden")
	b.do(t, "POST", path, bob.token, map[string]any{"stream_url": clip}).requireProblem(t, 403, "forbidden")
	b.do(t, "POST", path, alice.token, map[string]any{"stream_url": "javascript:alert(1)"}).
		requireField(t, 400, "stream_url")
	b.do(t, "POST", path, alice.token, map[string]any{}).requireField(t, 400, "movie_id")

	require.Equal(t, 200, b.command(t, room, alice, "play", nil).status)
	require.Equal(t, []any{"Second"}, titles())
	skip := map[string]any{"epoch": 1, "skip": true}
	voted := b.do(t, "PUT", "/rooms/"+room+"/playback/skip-vote", bob.token, skip)
	require.Equal(t, []any{200, "voted", 2.0}, []any{voted.status, voted.data()["cause"], voted.data()["epoch"]},
		"one of two is half of them")
	b.do(t, "PUT", "/rooms/"+room+"/playback/skip-vote", bob.token, skip).requireProblem(t, 409, "playback_stale")
	require.Equal(t, 204, b.do(t, "DELETE", path+"/"+voted.data()["item"].(map[string]any)["id"].(string), alice.token,
		nil).status)
	require.Equal(t, "removed", b.do(t, "GET", "/rooms/"+room+"/playback", "", nil).data()["cause"])
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	room := b.room(t, alice, nil)
	b.join(t, room, bob)
	movie := b.addMovie(t, "Faust")
	path, body := "/rooms/"+room+"/queue", map[string]any{"movie_id": movie}
	b.do(t, "POST", path, bob.token, body).requireProblem(t, 409, "movie_without_stream")
	b.do(t, "POST", path, bob.token, map[string]any{"movie_id": unknownID}).requireProblem(t, 400, "unknown_movie")
	b.exec(t, "UPDATE movies SET stream_url = ? WHERE id = ?", clip, movie)
	const insert = `INSERT INTO queue_items (id, room_id, movie_id, added_by, rank)
		SELECT gen_random_uuid(), ?, ?, ?, 1 FROM generate_series(1, ?)`
	b.exec(t, insert, room, movie, bob.id, 20)
	b.do(t, "POST", path, bob.token, body).requireProblem(t, 409, "queue_full_of_yours")
	require.Equal(t, 201, b.do(t, "POST", path, alice.token, body).status)
	b.exec(t, insert, room, movie, nil, 179)
	b.do(t, "POST", path, alice.token, body).requireProblem(t, 409, "queue_full")

	require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+room, alice.token, map[string]any{"queue": "moderators"}).status)
	b.do(t, "POST", path, bob.token, body).requireProblem(t, 403, "forbidden")
	item := b.do(t, "GET", path, "", nil).data()["items"].([]any)[0].(map[string]any)["id"].(string)
	b.do(t, "PUT", "/rooms/"+room+"/playback/skip-vote", bob.token, map[string]any{"epoch": 0, "skip": true}).
		requireProblem(t, 409, "nothing_playing")
	require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+room, alice.token, map[string]any{"state": "archived"}).status)
	for _, a := range []answer{
		b.do(t, "POST", path, alice.token, body),
		b.do(t, "PUT", path+"/"+item+"/place", alice.token, map[string]any{}),
		b.do(t, "DELETE", path+"/"+item, alice.token, nil),
		b.do(t, "PUT", path+"/"+item+"/vote", alice.token, nil),
		b.do(t, "DELETE", path+"/"+item+"/vote", alice.token, nil),
		b.do(t, "PUT", "/rooms/"+room+"/playback/skip-vote", alice.token, map[string]any{"epoch": 0, "skip": true}),
	} {
		a.requireProblem(t, 409, "room_archived")
	}
	require.Equal(t, 200, b.do(t, "GET", path, "", nil).status, "it can be read")
}

func TestStreamsOfMovies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := b.admin(t, "root")
	german := map[string]any{"language": "de", "url": "https://movies.example/de.vtt"}
	english := map[string]any{"language": "en", "url": "https://movies.example/en.vtt"}
	a := b.do(t, "POST", "/movies", admin.token, map[string]any{"title": "Nosferatu", "year": 1922, "runtime_minutes": 94,
		"stream_url": clip, "duration_ms": 5_640_123, "subtitles": []any{english, german}})
	require.Equal(t, 201, a.status, a)
	path := "/movies/" + a.data()["id"].(string)
	movie := b.do(t, "GET", path, "", nil).data()
	require.Equal(t, a.data(), movie)
	require.Equal(t, []any{5_640_123.0, []any{german, english}}, []any{movie["duration_ms"], movie["subtitles"]})
	require.Equal(t, []any{german, english}, b.do(t, "GET", "/movies", "", nil).list()[0]["subtitles"])

	for field, wrong := range map[string]map[string]any{
		"subtitles.0.url":      {"subtitles": []any{map[string]any{"language": "en", "url": "http://movies.example/a"}}},
		"subtitles.0.language": {"subtitles": []any{map[string]any{"language": "e n", "url": "https://movies.example/a"}}},
		"subtitles.1.language": {"subtitles": []any{english, map[string]any{"language": "EN", "url": "https://movies.example/a"}}},
		"duration_ms":          {"duration_ms": 0},
	} {
		b.do(t, "PATCH", path, admin.token, wrong).requireField(t, 400, field)
	}
	a = b.do(t, "PATCH", path, admin.token, map[string]any{"subtitles": []any{english}, "duration_ms": nil})
	require.Equal(t, 200, a.status, a)
	movie = b.do(t, "GET", path, "", nil).data()
	require.Equal(t, []any{nil, []any{english}}, []any{movie["duration_ms"], movie["subtitles"]})
}
