package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// TestAnswersHaveOneShape: every JSON answer has its content in `data`. Only lists have `next_cursor`, and only cached
// reads have `_cached`.
func TestAnswersHaveOneShape(t *testing.T) {
	t.Parallel()
	answers := 0
	for id, op := range operations() {
		for status, response := range op.Responses.Map() {
			media := response.Value.Content["application/json"]
			if media == nil {
				continue
			}
			answers++
			schema := media.Schema.Value
			where := id + " " + status
			name := media.Schema.Ref[strings.LastIndex(media.Schema.Ref, "/")+1:]
			require.Regexp(t, `(Answer|List)$`, name, where)
			want := []string{"data"}
			data := schema.Properties["data"]
			require.NotNil(t, data, where)
			if data.Value.Type.Is(openapi3.TypeArray) {
				want = append(want, "next_cursor")
			}
			if response.Value.Headers["X-Cache"] != nil {
				want = append(want, "_cached")
			}
			if schema.Properties["newer_cursor"] != nil {
				require.Equal(t, "listMessages", id, where)
				want = append(want, "newer_cursor", "updates_cursor")
			}
			required, properties := slices.Sorted(slices.Values(schema.Required)), make([]string, 0, len(schema.Properties))
			for property := range schema.Properties {
				properties = append(properties, property)
			}
			require.ElementsMatch(t, want, required, where)
			require.ElementsMatch(t, want, properties, where)
		}
	}
	require.Greater(t, answers, 70)
}
