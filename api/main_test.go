package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/bus"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/health"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/store"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	openapi3filter.RegisterBodyDecoder("text/calendar", openapi3filter.RegisteredBodyDecoder("text/plain"))
	goleak.VerifyTestMain(
		recorded{stacktest.With(m, devstack.Postgres, devstack.Redis, devstack.Temporal)}, stacktest.Redialing())
}

// recorded compares the problems that the tests have seen with the contract.
type recorded struct{ tests interface{ Run() int } }

func (r recorded) Run() int { return finishStatuses(r.tests.Run()) }

// silent drops what go-redis prints of failed dials.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// nobody answers there.
const (
	awayRedis    = "redis://127.0.0.1:1"
	awayDatabase = "postgres://nobody:hidden-word@127.0.0.1:1/none?sslmode=disable"
	unknownID    = "01890000-0000-7000-8000-00000000dead"
)

// bundle is one server on a schema, a key prefix and a bucket of its own.
type bundle struct {
	cfg    config.Config
	server *Server
	store  *store.Store
	cache  *cache.Cache
	member *coherence.Member
	bucket *blob.Bucket
	url    string
	client *http.Client
	logs   *logs
	// listening serves as in production, from the first call until the end of the test, and returns the address.
	listening func() string
}

// settings are what a test may ask for before its server is built.
type settings struct {
	tracer        trace.Tracer
	config        config.Config
	databaseAway  bool
	wayToDatabase func(direct string) string
	limitWait     time.Duration // for Redis
	limitPeriod   time.Duration // of sign-ins and writes
	checkTemporal func(context.Context) error
	schedules     Schedules
	temporal      string // its address
	hashCost      auth.Cost
}

// cheap is for passwords that nobody attacks.
var cheap = auth.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}

func redisAway(s *settings) { s.config.Redis.URL = awayRedis }

// shortLocks has statements wait for locks as long as in production.
func shortLocks(s *settings) { s.wayToDatabase = func(direct string) string { return direct } }

// databaseAway is also for what needs none: it saves the time of making one.
func databaseAway(s *settings) { s.databaseAway = true }

// limited switches rate limits on. On a machine that is busy with other tests they have time enough for Redis, and give
// nothing back while a test runs: reads alone are counted per second.
func limited(change func(*config.RateLimit)) func(*settings) {
	return func(s *settings) {
		s.config.RateLimit.Enabled = true
		s.config.Redis.Timeout, s.limitWait = 20*time.Second, time.Minute
		s.limitPeriod = time.Hour
		change(&s.config.RateLimit)
	}
}

func setup(t testing.TB, change ...func(*settings)) *bundle {
	t.Helper()
	cfg, err := config.Load([]string{
		"AUTH_SECRET=" + strings.Repeat("hidden-key-", 4),
		"DATABASE_URL=" + awayDatabase,
		"REDIS_URL=" + stacktest.RedisURL(),
		"REDIS_KEY_PREFIX=" + stacktest.KeyPrefix(t),
		"SMTP_HOST=localhost",
		"BLOB_URL=mem://",
		"PUBLIC_URL=https://party.example",
		"DATABASE_MAX_CONNS=12",
		"HTTP_DRAIN_DELAY=0s",
		"RATE_LIMIT_ENABLED=false",
	})
	require.NoError(t, err)
	// A busy machine is no Redis that is away, and no database.
	cfg.Redis.Timeout, cfg.Database.StatementTimeout = 10*time.Second, time.Minute
	s := settings{
		config:        cfg,
		checkTemporal: func(context.Context) error { return nil },
		wayToDatabase: func(direct string) string { return direct + "&lock_timeout=60000" },
		schedules:     &clock{},
		temporal:      stacktest.TemporalAddress(),
		hashCost:      cheap,
	}
	for _, f := range change {
		f(&s)
	}
	if !s.databaseAway {
		s.config.Database.URL = s.wayToDatabase(stacktest.MigratedURL(t))
	}
	b := &bundle{cfg: s.config, logs: &logs{secrets: map[string]bool{}}}
	log := slog.New(logging.Identified(slog.NewJSONHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug})))

	b.store, err = store.Open(b.cfg.Database, auth.NewDigests(b.cfg.Auth.Secret))
	require.NoError(t, err)
	b.store.SetEmailLimit(b.cfg.RateLimit.EmailLimit())
	t.Cleanup(func() { require.NoError(t, b.store.Close()) })
	b.openCache(t, log, !s.databaseAway)
	b.bucket = memblob.OpenBucket(nil)
	t.Cleanup(func() { require.NoError(t, b.bucket.Close()) })

	b.server, err = New(Deps{
		Config: b.cfg,
		Log:    log,
		Store:  b.store,
		Cache:  b.cache,
		Bucket: b.bucket,
		Bus:    bus.New(b.cache.Redis().Client(), b.cfg.Redis, log), // it does not run: there is one server
		Checks: checksOf(
			s.checkTemporal,
			b.store,
		),
		Schedules: s.schedules,
		Metrics:   prometheus.NewRegistry(),
		Tracer:    s.tracer,
		Jobs:      jobs.New(dialTemporal(t, s.temporal), b.cfg.Temporal.Namespace, b.store.QueuePauses),
	})
	require.NoError(t, err)
	b.server.passwords = auth.NewPasswords(b.cfg.Auth.HashParallel, s.hashCost)
	if s.limitWait > 0 {
		b.server.limits.wait = s.limitWait
	}
	if s.limitPeriod > 0 {
		b.server.limits.signIn.Period, b.server.limits.writes.Period = s.limitPeriod, s.limitPeriod
	}
	listener := httptest.NewServer(b.server)
	b.url = listener.URL
	b.client = listener.Client()
	b.client.Transport.(*http.Transport).DisableCompression = true // else Go asks for gzip with GET, and not with HEAD
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(func() {
		listener.Close()
		b.logs.requireNoSecrets(t)
	})
	b.logs.secret(cfg.Auth.Secret, "hidden-word")
	b.listening = sync.OnceValue(func() string { return b.listen(t) })
	return b
}

func (b *bundle) listen(t testing.TB) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(ctx, l) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-served) })
	return l.Addr().String()
}

// calm is a timing for a machine that is busy with other tests: leases do not get lost.
func calm() coherence.Timing {
	timing := coherence.DefaultTiming()
	timing.Lease, timing.AckTimeout, timing.Call = time.Minute, 20*time.Second, 20*time.Second
	timing.RenewSoon, timing.List = time.Millisecond, 5*time.Millisecond
	return timing
}

// openCache runs what the cache needs until the test ends. ready waits until the cache is used.
func (b *bundle) openCache(t testing.TB, log *slog.Logger, ready bool) {
	t.Helper()
	client, err := cache.Connect(b.cfg.Redis, bus.Timeout, nil)
	require.NoError(t, err)
	messages := bus.New(client, b.cfg.Redis, log)
	b.member = coherence.NewMember(b.store.Journal(), messages, coherence.Options{Reads: true, Timing: calm(), Log: log})
	b.store.OnChange(b.member.Announce)
	b.cache, err = cache.New(b.cfg.Redis, b.cfg.Cache, b.member, store.Now, log)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = messages.Run(ctx) })
	running.Go(func() { _ = b.member.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		require.NoError(t, b.cache.Close())
		require.NoError(t, client.Close())
	})
	if ready {
		require.Eventually(t, func() bool { return b.member.Lease().InForce() }, 30*time.Second, time.Millisecond)
	}
}

// void makes cached answers with the tags void, after the test has changed rows by itself.
func (b *bundle) void(t testing.TB, tags ...string) {
	t.Helper()
	var transaction uint64
	err := b.store.DB().NewRaw("SELECT pg_current_xact_id()::text::bigint").Scan(t.Context(), &transaction)
	require.NoError(t, err)
	require.NoError(t, b.member.Announce(t.Context(), coherence.Change{Transaction: transaction, Tags: tags}))
}

// logs keeps what was logged, and the secrets that must not be in it.
type logs struct {
	mu      sync.Mutex
	text    bytes.Buffer
	secrets map[string]bool
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logs) secret(values ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range values {
		if len(v) >= 8 { // anything shorter is found by chance
			l.secrets[v] = true
		}
	}
}

func (l *logs) requireNoSecrets(t testing.TB) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	for secret := range l.secrets {
		require.NotContains(t, text, secret, "a secret was logged")
	}
}

// records are the log's lines with that message.
func (l *logs) records(t testing.TB, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(l.text.String()) {
		var record map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

// person is an account and what its owner knows.
type person struct {
	id, name, email, password string
	token, refresh, session   string
}

const password = "correct horse battery"

// register makes an account as a client does.
func (b *bundle) register(t testing.TB, name string) person {
	t.Helper()
	p := person{name: name, email: name + "@example.org", password: password}
	a := b.do(t, "POST", "/auth/register", "", map[string]any{"username": name, "email": p.email, "password": password})
	require.Equal(t, 201, a.status, a)
	p.id = a.data()["user"].(map[string]any)["id"].(string)
	p.token, p.refresh = a.data()["access_token"].(string), a.data()["refresh_token"].(string)
	claimed, err := b.server.tokens.Verify(p.token, time.Now())
	require.NoError(t, err)
	p.session = claimed.SessionID
	return p
}

// deleteMe sets a password for a user without one, and deletes the account.
func (b *bundle) deleteMe(t testing.TB, p person) answer {
	t.Helper()
	b.givePassword(t, p)
	return b.do(t, "DELETE", "/users/me", p.token, map[string]any{"password": password})
}

// givePassword makes password that of an account.
func (b *bundle) givePassword(t testing.TB, p person) {
	t.Helper()
	hash, err := b.server.passwords.Hash(t.Context(), password)
	require.NoError(t, err)
	b.exec(t, "UPDATE users SET password_hash = ? WHERE id = ?", hash, p.id)
}

// user makes an account with a confirmed address, without the price of a password's hash.
func (b *bundle) user(t testing.TB, name string) person {
	t.Helper()
	r := watchparty.Registration{Username: name, Email: name + "@example.org", DisplayName: name}
	u, err := b.store.CreateUser(t.Context(), r, "none")
	require.NoError(t, err)
	b.exec(t, "UPDATE users SET email_verified_at = created_at WHERE id = ?", u.ID)
	session := b.signIn(t, u.ID, u.ID)
	token, err := b.server.tokens.Access(
		auth.Identity{UserID: u.ID, Username: u.Username, SessionID: session}, time.Now(), b.server.tokens.TTL(),
	)
	require.NoError(t, err)
	b.logs.secret(token, u.Email)
	return person{id: u.ID, name: name, email: u.Email, token: token, session: session}
}

// signIn gives a user who was made without a password another session, and returns its ID.
func (b *bundle) signIn(t testing.TB, userID, refresh string) string {
	t.Helper()
	in, err := b.store.LogIn(t.Context(), userID, "none", store.NewSession{TokenHash: []byte(refresh), TTL: time.Hour})
	require.NoError(t, err)
	return in.SessionID
}

func (b *bundle) admin(t testing.TB, name string) person {
	t.Helper()
	p := b.user(t, name)
	_, err := b.store.GrantAdmin(t.Context(), p.email)
	require.NoError(t, err)
	return p
}

// exec changes rows behind the server's back, mostly to make them old.
func (b *bundle) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	_, err := b.store.DB().NewRaw(query, args...).Exec(t.Context())
	require.NoError(t, err)
}

// room opens one and returns its ID.
func (b *bundle) room(t testing.TB, host person, properties map[string]any) string {
	t.Helper()
	body := map[string]any{"name": "A room"}
	for name, v := range properties {
		body[name] = v
	}
	a := b.do(t, "POST", "/rooms", host.token, body)
	require.Equal(t, 201, a.status, a)
	return a.data()["id"].(string)
}

func (b *bundle) join(t testing.TB, room string, p person) {
	t.Helper()
	a := b.do(t, "POST", "/rooms/"+room+"/join", p.token, nil)
	require.Equal(t, 200, a.status, a)
}

func (b *bundle) post(t testing.TB, room string, p person, text string) string {
	t.Helper()
	a := b.do(t, "POST", "/chat/messages", p.token, map[string]any{"room_id": room, "body": text})
	require.Equal(t, 201, a.status, a)
	return a.data()["id"].(string)
}

// addMovie adds a movie and returns its ID.
func (b *bundle) addMovie(t testing.TB, title string) string {
	t.Helper()
	movie := watchparty.Movie{
		Title:          title,
		Year:           1927,
		RuntimeMinutes: 153,
		Description:    "Silent.",
		Genres:         []string{"drama"},
	}
	require.NoError(t, b.store.AddMovies(t.Context(), []watchparty.Movie{movie}))
	var id string
	require.NoError(t, b.store.DB().NewRaw("SELECT id FROM movies WHERE title = ?", title).Scan(t.Context(), &id))
	return id
}

// answer is a response that keeps the contract.
type answer struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any // nil unless JSON
}

func (a answer) String() string { return http.StatusText(a.status) + " " + string(a.raw) }

func (a answer) data() map[string]any {
	m, _ := a.body["data"].(map[string]any)
	return m
}

func (a answer) list() []map[string]any {
	items, _ := a.body["data"].([]any)
	out := make([]map[string]any, 0, len(items))
	for _, item := range items {
		out = append(out, item.(map[string]any))
	}
	return out
}

// repeatWhileBusy sends a request again, as a client would, while the machine that runs the tests is too busy for it.
func repeatWhileBusy(send func() answer) (a answer) {
	for began := time.Now(); time.Since(began) < 30*time.Second; <-time.After(20 * time.Millisecond) {
		if a = send(); a.status != http.StatusServiceUnavailable {
			break
		}
	}
	return a
}

func (a answer) code() string {
	code, _ := a.body["code"].(string)
	return code
}

// fields are the names in a problem's errors.
func (a answer) fields() []string {
	var names []string
	errs, _ := a.body["errors"].([]any)
	for _, e := range errs {
		names = append(names, e.(map[string]any)["field"].(string))
	}
	return names
}

func (a answer) requireProblem(t testing.TB, status int, code string) {
	t.Helper()
	require.Equal(t, status, a.status, a)
	require.Equal(t, code, a.code(), a)
}

func (a answer) requireField(t testing.TB, status int, field string) {
	t.Helper()
	require.Equal(t, status, a.status, a)
	requireSentences(t, a)
	for _, name := range a.fields() {
		if name == field || strings.HasPrefix(name, field+".") {
			return
		}
	}
	require.Fail(t, "the problem does not name "+field, a.String())
}

// sentence is how the message of a field begins, so that it can follow the field's name.
var sentence = regexp.MustCompile(`^(must|has|is|does|cannot|belongs|or) `)

func requireSentences(t testing.TB, a answer) {
	t.Helper()
	var problem struct{ Errors []struct{ Message string } }
	require.NoError(t, json.Unmarshal(a.raw, &problem))
	for _, e := range problem.Errors {
		require.Regexp(t, sentence, e.Message)
	}
}

// do asks path, which is below /api; a body that is not a string is sent as JSON.
func (b *bundle) do(t testing.TB, method, path, token string, body any) answer {
	t.Helper()
	return b.send(t, b.request(t, method, path, token, body))
}

func (b *bundle) request(t testing.TB, method, path, token string, body any) *http.Request {
	t.Helper()
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		encoded, err := json.Marshal(body)
		require.NoError(t, err)
		content = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+basePath+path, content)
	require.NoError(t, err)
	if content != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if properties, ok := body.(map[string]any); ok {
		b.keepSecrets(properties)
	}
	return r
}

func (b *bundle) keepSecrets(properties map[string]any) {
	for _, name := range []string{"email", "password", "refresh_token", "access_token"} {
		if v, ok := properties[name].(string); ok {
			b.logs.secret(v)
		}
	}
}

// send checks the response against the contract before it returns it.
func (b *bundle) send(t testing.TB, r *http.Request) answer {
	t.Helper()
	response, err := b.client.Do(r)
	require.NoError(t, err)
	return b.accept(t, r, response)
}

// serve is send without a connection, for requests that a server answers before it has read them.
func (b *bundle) serve(t testing.TB, r *http.Request) answer {
	t.Helper()
	if r.Body == nil {
		r.Body = http.NoBody // as a server's requests have
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	return b.accept(t, r, w.Result())
}

func (b *bundle) accept(t testing.TB, r *http.Request, response *http.Response) answer {
	t.Helper()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	a := answer{status: response.StatusCode, header: response.Header, raw: raw}
	if strings.HasSuffix(response.Header.Get("Content-Type"), "json") {
		require.NoError(t, json.Unmarshal(raw, &a.body), string(raw))
		b.keepSecrets(a.body)
	}
	b.logs.secret(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	requireContract(t, r, a)
	return a
}

// checksOf are the checks of parts that the API does not use itself.
func checksOf(temporal func(context.Context) error, s *store.Store) []health.Check {
	fine := func(context.Context) error { return nil }
	emails := &health.EmailCheck{Read: s.ForHealth().Workload, Probe: fine}
	return []health.Check{
		{Part: health.Temporal, Run: temporal}, {Part: health.Workers, Run: fine}, {Part: health.Schedules, Run: fine},
		{Part: health.Emails, Run: emails.Run, LastSuccess: emails.LastSuccess},
	}
}
