package bus

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	goleak.VerifyTestMain(stacktest.With(m, devstack.Redis), stacktest.Redialing())
}

// silent drops what go-redis prints of failed dials.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func newClient(t *testing.T, addr string) redis.UniversalClient {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func redisAddress(t *testing.T) string {
	t.Helper()
	options, err := redis.ParseURL(stacktest.RedisURL())
	require.NoError(t, err)
	return options.Addr
}

// start runs a bus until the test ends, after prepare has subscribed.
func start(t *testing.T, client redis.UniversalClient, prefix string, prepare func(*Bus)) *Bus {
	t.Helper()
	b := New(client, config.Redis{KeyPrefix: prefix}, slog.New(slog.DiscardHandler))
	prepare(b)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return b
}

func requireHealth(t *testing.T, b *Bus, healthy bool) {
	t.Helper()
	require.Eventually(t, func() bool { return b.Healthy() == healthy }, 30*time.Second, time.Millisecond)
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(30 * time.Second):
		require.FailNow(t, "nothing was received")
		panic("unreachable")
	}
}

func TestMessagesReachAllProcessesOfOnePrefix(t *testing.T) {
	t.Parallel()
	client, prefix := newClient(t, redisAddress(t)), stacktest.KeyPrefix(t)
	heard := make(chan string, 10)
	listen := func(name string) func(*Bus) {
		return func(b *Bus) {
			b.Subscribe("rooms", func(payload []byte) { heard <- name + ":" + string(payload) })
		}
	}
	a := start(t, client, prefix, listen("a"))
	b := start(t, client, prefix, listen("b"))
	stranger := start(t, client, stacktest.KeyPrefix(t)+"other:", listen("stranger"))
	for _, each := range []*Bus{a, b, stranger} {
		requireHealth(t, each, true)
	}
	require.NoError(t, a.Publish("rooms", []byte("1")))
	require.ElementsMatch(t, []string{"a:1", "b:1"}, []string{receive(t, heard), receive(t, heard)})
	require.NoError(t, a.Publish("accounts", []byte("nobody listens")))
	require.NoError(t, b.Publish("rooms", []byte("2")))
	require.ElementsMatch(t, []string{"a:2", "b:2"}, []string{receive(t, heard), receive(t, heard)})
	require.Empty(t, heard, "of another installation")
}

func TestMessagesOfOneSenderKeepTheirOrder(t *testing.T) {
	t.Parallel()
	client := newClient(t, redisAddress(t))
	const count = 2 * batchSize
	heard := make(chan string, count)
	b := start(t, client, stacktest.KeyPrefix(t), func(b *Bus) {
		b.Subscribe("rooms", func(payload []byte) { heard <- string(payload) })
	})
	requireHealth(t, b, true)
	for i := range count {
		require.NoError(t, b.Publish("rooms", []byte(strconv.Itoa(i))))
	}
	for i := range count {
		require.Equal(t, strconv.Itoa(i), receive(t, heard))
	}
}

func TestAFullQueueRefusesInsteadOfWaiting(t *testing.T) {
	t.Parallel()
	b := New(newClient(t, "127.0.0.1:1"), config.Redis{}, slog.New(slog.DiscardHandler))
	for range queueSize {
		require.NoError(t, b.Publish("rooms", nil))
	}
	require.ErrorIs(t, b.Publish("rooms", nil), ErrFull)
}

// A connection that breaks is noticed at once, one that is silent after echoLimit, and the subscription begins again.
func TestHealth(t *testing.T) {
	t.Parallel()
	proxy := badnet.New(t, redisAddress(t))
	subscribed, heard := make(chan struct{}, 10), make(chan string, 10)
	b := start(t, newClient(t, proxy.Addr()), stacktest.KeyPrefix(t), func(b *Bus) {
		require.False(t, b.Healthy(), "before it runs")
		b.OnSubscribed(func() { subscribed <- struct{}{} })
		b.Subscribe("rooms", func(payload []byte) { heard <- string(payload) })
	})
	receive(t, subscribed)
	requireHealth(t, b, true)

	proxy.Set(badnet.Cut)
	requireHealth(t, b, false)
	proxy.Set(badnet.Pass)
	receive(t, subscribed)
	requireHealth(t, b, true)

	proxy.Set(badnet.Swallow)
	requireHealth(t, b, false)
	proxy.Set(badnet.Pass)
	receive(t, subscribed)
	requireHealth(t, b, true)
	require.NoError(t, b.Publish("rooms", []byte("after the fault")))
	require.Equal(t, "after the fault", receive(t, heard))
}

// breaks has the first pipeline with a message fail as on a connection that breaks before it is sent.
type breaks struct {
	redis.Hook

	payload string
	broken  chan struct{}
}

func (h breaks) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (h breaks) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (h breaks) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, calls []redis.Cmder) error {
		for _, call := range calls {
			if payload, ok := call.Args()[2].([]byte); ok && string(payload) == h.payload && len(h.broken) == 0 {
				h.broken <- struct{}{}
				return io.ErrUnexpectedEOF
			}
		}
		return next(ctx, calls)
	}
}

func TestAConnectionThatBreaksLosesNothing(t *testing.T) {
	t.Parallel()
	client, heard, broken := newClient(t, redisAddress(t)), make(chan string, 10), make(chan struct{}, 1)
	client.AddHook(breaks{payload: "twice", broken: broken})
	subscribed := make(chan struct{}, 10)
	b := start(t, client, stacktest.KeyPrefix(t), func(b *Bus) {
		b.OnSubscribed(func() { subscribed <- struct{}{} })
		b.Subscribe("rooms", func(payload []byte) { heard <- string(payload) })
	})
	receive(t, subscribed)
	require.NoError(t, b.Publish("rooms", []byte("twice")))
	require.Equal(t, "twice", receive(t, heard))
	require.Len(t, broken, 1)
}
