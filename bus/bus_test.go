package bus

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	goleak.VerifyTestMain(stacktest.With(m, devstack.Redis))
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
	proxy := newProxy(t, redisAddress(t))
	subscribed, heard := make(chan struct{}, 10), make(chan string, 10)
	b := start(t, newClient(t, proxy.addr()), stacktest.KeyPrefix(t), func(b *Bus) {
		require.False(t, b.Healthy(), "before it runs")
		b.OnSubscribed(func() { subscribed <- struct{}{} })
		b.Subscribe("rooms", func(payload []byte) { heard <- string(payload) })
	})
	receive(t, subscribed)
	requireHealth(t, b, true)

	proxy.set(cut)
	requireHealth(t, b, false)
	proxy.set(pass)
	receive(t, subscribed)
	requireHealth(t, b, true)

	proxy.set(swallow)
	requireHealth(t, b, false)
	proxy.set(pass)
	receive(t, subscribed)
	requireHealth(t, b, true)
	require.NoError(t, b.Publish("rooms", []byte("after the fault")))
	require.Equal(t, "after the fault", receive(t, heard))
}

// proxy is a Redis that can be cut off, or stop answering.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	mode  mode
	conns map[net.Conn]struct{}
}

type mode int

const (
	pass mode = iota
	cut
	swallow
)

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: l, target: target, conns: map[net.Conn]struct{}{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.set(cut)
		running.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// set changes what happens to connections. Those that there are end with each change but the one to swallow.
func (p *proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	if m != swallow {
		for conn := range p.conns {
			_ = conn.Close()
		}
	}
}

func (p *proxy) swallows() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode == swallow
}

// keep reports whether the connection may be used; it is then closed with the others.
func (p *proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[conn] = struct{}{}
	return p.mode != cut
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close() //nolint:errcheck // a test's connection
	if !p.keep(client) {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close() //nolint:errcheck // a test's connection
	if !p.keep(server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client) })
	p.copy(client, server)
	both.Wait()
}

func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()   //nolint:errcheck // a test's connection
	defer from.Close() //nolint:errcheck // a test's connection
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if p.swallows() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
