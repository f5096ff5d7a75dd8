package api

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http/httpguts"
)

// FuzzRequests: whatever arrives, of any operation, is answered as the contract says, and never with a 5xx. What the
// requests did stays until the fixture is built anew, so a failure may need those before it.
func FuzzRequests(f *testing.F) {
	asked := map[string]bool{}
	for _, s := range seeds(f) {
		f.Add(s.op, s.target, s.headers, s.body, s.contentType)
		asked[operationOf(s.op)] = true
	}
	for id := range operations() {
		require.True(f, asked[id], "%s has no seed", id)
	}
	g := &ground{}
	f.Cleanup(func() { g.end(f) })
	f.Fuzz(func(t *testing.T, op uint8, target string, headers, body []byte, contentType string) {
		g.prepare(t)
		r := g.request(t, input{op, target, headers, body, contentType})
		if r == nil {
			return
		}
		a := g.fixture.serve(t, r)
		require.Empty(t, g.fixture.logs.records(t, "handler panicked"))
		require.Less(t, a.status, 500, "%s %s: %v", r.Method, r.URL, g.fixture.logs.records(t, "request failed"))
		if a.code() == "invalid_request" {
			require.NotEmpty(t, a.fields(), a)
		}
		g.forget(t)
	})
}

// TestFuzzedRequestsGetThrough: the seeds are requests that succeed, not ones that the first check refuses.
func TestFuzzedRequestsGetThrough(t *testing.T) {
	t.Parallel()
	g := &ground{}
	t.Cleanup(func() { g.end(t) })
	g.prepare(t)
	asked := map[string]bool{}
	for _, s := range seeds(t) {
		id := operationOf(s.op)
		if asked[id] { // the others are odd
			continue
		}
		asked[id] = true
		a := g.fixture.serve(t, g.request(t, s))
		require.Equal(t, operations()[id].success(), a.status, "%s: %s", id, a)
	}
	for id := range operations() {
		require.True(t, asked[id], "%s has no seed", id)
	}
}

// input is a request in parts, so that all but the operation can be broken. Where it has the name of one of the
// fixture's variables in braces, its value is sent.
type input struct {
	op          uint8  // modulo their number, by the order of their IDs
	target      string // the path's parameters with slashes between them, and the query after a question mark
	headers     []byte // lines
	body        []byte
	contentType string
}

func operationOf(op uint8) string {
	ids := slices.Sorted(maps.Keys(operations()))
	return ids[int(op)%len(ids)]
}

// variables are what differs from one fixture to the next, and the fixture's calls are asked with.
func (w *completeFixture) variables() map[string]*string {
	return map[string]*string{
		"{alice}":          &w.file.UserID,
		"{frank}":          &w.frank.id,
		"{refresh}":        &w.alice.refresh,
		"{session}":        &w.session,
		"{eve's session}":  &w.eveSession,
		"{movie}":          &w.movie,
		"{unused}":         &w.unused,
		"{open}":           &w.open,
		"{private}":        &w.private,
		"{doomed}":         &w.doomed,
		"{message}":        &w.message,
		"{run}":            &w.run,
		"{waiting}":        &w.waiting,
		"{retired}":        &w.retired,
		"{report}":         &w.report,
		"{activity}":       &w.activity,
		"{activity_token}": &w.activityToken,
		"{verification}":   &w.verification,
		"{reset}":          &w.reset,
		"{accept}":         &w.accept,
		"{decline}":        &w.decline,
		"{revoke}":         &w.revoke,
		"{opt_out}":        &w.optOut,
		"{spam}":           &w.spam,
		"{abuse}":          &w.abuse,
		"{eve}":            &w.eve.id,
		"{admin}":          &w.admin.id,
		"{job}":            &w.job,
		"{event}":          &w.event,
		"{sent}":           &w.sent,
		"{queued}":         &w.queued,
		"{hook}":           &w.hook,
		"{unused_hook}":    &w.unusedHook,
		"{delivery}":       &w.delivery,
		"{queued_first}":   &w.queued1,
		"{party}":          &w.party,
		"{other_party}":    &w.party2,
		"{streamed}":       &w.streamed,
		"{queued_second}":  &w.queued2,
		"{to_bob}":         &w.toBob,
		"{also_to_bob}":    &w.alsoToBob,
	}
}

var pathParameter = regexp.MustCompile(`\{\w+\}`)

// seeds are a request of each operation that succeeds, in an order in which each does, and then odd ones.
func seeds(t testing.TB) []input {
	sketch := &completeFixture{bundle: &bundle{logs: &logs{secrets: map[string]bool{}}}}
	for name, value := range sketch.variables() {
		*value = name
	}
	sketch.alice.email, sketch.alice.password, sketch.bob.email = "alice@example.org", password, "bob@example.org"
	ids := slices.Sorted(maps.Keys(operations()))
	var right, odd []input
	bodies := slices.Concat(notJSON(50), slices.Sorted(maps.Values(texts)))
	headers := []string{
		"Idempotency-Key: 0123456789",
		"If-Match: \"1\", W/\"2\"",
		"If-None-Match: *",
		"Range: bytes=0-3,-1",
		"Authorization: Bearer x.y.z",
		"Authorization: Basic eDp5",
		"X-Forwarded-For: 1.2.3.4, ::1",
		"Origin: https://other.example",
		"User-Agent: \xff\xfe",
		"Accept-Encoding: gzip",
	}
	calls := sketch.calls()
	// Refresh and logout come first: the session that they are of is not the one that asks, which ends all others.
	calls = slices.Concat(calls[len(calls)-2:], calls[:len(calls)-2])
	for i, c := range calls {
		if c.body["until"] != nil {
			c.body["until"] = "{soon}"
		}
		s := input{op: uint8(slices.Index(ids, c.id))}
		params := copied(c.params)
		var path []string
		for _, name := range pathParameter.FindAllString(operations()[c.id].path, -1) {
			name = strings.Trim(name, "{}")
			path = append(path, params[name])
			delete(params, name)
		}
		s.target = strings.Join(path, "/")
		separator := "?"
		for name, value := range params {
			s.target += separator + name + "=" + value
			separator = "&"
		}
		switch {
		case c.file != nil:
			s.body, s.contentType = form(t, sketch.upload(t, "", part{"avatar", "me.png", "image/png", c.file}))
		case c.body != nil:
			var err error
			s.body, err = json.Marshal(c.body)
			require.NoError(t, err)
			s.contentType = "application/json"
		}
		right = append(right, s)
		s.headers = []byte(headers[i%len(headers)] + "\r\n")
		s.target += "?limit=2&cursor=AYkAAAAAcACAAAAAAAAerQ&q=a%20b&after=x"
		if c.body != nil {
			s.body = []byte(bodies[i%len(bodies)])
		}
		odd = append(odd, s)
	}
	return append(right, odd...)
}

// form is an upload's body and type with a boundary that is always the same.
func form(t testing.TB, r *http.Request) ([]byte, string) {
	t.Helper()
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	require.NoError(t, err)
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return bytes.ReplaceAll(body, []byte(params["boundary"]), []byte("x")), "multipart/form-data; boundary=x"
}

// ground is a fixture for many requests.
type ground struct {
	life    *lifetime
	fixture *completeFixture
	values  *strings.Replacer
	tokens  map[string]string // by operation
	secrets map[string]bool
	served  int
}

// fixtureRequests is the number of requests after which a fixture is built anew: before its tokens expire, and before a
// room, a list or an export is so full that it takes long.
const fixtureRequests = 10_000

func (g *ground) prepare(t testing.TB) {
	g.served++
	if g.fixture != nil && g.served%fixtureRequests != 0 {
		return
	}
	g.end(t)
	g.life = &lifetime{TB: t}
	g.fixture = newCompleteFixture(g.life)
	pairs := []string{"{soon}", time.Now().Add(30 * time.Minute).UTC().Format(time.RFC3339)}
	for name, value := range g.fixture.variables() {
		pairs = append(pairs, name, *value)
	}
	g.values = strings.NewReplacer(pairs...)
	// Most ask as Alice: that must go on after the session with the refresh token has ended.
	g.fixture.alice.token = g.fixture.signInAgain(t, g.fixture.alice)
	g.tokens = map[string]string{}
	for _, c := range g.fixture.calls() {
		g.tokens[c.id] = c.token
	}
	g.secrets = maps.Clone(g.fixture.logs.secrets)
	g.forget(t)
}

// forget drops what was logged, in which there was none of the fixture's secrets. Those of the request are not looked
// for: they may be any word.
func (g *ground) forget(t testing.TB) {
	g.fixture.logs.secrets = maps.Clone(g.secrets)
	g.fixture.logs.requireNoSecrets(t)
	g.fixture.logs.text.Reset()
}

func (g *ground) end(t testing.TB) {
	if g.life != nil {
		g.life.end(t)
		g.life = nil
	}
}

// request is what in stands for, as a server gets it, nil where net/http answers by itself.
func (g *ground) request(t testing.TB, in input) *http.Request {
	id := operationOf(in.op)
	op := operations()[id]
	params, query, _ := strings.Cut(g.values.Replace(in.target), "?")
	path := pathParameter.ReplaceAllStringFunc(op.path, func(string) string {
		var first string
		first, params, _ = strings.Cut(params, "/")
		return first
	})
	target := basePath + path + "?" + query
	if _, err := url.ParseRequestURI(target); err != nil || strings.ContainsAny(target, " \r\n") {
		return nil
	}
	r, err := http.NewRequestWithContext(t.Context(), op.method, "http://party.example"+target,
		strings.NewReader(g.values.Replace(string(in.body))))
	if err != nil {
		return nil
	}
	r.GetBody, r.RequestURI = nil, target // as a server has it
	r.RemoteAddr = "192.0.2.1:1234"
	if token := g.tokens[id]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for line := range strings.Lines(string(in.headers)) {
		name, value, _ := strings.Cut(line, ":")
		value = textproto.TrimString(value)
		if httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value) {
			r.Header.Set(name, value)
		}
	}
	if httpguts.ValidHeaderFieldValue(in.contentType) {
		r.Header.Set("Content-Type", in.contentType)
	}
	return r
}

// signInAgain signs p in once more.
func (b *bundle) signInAgain(t testing.TB, p person) string {
	t.Helper()
	a := b.do(t, "POST", "/auth/login", "", map[string]any{"email": p.email, "password": p.password})
	require.Equal(t, 200, a.status, a)
	return a.data()["access_token"].(string)
}

// lifetime is a test of which a part ends before the whole does.
type lifetime struct {
	testing.TB
	ends []func()
}

// Cleanup is for end.
func (l *lifetime) Cleanup(f func()) { l.ends = append(l.ends, f) }

// end reports to t: the test in which the lifetime began may be over.
func (l *lifetime) end(t testing.TB) {
	l.TB = t
	for _, f := range slices.Backward(l.ends) {
		f()
	}
}
