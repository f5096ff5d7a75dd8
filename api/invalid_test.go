package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
)

// variant is a value that the contract refuses, and why.
type variant struct {
	why   string
	value any
}

// badValues are what schema refuses, one for each of its keywords.
func badValues(schema *openapi3.Schema) []variant {
	var bad []variant
	samples := map[string]any{
		"number": 12.5, "string": "text of no use", "boolean": true, "array": []any{}, "object": map[string]any{},
	}
	for _, kind := range slices.Sorted(maps.Keys(samples)) {
		if !schema.Type.Is(kind) {
			bad = append(bad, variant{"a " + kind, samples[kind]})
		}
	}
	bad = append(bad, variant{"null", nil})
	if n := schema.MinLength; n > 0 {
		bad = append(bad, variant{"too short", strings.Repeat("a", int(n)-1)})
	}
	if n := schema.MaxLength; n != nil {
		bad = append(bad, variant{"too long", strings.Repeat("a", int(*n)+1)},
			variant{"too long in characters beyond ASCII", strings.Repeat("é", int(*n)+1)},
			variant{"much too long", strings.Repeat("a", maxAuthBytes-1000)})
	}
	if schema.Pattern != "" {
		bad = append(bad, variant{"of the wrong form", "not this way"}, variant{"with a line break", "abcdef\n"},
			variant{"in upper case", "01890000-0000-7000-8000-00000000DEAD!"})
	}
	if len(schema.Enum) > 0 {
		bad = append(bad, variant{"unknown", "no-such-value"}, variant{"in another case", "PUBLIC"}, variant{"empty", ""})
	}
	if schema.Type.Is("integer") {
		bad = append(bad, variant{"huge", json.Number("99999999999999999999999")}, variant{"beyond floats", json.Number("1e400")},
			variant{"below", *schema.Min - 1}, variant{"above", *schema.Max + 1}, variant{"a number in a string", "7"})
	}
	if schema.Type.Is("array") {
		bad = append(bad, variant{"without items", []any{}}, variant{"with too many items", make([]string, *schema.MaxItems+1)})
		for _, item := range badValues(schema.Items.Value) {
			bad = append(bad, variant{"with an item that is " + item.why, []any{item.value}})
		}
		if schema.UniqueItems {
			bad = append(bad, variant{"with an item twice", []any{"old_messages", "old_messages"}})
		}
	}
	return bad
}

// TestBadBodies sends, for each operation and property, every kind of value that the contract refuses.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows(t)
	tried := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
			continue
		}
		schema := op.RequestBody.Value.Content["application/json"].Schema.Value
		refuse := func(t *testing.T, field, why string, body any) {
			t.Helper()
			tried++
			a := w.do(t, op.method, op.path, c.token, body)
			require.Equal(t, "invalid_request", a.code(), "%s is %s: %s", field, why, a)
			a.requireField(t, 400, field)
			require.NotContains(t, string(a.raw), "aaaaaa", "the answer repeats the value")
			require.NotContains(t, string(a.raw), "text of no use", "the answer repeats the value")
		}
		t.Run(c.id, func(t *testing.T) {
			for name, property := range schema.Properties {
				for _, bad := range badValues(property.Value) {
					body := maps.Clone(c.body)
					body[name] = bad.value
					refuse(t, name, bad.why, body)
				}
			}
			for _, name := range schema.Required {
				body := maps.Clone(c.body)
				delete(body, name)
				refuse(t, name, "missing", body)
			}
			for _, name := range []string{"surprise", "id", "is_admin", "NAME", "Username", "__proto__", ""} {
				body := maps.Clone(c.body)
				body[name] = "more"
				refuse(t, name, "unknown", body)
			}
			for _, body := range []any{"null", "[]", `"text"`, "12", "true", "[{}]"} {
				refuse(t, "body", "not an object", body)
			}
			if schema.MinProps > 0 {
				refuse(t, "body", "empty", map[string]any{})
			}
		})
	}
	require.Greater(t, tried, 200)
	require.Equal(t, before, w.rows(t), "something was stored")
}

// TestBadParameters does the same for what is in the path, the query and the headers.
func TestBadParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows(t)
	tried := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		for _, parameter := range op.Parameters {
			p := parameter.Value
			t.Run(c.id+" "+p.Name, func(t *testing.T) {
				for _, bad := range badTexts(p) {
					tried++
					changed := c.call
					changed.params = copied(c.params)
					if p.In != openapi3.ParameterInHeader {
						changed.params[p.Name] = bad
					}
					r := w.build(t, op, changed)
					if p.In == openapi3.ParameterInHeader {
						r.Header.Set(p.Name, bad)
					}
					a := w.send(t, r)
					require.Equal(t, "invalid_request", a.code(), "%.80q: %s", bad, a)
					a.requireField(t, 400, p.Name)
				}
				if p.In == openapi3.ParameterInQuery && p.Required {
					a := w.do(t, op.method, op.path, c.token, nil)
					a.requireField(t, 400, p.Name)
				}
			})
		}
	}
	require.Greater(t, tried, 100)
	require.Equal(t, before, w.rows(t), "something was stored")
}

func badTexts(p *openapi3.Parameter) []string {
	schema := p.Schema.Value
	var bad []string
	if schema.MaxLength != nil {
		bad = append(bad, strings.Repeat("a", int(*schema.MaxLength)+1))
	}
	if schema.MinLength > 1 {
		bad = append(bad, strings.Repeat("a", int(schema.MinLength)-1))
	}
	if schema.Pattern != "" {
		bad = append(bad, "not this way", "%", "%00", "x\x00x", "é😀é", "'; DROP TABLE users; --", "../../etc/passwd", "\xff\xfe\xfd", "abc\n")
	}
	if schema.Format == "uuid" {
		bad = append(bad, "x", "123", strings.ToUpper(unknownID), unknownID+"0", "{"+unknownID+"}", "urn:uuid:"+unknownID,
			strings.ReplaceAll(unknownID, "-", ""))
	}
	if schema.Type.Is("integer") {
		bad = append(bad, "0", "-1", "x", "1.5", "1e1x", "0x10", "99999999999999999999999", strconv.FormatInt(int64(*schema.Max)+1, 10), " ")
	}
	if len(schema.Enum) > 0 {
		bad = append(bad, "original", "thumbnail", "Medium.webp", "../1/medium.webp", "medium.webp ")
	}
	return bad
}

func TestCursorsThatNoListGave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, name := range map[string]string{
		"/movies?cursor=": "cursor", "/rooms?cursor=": "cursor", "/admin/cleanup/runs?cursor=": "cursor",
		"/admin/reports?cursor=": "cursor", "/chat/messages?room_id=" + w.open + "&before=": "before",
	} {
		for _, bad := range []string{"garbage", "x", strings.Repeat("A", 64), "AAAA", unknownID, "null", "0"} {
			w.do(t, "GET", path+bad, w.admin.token, nil).requireField(t, 400, name)
		}
		// Well-formed, of a row that does not exist: an empty page or the rest, but no error.
		require.Equal(t, 200, w.do(t, "GET", path+"AYkAAAAAcACAAAAAAAAerQ", w.admin.token, nil).status)
	}
	// What is not asked for is not looked at; what is given twice or not at all is not an error of ours.
	for _, query := range []string{"?surprise=1", "?limit=", "?limit=1&limit=2", "?cursor=", "?limit=%zz", "?limit=1;cursor=x", "?" + strings.Repeat("a=b&", 500)} {
		require.Less(t, w.do(t, "GET", "/movies"+query, "", nil).status, 500, query)
	}
}

// rows is the whole content of the database, which a refused request leaves as it is.
func (b *bundle) rows(t testing.TB) map[string]string {
	t.Helper()
	var tables []string
	require.NoError(t, b.store.DB().NewRaw(
		"SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()").Scan(t.Context(), &tables))
	require.Greater(t, len(tables), 8)
	content := map[string]string{}
	for _, table := range tables {
		var n int
		var sum string
		require.NoError(t, b.store.DB().NewRaw(
			"SELECT count(*), md5(coalesce(string_agg(x::text, ',' ORDER BY x::text), '')) FROM ? AS x", bun.Ident(table)).
			Scan(t.Context(), &n, &sum))
		content[table] = fmt.Sprint(n, " ", sum)
	}
	return content
}
