package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/workflows/job"
)

const (
	// maxPause is the longest wait between two attempts to reach a Temporal that is down.
	maxPause = 5 * time.Second
	// maxBackoff is the longest wait of a single event that Temporal refuses.
	maxBackoff = time.Minute
	// parallel is the number of workflows that one relay starts at a time.
	parallel = 10
)

// pace is how often a relay claims events, and how many.
type pace struct {
	poll  time.Duration // between two claims without a signal
	batch int           // events of one claim; an urgent event waits for the rest of a batch
	lease time.Duration // after which another relay may claim the same events
}

var defaultPace = pace{poll: time.Second, batch: 10, lease: 30 * time.Second}

// StartFunc starts the event's workflow and sends the event's signal, if it has one. A workflow that exists already,
// and a workflow that has ended before its signal, are successes. An error that wraps ErrAway says nothing about the
// event.
type StartFunc func(ctx context.Context, e job.Event) error

// Relay turns pending events into workflows.
type Relay struct {
	db      *bun.DB
	start   StartFunc
	pace    pace
	log     *slog.Logger
	added   Signal
	metrics *metrics
	tracer  trace.Tracer // nil without traces
}

// NewRelay makes a relay. Run runs it. added is sent when events were committed.
func NewRelay(db *bun.DB, start StartFunc, added Signal, log *slog.Logger) *Relay {
	return &Relay{
		db: db, start: start, pace: defaultPace, log: logging.Sparse(log, slog.LevelWarn, "workflow_id"), added: added,
	}
}

// Run relays until ctx ends: after each signal, and once a second for events that other processes or a crash have left.
func (r *Relay) Run(ctx context.Context) {
	ticker := time.NewTicker(r.pace.poll)
	defer ticker.Stop()
	pause := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.added:
		case <-ticker.C:
		}
		err := r.drain(ctx)
		r.metrics.countPass(err)
		if err == nil {
			pause = 0
			continue
		}
		if ctx.Err() != nil {
			return
		}
		pause = min(max(2*pause, r.pace.poll), maxPause)
		r.log.WarnContext(ctx, "outbox relay pauses", slog.Duration("pause", pause), slog.Any("error", err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			r.added.Send() // the next poll may be far
		}
	}
}

// drain relays until no event is available.
func (r *Relay) drain(ctx context.Context) error {
	for {
		rows, err := r.claim(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		if err := r.relay(ctx, rows); err != nil {
			return err
		}
	}
}

// claim takes a batch of available events under a lease: by priority, then the oldest first.
func (r *Relay) claim(ctx context.Context) ([]row, error) {
	available := r.db.NewSelect().Model((*row)(nil)).Column("id").
		Where("state = 'pending' AND available_at <= now()").
		Order("priority", "available_at").Limit(r.pace.batch).For("UPDATE SKIP LOCKED")
	var rows []row
	// ARRAY(…) is evaluated once. A plan could run a plain IN (…) again for each row, and claim more than a batch.
	err := r.db.NewUpdate().Model(&rows).
		Set("available_at = now() + make_interval(secs => ?)", r.pace.lease.Seconds()).
		Set("attempts = attempts + 1").Set("updated_at = now()").
		Where("id = ANY(ARRAY(?))", available).Returning("*").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("outbox: claim: %w", err)
	}
	return rows, nil
}

// relay starts a batch's workflows, then marks the events as started, refused by Temporal, or not tried because
// Temporal is down. In the last case it returns the reason.
func (r *Relay) relay(ctx context.Context, rows []row) error {
	results := make([]error, len(rows))
	var (
		g    errgroup.Group
		down downFlag
	)
	g.SetLimit(parallel)
	for i, row := range rows {
		g.Go(func() error {
			if results[i] = down.get(); results[i] == nil {
				results[i] = r.startOne(ctx, row)
				down.set(results[i])
			}
			return nil // an event that fails does not end the others
		})
	}
	_ = g.Wait()

	var started, released []string
	for i, row := range rows {
		switch err := results[i]; {
		case err == nil:
			started = append(started, row.ID)
		case isAway(err):
			released = append(released, row.ID)
		default:
			r.postpone(ctx, row, err)
		}
	}
	if err := r.mark(ctx, started, released); err != nil {
		return err
	}
	return down.get()
}

func (r *Relay) startOne(ctx context.Context, row row) error {
	ctx, end := r.span(ctx, row)
	err := r.start(ctx, row.event())
	end(err)
	r.log.DebugContext(ctx, "outbox event", slog.String("workflow_id", row.WorkflowID), slog.Bool("started", err == nil))
	return err
}

// mark stores which events were started, and releases the others. It ignores the end of ctx, so that a process that
// stops still stores what it has started.
func (r *Relay) mark(ctx context.Context, started, released []string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if len(started) > 0 {
		var waits []float64
		err := r.db.NewUpdate().Model((*row)(nil)).
			Set("state = 'started'").Set("started_at = now()").Set("updated_at = now()").Set("last_error = ''").
			Where("id IN (?)", bun.List(started)).Returning("extract(epoch FROM now() - created_at)::float8").Scan(ctx, &waits)
		if err != nil {
			return fmt.Errorf("outbox: mark as started: %w", err)
		}
		r.metrics.observeWaits(waits)
	}
	if len(released) > 0 {
		_, err := r.db.NewUpdate().Model((*row)(nil)).
			Set("available_at = now()").Set("updated_at = now()").Set("last_error = 'Temporal is down'").
			Where("id IN (?) AND state = 'pending'", bun.List(released)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("outbox: release: %w", err)
		}
	}
	return nil
}

// postpone sets the time of the next attempt at an event that Temporal refuses.
func (r *Relay) postpone(ctx context.Context, e row, cause error) {
	wait := min(time.Second<<min(e.Attempts, 10), maxBackoff)
	r.log.ErrorContext(ctx, "outbox event refused", slog.String("workflow_id", e.WorkflowID),
		slog.Int("attempts", e.Attempts), slog.Duration("retry_in", wait), slog.Any("error", cause))
	r.metrics.countRefusal()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := r.db.NewUpdate().Model((*row)(nil)).
		Set("available_at = now() + make_interval(secs => ?)", wait.Seconds()).
		Set("updated_at = now()").Set("last_error = ?", cause.Error()).
		Where("id = ? AND state = 'pending'", e.ID).Exec(ctx)
	if err != nil {
		r.log.ErrorContext(ctx, "outbox event not postponed; its lease will end", slog.Any("error", err))
	}
}

// downFlag keeps the first error that means that Temporal is down, so that the rest of a batch is not tried.
type downFlag struct {
	mu  sync.Mutex
	err error
}

func (f *downFlag) set(err error) {
	if !isAway(err) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *downFlag) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
