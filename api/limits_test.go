package api

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/limit"
)

// number is a header's value.
func (a answer) number(t testing.TB, header string) int {
	t.Helper()
	n, err := strconv.Atoi(a.header.Get(header))
	require.NoError(t, err, "%s in %v", header, a.header)
	return n
}

func (a answer) requireLimited(t testing.TB, limit int) {
	t.Helper()
	a.requireProblem(t, 429, "rate_limited")
	require.GreaterOrEqual(t, a.number(t, "Retry-After"), 1)
	require.Equal(t, limit, a.number(t, "RateLimit-Limit"))
	require.Zero(t, a.number(t, "RateLimit-Remaining"))
	require.GreaterOrEqual(t, a.number(t, "RateLimit-Reset"), a.number(t, "Retry-After"))
}

func (a answer) requireNotCounted(t testing.TB) {
	t.Helper()
	require.NotEqual(t, 429, a.status)
	for _, header := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"} {
		require.NotContains(t, a.header, http.CanonicalHeaderKey(header))
	}
}

// unknownSession is a body that costs next to nothing: a session that is not there.
var unknownSession = map[string]any{"refresh_token": strings.Repeat("x", 43)}

func TestRules(t *testing.T) {
	t.Parallel()
	var cfg config.Config
	cfg.RateLimit = config.RateLimit{SignIn: 1, SignInFailures: 2, Emails: 3, Writes: 4, Reads: 5, Exports: 6}
	l := newLimits(cfg, nil, nil)
	require.Equal(t, limit.Rule{Name: "sign-in", Rate: 1, Period: time.Minute}, l.signIn)
	require.Equal(t, limit.Rule{Name: "guesses", Rate: 2, Period: 15 * time.Minute}, l.guesses)
	require.Equal(t, limit.Rule{Name: "guesses-of-strangers", Rate: 100, Period: time.Hour}, l.strangers)
	require.Equal(t, limit.Rule{Name: "passwords", Rate: 20, Period: time.Hour}, l.passwords)
	require.Equal(t, limit.Rule{Name: "exports", Rate: 6, Period: time.Hour}, l.exports)
	require.Equal(t, limit.Rule{Name: "writes", Rate: 4, Period: time.Minute}, l.writes)
	require.Equal(t, limit.MaxWait, l.wait)
}

func TestWritesAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t, limited(func(n *config.RateLimit) { n.Writes = 3 }))
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	for i := range 3 {
		a := b.do(t, "POST", "/rooms", alice.token, map[string]any{"name": "A room"})
		require.Equal(t, 201, a.status, a)
		require.Equal(t, []int{3, 2 - i}, []int{a.number(t, "RateLimit-Limit"), a.number(t, "RateLimit-Remaining")})
		require.InDelta(t, 1200*(i+1), a.number(t, "RateLimit-Reset"), 60)
		require.Empty(t, a.header.Get("Retry-After"))
	}
	for _, method := range []string{"POST", "PATCH", "PUT", "DELETE"} { // whatever is asked, and before it is looked at
		b.do(t, method, "/users/me", alice.token, "{").requireLimited(t, 3)
	}
	a := b.do(t, "POST", "/rooms", alice.token, map[string]any{"name": "A room"})
	a.requireLimited(t, 3)
	require.InDelta(t, 1200, a.number(t, "Retry-After"), 60)

	require.Equal(t, 200, b.do(t, "GET", "/rooms", alice.token, nil).status, "reads count apart")
	require.Equal(
		t, 201, b.do(t, "POST", "/rooms", bob.token, map[string]any{"name": "A room"}).status, "an account of its own",
	)

	t.Run("without a valid token the address counts", func(t *testing.T) {
		for _, token := range []string{"", "x", alice.token + "x"} {
			a := b.do(t, "POST", "/rooms", token, map[string]any{"name": "A room"})
			a.requireProblem(t, 401, "unauthenticated")
			require.Equal(t, 3, a.number(t, "RateLimit-Limit"))
		}
		b.do(t, "POST", "/rooms", "", map[string]any{"name": "A room"}).requireLimited(t, 3)
		b.do(t, "POST", "/rooms", "y", map[string]any{"name": "A room"}).requireLimited(t, 3)
		require.Equal(t, 201, b.do(t, "POST", "/rooms", bob.token, map[string]any{"name": "A room"}).status)
	})
	t.Run("an unlucky browser can read why", func(t *testing.T) {
		r := b.request(t, "POST", "/rooms", "", nil)
		r.Header.Set("Origin", "https://front-end.example")
		a := b.send(t, r)
		a.requireLimited(t, 3)
		require.Equal(t, "*", a.header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, a.header.Get("Access-Control-Expose-Headers"), "Retry-After")
	})
}

// After the time that a refusal announces, one more is allowed.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway, limited(func(n *config.RateLimit) { n.Writes = 60 }),
		func(s *settings) { s.limitPeriod = time.Minute })
	for range 1000 {
		a := b.do(t, "POST", "/rooms", "", nil)
		if a.status == 401 {
			continue
		}
		a.requireLimited(t, 60)
		require.Equal(t, 1, a.number(t, "Retry-After"))
		<-time.After(time.Second)
		b.do(t, "POST", "/rooms", "", nil).requireProblem(t, 401, "unauthenticated")
		return
	}
	require.Fail(t, "never limited")
}

func TestSignInIsLimited(t *testing.T) {
	t.Parallel()
	b := setup(t, limited(func(n *config.RateLimit) { n.SignIn = 3 }))
	alice := b.user(t, "alice")
	for _, path := range []string{"/auth/refresh", "/auth/login", "/auth/logout"} {
		require.Equal(t, 3, b.do(t, "POST", path, "", unknownSession).number(t, "RateLimit-Limit"), "all count together")
	}
	b.do(t, "POST", "/auth/refresh", "", unknownSession).requireLimited(t, 3)
	b.do(t, "POST", "/auth/register", "", "{").requireLimited(t, 3)
	b.do(t, "POST", "/auth/logout", alice.token, unknownSession).requireLimited(t, 3)
	require.Equal(
		t, 201, b.do(t, "POST", "/rooms", alice.token, map[string]any{"name": "A room"}).status, "other writes count apart",
	)
}

func TestReadsAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t, limited(func(n *config.RateLimit) { n.Reads = 1 }))
	alice := b.user(t, "alice")
	for i := range 50 {
		token := []string{"", alice.token, "x"}[i%3] // the address counts, whoever asks
		path := []string{"/movies", "/nowhere"}[i%2]
		a := b.do(t, "GET", path, token, nil)
		require.Equal(t, 2, a.number(t, "RateLimit-Limit"), "twice as many at once")
		if a.status != 429 {
			continue
		}
		require.GreaterOrEqual(t, i, 2)
		a.requireLimited(t, 2)
		return
	}
	require.Fail(t, "never limited")
}

func TestWhatIsNeverLimited(t *testing.T) {
	t.Parallel()
	b := setup(t, limited(func(n *config.RateLimit) { n.Reads, n.Writes, n.SignIn = 1, 1, 1 }))
	for range 10 {
		for _, path := range []string{"/health", "/health/live", "/health/ready", "/docs/", "/openapi.yaml"} {
			b.do(t, "GET", path, "", nil).requireNotCounted(t)
		}
		for _, path := range []string{"/health", "/docs/", "/openapi.yaml"} { // at the root, too
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			b.serve(t, r).requireNotCounted(t)
		}
		for _, path := range []string{"/movies", "/rooms", "/auth/login"} {
			r := b.request(t, "OPTIONS", path, "", nil)
			r.Header.Set("Origin", "https://front-end.example")
			r.Header.Set("Access-Control-Request-Method", "POST")
			w := httptest.NewRecorder()
			b.server.ServeHTTP(w, r)
			a := answer{status: w.Code, header: w.Header()}
			require.Equal(t, 204, a.status)
			a.requireNotCounted(t)
		}
	}
}

func TestLimitsSwitchedOff(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) {
		s.config.RateLimit = config.RateLimit{SignIn: 1, SignInFailures: 1, Emails: 1, Writes: 1, Reads: 1}
	})
	for range 5 {
		b.do(t, "GET", "/movies", "", nil).requireNotCounted(t)
		b.do(t, "POST", "/rooms", "", nil).requireNotCounted(t)
		a := b.do(t, "POST", "/auth/login", "", map[string]any{"email": "nobody@example.org", "password": password})
		a.requireProblem(t, 401, "bad_credentials")
		a.requireNotCounted(t)
		a = b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": "nobody@example.org"})
		require.Equal(t, 202, a.status, a)
		a.requireNotCounted(t)
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.1.2.3/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		proxies   []netip.Prefix
		remote    string
		forwarded []string
		want      string
	}{
		"IPv4":                        {nil, "192.0.2.1:1234", nil, "192.0.2.1"},
		"IPv6":                        {nil, "[2001:db8:1:2:3:4:5:6]:1234", nil, "2001:db8:1:2::/64"},
		"IPv6, the same customer":     {nil, "[2001:db8:1:2::1]:1234", nil, "2001:db8:1:2::/64"},
		"IPv6, another":               {nil, "[2001:db8:1:3::1]:1234", nil, "2001:db8:1:3::/64"},
		"IPv6 with a zone":            {nil, "[fe80::1%eth0]:1234", nil, "fe80::/64"},
		"IPv4 in IPv6":                {nil, "[::ffff:192.0.2.1]:1234", nil, "192.0.2.1"},
		"no TCP":                      {nil, "@", nil, "unknown"},
		"not trusted without proxies": {nil, "10.0.0.1:1234", []string{"192.0.2.1"}, "10.0.0.1"},
		"not trusted, loopback":       {nil, "127.0.0.1:1234", []string{"192.0.2.1"}, "127.0.0.1"},
		"a proxy":                     {proxies, "10.0.0.1:1234", []string{"192.0.2.1"}, "192.0.2.1"},
		"a proxy in IPv6":             {proxies, "[fd00::1]:1234", []string{"2001:db8::1"}, "2001:db8::/64"},
		"two proxies":                 {proxies, "10.0.0.1:1234", []string{"192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		"two headers":                 {proxies, "10.0.0.1:1234", []string{"192.0.2.9", "192.0.2.1"}, "192.0.2.1"},
		"what the client said itself": {proxies, "10.0.0.1:1234", []string{"192.0.2.9, 192.0.2.1"}, "192.0.2.1"},
		"said to be a proxy": {proxies, "10.0.0.1:1234", []string{"192.0.2.9, 10.0.0.9, 192.0.2.1"},
			"192.0.2.1"},
		"nonsense":                          {proxies, "10.0.0.1:1234", []string{"nonsense, 192.0.2.1"}, "192.0.2.1"},
		"from elsewhere":                    {proxies, "192.0.2.7:1234", []string{"192.0.2.1"}, "192.0.2.7"},
		"loopback is not trusted by itself": {proxies, "127.0.0.1:1234", []string{"192.0.2.1"}, "127.0.0.1"},
		"private is not trusted by itself":  {proxies, "192.168.0.1:1234", []string{"192.0.2.1"}, "192.168.0.1"},
		"link-local neither":                {proxies, "[fe80::1]:1234", []string{"192.0.2.1"}, "fe80::/64"},
	} {
		t.Run(name, func(t *testing.T) {
			e := echo.New()
			e.IPExtractor = clientAddresses(c.proxies)
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			r.RemoteAddr = c.remote
			r.Header["X-Forwarded-For"] = c.forwarded
			r.Header.Set("X-Real-IP", "192.0.2.99")
			r.Header.Set("Forwarded", "for=192.0.2.99")
			require.Equal(t, c.want, client(e.NewContext(r, nil)))
		})
	}
}

func TestForwardedClientsCountApart(t *testing.T) {
	t.Parallel()
	from := func(t *testing.T, b *bundle, forwarded string) answer {
		r := b.request(t, "POST", "/rooms", "", nil)
		r.Header.Set("X-Forwarded-For", forwarded)
		return b.send(t, r)
	}
	one := limited(func(n *config.RateLimit) { n.Writes = 1 })
	t.Run("through a proxy that is trusted", func(t *testing.T) {
		b := setup(t, databaseAway, one, func(s *settings) {
			s.config.HTTP.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
		})
		from(t, b, "192.0.2.1").requireProblem(t, 401, "unauthenticated")
		from(t, b, "192.0.2.2").requireProblem(t, 401, "unauthenticated")
		from(t, b, "192.0.2.3, 192.0.2.1").requireLimited(t, 1)
		from(t, b, "2001:db8::1").requireProblem(t, 401, "unauthenticated")
		from(t, b, "2001:db8::2").requireLimited(t, 1)
	})
	t.Run("through nothing", func(t *testing.T) {
		b := setup(t, databaseAway, one)
		from(t, b, "192.0.2.1").requireProblem(t, 401, "unauthenticated")
		from(t, b, "192.0.2.2").requireLimited(t, 1)
	})
}

func TestMailsAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t, redisAway, limited(func(n *config.RateLimit) { n.Emails = 2 }), func(s *settings) {
		s.config.Redis.Timeout, s.limitWait = 50*time.Millisecond, 0
	})
	alice := b.register(t, "alice")
	reset := func(email string) answer {
		return b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": email})
	}
	var refusals []answer
	for _, spellings := range [][]string{
		{alice.email, " " + strings.ToUpper(alice.email), `"alice"@example.org`},
		{"no@b\u00fccher.example", "NO@xn--bcher-kva.example", "no@bu\u0308cher.example"},
	} {
		for i, spelling := range spellings {
			a := reset(spelling)
			if i < 2 {
				require.Equal(t, 202, a.status, a)
				continue
			}
			a.requireProblem(t, 429, "rate_limited")
			require.InDelta(t, 60*60, a.number(t, "Retry-After"), 300)
			delete(a.body, "request_id")
			refusals = append(refusals, a)
		}
	}
	require.Equal(t, refusals[0].body, refusals[1].body)

	for i := range 3 { // one's own
		a := b.do(t, "PUT", "/users/me/email", alice.token,
			map[string]any{"email": fmt.Sprintf("new%d@example.org", i), "password": password})
		if i < 2 {
			require.Equal(t, 202, a.status, a)
			continue
		}
		a.requireProblem(t, 429, "rate_limited")
	}
	b.do(t, "POST", "/users/me/email/verification", alice.token, nil).requireProblem(t, 429, "rate_limited")
}

// Many accounts could flood one address. They are not told what others have sent there: the emails wait.
func TestMailsToAnAddressWait(t *testing.T) {
	t.Parallel()
	b := setup(t, limited(func(n *config.RateLimit) { n.Emails = 2 }))
	to, err := watchparty.ParseAddress("victim@example.net")
	require.NoError(t, err)
	var ids []string
	for _, name := range []string{"alice", "bob", "carol"} {
		p := b.register(t, name)
		a := b.do(t, "PUT", "/users/me/email", p.token, map[string]any{"email": "Victim@example.net", "password": password})
		require.Equal(t, 202, a.status, a)
		var id string
		require.NoError(
			t,
			b.store.DB().
				NewRaw("SELECT id FROM emails WHERE user_id = ? AND kind = 'email_verification'", p.id).
				Scan(t.Context(), &id),
		)
		_, err := b.store.AdmitEmail(t.Context(), id, to)
		require.NoError(t, err)
		ids = append(ids, id)
	}
	admin := b.admin(t, "root")
	for i, id := range ids {
		a := b.do(t, "GET", "/admin/emails/"+id, admin.token, nil)
		require.Equal(t, 200, a.status, a)
		email := a.body["data"].(map[string]any)
		require.Equal(t, "queued", email["state"])
		if i < 2 { // a relay does not run here
			require.Equal(t, []any{"relay", nil}, []any{email["waits_for"], email["waits_until"]})
			continue
		}
		require.Equal(t, "recipient_limit", email["waits_for"])
		until, err := time.Parse(time.RFC3339, email["waits_until"].(string))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(time.Hour), until, 5*time.Minute)
	}
	a := b.do(t, "POST", "/admin/emails/"+ids[2]+"/cancel", admin.token, nil)
	require.Nil(t, a.body["data"].(map[string]any)["waits_for"], "it does not wait any more")
}

func TestExportsAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t, limited(func(n *config.RateLimit) { n.Exports = 1 }))
	alice, bob := b.user(t, "alice"), b.user(t, "bob")
	require.Equal(t, 200, b.do(t, "GET", "/users/me/export", alice.token, nil).status)
	b.do(t, "GET", "/users/me/export", alice.token, nil).requireProblem(t, 429, "rate_limited")
	require.Equal(t, 200, b.do(t, "GET", "/users/me/export", bob.token, nil).status)
}

// A limit of the domain's own has nothing but a Retry-After.
func TestDomainLimits(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	for wait, want := range map[time.Duration]string{
		0: "1", time.Nanosecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Hour: "3600",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
		slow := &watchparty.Error{Kind: watchparty.KindLimited, Code: "slow_mode", Message: "Slowly.", RetryAfter: wait}
		b.server.handleError(slow, b.server.echo.NewContext(r, w))
		require.Equal(t, 429, w.Code)
		require.Contains(t, w.Body.String(), "slow_mode")
		require.Equal(t, []string{want}, w.Header().Values("Retry-After"), wait)
		require.Empty(t, w.Header().Get("RateLimit-Limit"))
	}
}

// While Redis is down everything is allowed, but for reads and guesses, and a request waits for it for 100 ms at most.
// The quickest of several is what it takes when the machine does not stall.
func TestLimitsFailOpen(t *testing.T) {
	t.Parallel()
	one := func(s *settings) {
		s.config.RateLimit = config.RateLimit{Enabled: true, SignIn: 1, SignInFailures: 1, Emails: 1, Writes: 1, Reads: 1}
	}
	t.Run("nobody is there", func(t *testing.T) {
		b := setup(t, redisAway, one)
		for range 5 {
			a := b.do(t, "POST", "/auth/refresh", "", unknownSession)
			a.requireProblem(t, 401, "bad_refresh_token")
			require.Equal(t, []int{1, 1, 0}, []int{
				a.number(t, "RateLimit-Limit"), a.number(t, "RateLimit-Remaining"), a.number(t, "RateLimit-Reset"),
			})
			b.do(t, "POST", "/rooms", "", nil).requireProblem(t, 401, "unauthenticated")
		}
		limited := false
		for range 20 {
			limited = limited || b.do(t, "GET", "/movies", "", nil).status == 429
		}
		require.True(t, limited, "reads are counted here")
		guess := func() answer { return b.logIn(t, "nobody@example.org", password) }
		guess().requireProblem(t, 401, "bad_credentials")
		guess().requireLimited(t, 1)
		require.Len(t, b.logs.records(t, "Rate limits fail open"), 1)
	})
	t.Run("nobody answers", func(t *testing.T) {
		address := silentAddress(t)
		quickest := time.Hour
		for range 3 {
			b := setup(t, databaseAway, one, func(s *settings) {
				s.config.Redis.URL, s.config.Redis.Timeout = "redis://"+address, time.Second
			})
			r := b.request(t, "POST", "/auth/login", "", "{")
			start := time.Now()
			b.serve(t, r).requireProblem(t, 400, "invalid_request")
			quickest = min(quickest, time.Since(start))
		}
		require.Less(t, quickest, 500*time.Millisecond, "it waits for 100 ms, and not until Redis' own limit")
		require.Greater(t, quickest, 10*time.Millisecond, "it did try")
	})
	t.Run("all limits of a request share the wait", func(t *testing.T) {
		b := setup(t, one, func(s *settings) { s.limitWait = time.Nanosecond }) // nothing is asked, then
		for range 3 {
			b.do(t, "POST", "/auth/refresh", "", unknownSession).requireProblem(t, 401, "bad_refresh_token")
		}
		b.logIn(t, "nobody@example.org", password).requireProblem(t, 401, "bad_credentials")
		b.logIn(t, "nobody@example.org", password).requireLimited(t, 1)
	})
}

// silentAddress takes connections, in its backlog, and never answers.
func silentAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l.Addr().String()
}
