package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// entryExchanges counts the exchanges with Redis that ask for cached entries.
type entryExchanges struct{ atomic.Int64 }

func (x *entryExchanges) DialHook(next redis.DialHook) redis.DialHook { return next }

func (x *entryExchanges) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		x.count(cmd)
		return next(ctx, cmd)
	}
}

func (x *entryExchanges) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		x.count(cmds...)
		return next(ctx, cmds)
	}
}

func (x *entryExchanges) count(cmds ...redis.Cmder) {
	if slices.ContainsFunc(cmds, func(cmd redis.Cmder) bool { return cmd.Name() == "get" }) {
		x.Add(1)
	}
}

// TestCachedReadsAreOneExchange: what a request needs, such as the sign-in, the room, the standing and the list, is
// asked for together when it is in Redis, and not at all when it is in memory. So it is for a request whose target is
// known.
func TestCachedReadsAreOneExchange(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t, func(s *settings) { // nothing grows old meanwhile
		c := &s.config.Cache
		c.Rooms, c.Movies, c.Messages, c.Profiles = time.Hour, time.Hour, time.Hour, time.Hour
	})
	other, member := w.newProcess(t, true)
	for id, op := range operations() {
		if ok := op.Responses.Status(http.StatusOK); ok == nil || ok.Value.Headers["X-Cache"] == nil {
			continue
		}
		paths := w.cachedReads()[id]
		require.NotEmpty(t, paths, "how does %s look?", id)
		for _, viewer := range []person{{}, w.alice} {
			w.requireHit(t, paths[0], viewer.token) // all of it is in Redis
			for _, state := range []string{"new", "known"} {
				other.cache = w.newCache(t, member)
				var sent entryExchanges
				other.cache.Redis().Client().AddHook(&sent)
				for _, level := range []string{"Redis", "memory"} {
					r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, basePath+paths[0], nil)
					if viewer.token != "" {
						r.Header.Set("Authorization", "Bearer "+viewer.token)
					}
					answer := httptest.NewRecorder()
					other.ServeHTTP(answer, r)
					what := fmt.Sprintf("%s by %q, target %s, from %s", id, viewer.name, state, level)
					require.Equal(t, http.StatusOK, answer.Code, what)
					require.Equal(t, "HIT", answer.Header().Get("X-Cache"), what)
					require.EqualValues(t, 1, sent.Load(), what)
				}
			}
		}
	}
}
