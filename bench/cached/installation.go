package cached

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/migrations"
	"github.com/watchparty/watchparty/store"
)

// installation is a filled database, with the settings of the processes that use it.
type installation struct {
	environ  []string
	database string // its address
	store    *store.Store
	token    string // of somebody who is in the room
	room     string // which has all messages
	rooms    []string
	person   string // a username
}

const (
	people    = 1_000
	fewRooms  = 5_000 // whose IDs are known
	tokenTime = 24 * time.Hour
)

// uid is the ID that fill gives to a row.
func uid(kind, n int) string { return fmt.Sprintf("%08x-0000-7000-8000-%012x", kind, n) }

// fill makes as many rooms and movies as ?0 says, and as many messages in the first room.
var fill = []string{
	`CREATE FUNCTION uid(kind int, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS
		$$ SELECT (lpad(to_hex(kind), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
	`SET LOCAL statement_timeout = 0`,
	`SET LOCAL synchronous_commit = off`,
	`SET LOCAL session_replication_role = replica`, // no foreign key is checked row by row; every index is kept
	// The indexes of searches are made at the end, which takes a fraction of the time.
	`CREATE TEMPORARY TABLE searches ON COMMIT DROP AS SELECT indexname, indexdef FROM pg_indexes
		WHERE schemaname = current_schema() AND indexdef LIKE '% USING gin %'`,
	`DO $$ DECLARE i record; BEGIN
		FOR i IN SELECT indexname FROM searches LOOP EXECUTE 'DROP INDEX ' || quote_ident(i.indexname); END LOOP;
	END $$`,
	`INSERT INTO users (id, username, email, display_name, password_hash)
		SELECT uid(1, n), 'user' || n, 'user' || n || '@example.org', 'User ' || n, '' FROM generate_series(1, ?1) AS n`,
	`INSERT INTO movies (id, title, year, runtime_minutes, description, genres)
		SELECT uid(3, n), 'Movie ' || n || ' ' || chr((97 + n % 26)::int) || ' night', 1900 + n % 120, 90,
			'A silent movie about the ' || n || 'th night of a town', ARRAY['genre' || n % 20]
		FROM generate_series(1, ?0) AS n`,
	`INSERT INTO rooms (id, name, description, movie_id, host_id, visibility, capacity, last_active_at, created_at)
		SELECT uid(4, n), 'Movie night ' || n, 'Each week, with popcorn', CASE n % 2 WHEN 0 THEN uid(3, n) END, uid(1, n % ?1 + 1),
			'public', 2 + n % 20, now() - n * interval '1 s', now() - n * interval '1 s'
		FROM generate_series(1, ?0) AS n`,
	`INSERT INTO participants (room_id, user_id) SELECT uid(4, n), uid(1, n % ?1 + 1) FROM generate_series(1, ?0 / 10) AS n`,
	`INSERT INTO messages (id, room_id, user_id, body, created_at)
		SELECT uid(10, n), uid(4, 1), uid(1, n % 50 + 1), 'What was said at moment ' || n || ', which is a line of chat',
			now() - (?0 - n) * interval '1 s'
		FROM generate_series(1, ?0) AS n`,
	`SET LOCAL maintenance_work_mem = '512MB'`,
	`DO $$ DECLARE i record; BEGIN FOR i IN SELECT indexdef FROM searches LOOP EXECUTE i.indexdef; END LOOP; END $$`,
}

// install makes a database with that many rows in each table that is listed.
func (m *Measurement) install(ctx context.Context, name string, rows int) (_ *installation, err error) {
	m.logf("a database with %d rooms, movies and messages", rows)
	base, err := url.Parse(m.stack.DatabaseURL())
	if err != nil {
		return nil, err
	}
	base.Path = "/" + name
	in := &installation{database: base.String(), room: uid(4, 1), person: "user1"}
	for n := range min(fewRooms, rows) {
		in.rooms = append(in.rooms, uid(4, n+1))
	}
	in.environ = append(slices.Clone(m.Environ),
		"APP_ENV=production", "LOG_LEVEL=info", "METRICS_PPROF=true", "HTTP_DRAIN_DELAY=0s",
		"RATE_LIMIT_READS=100000", "RATE_LIMIT_WRITES=100000", "AUTH_ACCESS_TTL="+tokenTime.String(),
		"AUTH_SECRET="+strings.Repeat("measured", 8), "DATABASE_URL="+in.database,
		"REDIS_URL="+m.stack.RedisURL(), "REDIS_KEY_PREFIX="+name+":", "OTEL_EXPORTER_OTLP_ENDPOINT="+m.traces,
		"TEMPORAL_ADDRESS=127.0.0.1:1", "SMTP_HOST=127.0.0.1", "BLOB_URL=mem://",
	)
	cfg, err := config.Load(in.environ)
	if err != nil {
		return nil, err
	}
	cfg.Database.StatementTimeout = time.Hour // to fill it
	if err := m.createDatabase(ctx, cfg, name); err != nil {
		return nil, err
	}
	if in.store, err = store.Open(cfg.Database, auth.NewDigests(cfg.Auth.Secret)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			in.close()
		}
	}()
	if _, err := migrations.Up(ctx, in.store.DB()); err != nil {
		return nil, err
	}
	if err := in.fill(ctx, rows); err != nil {
		return nil, err
	}
	in.token, err = in.signIn(ctx, auth.NewTokens(cfg.Auth.Secret, tokenTime))
	return in, err
}

// createDatabase makes an empty database beside the stack's.
func (m *Measurement) createDatabase(ctx context.Context, cfg config.Config, name string) error {
	cfg.Database.URL = m.stack.DatabaseURL()
	s, err := store.Open(cfg.Database, auth.NewDigests(cfg.Auth.Secret))
	if err != nil {
		return err
	}
	_, err = s.DB().ExecContext(ctx, "CREATE DATABASE "+name)
	return errors.Join(err, s.Close())
}

func (in *installation) close() { _ = in.store.Close() }

func (in *installation) fill(ctx context.Context, rows int) error {
	err := in.store.DB().RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range fill {
			if _, err := tx.NewRaw(statement, rows, people).Exec(ctx); err != nil {
				return fmt.Errorf("%.40s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	connection, err := in.store.DB().Conn(ctx)
	if err != nil {
		return err
	}
	defer connection.Close() //nolint:errcheck // it returns to the pool
	for _, statement := range []string{
		"SET statement_timeout = 0", "VACUUM ANALYZE", "CHECKPOINT", "RESET statement_timeout",
	} {
		if _, err := connection.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// signIn makes somebody who is in the room, and returns a token.
func (in *installation) signIn(ctx context.Context, tokens *auth.Tokens) (string, error) {
	u, err := in.store.CreateUser(ctx, watchparty.Registration{
		Username: "reader", Email: "reader@example.org", DisplayName: "Reader",
	}, "none")
	if err != nil {
		return "", err
	}
	session, err := in.store.LogIn(ctx, u.ID, "none", store.NewSession{TokenHash: []byte("reader"), TTL: tokenTime})
	if err != nil {
		return "", err
	}
	if _, err := in.store.DB().ExecContext(ctx, "UPDATE rooms SET capacity = 1000 WHERE id = ?", in.room); err != nil {
		return "", err
	}
	if _, err := in.store.JoinRoom(ctx, in.room, u.ID); err != nil {
		return "", err
	}
	// Nobody is present: the end of a presence changes a room, so that it is loaded anew.
	_, err = in.store.DB().ExecContext(ctx, "UPDATE participants SET last_seen_at = now() - interval '1 hour'")
	if err != nil {
		return "", err
	}
	id := auth.Identity{UserID: u.ID, Username: u.Username, SessionID: session.SessionID}
	return tokens.Access(id, time.Now(), tokenTime)
}

// signedIn is the header of somebody who is in the room.
func (in *installation) signedIn() string { return "Authorization: Bearer " + in.token }

// paths of what is read.
func (in *installation) messages() string { return "/api/chat/messages?room_id=" + in.room }

const (
	pathRooms  = "/api/rooms"
	pathMovies = "/api/movies"
)

// node is a process of the program.
type node struct {
	*process
	url     string
	metrics string
}

// startNode starts a variant of the program, with more settings, and returns when it may use its cache, if it
// needs a lease for that.
func (m *Measurement) startNode(ctx context.Context, in *installation, v variant, environ ...string) (*node, error) {
	binary, err := m.build(ctx, v)
	if err != nil {
		return nil, err
	}
	addr, err := devstack.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	metrics, err := devstack.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	n := &node{url: "http://" + addr, metrics: "http://" + metrics + "/metrics"}
	environ = append(slices.Concat(in.environ, environ), "HTTP_ADDR="+addr, "METRICS_ADDR="+metrics)
	if n.process, err = m.start(ctx, n.url+"/api/health/live", environ, binary, "api"); err != nil {
		return nil, err
	}
	if v.name == uncached.name || v.name == former.name {
		return n, nil
	}
	if err := n.await(ctx, "a lease", func(s series) bool { return s.sumOf("cache_lease_held") == 1 }); err != nil {
		n.stop()
		return nil, err
	}
	return n, nil
}

// await waits until the node's metrics are as they should be.
func (n *node) await(ctx context.Context, what string, holds func(series) bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		s, err := n.read(ctx)
		if err == nil && holds(s) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(ctx.Err(), err))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// series are values of metrics by their names and labels.
type series map[string]float64

// read reads the node's metrics.
func (n *node) read(ctx context.Context) (series, error) {
	answer, err := fetch(ctx, target{url: n.metrics})
	if err != nil {
		return nil, err
	}
	s := series{}
	lines := bufio.NewScanner(strings.NewReader(string(answer.Body)))
	for lines.Scan() {
		at := strings.LastIndexByte(lines.Text(), ' ')
		if at < 0 || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		if value, err := strconv.ParseFloat(lines.Text()[at+1:], 64); err == nil {
			s[strings.TrimPrefix(lines.Text()[:at], "watchparty_")] = value
		}
	}
	return s, lines.Err()
}

// sumOf adds up the series of a metric that have these texts in their labels.
func (s series) sumOf(name string, labels ...string) (sum float64) {
	for key, value := range s {
		metric, set, _ := strings.Cut(key, "{")
		if metric == name && !slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(set, l) }) {
			sum += value
		}
	}
	return sum
}

// fetch asks for a target once. What is not a 200 is an error.
func fetch(ctx context.Context, t target) (floorAnswer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url, nil)
	if err != nil {
		return floorAnswer{}, err
	}
	r.Header = t.header()
	response, err := plain.RoundTrip(r)
	if err != nil {
		return floorAnswer{}, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return floorAnswer{}, err
	}
	if response.StatusCode != http.StatusOK {
		return floorAnswer{}, fmt.Errorf("%s: %s: %s", t.url, response.Status, body)
	}
	return floorAnswer{Header: response.Header, Body: body}, nil
}

// plain asks for no compression, as the load does not.
var plain = &http.Transport{DisableCompression: true}

func (t target) header() http.Header {
	h := http.Header{}
	for _, line := range t.headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

// hit asks until the answer comes from the cache, and returns it.
func hit(ctx context.Context, t target) (floorAnswer, error) {
	for range 100 {
		answer, err := fetch(ctx, t)
		if err != nil || answer.Header.Get("X-Cache") == "HIT" {
			return answer, err
		}
	}
	return floorAnswer{}, fmt.Errorf("%s is never a hit", t.url)
}

// collectTraces takes the traces of the measured processes, and keeps nothing.
func (m *Measurement) collectTraces(ctx context.Context) (stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{ //nolint:gosec // nobody else reaches it
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/x-protobuf")
		}),
	}
	go func() { _ = server.Serve(l) }()
	m.traces = "http://" + l.Addr().String()
	return func() { _ = server.Close() }, nil
}
