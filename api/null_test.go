package api

import (
	"maps"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// cleared has each property that null clears in a PATCH, by its operation, with what it is then.
var cleared = map[string]map[string]any{
	"updateMe":    {"display_name": "alice"},
	"updateRoom":  {"description": "", "movie_id": nil, "slow_mode_seconds": 0.0},
	"updateParty": {"movie_id": nil, "title": ""},
	"updateWebhook": {"description": "", "kinds": []any{
		"cleanup.ended", "email.given_up", "movie.started", "report.filed", "room.opened", "user.suspended",
	}},
	"updateMovie": {"description": "", "genres": []any{}, "poster_url": nil, "stream_url": nil, "duration_ms": nil,
		"subtitles": []any{}},
}

// jsonBody is the schema of an operation's JSON body, or nil.
func (d documented) jsonBody() *openapi3.Schema {
	if d.RequestBody == nil {
		return nil
	}
	media := d.RequestBody.Value.Content["application/json"]
	if media == nil {
		return nil
	}
	return media.Schema.Value
}

// optional are the names of the properties that a body may leave out.
func optional(body *openapi3.Schema) []string {
	names := slices.Sorted(maps.Keys(body.Properties))
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(body.Required, name) })
}

// TestNullClears sends null for each property of each PATCH that can be cleared. The property is empty after that, and
// the others are as they were.
func TestNullClears(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	full := map[string]map[string]any{
		"updateMe":      {"display_name": "Alice L."},
		"updateParty":   {"movie_id": w.streamed, "title": "Second part"},
		"updateWebhook": {"description": "To the bot", "kinds": []any{"room.opened"}},
		"updateRoom":    {"description": "Bring tea.", "movie_id": w.movie, "slow_mode_seconds": 5.0},
		"updateMovie": {
			"description": "A city.", "genres": []any{"drama"},
			"poster_url": "https://movies.example/poster", "stream_url": "https://movies.example/stream",
			"duration_ms": 5000.0,
			"subtitles":   []any{map[string]any{"language": "en", "url": "https://movies.example/en.vtt"}},
		},
	}
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.method != "PATCH" {
			continue
		}
		patch := func(t *testing.T, body map[string]any) map[string]any {
			t.Helper()
			changed := c.call
			changed.body = body
			a := w.call(t, c.id, changed)
			require.Equal(t, 200, a.status, a)
			data := a.data()
			delete(data, "updated_at")
			if movie, of := data["movie"]; of { // what a request has the ID of
				data["movie_id"] = idIn(movie)
				delete(data, "movie")
			}
			return data
		}
		for name, property := range op.jsonBody().Properties {
			schema := property.Value
			canBeEmpty := schema.Type.Is("array") ||
				schema.Type.Is("string") && schema.MinLength == 0 && schema.Enum == nil && schema.Format != "date-time"
			if !schema.Nullable {
				require.False(t, canBeEmpty, "%s %s can be empty, and null does not clear it", c.id, name)
				continue
			}
			t.Run(c.id+" "+name, func(t *testing.T) {
				require.Contains(t, cleared[c.id], name, "say in cleared what null makes of it")
				before := patch(t, full[c.id])
				require.Equal(t, full[c.id][name], before[name])
				after := patch(t, map[string]any{name: nil})
				require.Equal(t, cleared[c.id][name], after[name])
				before[name] = after[name]
				require.Equal(t, before, after)
			})
		}
	}
}

// TestNullIsAbsent makes every call without its optional properties, and in another fixture with null for each of them:
// the answers are the same. A PATCH is different, since it leaves alone what is absent.
func TestNullIsAbsent(t *testing.T) {
	t.Parallel()
	without, with := newCompleteFixture(t), newCompleteFixture(t)
	reduce := func(body map[string]any, names []string, null bool) map[string]any {
		reduced := copied(body)
		for _, name := range names {
			if delete(reduced, name); null {
				reduced[name] = nil
			}
		}
		return reduced
	}
	compared := 0
	others := with.calls()
	for i, c := range without.calls() {
		op, other := operations()[c.id], others[i].call
		if body := op.jsonBody(); body != nil && op.method != "PATCH" {
			names := optional(body)
			for _, name := range names {
				require.True(t, body.Properties[name].Value.Nullable, "%s: %s is optional, so it may be null", c.id, name)
			}
			c.body, other.body = reduce(c.body, names, false), reduce(other.body, names, true)
			compared += len(names)
		}
		absent, null := without.call(t, c.id, c.call), with.call(t, c.id, other)
		require.Equal(t, absent.status, null.status, "%s: %s", c.id, null)
		require.Equal(t, absent.code(), null.code(), c.id)
		if op.jsonBody() == nil || op.method == "PATCH" {
			continue
		}
		for _, name := range optional(op.jsonBody()) {
			require.Equal(t, absent.data()[name], null.data()[name], "%s %s", c.id, name)
		}
	}
	require.Greater(t, compared, 20)
}
