package api

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestOverload: while more wait for the database than it serves, the newest are refused at once, memory answers, health
// answers, and other parts of the API go on. All is well when the others are through.
func TestOverload(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) { s.config.Database.MaxConns = 4 }) // two for a part of the API
	alice := b.user(t, "alice")
	movie := b.movie(t, "Metropolis")
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
	require.Eventually(t, func() bool { return b.store.CheckRoom("users") != nil }, time.Minute, time.Millisecond)

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
