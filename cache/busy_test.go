package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// TestNoLoadForWantOfRedis: more lookups than Redis can answer in the time that one exchange is given wait, and some
// are refused. None loads from the database, which would cost more.
func TestNoLoadForWantOfRedis(t *testing.T) {
	t.Parallel()
	redis := rawClient(t, stacktest.RedisURL()).Options().Addr
	proxy := badnet.New(t, redis)
	i := install(t).on("redis://" + proxy.Addr()).with(func(l *limits) { l.queueTimeout = patience })
	i.busURL = stacktest.RedisURL()
	i.redis.Timeout, i.redis.PoolSize = 2*time.Second, 2
	p := i.start(t)
	const stored, wait = 120, 2 + 2*waitingEach // as many as are served and wait
	query := func(n int) Query {
		return Query{Key: fmt.Sprint("room:", n), Tags: []string{"rooms"}, TTL: time.Minute}
	}
	for n := range stored {
		get(t, p, query(n), text("stored"))
	}
	loads := p.Stats().Loads
	p.forget()
	proxy.Delay(50 * time.Millisecond) // the last one waits for longer than an exchange may take

	var hits, busy atomic.Int64
	var reading sync.WaitGroup
	for n := range stored {
		reading.Go(func() {
			_, hit, err := p.Get(context.Background(), query(n), text("loaded"))
			switch {
			case errors.Is(err, watchparty.ErrBusy):
				busy.Add(1)
			case err == nil && hit:
				hits.Add(1)
			default:
				t.Errorf("hit %v, error %v", hit, err)
			}
		})
	}
	reading.Wait()
	require.Equal(t, loads, p.Stats().Loads)
	require.GreaterOrEqual(t, hits.Load(), int64(wait))
	require.Equal(t, uint64(busy.Load()), p.Stats().Refused) //nolint:gosec // it is positive
	require.Zero(t, p.Stats().Errors)

	proxy.Delay(0)
	for n := range stored {
		_, hit := get(t, p, query(n), text("loaded"))
		require.True(t, hit)
	}
}
