package reference

import (
	"encoding/json"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLivePage: every message of the contract is there once, with its examples; links lead somewhere.
func TestLivePage(t *testing.T) {
	t.Parallel()
	contract, err := os.ReadFile("../../api/live.yaml")
	require.NoError(t, err)
	raw, err := LivePage(contract)
	require.NoError(t, err)
	page := string(raw)
	messages := regexp.MustCompile(`\$ref: '#/components/messages/(\w+)'`).FindAllStringSubmatch(string(contract), -1)
	require.Greater(t, len(messages), 20)
	for _, message := range messages {
		require.Equal(t, 1, strings.Count(page, `<article id="`+message[1]+`"`), message[1])
	}
	examples := regexp.MustCompile(`(?s)<pre><code>(\{.*?)</code></pre>`).FindAllStringSubmatch(page, -1)
	require.Len(t, examples, strings.Count(string(contract), "- payload:"))
	for _, example := range examples {
		require.True(t, json.Valid([]byte(html.UnescapeString(example[1]))), example[1])
	}
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		require.False(t, ids[id[1]], "the id %s is there twice", id[1])
		ids[id[1]] = true
	}
	for _, link := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		require.True(t, ids[link[1]], link[1])
	}
	text := strings.Join(
		strings.Fields(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " "))), " ")
	for what, want := range map[string]string{
		"address":                        "GET /api/rooms/{room_id}/live",
		"limit":                          "frame bytes 4096 The largest message from a client.",
		"close code":                     "4401 unauthenticated connect again: after a refresh of the token",
		"name of a message":              "t string required one of hello",
		"property with limits":           "position_ms Position required",
		"property behind a reference":    "Rises by one with each change",
		"what may be null is said to be": "media Media or null required",
	} {
		require.Contains(t, text, want, what)
	}
	require.NotRegexp(t, `<script>|style="|(src|href)="(https?:)?//[^"]+\.(js|css)`, page)

	t.Run("what is no document", func(t *testing.T) {
		for _, text := range []string{"", "- list", "a: [", "channels: {a: {}, b: {}}",
			"channels: {a: {}}\noperations: {b: {messages: [{$ref: '#/none'}]}}"} {
			_, err := LivePage([]byte(text))
			require.Error(t, err, text)
		}
	})
}
