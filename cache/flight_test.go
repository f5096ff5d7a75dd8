package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// gate is a loader that says when it has read and holds its result back.
type gate struct {
	body    string
	began   chan struct{}
	release chan struct{}
}

func newGate(body string) *gate {
	return &gate{body: body, began: make(chan struct{}, 1000), release: make(chan struct{})}
}

func (g *gate) run(ctx context.Context) (Loaded, error) {
	g.began <- struct{}{}
	select {
	case <-g.release:
		return Loaded{Body: []byte(g.body)}, nil
	case <-ctx.Done():
		return Loaded{}, ctx.Err()
	}
}

func hang(ctx context.Context) (Loaded, error) {
	<-ctx.Done()
	return Loaded{}, ctx.Err()
}

// goGet reads in the background.
func goGet(t testing.TB, p *process, q Query, load Loader) <-chan string {
	body := make(chan string, 1)
	go func() {
		got, _ := get(t, p, q, load)
		body <- got
	}()
	return body
}

func requireJoined(t testing.TB, p *process, count int) {
	t.Helper()
	require.Eventually(t, func() bool { return p.Stats().Joined == uint64(count) }, patience, time.Millisecond)
}

// The result of a load that begins before a change and ends after it is not returned to callers that come after the
// change, and is not stored.
func TestASlowReaderStoresNothingStale(t *testing.T) {
	t.Parallel()
	i := install(t)
	a, b := i.start(t), i.start(t)
	load := newGate("before the change")
	slow := goGet(t, a, roomQuery(), load.run)
	<-load.began
	b.change(t, "room:1")
	later := goGet(t, a, roomQuery(), text("after the change"))
	requireJoined(t, a, 1)
	close(load.release)
	require.Equal(t, "before the change", <-slow)
	require.Equal(t, "after the change", <-later)
	requireGet(t, b, text("not called"), "after the change", true)
	requireGet(t, a, text("not called"), "after the change", true)
}

// The same when it ends before the change, and is just being stored.
func TestAReaderJoinsNoLoadThatHasEnded(t *testing.T) {
	t.Parallel()
	p := install(t).start(t)
	storing, stored := make(chan struct{}, 1), make(chan struct{})
	p.Redis().Client().AddHook(&exchanges{hold: func(cmd redis.Cmder) {
		args := cmd.Args()
		if cmd.Name() == "set" && args[1] == p.shared.entryKey(p.member.Generation(), "room:1") {
			select {
			case storing <- struct{}{}:
			default:
			}
			<-stored
		}
	}})
	first := goGet(t, p, roomQuery(), text("before the change"))
	<-storing
	p.change(t, "room:1")
	later := goGet(t, p, roomQuery(), text("after the change"))
	requireJoined(t, p, 1)
	close(stored)
	require.Equal(t, "before the change", <-first)
	require.Equal(t, "after the change", <-later)
}

// A load takes longer than a lease that is renewed meanwhile.
func TestASlowLoadIsStored(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.timing.Lease = time.Second
	p := i.start(t)
	require.Eventually(t, func() bool { // a busy machine may lose its lease
		load := newGate("slow")
		body := goGet(t, p, roomQuery(), load.run)
		select {
		case got := <-body:
			return got == "slow"
		case <-load.began:
		}
		time.Sleep(i.timing.Lease)
		close(load.release)
		<-body
		return false
	}, patience, time.Millisecond)
	require.LessOrEqual(t, p.Stats().Loads, 1+p.member.Stats().Lost)
}

func TestOneLoadForAllWhoWait(t *testing.T) {
	t.Parallel()
	p := install(t).start(t)
	const readers = 500
	load := newGate("shared")
	var bodies []<-chan string
	for range readers {
		bodies = append(bodies, goGet(t, p, roomQuery(), load.run))
	}
	requireJoined(t, p, readers-1)
	<-load.began
	close(load.release)
	for _, body := range bodies {
		require.Equal(t, "shared", <-body)
	}
	require.EqualValues(t, 1, p.Stats().Loads)
}

func TestOneLoadForAllProcesses(t *testing.T) {
	t.Parallel()
	i := install(t).with(func(l *limits) { l.lockTTL = patience })
	i.database.MaxConns = 2
	const processes, readers = 10, 50
	all := make([]*process, processes)
	var starting sync.WaitGroup
	for n := range all {
		starting.Go(func() { all[n] = i.start(t) })
	}
	starting.Wait()
	for round := range 3 {
		q := Query{Key: fmt.Sprint("room:", round), Tags: []string{"room"}, TTL: time.Minute}
		var loads atomic.Int64
		var reading sync.WaitGroup
		for _, p := range all {
			for range readers {
				reading.Go(func() {
					body, _ := get(t, p, q, func(context.Context) (Loaded, error) {
						loads.Add(1)
						time.Sleep(20 * time.Millisecond) // what a query takes
						return Loaded{Body: []byte("shared")}, nil
					})
					if body != "shared" {
						t.Errorf("got %q", body)
					}
				})
			}
		}
		reading.Wait()
		require.EqualValues(t, 1, loads.Load())
	}
}

// Another process loads when the first one's load has failed.
func TestTheRightToLoadIsGivenOn(t *testing.T) {
	t.Parallel()
	i := install(t).with(func(l *limits) { l.lockTTL = patience })
	a, b := i.start(t), i.start(t)
	began, release := make(chan struct{}), make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		_, _, err := a.Get(t.Context(), roomQuery(), func(context.Context) (Loaded, error) {
			close(began)
			<-release
			return Loaded{}, errors.New("broken")
		})
		failed <- err
	}()
	<-began
	body := goGet(t, b, roomQuery(), text("well"))
	require.Never(t, func() bool { return len(body) > 0 }, 100*time.Millisecond, time.Millisecond, "it waits")
	close(release)
	require.ErrorContains(t, <-failed, "broken")
	require.Equal(t, "well", <-body)
	requireGet(t, a, text("not called"), "well", true)
}

// A process that has died with the right to load holds the others up for a bounded time.
func TestTheRightToLoadEnds(t *testing.T) {
	t.Parallel()
	p := install(t).with(func(l *limits) { l.lockTTL = 100 * time.Millisecond }).start(t)
	raw := rawClient(t, stacktest.RedisURL())
	key := p.shared.lockKey(p.member.Generation(), "room:1")
	require.NoError(t, raw.Set(t.Context(), key, "of a process that has died", 0).Err())
	requireGet(t, p, text("loaded"), "loaded", false)
	require.Equal(t, "of a process that has died", raw.Get(t.Context(), key).Val())
	p.forget()
	requireGet(t, p, text("not called"), "loaded", true)
}

// A caller may leave; its load goes on for the others.
func TestWaitersHaveTheirOwnContexts(t *testing.T) {
	t.Parallel()
	p := install(t).start(t)
	load := newGate("for the patient")
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, _, err := p.Get(ctx, roomQuery(), load.run)
		left <- err
	}()
	<-load.began
	patient := goGet(t, p, roomQuery(), text("not called"))
	requireJoined(t, p, 1)
	leave()
	require.ErrorIs(t, <-left, context.Canceled)
	close(load.release)
	require.Equal(t, "for the patient", <-patient)

	q := roomQuery()
	q.Key = "another"
	_, _, err := p.Get(ctx, q, text("not called"))
	require.ErrorIs(t, err, context.Canceled)
}

func TestLoadIsBounded(t *testing.T) {
	t.Parallel()
	p := install(t).with(func(l *limits) { l.loadTimeout = time.Millisecond }).start(t)
	_, _, err := p.Get(t.Context(), roomQuery(), hang)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// Loads wait for their turn.
func TestLoadsWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	p := install(t).with(func(l *limits) { l.loads, l.queueTimeout = 2, patience }).start(t)
	load := newGate("loaded")
	var bodies []<-chan string
	query := func(n int) Query { return Query{Key: fmt.Sprint("room:", n), TTL: time.Minute} }
	for n := range 5 {
		bodies = append(bodies, goGet(t, p, query(n), load.run))
	}
	require.Eventually(t, func() bool {
		return len(load.began) == 2 && p.loadQueues.of("room:1").Waiting() == 3
	}, patience,
		time.Millisecond)
	other, _ := get(t, p, Query{Key: "movie:1", TTL: time.Minute}, text("another kind"))
	require.Equal(t, "another kind", other)
	close(load.release)
	for _, body := range bodies {
		require.Equal(t, "loaded", <-body)
	}
	require.Zero(t, p.loadQueues.of("room:1").Waiting())
	require.Zero(t, p.Stats().Refused)
}

// Loads whose turn does not come are refused.
func TestTooManyLoads(t *testing.T) {
	t.Parallel()
	p := install(t).with(func(l *limits) { l.loads, l.queueTimeout = 1, 10*time.Millisecond }).start(t)
	load := newGate("loaded")
	first := goGet(t, p, Query{Key: "room:1", TTL: time.Minute}, load.run)
	<-load.began
	second := Query{Key: "room:2", TTL: time.Minute}
	_, _, err := p.Get(t.Context(), second, text("not called"))
	require.ErrorIs(t, err, watchparty.ErrBusy)
	require.EqualValues(t, 1, p.Stats().Refused)
	close(load.release)
	require.Equal(t, "loaded", <-first)
	require.Eventually(t, func() bool { // the turn ends after the answer
		_, _, err := p.Get(t.Context(), second, text("its turn"))
		return err == nil
	}, patience, time.Millisecond)
}

func TestCloseEndsLoads(t *testing.T) {
	t.Parallel()
	p := install(t).start(t)
	began := make(chan struct{})
	result := make(chan error)
	go func() {
		_, _, err := p.Get(context.Background(), roomQuery(), func(ctx context.Context) (Loaded, error) {
			close(began)
			return hang(ctx)
		})
		result <- err
	}()
	<-began
	require.NoError(t, p.Close())
	require.ErrorIs(t, <-result, context.Canceled)
	require.NoError(t, p.Close(), "a second Close does nothing")
	_, _, err := p.Get(t.Context(), roomQuery(), text("not called"))
	require.ErrorIs(t, err, context.Canceled)
}

func TestPanicInALoadReachesEveryWaiter(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(){
		"panic":  func() { panic("no such column") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := install(t).start(t)
			began, release := make(chan struct{}, 2), make(chan struct{})
			failed := make(chan error, 2)
			read := func() {
				_, _, err := p.Get(t.Context(), roomQuery(), func(context.Context) (Loaded, error) {
					began <- struct{}{}
					<-release
					end()
					return Loaded{}, nil
				})
				failed <- err
			}
			go read()
			<-began
			go read()
			requireJoined(t, p, 1)
			close(release)
			require.ErrorContains(t, <-failed, "panicked")
			require.ErrorContains(t, <-failed, "panicked")
			requireGet(t, p, text("well again"), "well again", false)
		})
	}
}
