package api

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// freeTexts are the properties of an operation's body that the contract says nothing of but their length.
func (d documented) freeTexts() map[string]*openapi3.Schema {
	found := map[string]*openapi3.Schema{}
	if d.RequestBody == nil || d.RequestBody.Value.Content["application/json"] == nil {
		return found
	}
	for name, property := range d.RequestBody.Value.Content["application/json"].Schema.Value.Properties {
		if s := property.Value; s.Type.Is("string") && len(s.Enum) == 0 && s.Pattern == "" && s.Format == "" {
			found[name] = s
		}
	}
	return found
}

// secretTexts may hold any character; a control character is as good as another there.
var secretTexts = []string{"password", "current_password", "new_password", "refresh_token"}

// TestEveryText sends every kind of text in every text of every operation. What is taken is given back as it was sent;
// what shows nothing or is not text is refused by its name.
func TestEveryText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tried, returned := 0, 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		for name, schema := range op.freeTexts() {
			t.Run(c.id+" "+name, func(t *testing.T) {
				send := func(text string) answer {
					tried++
					changed := c.call
					changed.body = maps.Clone(c.body)
					changed.body[name] = text
					a := w.call(t, c.id, changed)
					require.Less(t, a.status, 500, "%.60q: %s", text, a)
					if got, ok := a.data()[name].(string); ok {
						returned++
						require.Equal(t, strings.TrimSpace(text), strings.TrimSpace(got))
					}
					return a
				}
				for _, kind := range slices.Sorted(maps.Keys(texts)) {
					send(texts[kind])
				}
				if most := schema.MaxLength; most != nil {
					send(strings.Repeat("😀", int(*most)))
					send(strings.Repeat("😀", int(*most)+1)).requireField(t, 400, name)
				}
				lookup := c.id == "login" || c.id == "requestPasswordReset" // which tell nothing of an address
				if slices.Contains(secretTexts, name) || lookup {
					send("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
					return
				}
				for _, control := range []string{"a\x00bc@d.e", "a\x07bc", "a\u0085bc"} {
					send(control).requireField(t, 400, name)
				}
				if schema.MinLength > 0 {
					send("\u200b\u200b\u200b").requireField(t, 400, name)
				}
			})
		}
	}
	require.Greater(t, tried, 300)
	require.Greater(t, returned, 60)
}
