package e2e

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/migrations"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// keptFor is for how long messages are kept by default.
const keptFor = 90 * 24 * time.Hour

// past fills a database with messages of the past two times keptFor, so that half of them are too old: ?0 rooms, ?1
// messages. Their IDs are those that next_message_id would have given them.
var past = []string{
	`SET LOCAL session_replication_role = replica`, // no foreign key is checked row by row; every index is kept
	`INSERT INTO rooms (id, name, host_id, visibility, capacity)
		SELECT gen_random_uuid(), 'Room ' || n, (SELECT id FROM users ORDER BY id LIMIT 1), 'public', 1000 FROM generate_series(1, ?0) AS n`,
	`CREATE TEMPORARY TABLE numbered ON COMMIT DROP AS SELECT row_number() OVER () - 1 AS n, id FROM rooms`,
	`CREATE TEMPORARY TABLE authors ON COMMIT DROP AS SELECT row_number() OVER () - 1 AS n, id FROM users`,
	`INSERT INTO messages (id, room_id, user_id, body, created_at, updated_at)
		SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0')
				|| right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid,
			r.id, u.id, left(repeat(md5(i::text), 6), 20 + i % 160), at, at
		FROM generate_series(0, ?1 - 1) AS i
		CROSS JOIN LATERAL (SELECT now() - interval '90 d' + (i - ?1 / 2 + 0.5) * (interval '90 d' / (?1 / 2)) AS at) AS moment
		JOIN numbered AS r ON r.n = i::bigint * 7919 % ?0
		JOIN authors AS u ON u.n = i / ?0 % (SELECT count(*) FROM authors)
		ORDER BY i`,
	`INSERT INTO participants (room_id, user_id) SELECT r.id, u.id FROM rooms AS r CROSS JOIN users AS u`,
}

func insertMessages(t testing.TB, databaseURL string, rooms, messages int) {
	t.Helper()
	s := openDatabase(t, databaseURL)
	tx, err := s.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	for _, statement := range past {
		_, err := tx.NewRaw(statement, rooms, messages).Exec(t.Context())
		require.NoError(t, err, statement)
	}
	require.NoError(t, tx.Commit())
	for _, statement := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		_, err := s.DB().ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

// startDurablePostgres is a Postgres that syncs what it commits, as one in production does.
func startDurablePostgres(t testing.TB) *devstack.Stack {
	t.Helper()
	dir, err := os.MkdirTemp("", "watchparty-durable-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o711)) //nolint:gosec // the user postgres passes through it
	stack, err := devstack.Start(t.Context(), devstack.Options{Services: []devstack.Service{devstack.Postgres}, Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	return stack
}

// batched is how long each batch took.
type batched struct {
	took []time.Duration
	rows int
}

// median is of the batches from and before two tenths of them, in milliseconds.
func (b batched) median(from, before int) float64 {
	return milliseconds(slices.Clone(b.took[len(b.took)*from/10:len(b.took)*before/10]), 50)
}

// applyBatches removes all old messages. With anew, each batch searches the index from its beginning.
func applyBatches(t testing.TB, s *store.Store, limit int, anew bool) (b batched) {
	t.Helper()
	in := job.CleanupInput{
		RunID:    "01900000-0000-7000-8000-000000000001",
		Policies: []watchparty.Policy{watchparty.PolicyMessages},
	}
	require.NoError(t, s.BeginRun(t.Context(), in, "cleanup"))
	threshold := time.Now().Add(-keptFor)
	var at store.Cursor
	for {
		began := time.Now()
		done, err := s.CleanupBatch(t.Context(), in.RunID, watchparty.PolicyMessages, threshold, limit, at)
		require.NoError(t, err)
		if !done.More {
			return b
		}
		b.took = append(b.took, time.Since(began))
		b.rows += done.Rows
		if !anew {
			at = done.Next
		}
	}
}

// BenchmarkBatches removes the older half of messages, batch by batch without a pause.
func BenchmarkBatches(b *testing.B) {
	stack := startDurablePostgres(b)
	for _, scene := range []struct {
		name     string
		messages int
		held     bool
		anew     bool
	}{
		{"of 100 k", 100_000, false, false},
		{"of 500 k", 500_000, false, false},
		{"of 2 M", 2_000_000, false, false},
		{"of 2 M beside a backup", 2_000_000, true, false},
		{"of 2 M beside a backup, each from the beginning", 2_000_000, true, true},
	} {
		b.Run(scene.name, func(b *testing.B) {
			s := openDatabase(b, stack.DatabaseURL())
			_, err := s.DB().ExecContext(b.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
			require.NoError(b, err)
			_, err = migrations.Up(b.Context(), s.DB())
			require.NoError(b, err)
			_, err = s.CreateUser(b.Context(), watchparty.Registration{Username: "host", Email: "host@people.example"}, "")
			require.NoError(b, err)
			insertMessages(b, stack.DatabaseURL(), 2000, scene.messages)
			if scene.held {
				holdSnapshot(b, s)
			}
			before := walPosition(b, s)
			done := applyBatches(b, s, 1000, scene.anew)
			require.InDelta(b, scene.messages/2, done.rows, 100)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(done.median(0, 1), "first-tenth-ms")
			b.ReportMetric(done.median(9, 10), "last-tenth-ms")
			b.ReportMetric(milliseconds(done.took, 100), "longest-ms")
			b.ReportMetric((walPosition(b, s)-before)/float64(done.rows), "WAL-B/row")
		})
	}
}

func openDatabase(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(config.Database{URL: url, MaxConns: 10, StatementTimeout: 10 * time.Minute},
		auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// holdSnapshot keeps a snapshot until the test's end, as a backup does: what is deleted meanwhile stays in the indexes.
func holdSnapshot(t testing.TB, s *store.Store) {
	t.Helper()
	tx, err := s.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.ExecContext(t.Context(), "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM rooms")
	require.NoError(t, err)
}

func walPosition(t testing.TB, s *store.Store) (bytes float64) {
	t.Helper()
	require.NoError(t, s.DB().NewRaw("SELECT pg_current_wal_lsn() - '0/0'").Scan(t.Context(), &bytes))
	return bytes
}

// load is the requests of people in rooms: each is sent at its time, whatever the results of earlier ones are.
type load struct {
	http   *http.Client
	people []client
	rooms  []string
	posts  float64 // a second
	reads  float64

	refused atomic.Int64 // requests that a busy machine did not take
}

// times are how long after its time each request of a slice of time was answered.
type times struct{ posts, reads []time.Duration }

// timeSlices are one after the other, each about as long as the others.
type timeSlices []times

// milliseconds is the median of the slices' percentiles: a hiccup of the machine, which is in few of them, does not
// decide.
func (all timeSlices) milliseconds(of func(times) []time.Duration, percent int) float64 {
	longest := 0
	for _, one := range all {
		longest = max(longest, len(of(one)))
	}
	var each []float64
	for _, one := range all {
		if n := len(of(one)); n > longest/2 { // the run may have ended in it
			each = append(each, milliseconds(of(one), percent))
		}
	}
	slices.Sort(each)
	return each[(len(each)-1)/2]
}

// requests is how many there were.
func (all timeSlices) requests(of func(times) []time.Duration) (n int) {
	for _, one := range all {
		n += len(of(one))
	}
	return n
}

func posting(one times) []time.Duration { return one.posts }
func reading(one times) []time.Duration { return one.reads }

func newLoad(t testing.TB, s *system, of size) *load {
	t.Helper()
	l := &load{posts: of.posts, reads: of.reads, http: &http.Client{
		Timeout: httpClient.Timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 200},
	}}
	t.Cleanup(l.http.CloseIdleConnections)
	for i := range of.people {
		person, _ := s.client.register(t, fmt.Sprint("person", i), "Somebody")
		l.people = append(l.people, person)
	}
	return l
}

// run goes on until ctx ends and all answers are there.
func (l *load) run(ctx context.Context, t testing.TB) (all times) {
	var both sync.WaitGroup
	both.Go(func() {
		all.posts = sendAtRate(ctx, l.posts, func() bool {
			body := fmt.Sprintf(`{"room_id": %q, "body": "What a movie!"}`, l.rooms[rand.IntN(len(l.rooms))])
			return l.send(t, http.MethodPost, "/chat/messages", body, http.StatusCreated)
		})
	})
	both.Go(func() {
		all.reads = sendAtRate(ctx, l.reads, func() bool {
			room := l.rooms[rand.IntN(len(l.rooms))]
			return l.send(t, http.MethodGet, "/chat/messages?limit=50&room_id="+room, "", http.StatusOK)
		})
	})
	both.Wait()
	return all
}

// send sends a request, and reports whether it was not refused. Any answer but the wanted one and a refusal fails the
// test.
func (l *load) send(t testing.TB, method, path, body string, want int) bool {
	person := l.people[rand.IntN(len(l.people))]
	request, err := http.NewRequestWithContext(t.Context(), method, person.base+path, strings.NewReader(body))
	if !assert.NoError(t, err) {
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+person.token)
	response, err := l.http.Do(request)
	if !assert.NoError(t, err) {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	assert.NoError(t, err)
	if response.StatusCode == http.StatusServiceUnavailable {
		assert.NotEmpty(t, response.Header.Get("Retry-After"))
		l.refused.Add(1)
		return false
	}
	return assert.Equal(t, want, response.StatusCode)
}

// sendAtRate calls do at a fixed rate and measures each call that succeeds, from the moment at which it was due.
func sendAtRate(ctx context.Context, rate float64, do func() bool) (took []time.Duration) {
	var (
		calls sync.WaitGroup
		mu    sync.Mutex
	)
	defer calls.Wait()
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 1; ; i++ {
		select {
		case <-ctx.Done():
			calls.Wait()
			return took
		case <-timer.C:
		}
		due := began.Add(time.Duration(float64(i-1) / rate * float64(time.Second)))
		timer.Reset(time.Until(began.Add(time.Duration(float64(i) / rate * float64(time.Second)))))
		calls.Go(func() {
			if !do() {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(due))
		})
	}
}

// retention is a system with many messages of which half are too old, and how people fared while a run removed those.
type retention struct {
	*system
	load    *load
	runID   string
	before  timeSlices    // the run
	without timeSlices    // it, while it was held
	during  timeSlices    // it
	tables  [2]float64    // the size of the messages before and after, with their indexes, in bytes
	took    time.Duration // the run, without the time that it was held
	longest time.Duration // a transaction while it was not
}

// slicesBefore is how many come before the run.
const slicesBefore = 4

// observe loads the system before a run of the policy for old messages, and then during it: in turn with the run held
// between two batches and with the run going on, so that whatever else the machine does is in both.
func (r *retention) observe(t testing.TB, admin client, slice time.Duration) {
	t.Helper()
	for range slicesBefore {
		r.before = append(r.before, r.load.run(after(t, slice), t))
	}
	r.runID = startCleanup(t, admin, map[string]any{"policies": []string{"old_messages"}})
	for deadline := time.Now().Add(10 * time.Minute); !r.finished(t); {
		require.Less(t, time.Now(), deadline)
		letGo := r.holdLocks(t)
		r.without = append(r.without, r.load.run(after(t, slice), t))
		letGo()
		began := time.Now()
		ctx, cancel := context.WithCancel(after(t, slice))
		var watching sync.WaitGroup
		watching.Go(func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for ctx.Err() == nil && !r.finished(t) {
				r.longest = max(r.longest, r.longestTransaction(t, began))
				<-tick.C
			}
			r.took += time.Since(began)
			cancel()
		})
		r.during = append(r.during, r.load.run(ctx, t))
		watching.Wait()
	}
}

func (r *retention) finished(t testing.TB) bool {
	run, err := r.store.Run(t.Context(), r.runID)
	return assert.NoError(t, err) && !run.FinishedAt.IsZero()
}

// holdLocks keeps the run from its next batch, once it is between two.
func (r *retention) holdLocks(t testing.TB) (letGo func()) {
	t.Helper()
	tx, err := r.store.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "SELECT FROM cleanup_runs WHERE id = ? FOR UPDATE", r.runID)
	require.NoError(t, err)
	return func() { require.NoError(t, tx.Rollback()) }
}

// longestTransaction is the one that has gone on for longest, of those that have begun since.
func (r *retention) longestTransaction(t testing.TB, since time.Time) time.Duration {
	var seconds float64
	err := r.store.DB().
		NewRaw(`SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start >= ?`, since).
		Scan(t.Context(), &seconds)
	assert.NoError(t, err)
	return time.Duration(seconds * float64(time.Second))
}

func (r *retention) messagesSize(t testing.TB) (bytes float64) {
	t.Helper()
	require.NoError(t, r.store.DB().NewRaw("SELECT pg_total_relation_size('messages')::float8").Scan(t.Context(), &bytes))
	return bytes
}

func after(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// startCleanup asks for a run and returns its ID.
func startCleanup(t testing.TB, admin client, asked map[string]any) string {
	t.Helper()
	got := admin.post(t, "/admin/cleanup", asked)
	require.Equal(t, http.StatusAccepted, got.status, "%s", got.body)
	return got.data(t)["run_id"].(string)
}

// size is the scale of a run: the data, the requests a second, and the length of a slice of time.
type size struct {
	rooms, messages, people int
	posts, reads            float64 // a second
	slice                   time.Duration
}

// removeOldMessages does so with the default settings of the clean-up, while people post and read: before, meanwhile
// and after. The API, the worker and the servers are processes of their own; only the database may be elsewhere.
func removeOldMessages(t testing.TB, databaseURL string, of size) *retention {
	t.Helper()
	stack := stacktest.New(t, devstack.Postgres, devstack.Redis, devstack.Temporal, devstack.Inbox)
	databaseURL = cmp.Or(databaseURL, stack.DatabaseURL())
	r := &retention{system: newSystemOn(t, stack, databaseURL)}
	r.environ = append(r.environ, "RATE_LIMIT_ENABLED=false")
	r.startAPI(t)
	r.startWorker(t)
	r.load = newLoad(t, r.system, of)
	admin := r.load.people[0]
	r.grantAdmin(t, "person0@people.example")
	insertMessages(t, databaseURL, of.rooms, of.messages)
	require.NoError(t, r.store.DB().NewRaw("SELECT id FROM rooms").Scan(t.Context(), &r.load.rooms))
	r.load.run(after(t, of.slice), t) // to warm up
	r.tables[0] = r.messagesSize(t)
	r.observe(t, admin, of.slice)
	r.tables[1] = r.messagesSize(t)
	return r
}

// TestRetentionUnderLoad: a run removes the old messages and no others, while people post and read.
func TestRetentionUnderLoad(t *testing.T) {
	t.Parallel()
	of := size{rooms: 50, messages: 6000, people: 3, posts: 20, reads: 40, slice: 300 * time.Millisecond}
	r := removeOldMessages(t, "", of)
	run, err := r.store.Run(t.Context(), r.runID)
	require.NoError(t, err)
	require.Equal(t, watchparty.RunCompleted, run.State)
	require.Equal(t, map[watchparty.Policy]int64{watchparty.PolicyMessages: int64(of.messages / 2)}, run.Counts)
	var old, recent int
	require.NoError(
		t,
		r.store.DB().
			NewRaw("SELECT count(*) FILTER (WHERE created_at < ?0), count(*) FILTER (WHERE created_at >= ?0) FROM messages",
				run.StartedAt.Add(-keptFor)).
			Scan(t.Context(), &old, &recent),
	)
	require.Zero(t, old)
	require.GreaterOrEqual(
		t, recent, of.messages/2+r.before.requests(posting)+r.without.requests(posting)+r.during.requests(posting),
	)
	for _, phase := range []timeSlices{r.before, r.without, r.during} {
		require.Positive(t, phase.requests(posting))
		require.Positive(t, phase.requests(reading))
	}
}

// maxRetentionRatio is the most by which posting and reading may take longer while old messages are removed.
const maxRetentionRatio = 2

// BenchmarkRetention has people post and read while the older half of messages is removed.
func BenchmarkRetention(b *testing.B) {
	r := removeOldMessages(b, startDurablePostgres(b).DatabaseURL(), size{
		rooms: 2000, messages: 2_000_000, people: 20, posts: 50, reads: 150, slice: 6 * time.Second,
	})
	run, err := r.store.Run(b.Context(), r.runID)
	require.NoError(b, err)
	rows := run.Counts[watchparty.PolicyMessages]
	require.Zero(b, r.load.refused.Load())
	require.InDelta(b, 1_000_000, rows, 100, "some are too old by now that were not when the clock was read")
	for _, kind := range []struct {
		name string
		of   func(times) []time.Duration
	}{{"posting", posting}, {"reading", reading}} {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			for phase, took := range map[string]timeSlices{"before": r.before, "without": r.without, "during": r.during} {
				for _, percent := range []int{50, 99} {
					b.ReportMetric(took.milliseconds(kind.of, percent), fmt.Sprintf("%s-p%d-ms", phase, percent))
				}
			}
			ratio := r.during.milliseconds(kind.of, 99) / r.without.milliseconds(kind.of, 99)
			b.ReportMetric(ratio, "during/without")
			if ratio > maxRetentionRatio {
				b.Errorf("%s takes %.2f times as long while old messages are removed; %d is allowed", kind.name, ratio,
					maxRetentionRatio)
			}
			for i := range min(len(r.without), len(r.during)) {
				b.Logf("%s, slice %d: p99 without %.1f ms, during %.1f ms",
					kind.name, i, milliseconds(kind.of(r.without[i]), 99), milliseconds(kind.of(r.during[i]), 99))
			}
		})
	}
	b.Run("clean-up", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(rows)/r.took.Seconds(), "rows/s")
		b.ReportMetric(r.tables[0]/1e6, "table-MB-before")
		b.ReportMetric(r.tables[1]/1e6, "table-MB-after")
		b.ReportMetric(r.longest.Seconds()*1000, "longest-transaction-ms")
	})
}
