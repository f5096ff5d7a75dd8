package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"golang.org/x/net/http/httpguts"
)

// variant is a value that the contract refuses, and why. The field is the part of it that is wrong, empty for all of
// it.
type variant struct {
	field, why string
	value      any
}

// within is what holds v as its part name.
func (v variant) within(name string, whole any) variant {
	if v.field != "" {
		name += "." + v.field
	}
	return variant{name, v.why, whole}
}

// badValues are what schema refuses, one or more for each of its keywords; TestBadValuesKnowTheContract says whether
// any is missing. Those of an object differ from valid in one part.
func badValues(schema *openapi3.Schema, valid any) []variant {
	var bad []variant
	add := func(why string, value any) { bad = append(bad, variant{"", why, value}) }
	samples := map[string]any{
		"number": 12.5, "string": "text of no use", "boolean": true, "array": []any{}, "object": map[string]any{},
	}
	for _, kind := range slices.Sorted(maps.Keys(samples)) {
		if !schema.Type.Is(kind) {
			add("a "+kind, samples[kind])
		}
	}
	if !schema.Nullable {
		add("null", nil)
	}
	if len(schema.Enum) > 0 {
		add("unknown", "no-such-value")
		add("in another case", "PUBLIC")
		add("empty", "")
	}
	switch {
	case schema.Type.Is("string"):
		bad = append(bad, badStrings(schema)...)
	case schema.Type.Is("integer"):
		add("huge", json.Number("99999999999999999999999"))
		add("beyond floats", json.Number("1e400"))
		add("below", *schema.Min-1)
		add("above", *schema.Max+1)
		add("a number in a string", "7")
	case schema.Type.Is("number"):
		add("beyond floats", json.Number("1e400"))
		add("below", *schema.Min-0.5)
		add("above", *schema.Max+0.5)
		add("a number in a string", "1.5")
	case schema.Type.Is("array"):
		bad = append(bad, badArrays(schema, valid)...)
	case schema.Type.Is("object"):
		bad = append(bad, badObjects(schema, valid)...)
	}
	return bad
}

// timesOutOfRange are well-formed times that Postgres and Temporal do not take, and Go's zero time.
var timesOutOfRange = map[string]string{
	"in the year 0":                   "0000-06-01T00:00:00Z",
	"in the year 0 because of a zone": "0001-01-01T00:00:00+23:59",
	"the first of all":                "0001-01-01T00:00:00Z",
	"in year 10000 because of a zone": "9999-12-31T23:59:59-23:59",
}

func badStrings(schema *openapi3.Schema) []variant {
	var bad []variant
	add := func(why string, value any) { bad = append(bad, variant{"", why, value}) }
	if schema.Format == "date-time" {
		for why, text := range map[string]string{
			"a word": "tomorrow", "a date": "2030-01-01", "without a zone": "2030-01-01T00:00:00",
			"in month 13":    "2030-13-01T00:00:00Z",
			"on 30 February": "2030-02-30T00:00:00Z", "on 29 February of a common year": "2030-02-29T00:00:00Z",
			"on 31 April":   "2030-04-31T00:00:00Z",
			"a leap second": "2030-12-31T23:59:60Z", "at 24 h": "2030-01-01T24:00:00Z",
			"in a zone that is none": "2030-01-01T00:00:00+99:99",
			"with a comma":           "2030-01-01T00:00:00,5Z", "in year 10000": "10000-01-01T00:00:00Z",
			"a number in a string": "1893456000",
			"in lower case":        "2030-01-01t00:00:00z", "with a blank": "2030-01-01 00:00:00Z", "empty": "",
		} {
			add(why, text)
		}
		for why, text := range timesOutOfRange {
			add(why, text)
		}
	}
	if n := schema.MinLength; n > 0 {
		add("too short", strings.Repeat("a", int(n)-1))
	}
	if n := schema.MaxLength; n != nil {
		add("too long", strings.Repeat("a", int(*n)+1))
		add("too long in characters beyond ASCII", strings.Repeat("é", int(*n)+1))
		add("too long in characters of 4 bytes", strings.Repeat("😀", int(*n)+1))
		add("much too long", strings.Repeat("a", maxAuthBytes-1000))
	}
	if schema.Pattern != "" {
		add("of the wrong form", "not this way")
		add("with a line break", "abcdef\n")
		add("in upper case", "01890000-0000-7000-8000-00000000DEAD!")
	}
	return bad
}

func badArrays(schema *openapi3.Schema, valid any) []variant {
	var bad []variant
	items, _ := valid.([]any)
	if schema.MinItems > 0 {
		bad = append(bad, variant{"", "without items", []any{}})
	}
	if schema.MaxItems != nil {
		many := make([]any, *schema.MaxItems+1)
		for i := range many {
			many[i] = strconv.Itoa(i)
		}
		bad = append(bad, variant{"", "with too many items", many})
	}
	if len(items) == 0 {
		items = []any{"drama"}
	}
	if schema.UniqueItems {
		bad = append(bad, variant{"", "with an item twice", []any{items[0], items[0]}})
	}
	for _, item := range badValues(schema.Items.Value, items[0]) {
		bad = append(bad, variant{"", "with an item that is " + item.why, []any{item.value}})
	}
	return bad
}

func badObjects(schema *openapi3.Schema, valid any) []variant {
	var bad []variant
	properties, _ := valid.(map[string]any)
	with := func(name string, value any) map[string]any {
		changed := copied(properties)
		changed[name] = value
		return changed
	}
	for name, property := range schema.Properties {
		for _, v := range badValues(property.Value, properties[name]) {
			bad = append(bad, v.within(name, with(name, v.value)))
		}
	}
	for _, name := range schema.Required {
		body := copied(properties)
		delete(body, name)
		bad = append(bad, variant{name, "missing", body})
	}
	if allowed := schema.AdditionalProperties.Has; allowed != nil && !*allowed {
		for _, name := range []string{
			"surprise", "id", "is_admin", "NAME", "Username", "__proto__", "a.b", "a\nb", "é😀", "",
		} {
			bad = append(bad, variant{name, "unknown", with(name, "more")})
		}
	}
	if schema.MinProps > 0 {
		bad = append(bad, variant{"", "empty", map[string]any{}})
	}
	return bad
}

// requestSchemas are the bodies' and parameters' of all operations, with all that is in them, by where they are.
func requestSchemas() map[string]*openapi3.Schema {
	all := map[string]*openapi3.Schema{}
	var walk func(path string, schema *openapi3.Schema)
	walk = func(path string, schema *openapi3.Schema) {
		all[path] = schema
		for name, property := range schema.Properties {
			walk(path+"."+name, property.Value)
		}
		if schema.Items != nil {
			walk(path+"[]", schema.Items.Value)
		}
	}
	for id, op := range operations() {
		if op.RequestBody != nil && op.RequestBody.Value.Content["application/json"] != nil {
			walk(id+" body", op.RequestBody.Value.Content["application/json"].Schema.Value)
		}
		for _, p := range op.Parameters {
			walk(id+" parameter "+p.Value.Name, p.Value.Schema.Value)
		}
	}
	return all
}

// annotations say nothing about values; of a uuid, the pattern does.
var annotations = []string{"description", "example", "default", "title"}

// TestBadValuesKnowTheContract: of each keyword of each schema, badValues and badTexts have something of the right type
// that it refuses by itself. So nobody writes a rule into the contract that the tests below do not try.
func TestBadValuesKnowTheContract(t *testing.T) {
	calendar()
	bodies := map[string]any{}
	for _, c := range new(completeFixture).calls() {
		bodies[c.id+" body"] = c.body
	}
	tried := 0
	for path, schema := range requestSchemas() {
		encoded, err := json.Marshal(schema)
		require.NoError(t, err)
		keywords := map[string]json.RawMessage{}
		require.NoError(t, json.Unmarshal(encoded, &keywords))
		var bad []any
		if strings.Contains(path, " parameter ") {
			for _, text := range badTexts(&openapi3.Parameter{Schema: schema.NewRef(), In: openapi3.ParameterInQuery}) {
				bad = append(bad, asParameter(schema, text))
			}
		} else {
			for _, v := range badValues(schema, bodies[path]) {
				bad = append(bad, decoded(t, v.value))
			}
		}
		for keyword, value := range keywords {
			if slices.Contains(annotations, keyword) || strings.HasPrefix(keyword, "x-") ||
				keyword == "nullable" && string(value) == "true" {
				continue
			}
			if keyword == "format" {
				switch string(value) {
				case `"uuid"`:
					require.Contains(t, keywords, "pattern", path)
					continue
				case `"email"`, `"uri"`: // the domain checks these: see textRules
					continue
				}
			}
			if keyword == "type" && string(value) == `"string"` && strings.Contains(path, " parameter ") {
				continue // every text is one
			}
			tried++
			require.True(t, slices.ContainsFunc(bad, func(tried any) bool { return refuses(t, schema, keyword, value, tried) }),
				"%s: nothing is tried that %s refuses", path, keyword)
		}
		if strings.Contains(path, " body") && !schema.Nullable {
			require.Contains(t, bad, nil, path)
		}
	}
	require.Greater(t, tried, 200)
}

// refuses reports whether a schema does not take a value for that keyword alone.
func refuses(t *testing.T, schema *openapi3.Schema, keyword string, rule json.RawMessage, value any) bool {
	t.Helper()
	takes := func(keywords map[string]any) bool {
		encoded, err := json.Marshal(keywords)
		require.NoError(t, err)
		var part openapi3.Schema
		require.NoError(t, json.Unmarshal(encoded, &part))
		if keywords["properties"] != nil { // without the references that the text has
			part.Properties = schema.Properties
		}
		if keywords["items"] != nil {
			part.Items = schema.Items
		}
		return part.VisitJSON(value) == nil
	}
	alone := map[string]any{"type": schema.Type, "nullable": true}
	if keyword == "type" {
		return !takes(alone)
	}
	right := takes(alone)
	alone[keyword] = rule
	return right && !takes(alone)
}

// asParameter is what the validator makes of a parameter's text.
func asParameter(schema *openapi3.Schema, text string) any {
	if schema.Type.Is("string") {
		return text
	}
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	return value
}

// decoded is value as it arrives.
func decoded(t *testing.T, value any) any {
	t.Helper()
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	var arrived any
	require.NoError(t, decoder.Decode(&arrived))
	return arrived
}

// TestBadBodies sends, for each operation and property, every kind of value that the contract refuses.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	before := w.rows(t)
	tried := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
			continue
		}
		schema := op.RequestBody.Value.Content["application/json"].Schema.Value
		t.Run(c.id, func(t *testing.T) {
			for _, bad := range badValues(schema, c.body) {
				tried++
				changed := c.call
				changed.raw = bad.value
				if bad.value == nil {
					changed.raw = "null"
				}
				if _, text := bad.value.(string); text {
					changed.raw = strconv.Quote(bad.value.(string))
				}
				a := w.call(t, c.id, changed)
				require.Equal(t, "invalid_request", a.code(), "%s is %s: %s", bad.field, bad.why, a)
				if bad.field == "" && bad.why != "unknown" {
					bad.field = "body"
				}
				a.requireField(t, 400, bad.field)
				for _, value := range []string{"aaaaaa", "😀😀😀", "text of no use"} {
					require.NotContains(t, string(a.raw), value, "the answer repeats the value")
				}
			}
		})
	}
	require.Greater(t, tried, 500)
	require.Equal(t, before, w.rows(t), "something was stored")
}

// TestBadParameters does the same for what is in the path, the query and the headers.
func TestBadParameters(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	before := w.rows(t)
	tried := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		for _, parameter := range op.Parameters {
			p := parameter.Value
			t.Run(c.id+" "+p.Name, func(t *testing.T) {
				for _, bad := range badTexts(p) {
					if p.In == openapi3.ParameterInHeader && !httpguts.ValidHeaderFieldValue(bad) {
						continue // no client can send it
					}
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
	if schema.Type.Is("boolean") {
		bad = append(bad, "yes", "2", "", "null", "1", "0", "t", "F", "True", "FALSE")
	}
	if schema.MaxLength != nil {
		bad = append(bad, strings.Repeat("a", int(*schema.MaxLength)+1))
	}
	if schema.MinLength > 0 &&
		(schema.MinLength > 1 || p.In == openapi3.ParameterInQuery) { // a path without it is another
		bad = append(bad, strings.Repeat("a", int(schema.MinLength)-1))
	}
	if schema.Pattern != "" {
		form := regexp.MustCompile(schema.Pattern)
		for _, text := range []string{
			"not this way", "%", "%00", "x\x00x", "é😀é", "'; DROP TABLE users; --", "../../etc/passwd", "\xff\xfe\xfd", "abc\n",
		} {
			if !form.MatchString(text) {
				bad = append(bad, text)
			}
		}
	}
	if schema.Format == "uuid" {
		bad = append(bad, "x", "123", strings.ToUpper(unknownID)+"0", unknownID+"0", "{"+unknownID+"}", "urn:uuid:"+unknownID,
			strings.ReplaceAll(unknownID, "-", ""))
	}
	if schema.Format == "date-time" {
		bad = append(bad, "tomorrow", "2030-01-01", "2030-01-01T00:00:00", "2030-02-30T00:00:00Z", "1893456000",
			"2030-01-01T24:00:00Z", "2030-01-01T00:00:00+99:99", "2030-01-01 00:00:00Z", "10000-01-01T00:00:00Z")
		bad = slices.AppendSeq(bad, maps.Values(timesOutOfRange))
	}
	if schema.Type.Is("integer") && p.In == openapi3.ParameterInQuery {
		bad = append(bad, "+5", "05", "-0")
	}
	if schema.Type.Is("integer") {
		bad = append(bad, "0", "-1", "x", "1.5", "1e1x", "0x10", "99999999999999999999999", " ",
			strconv.FormatInt(int64(*schema.Min)-1, 10), strconv.FormatInt(int64(*schema.Max)+1, 10))
	}
	if len(schema.Enum) > 0 {
		bad = append(bad, "original", "thumbnail", "Medium.webp", "../1/medium.webp", "medium.webp ")
	}
	return bad
}

func TestCursorsThatNoListGave(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	for path, name := range map[string]string{
		"/movies?cursor=": "cursor", "/rooms?cursor=": "cursor", "/admin/cleanup/runs?cursor=": "cursor",
		"/admin/reports?cursor=": "cursor", "/chat/messages?room_id=" + w.open + "&before=": "before",
	} {
		for _, bad := range []string{
			"garbage", "x", strings.Repeat("A", 64), strings.Repeat("A", 129), "AAAA", unknownID, "null", "0",
			"AYkAAAAAcACAAAAAAAAerQ",
		} {
			w.do(t, "GET", path+bad, w.admin.token, nil).requireField(t, 400, name)
		}
	}
	// Whatever is wrong with the query is no error of ours.
	for _, query := range []string{
		"?surprise=1", "?limit=", "?limit=1&limit=2", "?cursor=", "?limit=%zz", "?limit=1;cursor=x",
		"?" + strings.Repeat("a=b&", 500),
	} {
		require.Less(t, w.do(t, "GET", "/movies"+query, "", nil).status, 500, query)
	}
}

// rows is the whole content of the database, which a refused request leaves as it is.
func (b *bundle) rows(t testing.TB) map[string]string {
	t.Helper()
	var tables []string
	require.NoError(t, b.store.DB().NewRaw(
		"SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"+
			" AND table_name NOT LIKE 'cache\\_%'").Scan(t.Context(), &tables))
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
