package api

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notText are bytes in JSON strings that stand for no text: encoding/json makes U+FFFD of each.
var notText = map[string]string{
	"Latin-1":                       "caf\xe9",
	"a lone continuation":           "a\x80b",
	"an overlong slash":             "a\xc0\xafb",
	"half a character":              "a\xe2\x82",
	"a surrogate in UTF-8":          "a\xed\xa0\x80b",
	"beyond Unicode":                "a\xf5\x80\x80\x80",
	"UTF-16":                        "\xff\xfea",
	"a high surrogate":              `a\ud800b`,
	"a low surrogate":               `a\udc00`,
	"surrogates in the wrong order": `\udc00\ud800`,
}

// TestBytesThatAreNoText sends them as each string of each operation's body, of its path and of its query.
func TestBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	before := w.rows(t)
	bodies, addresses := 0, 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.RequestBody != nil && op.RequestBody.Value.Content["application/json"] != nil {
			body := op.RequestBody.Value.Content["application/json"].Schema.Value
			for _, name := range slices.Sorted(maps.Keys(body.Properties)) {
				for why, text := range notText {
					bodies++
					changed := c.call
					changed.raw = withRaw(t, c.body, name, `"`+text+`"`)
					a := w.call(t, c.id, changed)
					a.requireField(t, 400, name)
					require.Equal(t, "invalid_request", a.code(), "%s %s: %s: %s", c.id, name, why, a)
				}
			}
			changed := c.call
			changed.raw = "{\"a\xff\": 1}"
			w.call(t, c.id, changed).requireField(t, 400, "body")
		}
		for _, parameter := range op.Parameters {
			name := parameter.Value.Name
			if parameter.Value.In != "path" && parameter.Value.In != "query" {
				continue
			}
			addresses++
			for _, escaped := range []string{"%E9", "%ff", "a%C0%AFb", "%ed%a0%80"} {
				changed := c.call
				changed.params = maps.Clone(c.params)
				if changed.params == nil {
					changed.params = map[string]string{}
				}
				changed.params[name] = "not-text"
				r := w.build(t, op, changed)
				address, err := url.Parse(strings.Replace(r.URL.String(), "not-text", escaped, 1))
				require.NoError(t, err)
				r.URL = address
				w.send(t, r).requireField(t, 400, name)
			}
		}
	}
	require.Greater(t, bodies, 500)
	require.Greater(t, addresses, 60)
	require.Equal(t, before, w.rows(t), "something was stored")
}

// withRaw is the body with one property that encoding/json would not write.
func withRaw(t *testing.T, body map[string]any, name, raw string) string {
	t.Helper()
	changed := copied(body)
	changed[name] = "\x00here"
	encoded, err := json.Marshal(changed)
	require.NoError(t, err)
	return strings.Replace(string(encoded), `"\u0000here"`, raw, 1)
}

func TestJSONThatReadersDisagreeOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	before := b.rows(t)
	for body, field := range map[string]string{
		`{"name": "One", "name": "Two"}`:               "name",
		`{"name": "One", "n\u0061me": "Two"}`:          "name",
		`{"name": "One"} {"name": "Two"}`:              "body",
		`{"name": "One", "capacity": 1, "capacity":2}`: "capacity",
	} {
		b.do(t, "POST", "/rooms", alice.token, body).requireField(t, 400, field)
	}
	require.Equal(t, before, b.rows(t), "something was stored")
}

func TestQueriesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, query := range []string{"q=%zz", "q=%", "q=a;b=c", "%E9=1", "q=a%2"} {
		r := b.request(t, "GET", "/movies", "", nil)
		r.URL.RawQuery = query
		b.send(t, r).requireField(t, 400, "query")
	}
}

func TestUploadsNamesAreText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	before := b.rows(t)
	for field, p := range map[string]part{
		"avatar": {"avatar", "caf\xe9.png", "image/png", picture(2, 2)},
		"body":   {"avat\xe9r", "me.png", "image/png", picture(2, 2)},
	} {
		b.send(t, b.upload(t, alice.token, p)).requireField(t, 400, field)
	}
	require.Equal(t, before, b.rows(t), "something was stored")
}
