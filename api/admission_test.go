package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOverload: while more wait for the database than it serves, the newest are refused at once, memory answers, health
// answers, and other parts of the API go on. All is well when the others are through.
func TestOverload(t *testing.T) {
	t.Parallel()
	b := setup(t, shortLocks, func(s *settings) { s.config.Database.MaxConns = 4 }) // two for a part of the API
	alice := b.user(t, "alice")
	movie := b.addMovie(t, "Metropolis")
	for range 2 { // so that memory has the movie and the sign-in
		require.Equal(t, http.StatusOK, b.do(t, "GET", "/movies/"+movie, "", nil).status)
		require.Equal(t, http.StatusOK, b.do(t, "GET", "/users/me", alice.token, nil).status)
	}
	lock, err := b.store.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer lock.Rollback() //nolint:errcheck // it is over
	_, err = lock.ExecContext(t.Context(), "LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)

	var waiting sync.WaitGroup
	defer waiting.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 30 {
		waiting.Go(func() {
			for ctx.Err() == nil {
				b.do(t, "GET", "/users/me", alice.token, nil)
			}
		})
	}
	require.Eventually(t, func() bool { return b.store.CheckCapacity("users") != nil }, time.Minute, time.Millisecond)

	var refused answer
	require.Eventually(t, func() bool {
		refused = b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"display_name": "Alice"})
		return refused.code() == "busy"
	}, time.Minute, time.Millisecond)
	refused.requireProblem(t, http.StatusServiceUnavailable, "busy")
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	require.Equal(t, "HIT", b.do(t, "GET", "/movies/"+movie, "", nil).header.Get("X-Cache"))
	require.Equal(t, http.StatusOK, b.do(t, "GET", "/movies?q=other", "", nil).status)
	require.Equal(t, http.StatusNoContent, b.do(t, "GET", "/health/live", "", nil).status)
	require.Equal(t, http.StatusNoContent, b.do(t, "GET", "/health/ready", "", nil).status)
	require.LessOrEqual(t, len(b.logs.records(t, "requests are refused")), 1, "the log stays short")

	stop()
	require.NoError(t, lock.Rollback())
	waiting.Wait()
	require.Equal(t, http.StatusOK, b.do(t, "GET", "/users/me", alice.token, nil).status)
	require.NotZero(t, b.store.Refused())
}

// TestLockThatManyPartsNeed: while many parts of the API wait for one lock, a read that needs none is answered, and the
// database is connected.
func TestLockThatManyPartsNeed(t *testing.T) {
	t.Parallel()
	b := setup(t, shortLocks, func(s *settings) { s.config.Database.MaxConns = 9 }) // three for a part of the API
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	parts := map[string]func() answer{
		"users": func() answer { return b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"display_name": "Al"}) },
		"auth": func() answer {
			return b.do(t, "POST", "/auth/login", "", map[string]any{"email": alice.email, "password": password})
		},
		"rooms": func() answer { return b.do(t, "POST", "/rooms/"+room+"/join", alice.token, nil) },
		"chat": func() answer {
			return b.do(t, "POST", "/chat/messages", alice.token, map[string]any{"room_id": room, "body": "Hello"})
		},
	}
	lock, err := b.store.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer lock.Rollback() //nolint:errcheck // it is over
	_, err = lock.ExecContext(t.Context(), "LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)

	var waiting sync.WaitGroup
	defer waiting.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	refused := make(chan string)
	for part, request := range parts {
		for range 8 {
			waiting.Go(func() {
				for ctx.Err() == nil {
					assert.Equal(t, http.StatusServiceUnavailable, request().status, part)
					select {
					case refused <- part:
					default:
					}
				}
			})
		}
	}
	known := map[string]int{}
	for slices.Min([]int{known["users"], known["auth"], known["rooms"], known["chat"]}) < 4 {
		select {
		case part := <-refused:
			known[part]++
		case <-time.After(time.Minute):
			require.Fail(t, "a part does not wait for the lock", known)
		}
	}
	const reads = 20
	for n := range reads {
		search := b.do(t, "GET", fmt.Sprintf("/movies?q=other%d", n), "", nil) // another one, or memory would answer
		require.Equal(t, http.StatusOK, search.status, search)
		found := b.do(t, "GET", "/health", "", nil).data()
		require.Equal(t, []any{"connected", "connected"}, []any{found["database"], found["emails"]})
	}
	stop()
	waiting.Wait() // before the lock ends
}
