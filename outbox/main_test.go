package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres))
}

// patience is for what takes milliseconds on an idle machine.
const patience = 2 * time.Minute

// open gives the test a migrated schema of its own and the address of it.
func open(t *testing.T) (*bun.DB, string) {
	t.Helper()
	url := stacktest.MigratedURL(t)
	return openAt(t, url), url
}

func openAt(t *testing.T, url string) *bun.DB {
	t.Helper()
	pool := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(url)))
	pool.SetMaxOpenConns(8)
	pool.SetMaxIdleConns(8)
	db := bun.NewDB(pool, pgdialect.New(), bun.WithDiscardUnknownColumns())
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// add commits events with these workflow IDs.
func add(t *testing.T, db *bun.DB, workflowIDs ...string) {
	t.Helper()
	addIn(t.Context(), t, db, workflowIDs...)
}

func addIn(ctx context.Context, t *testing.T, db *bun.DB, workflowIDs ...string) {
	t.Helper()
	require.NoError(t, db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, id := range workflowIDs {
			e := job.Event{
				WorkflowID: id,
				Workflow:   "Greet",
				TaskQueue:  "email",
				Summary:    "Greeting",
				Input:      map[string]string{"id": id},
			}
			if err := Add(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	}))
}

func names(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s/%d", prefix, i)
	}
	return out
}

type stored struct {
	State     string
	Attempts  int
	LastError string
	Due       bool    // whether it may be claimed now
	Wait      float64 // seconds until it may
	StartedAt *time.Time
}

func findEvent(t *testing.T, db *bun.DB, workflowID string) (s stored) {
	t.Helper()
	require.NoError(t, db.NewRaw(`SELECT state, attempts, last_error, available_at <= now() AS due, started_at,
		extract(epoch FROM available_at - now())::float8 AS wait FROM outbox WHERE workflow_id = ?`, workflowID).Scan(t.Context(), &s))
	return s
}

func pending(ctx context.Context, db *bun.DB) (int, error) {
	return db.NewSelect().Model((*row)(nil)).Where("state = 'pending'").Count(ctx)
}

// eventuallyStarted waits until no event is pending.
func eventuallyStarted(t *testing.T, db *bun.DB) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		n, err := pending(t.Context(), db)
		require.NoError(c, err)
		require.Zero(c, n)
	}, patience, 10*time.Millisecond)
}

// temporal stands for the server that only counts: which workflows it was asked to start, and how often. The answers
// that matter are scripted with answer.
type temporal struct {
	mu     sync.Mutex
	asked  map[string]int
	events []job.Event
	answer func(ctx context.Context, e job.Event, times int) error
	called chan string // every call's workflow ID, when not nil
}

func (s *temporal) start(ctx context.Context, e job.Event) error {
	s.mu.Lock()
	if s.asked == nil {
		s.asked = map[string]int{}
	}
	s.asked[e.WorkflowID]++
	s.events = append(s.events, e)
	times, answer := s.asked[e.WorkflowID], s.answer
	s.mu.Unlock()
	if s.called != nil {
		s.called <- e.WorkflowID
	}
	if answer == nil {
		return nil
	}
	return answer(ctx, e, times)
}

func (s *temporal) times(workflowID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[workflowID]
}

var (
	errAway    = fmt.Errorf("%w: dial tcp: connection refused", ErrAway)
	errRefused = errors.New("the input is not what it should be")
	quick      = pace{poll: 20 * time.Millisecond, batch: 20, lease: time.Minute}
	discard    = slog.New(slog.DiscardHandler)
)

// newRelay makes a relay with another pace.
func newRelay(db *bun.DB, start StartFunc, p pace) *Relay {
	r := NewRelay(db, start, NewSignal(), discard)
	r.pace = p
	return r
}

// run makes a relay and runs it; see runRelay.
func run(t *testing.T, db *bun.DB, start StartFunc, p pace) (r *Relay, stop func()) {
	t.Helper()
	r = newRelay(db, start, p)
	return r, runRelay(t, r)
}

// runRelay runs the relay until the test ends or stop is called, which waits for its end.
func runRelay(t *testing.T, r *Relay) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	stop = func() {
		cancel()
		wg.Wait()
	}
	t.Cleanup(stop)
	return stop
}
