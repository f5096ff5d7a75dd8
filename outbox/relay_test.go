package outbox

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestRelaysStartEachEventOnce(t *testing.T) {
	t.Parallel()
	db, url := open(t)
	const relays, events = 4, 300
	ids := names("welcome-email", events)
	add(t, db, ids[:events/2]...) // some are there before, some come while they run
	var server temporal
	stops := make([]func(), relays)
	for i := range relays {
		var r *Relay
		r, stops[i] = run(t, openAt(t, url), server.start, quick)
		r.added.Send()
	}
	for _, id := range ids[events/2:] {
		add(t, db, id)
	}
	eventuallyStarted(t, db)
	for _, stop := range stops {
		stop()
	}
	require.Len(t, server.asked, events)
	for _, id := range ids {
		require.Equal(t, 1, server.asked[id], id)
		s := findEvent(t, db, id)
		require.Equal(t, "started", s.State)
		require.Equal(t, 1, s.Attempts)
	}
}

func TestSignalIsFollowedAtOnce(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	server := temporal{called: make(chan string, 10)}
	r, _ := run(t, db, server.start, pace{poll: time.Hour, batch: 10, lease: time.Hour})
	for _, id := range names("signalled", 3) {
		add(t, db, id)
		r.added.Send()
		select {
		case started := <-server.called:
			require.Equal(t, id, started)
		case <-time.After(patience):
			require.FailNow(t, "nothing was started")
		}
	}
	eventuallyStarted(t, db)
}

// TestAwaitedEventsGoFirst: in each batch, events that a person waits for are started before earlier events.
func TestAwaitedEventsGoFirst(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	add(t, db, names("report", 10)...)
	require.NoError(t, db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		return errors.Join(Add(ctx, tx, job.ReportEmailEvent("1", "1")), Add(ctx, tx, job.PasswordResetEvent("1", "1")))
	}))
	var server temporal
	r := newRelay(db, server.start, pace{poll: time.Hour, batch: 1, lease: time.Hour})
	require.NoError(t, r.drain(t.Context()))
	var order []string
	for _, e := range server.events {
		order = append(order, e.WorkflowID)
	}
	want := slices.Concat([]string{job.PasswordResetID("1")}, names("report", 10), []string{job.ReportEmailID("1")})
	require.ElementsMatch(t, want, order)
	require.Equal(t, []string{want[0], want[11]}, []string{order[0], order[11]})
	require.Equal(t, watchparty.PriorityAwaited, server.events[0].Priority, "Temporal is told")
	require.Equal(t, watchparty.PriorityNormal, server.events[1].Priority)
}

// TestSignalNeverBlocks: signals neither block nor pile up while nobody receives them.
func TestSignalNeverBlocks(t *testing.T) {
	t.Parallel()
	r := newRelay(nil, nil, quick)
	for range 1000 {
		r.added.Send()
	}
	require.Len(t, r.added, 1)
}

func TestOneDrainTakesAllBatches(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	add(t, db, names("many", 25)...)
	var server temporal
	r := newRelay(db, server.start, pace{poll: time.Hour, batch: 4, lease: time.Hour})
	require.NoError(t, r.drain(t.Context()))
	require.Len(t, server.asked, 25)
	n, err := pending(t.Context(), db)
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestTemporalAway(t *testing.T) {
	t.Parallel()

	t.Run("events wait, and start when it is back", func(t *testing.T) {
		db, _ := open(t)
		ids := names("patient", 40)
		add(t, db, ids...)
		var back atomic.Bool
		server := temporal{called: make(chan string, 10_000), answer: func(context.Context, job.Event, int) error {
			if back.Load() {
				return nil
			}
			return errAway
		}}
		_, stop := run(t, db, server.start, quick)
		for range 6 { // one round asks for one event at least; the pauses between rounds grow
			<-server.called
		}
		n, err := pending(t.Context(), db)
		require.NoError(t, err)
		require.Len(t, ids, n, "none is given up")
		back.Store(true)
		eventuallyStarted(t, db)
		stop()
		for _, id := range ids {
			require.Empty(t, findEvent(t, db, id).LastError)
		}
	})

	for name, fault := range map[string]error{
		"the namespace is missing": serviceerror.NewNamespaceNotFound("party"),
		"the key has expired":      status.Error(codes.Unauthenticated, "expired"),
		"the key may not write":    serviceerror.NewPermissionDenied("no", ""),
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := open(t)
			ids := names("faultless", 40)
			add(t, db, ids...)
			var repaired atomic.Bool
			server := temporal{called: make(chan string, 10_000), answer: func(context.Context, job.Event, int) error {
				if repaired.Load() {
					return nil
				}
				return classify(fault)
			}}
			logged, began := make(signal, 10_000), time.Now()
			r := NewRelay(db, server.start, NewSignal(), slog.New(slog.NewTextHandler(logged, nil)))
			r.pace = quick
			stop := runRelay(t, r)
			for range 6 {
				<-server.called
			}
			for _, id := range ids {
				require.NotContains(t, findEvent(t, db, id).LastError, fault.Error(), "no event has a fault")
			}
			repaired.Store(true)
			eventuallyStarted(t, db)
			stop()
			lines := len(logged)
			require.LessOrEqual(t, lines, 1+int(time.Since(began)/logging.Interval), "one line an interval")
			require.Positive(t, lines)
			for range lines {
				require.Contains(t, <-logged, "outbox relay pauses")
			}
		})
	}

	t.Run("an event that was not started is free again at once", func(t *testing.T) {
		db, _ := open(t)
		ids := names("released", 40)
		add(t, db, ids...)
		server := temporal{answer: func(context.Context, job.Event, int) error { return errAway }}
		r := newRelay(db, server.start, pace{poll: time.Hour, batch: 40, lease: time.Hour})
		require.ErrorIs(t, r.drain(t.Context()), ErrAway)
		require.Less(t, len(server.events), 40, "a Temporal that is away is not asked for every event of a batch")
		for _, id := range ids {
			s := findEvent(t, db, id)
			require.Equal(t, "pending", s.State)
			require.True(t, s.Due, "the lease is given back")
			require.Equal(t, "Temporal is down", s.LastError)
		}
	})

	t.Run("what was started before it went stays started", func(t *testing.T) {
		db, _ := open(t)
		add(t, db, names("half", 30)...)
		server := temporal{}
		server.answer = func(_ context.Context, e job.Event, _ int) error {
			if e.WorkflowID == "half/7" {
				return errAway
			}
			return nil
		}
		r := newRelay(db, server.start, quick)
		require.ErrorIs(t, r.drain(t.Context()), ErrAway)
		server.answer = nil
		require.NoError(t, r.drain(t.Context()))
		for _, id := range names("half", 30) {
			require.Equal(t, "started", findEvent(t, db, id).State)
			if id != "half/7" {
				require.Equal(t, 1, server.asked[id], id)
			}
		}
		require.Equal(t, 2, server.asked["half/7"])
	})
}

// The poll interval says how soon others' events are found, not how long a relay that knows of some waits.
func TestRelayComesBackByItself(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	add(t, db, "alone")
	server := temporal{answer: func(_ context.Context, _ job.Event, times int) error {
		if times == 1 {
			return errAway
		}
		return nil
	}}
	r, _ := run(t, db, server.start, pace{poll: time.Hour, batch: 10, lease: time.Hour})
	r.added.Send()
	eventuallyStarted(t, db)
	require.Equal(t, 2, server.times("alone"))
}

// A relay dies after Temporal has started the workflow and before the event is marked: the next relay starts it again,
// learns that it runs already, and marks the event.
func TestCrashBetweenStartAndMark(t *testing.T) {
	t.Parallel()
	db, url := open(t)
	add(t, db, "crash")
	var workflows temporal
	workflows.answer = func(_ context.Context, _ job.Event, times int) error {
		if times > 1 {
			return classify(serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "request", "run"))
		}
		return nil
	}
	doomed := openAt(t, url)
	first := newRelay(doomed, func(ctx context.Context, e job.Event) error {
		err := workflows.start(ctx, e)
		_ = doomed.Close()
		return err
	}, pace{poll: time.Hour, batch: 10, lease: 700 * time.Millisecond})
	require.Error(t, first.drain(t.Context()))
	s := findEvent(t, db, "crash")
	require.Equal(t, "pending", s.State)
	require.Equal(t, 1, workflows.times("crash"))

	_, stop := run(t, db, workflows.start, quick)
	eventuallyStarted(t, db)
	stop()
	require.Equal(t, 2, workflows.times("crash"))
	require.Equal(t, 2, findEvent(t, db, "crash").Attempts)
}

func TestLease(t *testing.T) {
	t.Parallel()
	db, url := open(t)
	other := newRelay(openAt(t, url), nil, quick)

	t.Run("keeps others away while it lasts", func(t *testing.T) {
		add(t, db, "held")
		holder := newRelay(db, nil, pace{batch: 10, lease: time.Hour})
		rows, err := holder.claim(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.InDelta(t, time.Hour.Seconds(), findEvent(t, db, "held").Wait, 60)
		rows, err = other.claim(t.Context())
		require.NoError(t, err)
		require.Empty(t, rows)
	})

	t.Run("ends", func(t *testing.T) {
		add(t, db, "left")
		gone := newRelay(db, nil, pace{batch: 10, lease: 200 * time.Millisecond})
		rows, err := gone.claim(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			rows, err := other.claim(t.Context())
			require.NoError(c, err)
			require.Len(c, rows, 1)
			require.Equal(c, "left", rows[0].WorkflowID)
			require.Equal(c, 2, rows[0].Attempts)
		}, patience, 20*time.Millisecond)
	})

	// A relay that is back after its lease has ended does not touch what another has finished meanwhile.
	for id, answer := range map[string]error{"late/refused": errRefused, "late/away": errAway} {
		t.Run("a late relay changes nothing: "+id, func(t *testing.T) {
			add(t, db, id)
			late := newRelay(db, func(ctx context.Context, e job.Event) error {
				assert.NoError(t, other.mark(ctx, startedIDs(t, other, e.WorkflowID), nil))
				return answer
			}, quick)
			rows, err := late.claim(t.Context())
			require.NoError(t, err)
			require.Len(t, rows, 1)
			_ = late.relay(t.Context(), rows)
			s := findEvent(t, db, id)
			require.Equal(t, "started", s.State)
			require.Empty(t, s.LastError)
		})
	}

	t.Run("a batch is no more than its size", func(t *testing.T) {
		add(t, db, names("batch", 30)...)
		rows, err := newRelay(db, nil, pace{batch: 7, lease: time.Hour}).claim(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 7)
	})
}

func startedIDs(t *testing.T, r *Relay, workflowID string) []string {
	var id string
	err := r.db.NewSelect().Model((*row)(nil)).Column("id").Where("workflow_id = ?", workflowID).Scan(t.Context(), &id)
	if err != nil {
		t.Error(err)
	}
	return []string{id}
}

func TestRefusedEvents(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	server := temporal{answer: func(_ context.Context, e job.Event, _ int) error {
		if e.WorkflowID == "bad" {
			return errRefused
		}
		return nil
	}}

	t.Run("do not block others", func(t *testing.T) {
		add(t, db, "bad")
		_, err := db.NewRaw("UPDATE outbox SET attempts = 9").Exec(t.Context()) // so that it waits for a minute
		require.NoError(t, err)
		add(t, db, names("good", 60)...)
		r := newRelay(db, server.start, quick)
		require.NoError(t, r.drain(t.Context()))
		n, err := pending(t.Context(), db)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		s := findEvent(t, db, "bad")
		require.Equal(t, "pending", s.State)
		require.False(t, s.Due)
		require.Contains(t, s.LastError, "the input is not what it should be")
	})

	t.Run("wait longer each time, a minute at most", func(t *testing.T) {
		r := newRelay(db, server.start, quick)
		for _, want := range []struct{ attempts, seconds int }{{1, 2}, {2, 4}, {5, 32}, {6, 60}, {10, 60}, {1 << 30, 60}} {
			_, err := db.NewRaw("UPDATE outbox SET attempts = ?, available_at = now() WHERE workflow_id = 'bad'",
				want.attempts-1).
				Exec(t.Context())
			require.NoError(t, err)
			began := time.Now()
			require.NoError(t, r.drain(t.Context()))
			s := findEvent(t, db, "bad")
			require.Equal(t, want.attempts, s.Attempts)
			require.InDelta(t, want.seconds, s.Wait, 1.5+time.Since(began).Seconds(), "attempt %d", want.attempts)
		}
	})

	t.Run("start when Temporal takes them", func(t *testing.T) {
		_, err := db.NewRaw("UPDATE outbox SET available_at = now() WHERE workflow_id = 'bad'").Exec(t.Context())
		require.NoError(t, err)
		var kind temporal
		require.NoError(t, newRelay(db, kind.start, quick).drain(t.Context()))
		s := findEvent(t, db, "bad")
		require.Equal(t, "started", s.State)
		require.Empty(t, s.LastError)
	})
}

func TestRunEnds(t *testing.T) {
	t.Parallel()
	ended := func(t *testing.T, ctx context.Context, r *Relay) <-chan struct{} {
		t.Helper()
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Run(ctx)
		}()
		return done
	}
	await := func(t *testing.T, done <-chan struct{}) {
		t.Helper()
		select {
		case <-done:
		case <-time.After(patience):
			require.FailNow(t, "the relay goes on")
		}
	}
	slow := pace{poll: time.Hour, batch: 10, lease: time.Hour}

	t.Run("while it waits", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := ended(t, ctx, newRelay(nil, nil, slow))
		cancel()
		await(t, done)
	})

	t.Run("while it pauses", func(t *testing.T) {
		db, _ := open(t)
		add(t, db, "paused")
		server := temporal{answer: func(context.Context, job.Event, int) error { return errAway }}
		ctx, cancel := context.WithCancel(t.Context())
		logged := make(signal, 1)
		r := NewRelay(db, server.start, NewSignal(), slog.New(slog.NewTextHandler(logged, nil)))
		r.pace = slow
		r.added.Send()
		done := ended(t, ctx, r)
		require.Contains(t, <-logged, "outbox relay pauses")
		paused := time.Now()
		cancel()
		await(t, done)
		require.Less(t, time.Since(paused), maxPause, "the relay ends its pause first")
		require.True(t, findEvent(t, db, "paused").Due, "and leaves its events to others")
	})

	t.Run("in the middle of a batch, which it marks", func(t *testing.T) {
		db, _ := open(t)
		ids := names("last", 5)
		add(t, db, ids...)
		ctx, cancel := context.WithCancel(t.Context())
		server := temporal{answer: func(context.Context, job.Event, int) error {
			cancel() // Temporal has started it nevertheless
			return nil
		}}
		r := newRelay(db, server.start, slow)
		r.added.Send()
		await(t, ended(t, ctx, r))
		for _, id := range ids {
			require.Equal(t, server.times(id) == 1, findEvent(t, db, id).State == "started", id)
			require.LessOrEqual(t, server.times(id), 1)
		}
		require.NotEmpty(t, server.events)
	})

	t.Run("with the database away", func(t *testing.T) {
		db, _ := open(t)
		require.NoError(t, db.Close())
		ctx, cancel := context.WithCancel(t.Context())
		r := newRelay(db, nil, quick)
		done := ended(t, ctx, r)
		require.Error(t, r.drain(ctx))
		select {
		case <-done:
			require.FailNow(t, "an error ends no relay")
		default:
		}
		cancel()
		await(t, done)
	})
}

// signal passes on what is logged.
type signal chan string

func (s signal) Write(line []byte) (int, error) {
	select {
	case s <- string(line):
	default:
	}
	return len(line), nil
}

// A database that was away for a moment costs a pause and no event.
func TestDatabaseComesBack(t *testing.T) {
	t.Parallel()
	db, url := open(t)
	add(t, db, "kept")
	_, err := db.NewRaw("ALTER TABLE outbox RENAME TO outbox_away").Exec(t.Context())
	require.NoError(t, err)
	var server temporal
	relayDB := openAt(t, url)
	r := newRelay(relayDB, server.start, quick)
	require.ErrorContains(t, r.drain(t.Context()), "outbox: claim")
	_, stop := run(t, relayDB, server.start, quick)
	_, err = db.NewRaw("ALTER TABLE outbox_away RENAME TO outbox").Exec(t.Context())
	require.NoError(t, err)
	eventuallyStarted(t, db)
	stop()
	require.Equal(t, map[string]int{"kept": 1}, server.asked)
}
