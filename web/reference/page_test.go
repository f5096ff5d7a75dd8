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

func contractPage(t *testing.T) string {
	t.Helper()
	contract, err := os.ReadFile("../../api/openapi.yaml")
	require.NoError(t, err)
	page, err := Page(contract, "/problems")
	require.NoError(t, err)
	return string(page)
}

// TestPageOfTheContract: every operation is there once, links lead somewhere, examples are JSON.
func TestPageOfTheContract(t *testing.T) {
	t.Parallel()
	contract, err := os.ReadFile("../../api/openapi.yaml")
	require.NoError(t, err)
	page := contractPage(t)
	operations := regexp.MustCompile(`operationId: (\w+)`).FindAllStringSubmatch(string(contract), -1)
	require.Greater(t, len(operations), 100)
	for _, operation := range operations {
		require.Equal(t, 1, strings.Count(page, `<article id="`+operation[1]+`"`), operation[1])
	}
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		require.False(t, ids[id[1]], "the id %s is there twice", id[1])
		ids[id[1]] = true
	}
	for _, link := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		require.True(t, ids[link[1]], link[1])
	}
	examples := regexp.MustCompile(`(?s)<pre><code>(\{.*?)</code></pre>`).FindAllStringSubmatch(page, -1)
	require.Greater(t, len(examples), 100)
	for _, example := range examples {
		require.True(t, json.Valid([]byte(html.UnescapeString(example[1]))), example[1])
	}
	require.NotRegexp(t, `<script>|style="|(src|href)="(https?:)?//[^"]+\.(js|css)`, page)
}

// TestProblemsAreLinks: the page leads from each code of a problem to what explains it.
func TestProblemsAreLinks(t *testing.T) {
	t.Parallel()
	page := contractPage(t)
	answers := regexp.MustCompile(`(?s)<li><b class="status">4\d\d</b>.*?</li>`).FindAllString(page, -1)
	require.Greater(t, len(answers), 500)
	for _, answer := range answers {
		require.Regexp(t, `<a href="/problems#([a-z_]+)"><code>[a-z_]+</code></a>`, answer)
		require.NotRegexp(t, `[^>]<code>[a-z_]+</code>`, answer)
	}
	require.Contains(t, page, `<span class="limit">one of <a href="/problems#account_suspended">`)
	for _, link := range regexp.MustCompile(`href="/problems#([a-z_]+)"><code>([a-z_]+)</code>`).FindAllStringSubmatch(page, -1) {
		require.Equal(t, link[1], link[2])
	}
}

const small = `
openapi: 3.0.3
info: {title: Small, version: '1', description: 'Some <b>text</b> and ` + "`code`" + `.'}
servers: [{url: /api}]
tags: [{name: things, description: Things}]
paths:
  /things/{id}:
    put:
      operationId: putThing
      x-role: user
      tags: [things]
      summary: Put a thing
      parameters: [{$ref: '#/components/parameters/ID'}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses:
        '200': {description: The thing, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
components:
  parameters:
    ID: {name: id, in: path, required: true, description: Which one, schema: {type: integer, minimum: 1, maximum: 9}}
  schemas:
    Thing:
      type: object
      required: [zeta, alpha]
      properties:
        zeta: {type: string, minLength: 2, maxLength: 5, nullable: true}
        alpha: {type: array, items: {$ref: '#/components/schemas/Kind'}}
        made_at: {type: string, format: date-time, readOnly: true}
        size: {$ref: '#/components/schemas/Size'}
        parent: {$ref: '#/components/schemas/Thing'}
    Kind: {type: string, enum: [big, small]}
    Size: {type: integer, minimum: 1, maximum: 7, description: In metres, example: 7}
`

func TestPage(t *testing.T) {
	t.Parallel()
	raw, err := Page([]byte(small), "/problems")
	require.NoError(t, err)
	page := string(raw)
	text := strings.Join(
		strings.Fields(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " "))),
		" ",
	)
	for what, want := range map[string]string{
		"access":                "PUT /api/things/{id} Needs sign-in",
		"parameter":             "id integer required 1 to 9 Which one",
		"order of the document": "zeta string or null required 2 to 5 characters alpha array of Kind required",
		"enum":                  "Kind string one of big , small",
		"example of a request":  `application/json : Thing Example { "zeta": "text", "alpha": [ "big" ] }`,
		"reference":             "size Size 1 to 7 In metres",
		"example of an answer":  `"made_at": "2026-01-31T20:15:00Z", "size": 7, "parent": {} }`,
	} {
		require.Contains(t, text, want, what)
	}
	require.Contains(t, page, `<code>code</code>`)
	require.NotContains(t, page, `<b>text</b>`, "no HTML of the document")

	t.Run("what is no document", func(t *testing.T) {
		for _, text := range []string{"", "- list", "a: [", "paths: {/x: {get: {tags: [none]}}}"} {
			_, err := Page([]byte(text), "/problems")
			require.Error(t, err, text)
		}
	})
}
