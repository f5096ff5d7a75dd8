package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack"
)

// traffic asks for paths one after the other, rate times a second, until it is stopped.
type traffic struct {
	stop     chan struct{}
	wg       sync.WaitGroup
	mu       sync.Mutex
	statuses map[int]int
	answers  []answer // that are neither 200 nor 201
	problems []string // of requests without a usable answer, whose status is 0
	took     []time.Duration
}

// attempt is the require.TestingT of one request of the traffic, which has a goroutine of its own.
type attempt struct{ problem string }

// Errorf implements require.TestingT.
func (a *attempt) Errorf(format string, args ...any) { a.problem = fmt.Sprintf(format, args...) }

// FailNow ends the request.
func (a *attempt) FailNow() { runtime.Goexit() }

func startTraffic(t *testing.T, rate int, ask func(t require.TestingT, n int) answer) *traffic {
	l := &traffic{stop: make(chan struct{}), statuses: map[int]int{}}
	t.Cleanup(l.wait)
	l.wg.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(rate))
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-l.stop:
				return
			case <-ticker.C:
			}
			l.wg.Go(func() {
				var (
					current attempt
					got     answer
				)
				began := time.Now()
				defer func() { l.add(got, current.problem, time.Since(began)) }()
				got = ask(&current, n)
			})
		}
	})
	return l
}

func (l *traffic) add(got answer, problem string, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, took)
	l.statuses[got.status]++
	if problem != "" {
		l.problems = append(l.problems, problem)
	}
	if got.status != http.StatusOK && got.status != http.StatusCreated {
		l.answers = append(l.answers, got)
	}
}

// wait ends the traffic when all is answered.
func (l *traffic) wait() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.wg.Wait()
}

// count is how many answers had the status so far.
func (l *traffic) count(status int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.statuses[status]
}

// requireBounded ends the traffic and requires that each answer was one of the statuses, and that each 503 said when to
// come again.
func (l *traffic) requireBounded(t *testing.T, statuses ...int) {
	t.Helper()
	l.wait()
	t.Logf("answers by status: %v", l.statuses)
	require.Empty(t, l.problems)
	require.Subset(t, append(statuses, http.StatusServiceUnavailable), slices.Collect(maps.Keys(l.statuses)))
	for _, refused := range l.answers {
		require.True(t, refused.status != http.StatusServiceUnavailable || refused.header.Get("Retry-After") != "")
	}
}

// requireUnaffected ends the traffic and requires that it had no part in what a lock holds up. A busy machine may
// refuse some of it, and delay some. usual is the median of such traffic while there is no lock.
func (l *traffic) requireUnaffected(t *testing.T, usual time.Duration, statuses ...int) {
	t.Helper()
	l.requireBounded(t, statuses...)
	require.LessOrEqual(t, l.count(http.StatusServiceUnavailable), len(l.took)/10)
	median := l.median()
	t.Logf("the median of what needs no lock: %s; before the lock: %s", median, usual)
	require.Less(t, median, lockTimeout/2+5*usual)
}

// median is the median of the times of all answers so far.
func (l *traffic) median() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return median(l.took)
}

// slowest is the longest time of an answer so far.
func (l *traffic) slowest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Max(l.took)
}

// usualTime is the median of searches.
func (c client) usualTime(t *testing.T) time.Duration {
	t.Helper()
	l := startTraffic(t, 30, c.searches("usual"))
	l.await(t, http.StatusOK, 20)
	l.requireBounded(t, http.StatusOK)
	return l.median()
}

// await returns when that many more answers have had the status.
func (l *traffic) await(t *testing.T, status, more int) {
	t.Helper()
	before := l.count(status)
	require.Eventually(t, func() bool { return l.count(status) >= before+more }, longWait, 10*time.Millisecond)
}

// searches returns requests for movies. Each is another one, or the cache would answer.
func (c client) searches(word string) func(t require.TestingT, n int) answer {
	return func(t require.TestingT, n int) answer { return c.get(t, fmt.Sprintf("/movies?q=%s%d", word, n)) }
}

// requireWell waits until searches are answered without a refusal, twenty in a row.
func (c client) requireWell(t *testing.T) {
	t.Helper()
	for round, end := 0, time.Now().Add(longWait); ; round++ {
		well := startTraffic(t, 20, c.searches(fmt.Sprintf("day%dx", round)))
		well.await(t, http.StatusOK, 20)
		well.requireBounded(t, http.StatusOK)
		if well.count(http.StatusServiceUnavailable) == 0 {
			return
		}
		require.Less(t, time.Now(), end, "some searches are refused")
	}
}

// TestPostgresRestarts: a restart under load costs nothing but 503s that say when to come again, and what was answered
// with 201 is there.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false")
	s.startAPI(t)
	host, _ := s.client.register(t, "host", "Host")
	room := host.post(t, "/rooms", map[string]any{"name": "Night"}).data(t)["id"].(string)
	l := startTraffic(t, 50, func(t require.TestingT, n int) answer {
		if n%5 == 0 {
			return host.post(t, "/chat/messages", map[string]any{"room_id": room, "body": fmt.Sprint("message ", n)})
		}
		return host.get(t, fmt.Sprintf("/movies?q=night%d", n)) // each another one, or the cache would answer
	})
	l.await(t, http.StatusOK, 25)
	require.NoError(t, s.stack.Restart(t.Context(), devstack.Postgres))
	l.await(t, http.StatusOK, 25)
	l.requireBounded(t, http.StatusOK, http.StatusCreated)
	var stored int
	require.NoError(t, s.store.DB().NewRaw("SELECT count(*) FROM messages").Scan(t.Context(), &stored))
	require.GreaterOrEqual(t, stored, l.statuses[http.StatusCreated])
}

// TestLockedTable: requests that wait for a lock are refused after a while, and all others work.
func TestLockedTable(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false")
	s.startAPI(t)
	host, _ := s.client.register(t, "host", "Host")
	room := host.post(t, "/rooms", map[string]any{"name": "Night"}).data(t)["id"].(string)
	usual := host.usualTime(t)
	lock, err := s.store.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer lock.Rollback() //nolint:errcheck // it is over
	_, err = lock.ExecContext(t.Context(), "LOCK TABLE rooms IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	held := startTraffic(t, 30, func(t require.TestingT, _ int) answer {
		return host.post(t, "/rooms/"+room+"/join", nil)
	})
	require.Eventually(
		t, func() bool { return held.count(http.StatusServiceUnavailable) > 0 }, longWait, 10*time.Millisecond,
	)

	free := startTraffic(t, 30, host.searches("night"))
	require.Eventually(t, func() bool { return free.count(http.StatusOK) >= 60 }, longWait, 10*time.Millisecond)
	require.Equal(t, "connected", s.client.get(t, "/health").data(t)["database"])
	require.Equal(t, http.StatusNoContent, s.client.get(t, "/health/ready").status)
	free.requireUnaffected(t, usual, http.StatusOK)
	held.requireBounded(t)
	require.NoError(t, lock.Rollback())
	require.Equal(t, http.StatusOK, host.post(t, "/rooms/"+room+"/join", nil).status)
}

// TestLockedRow: people who join a room whose row is locked are refused after a while. What has no part in it goes on:
// the chats of this room and of others, and movies.
func TestLockedRow(t *testing.T) {
	t.Parallel()
	const people = 24
	s := newSystem(t)
	s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false")
	s.startAPI(t)
	host, _ := s.client.register(t, "host", "Host")
	room := host.post(t, "/rooms", map[string]any{"name": "Night"}).data(t)["id"].(string)
	other := host.post(t, "/rooms", map[string]any{"name": "Morning"}).data(t)["id"].(string)
	guests := s.registerMany(t, people)
	usual := host.usualTime(t)

	lock, err := s.store.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer lock.Rollback() //nolint:errcheck // it is over
	_, err = lock.ExecContext(t.Context(), "SELECT FROM rooms WHERE id = ? FOR UPDATE", room)
	require.NoError(t, err)
	statuses, took := make([]int, people), make([]time.Duration, people)
	var joining sync.WaitGroup
	for i, guest := range guests {
		joining.Go(func() {
			began := time.Now()
			statuses[i] = guest.post(t, "/rooms/"+room+"/join", nil).status
			took[i] = time.Since(began)
		})
	}
	s.awaitLock(t)
	free := startTraffic(t, 30, func(t require.TestingT, n int) answer {
		switch n % 4 {
		case 0:
			return host.post(t, "/chat/messages", map[string]any{"room_id": other, "body": fmt.Sprint("message ", n)})
		case 1:
			return host.get(t, fmt.Sprintf("/chat/messages?room_id=%s&limit=%d", room, 1+n%100))
		default:
			return host.get(t, fmt.Sprintf("/movies?q=night%d", n))
		}
	})
	for range 10 {
		free.await(t, http.StatusOK, 5)
		require.Equal(t, "connected", s.client.get(t, "/health").data(t)["database"])
		require.Equal(t, http.StatusNoContent, s.client.get(t, "/health/ready").status)
	}
	joining.Wait()
	free.requireUnaffected(t, usual, http.StatusOK, http.StatusCreated)
	require.Positive(t, free.count(http.StatusCreated))
	for i, status := range statuses {
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Less(t, took[i], 2*(lockTimeout+connectionWait)+lockTimeout+people*usual, "at most two waits of each kind")
	}
	t.Logf("the slowest join: %s", slices.Max(took))
	require.NoError(t, lock.Rollback())
	for _, guest := range guests {
		require.Equal(t, http.StatusOK, guest.postUntilTaken(t, "/rooms/"+room+"/join", nil).status)
	}
}

// What a statement of the program waits at most for a lock, and for a connection.
const lockTimeout, connectionWait = 2 * time.Second, 2 * time.Second

// registerMany makes that many accounts.
func (s *system) registerMany(t *testing.T, n int) []client {
	t.Helper()
	clients := make([]client, n)
	var registering sync.WaitGroup
	const atOnce = 4
	for first := range atOnce {
		registering.Go(func() {
			for i := first; i < n; i += atOnce {
				clients[i], _ = s.client.register(t, fmt.Sprintf("guest%02d", i), "Guest")
			}
		})
	}
	registering.Wait()
	require.False(t, t.Failed())
	return clients
}
