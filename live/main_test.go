package live_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gocloud.dev/blob/memblob"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api"
	"github.com/watchparty/watchparty/auth"
	bench "github.com/watchparty/watchparty/bench/live"
	"github.com/watchparty/watchparty/bus"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/store"
)

func TestMain(m *testing.M) {
	if os.Getenv(bench.HoldVariable) != "" {
		if err := bench.Hold(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	redis.SetLogger(silent{})
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres, devstack.Redis), stacktest.Redialing())
}

// silent drops what go-redis prints of failed dials.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// patience is how long a test waits for what has to happen at all.
const patience = 30 * time.Second

// installation is some API servers on one database and one Redis.
type installation struct {
	cfg    config.Config
	store  *store.Store // of the test itself
	tokens *auth.Tokens
	nodes  []*node
}

// node is one API server, as one process has it.
type node struct {
	t      testing.TB
	api    string
	hub    *live.Hub
	bus    *bus.Bus
	logs   *logs
	store  *store.Store
	cancel context.CancelFunc
	served chan error
	once   sync.Once
}

// settings are what a test may ask for before its servers are built.
type settings struct {
	nodes    int
	redisURL string
	database string
	change   func(*config.Config)
	limits   func(*live.TestLimits)
}

func newInstallation(t testing.TB, change ...func(*settings)) *installation {
	t.Helper()
	s := settings{
		nodes: 1, redisURL: stacktest.RedisURL(), change: func(*config.Config) {}, limits: func(*live.TestLimits) {},
	}
	for _, f := range change {
		f(&s)
	}
	if s.database == "" {
		s.database = stacktest.MigratedURL(t)
	}
	cfg, err := config.Load([]string{
		"AUTH_SECRET=" + strings.Repeat("hidden-key-", 4), "DATABASE_URL=" + s.database, "REDIS_URL=" + s.redisURL,
		"REDIS_KEY_PREFIX=" + stacktest.KeyPrefix(t), "SMTP_HOST=localhost", "BLOB_URL=mem://",
		"PUBLIC_URL=https://party.example", "HTTP_DRAIN_DELAY=0s", "RATE_LIMIT_ENABLED=false",
		"HTTP_CORS_ORIGINS=https://party.example,https://*.friends.example",
	})
	require.NoError(t, err)
	s.change(&cfg)
	i := &installation{cfg: cfg, tokens: auth.NewTokens(cfg.Auth.Secret, cfg.Auth.AccessTTL)}
	i.store = openStore(t, cfg)
	for range s.nodes {
		i.nodes = append(i.nodes, i.start(t, s.limits))
	}
	for _, n := range i.nodes {
		require.Eventually(t, n.bus.Healthy, patience, time.Millisecond)
	}
	return i
}

func twoNodes(s *settings) { s.nodes = 2 }

func withLimits(f func(*live.TestLimits)) func(*settings) { return func(s *settings) { s.limits = f } }

func openStore(t testing.TB, cfg config.Config) *store.Store {
	t.Helper()
	s, err := store.Open(cfg.Database, auth.NewDigests(cfg.Auth.Secret))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// start runs one more server.
func (i *installation) start(t testing.TB, tighten func(*live.TestLimits)) *node {
	t.Helper()
	n := &node{t: t, logs: &logs{}, served: make(chan error, 1)}
	log := slog.New(slog.NewJSONHandler(n.logs, nil))
	n.store = openStore(t, i.cfg)
	messages, err := cache.Connect(i.cfg.Redis, bus.Timeout, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, messages.Close()) })
	n.bus = bus.New(messages, i.cfg.Redis, log)
	member := coherence.NewMember(n.store.Journal(), n.bus, coherence.Options{
		Reads: true, Timing: coherence.DefaultTiming(), Log: log,
	})
	n.store.OnChange(member.Announce)
	c, err := cache.New(i.cfg.Redis, i.cfg.Cache, member, store.Now, log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { require.NoError(t, bucket.Close()) })
	server, err := api.New(api.Deps{
		Config: i.cfg, Log: log, Store: n.store, Cache: c, Bus: n.bus, Bucket: bucket,
		Metrics: prometheus.NewRegistry(),
	})
	require.NoError(t, err)
	n.hub = server.Live()
	tighten(n.hub.TestLimits())
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n.api = "http://" + l.Addr().String() + "/api"
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	coordination, stop := context.WithCancel(context.Background())
	var coordinating errgroup.Group
	coordinating.Go(func() error { return n.bus.Run(coordination) })
	coordinating.Go(func() error { return member.Run(coordination) })
	go func() {
		err := server.Serve(ctx, l)
		stop()
		n.served <- errors.Join(err, coordinating.Wait())
	}()
	t.Cleanup(n.stop)
	return n
}

// stop stops the server as SIGTERM does, and waits for it.
func (n *node) stop() {
	n.once.Do(func() {
		n.cancel()
		require.NoError(n.t, <-n.served)
	})
}

// logs keeps what was logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
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

// person is an account with a sign-in.
type person struct {
	id, name, session, token string
}

func (i *installation) createPerson(t testing.TB, name string) person {
	t.Helper()
	r := watchparty.Registration{Username: name, Email: name + "@example.org", DisplayName: strings.ToUpper(name)}
	u, err := i.store.CreateUser(t.Context(), r, "none")
	require.NoError(t, err)
	in, err := i.store.LogIn(t.Context(), u.ID, "none", store.NewSession{TokenHash: []byte(name), TTL: time.Hour})
	require.NoError(t, err)
	p := person{id: u.ID, name: name, session: in.SessionID}
	p.token = i.issueToken(t, p, i.tokens.TTL())
	return p
}

func (i *installation) issueToken(t testing.TB, p person, ttl time.Duration) string {
	t.Helper()
	id := auth.Identity{UserID: p.id, Username: p.name, SessionID: p.session}
	token, err := i.tokens.Access(id, store.Now(), ttl)
	require.NoError(t, err)
	return token
}

func (i *installation) execSQL(t testing.TB, query string, args ...any) {
	t.Helper()
	_, err := i.store.DB().NewRaw(query, args...).Exec(t.Context())
	require.NoError(t, err)
}

// createRoom opens a room over REST and returns its ID.
func (n *node) createRoom(t testing.TB, host person, properties map[string]any) string {
	t.Helper()
	body := map[string]any{"name": "A room", "capacity": 1000}
	for name, v := range properties {
		body[name] = v
	}
	return n.callAPI(t, "POST", "/rooms", host, body, http.StatusCreated)["id"].(string)
}

func (n *node) joinRoom(t testing.TB, room string, people ...person) {
	t.Helper()
	for _, p := range people {
		n.callAPI(t, "POST", "/rooms/"+room+"/join", p, nil, http.StatusOK)
	}
}

// callAPI asks REST, and returns the answer's data.
func (n *node) callAPI(t testing.TB, method, path string, p person, body any, status int) map[string]any {
	t.Helper()
	code, raw := n.sendRequest(t, method, path, p, body)
	require.Equal(t, status, code, "%s %s: %s", method, path, raw)
	var answer struct {
		Data map[string]any `json:"data"`
	}
	if len(raw) > 0 {
		require.NoError(t, json.Unmarshal(raw, &answer), string(raw))
	}
	return answer.Data
}

func (n *node) sendRequest(t testing.TB, method, path string, p person, body any) (int, []byte) {
	t.Helper()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		require.NoError(t, err)
		content = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, n.api+path, content)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+p.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, raw
}

// awaitSignedIn waits until the server has that number of connections that have signed in.
func (n *node) awaitSignedIn(t testing.TB, want int) {
	t.Helper()
	require.Eventually(t, func() bool {
		signedIn, _ := n.hub.CountConnections()
		return signedIn == want
	}, patience, time.Millisecond)
}

// watcher is a client of a test, and what it has heard.
type watcher struct {
	*client.Client

	t     testing.TB
	state wire.State
	past  []wire.ServerMessage
}

func (n *node) connectLive(t testing.TB, room string, p person) *watcher {
	t.Helper()
	return n.connectWith(t, client.Options{RoomID: room, Token: p.token})
}

func (n *node) connectWith(t testing.TB, o client.Options) *watcher {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	o.API = n.api
	c, err := client.Connect(ctx, o)
	for websocket.CloseStatus(err) == websocket.StatusCode(wire.CodeUnavailable) && ctx.Err() == nil {
		c, err = client.Connect(ctx, o) // a statement may take longer than its time on a busy machine
	}
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return &watcher{Client: c, t: t, state: c.Welcome.State}
}

// send sends a message.
func (w *watcher) send(m wire.ClientMessage) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	require.NoError(w.t, w.Send(ctx, m))
}

// awaitMessage waits for the next message that fits, and returns it.
func awaitMessage[M wire.ServerMessage](w *watcher, fits func(M) bool) M {
	w.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case m, ok := <-w.Messages():
			if !ok {
				code, reason, _ := w.Code()
				require.FailNow(w.t, "the connection has ended", "%d %s", code, reason)
			}
			w.past = append(w.past, m)
			if state, is := m.(*wire.State); is && state.Revision > w.state.Revision {
				w.state = *state
			}
			if wanted, is := m.(M); is && fits(wanted) {
				return wanted
			}
		case <-timeout:
			var zero M
			types := make([]string, len(w.past))
			for i, m := range w.past {
				types[i] = m.Type()
			}
			require.FailNow(w.t, "nothing came", "no %T that fits, but %v", zero, types)
		}
	}
}

func anyMessage[M any](M) bool { return true }

// isAnswer reports whether a message answers a command.
func isAnswer(m wire.ServerMessage) bool { return m.Type() == "ack" || m.Type() == "error" }

// awaitState waits for a state that fits.
func (w *watcher) awaitState(fits func(wire.State) bool) wire.State {
	w.t.Helper()
	if fits(w.state) {
		return w.state
	}
	return *awaitMessage(w, func(s *wire.State) bool { return fits(*s) })
}

func hasStatus(status string) func(wire.State) bool {
	return func(s wire.State) bool { return s.State == status }
}

// requireClosed waits for the end of the connection, which has to have the code and the reason.
func (w *watcher) requireClosed(code wire.Code, reason string) {
	w.t.Helper()
	timeout := time.After(patience)
	for open := true; open; {
		select {
		case _, open = <-w.Messages():
		case <-timeout:
			require.FailNow(w.t, "the connection goes on")
		}
	}
	got, why, _ := w.Code()
	require.Equal(w.t, []any{code, reason}, []any{got, why})
}

// newCommand returns the common fields of a command, for the state that the watcher has seen.
func (w *watcher) newCommand() wire.Command {
	return wire.Command{ID: uuid.NewString(), Epoch: w.state.Epoch}
}

// sendAcknowledged sends a command and waits until it is applied.
func (w *watcher) sendAcknowledged(m wire.ClientMessage) *wire.Ack {
	w.t.Helper()
	w.send(m)
	id := wire.IDOf(m)
	for {
		answer := awaitMessage(w, func(m wire.ServerMessage) bool {
			switch m := m.(type) {
			case *wire.Ack:
				return m.ID == id
			case *wire.Error:
				return m.ID == id
			}
			return false
		})
		ack, ok := answer.(*wire.Ack)
		require.True(w.t, ok, "%+v", answer)
		return ack
	}
}

// sendRefused sends a message and returns the error that answers it.
func (w *watcher) sendRefused(m wire.ClientMessage) *wire.Error {
	w.t.Helper()
	w.send(m)
	return awaitMessage(w, func(e *wire.Error) bool { return e.ID == wire.IDOf(m) })
}

// loadAndPlay has the room load an address, and everybody there be ready for it.
func loadAndPlay(w *watcher, all ...*watcher) {
	w.t.Helper()
	w.sendAcknowledged(
		&wire.Load{Command: w.newCommand(), StreamURL: new("https://videos.example/movie.webm"), Title: new("Movie")},
	)
	for _, one := range append(all, w) {
		s := one.awaitState(func(s wire.State) bool { return s.Media != nil && s.Cue > 0 })
		duration := int64(5400000)
		one.send(&wire.Ready{Epoch: s.Epoch, Cue: s.Cue, DurationMS: &duration})
	}
	for _, one := range append(all, w) {
		one.awaitState(hasStatus("playing"))
	}
}

// requireRefused tries to connect, which has to end with the code.
func requireRefused(t *testing.T, n *node, o client.Options, code wire.Code) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	o.API = n.api
	c, err := client.Connect(ctx, o)
	if err == nil {
		c.Close()
	}
	require.Equal(t, websocket.StatusCode(code), websocket.CloseStatus(err), "%v", err)
}
