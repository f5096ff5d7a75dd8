package api

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// TestWhatIsNotAskedForIsIgnored: each operation succeeds with it as it does without.
func TestWhatIsNotAskedForIsIgnored(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 8<<10)
	for name, add := range map[string]func(documented, *http.Request){
		"headers of 8 KB": func(_ documented, r *http.Request) {
			for _, header := range []string{
				"X-Surprise", "User-Agent", "Cookie", "Accept", "Accept-Language", "Referer", "X-Request-Id", "X-Forwarded-For",
			} {
				r.Header.Set(header, long)
			}
		},
		"body": func(op documented, r *http.Request) {
			if op.RequestBody == nil {
				const body = `{"surprise": 1}`
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
				r.Header.Set("Content-Type", "application/json")
			}
		},
		"chunked body": func(op documented, r *http.Request) {
			if op.RequestBody == nil {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(long)), -1
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newCompleteFixture(t)
			for _, c := range w.calls() {
				op := operations()[c.id]
				r := w.build(t, op, c.call)
				add(op, r)
				a := w.send(t, r)
				require.Equal(t, op.success(), a.status, "%s: %s", c.id, a)
			}
		})
	}
}

// TestLongThings: values of 8 or 10 KB in validated places are refused, with the name of the place if it has one.
func TestLongThings(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	before := w.rows(t)
	long := strings.Repeat("a", 10<<10)
	parameters := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		t.Run(c.id, func(t *testing.T) {
			for _, parameter := range op.Parameters {
				p := parameter.Value
				parameters++
				changed := c.call
				changed.params = copied(c.params)
				if p.In != openapi3.ParameterInHeader {
					changed.params[p.Name] = long
				}
				r := w.build(t, op, changed)
				if p.In == openapi3.ParameterInHeader {
					r.Header.Set(p.Name, long[:8<<10])
				}
				a := w.send(t, r)
				if p.Schema.Value.MaxLength == nil && p.In == openapi3.ParameterInHeader { // Range
					require.Less(t, a.status, 500, a)
					continue
				}
				a.requireField(t, 400, p.Name)
			}
			r := w.build(t, op, c.call)
			r.URL.Path += "/" + long // the router may take it for a parameter of another
			a := w.send(t, r)
			require.Contains(t, []int{400, 404, 405}, a.status, a)
			if op.takesToken() {
				r := w.build(t, op, c.call)
				r.Header.Set("Authorization", "Bearer "+long[:8<<10])
				w.send(t, r).requireProblem(t, 401, "unauthenticated")
			}
		})
	}
	require.Greater(t, parameters, 80)
	require.Equal(t, before, w.rows(t), "something was stored")
}

// TestRepeatedParameters: a parameter that is given twice is refused, with its name.
func TestRepeatedParameters(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	before := w.rows(t)
	tried := 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		for _, parameter := range op.Parameters {
			p := parameter.Value
			if p.In == openapi3.ParameterInPath || slices.Contains(listHeaders, p.Name) {
				continue
			}
			t.Run(c.id+" "+p.Name, func(t *testing.T) {
				tried++
				value := rightParameter(p.Schema.Value)
				r := w.build(t, op, c.call)
				if p.In == openapi3.ParameterInHeader {
					r.Header[http.CanonicalHeaderKey(p.Name)] = []string{value, value}
				} else {
					query := r.URL.Query()
					query[p.Name] = []string{value, value}
					r.URL.RawQuery = query.Encode()
				}
				w.send(t, r).requireField(t, 400, p.Name)
			})
		}
	}
	require.Greater(t, tried, 50)
	require.Equal(t, before, w.rows(t), "something was stored")
}

func rightParameter(schema *openapi3.Schema) string {
	switch {
	case len(schema.Enum) > 0:
		return schema.Enum[0].(string)
	case schema.Type.Is("integer"):
		return strconv.Itoa(int(*schema.Min))
	case schema.Type.Is("boolean"):
		return "true"
	case schema.Format == "uuid":
		return unknownID
	}
	return "AYkAAAAAcACAAAAAAAAerQ" // also in the form of a cursor
}
