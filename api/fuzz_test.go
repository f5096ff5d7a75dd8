package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http/httpguts"
)

// FuzzRequests: whatever is sent to an operation, the answer is one that the contract allows and no failure of ours.
// Where an input is empty, the operation's own valid one stands for it, so that the fuzzer gets past the first check.
func FuzzRequests(f *testing.F) {
	w := newWorld(f)
	calls := w.calls()
	for i, c := range calls {
		f.Add(uint8(i), "", "", "", []byte(nil), "")
		op := operations()[c.id]
		if len(op.Parameters) > 0 {
			f.Add(uint8(i), unknownID, "limit=0&cursor=x", "\"1-x\"", []byte(nil), "")
			f.Add(uint8(i), "%00", "q=%ff&limit=1&limit=2", "x\ty", []byte(nil), "")
		}
		if op.RequestBody != nil {
			for _, body := range []string{`{`, `null`, `[]`, `{"a":1e999}`, "{\"name\":\"\\ud800\\u0000\"}", "\xff\xfe{}", `{"until":"2030-02-30T00:00:00Z"}`} {
				f.Add(uint8(i), "", "", "", []byte(body), "application/json")
			}
			f.Add(uint8(i), "", "", "", []byte("x=1"), "multipart/form-data; boundary=x")
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, param, query, header string, body []byte, contentType string) {
		if len(calls) <= int(i) || len(param)+len(query)+len(header) > 16<<10 {
			return
		}
		c := calls[i]
		r := w.build(t, operations()[c.id], wild(c.call, operations()[c.id], param, body))
		if query != "" {
			r.URL.RawQuery = query
		}
		if contentType != "" && httpguts.ValidHeaderFieldValue(contentType) {
			r.Header.Set("Content-Type", contentType)
		}
		if header != "" && httpguts.ValidHeaderFieldValue(header) {
			for _, name := range []string{"Idempotency-Key", "If-Match", "If-None-Match", "Range", "User-Agent"} {
				r.Header.Set(name, header)
			}
		}
		a := w.serve(t, r)
		require.NotEqual(t, http.StatusInternalServerError, a.status, "%s %s: %s", r.Method, r.URL, a)
		require.Empty(t, w.logs.records(t, "handler panicked"))
		w.logs.requireNoSecrets(t)
		w.logs.clear()
	})
}

// wild is the call with what the fuzzer says in place of what is valid.
func wild(c call, op documented, param string, body []byte) call {
	if param != "" {
		c.params = copied(c.params)
		for name := range c.params {
			if strings.Contains(op.path, "{"+name+"}") {
				c.params[name] = param
			}
		}
	}
	if body != nil {
		c.raw, c.file = string(body), nil
	}
	return c
}

// TestFuzzRequestsKnowsEveryOperation: the seeds are the world's calls, of which there is one for each.
func TestFuzzRequestsKnowsEveryOperation(t *testing.T) {
	t.Parallel()
	w := &world{}
	require.Less(t, len(w.calls()), 256)
	var ids []string
	for _, c := range w.calls() {
		ids = append(ids, c.id)
	}
	for id := range operations() {
		require.True(t, slices.Contains(ids, id), id)
	}
}
